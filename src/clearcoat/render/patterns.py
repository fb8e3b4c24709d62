"""Patterns in space, in Dr.Jit: where a surface cuts them, dirt, scratches and drops appear.

They need no texture coordinates and have no seams, whatever the triangles. Scratches and drops
lie in the cells of a cubic grid, each within its own cell, so that a point asks one cell only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TEXELS = 64


@lru_cache(maxsize=1)
def noise_block() -> NDArray[np.float32]:
    """(64, 64, 64, 1): cloudy noise that repeats, its values evenly spread over 0 … 1."""
    rng = np.random.default_rng(64)
    full, half = np.fft.fftfreq(_TEXELS), np.fft.rfftfreq(_TEXELS)
    squares = full[:, None, None] ** 2 + full[None, :, None] ** 2 + half[None, None, :] ** 2
    squares[0, 0, 0] = np.inf
    # An amplitude that falls with the wave number as that of clouds and stains does.
    spectrum = squares**-0.95 * np.exp(2j * np.pi * rng.random(squares.shape))
    made = np.fft.irfftn(spectrum, (_TEXELS,) * 3, axes=(0, 1, 2))
    ranks = np.empty(made.size, np.float32)
    ranks[np.argsort(made, axis=None)] = (np.arange(made.size) + 0.5) / made.size
    return ranks.reshape(_TEXELS, _TEXELS, _TEXELS, 1)


def frames(variation: int, count: int) -> NDArray[np.float64]:
    """(count, 3, 4): rotations and offsets, so that no two grids agree and none lies along x."""
    rng = np.random.default_rng([variation, 3])
    turns, upper = np.linalg.qr(rng.standard_normal((count, 3, 3)))
    # Columns up to a sign: fixed, so that other libraries of linear algebra draw the same.
    turns = turns * np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None, :]
    return np.concatenate([turns, rng.uniform(0, 64, (count, 3, 1))], axis=2)


def random_3(dr: Any, mi: Any, cell: Any, salt: int) -> tuple[Any, Any, Any]:
    """Three numbers in 0 … 1 of a cell of whole coordinates (pcg3d; Jarzynski and Olano 2020)."""
    x, y, z = (mi.UInt32(mi.Int32(c)) + mi.UInt32(salt) for c in (cell.x, cell.y, cell.z))
    x, y, z = (c * 1664525 + 1013904223 for c in (x, y, z))
    for again in (True, False):
        x = x + y * z
        y = y + z * x
        z = z + x * y
        if again:
            x, y, z = (c ^ (c >> 16) for c in (x, y, z))
    x, y, z = (mi.Float(c >> 8) * 2.0**-24 for c in (x, y, z))
    return x, y, z


def turned(mi: Any, frame: Any, point: Any) -> Any:
    """Return a point in one of `frames`, given as twelve numbers."""
    f = frame
    return mi.Point3f(
        f[0] * point.x + f[1] * point.y + f[2] * point.z + f[3],
        f[4] * point.x + f[5] * point.y + f[6] * point.z + f[7],
        f[8] * point.x + f[9] * point.y + f[10] * point.z + f[11],
    )


def turned_back(mi: Any, frame: Any, vector: Any) -> Any:
    """Return a vector of one of `frames` in the world."""
    f, v = frame, vector
    return mi.Vector3f(
        f[0] * v.x + f[4] * v.y + f[8] * v.z,
        f[1] * v.x + f[5] * v.y + f[9] * v.z,
        f[2] * v.x + f[6] * v.y + f[10] * v.z,
    )


def drop(dr: Any, mi: Any, si: Any, frame: Any, cell_m: Any, amount: Any, salt: int) -> Any:
    """Return whether a point is in a drop of one grid, and x, y of where in it (rim at 1).

    Drops are balls that the surface cuts: round on it whatever its slope.
    """
    place = turned(mi, frame, si.p / cell_m)
    cell = dr.floor(place)
    a, b, c = random_3(dr, mi, cell, salt)
    kind, size, _ = random_3(dr, mi, cell, salt + 7919)
    radius = 0.22 + 0.26 * size * size
    center = cell + 0.5 + (mi.Vector3f(a, b, c) - 0.5) * (1 - 2 * radius)
    away = si.to_local(turned_back(mi, frame, mi.Vector3f(place - center)))
    rim = dr.sqrt(dr.maximum(radius * radius - away.z * away.z, 0.0))
    # A ball that is only touched would be a speck.
    real = (kind < amount) & (rim > 0.4 * radius)
    x, y = away.x / dr.maximum(rim, 1e-3), away.y / dr.maximum(rim, 1e-3)
    return real & (x * x + y * y < 1), x, y


def scratch(
    dr: Any, mi: Any, si: Any, frame: Any, cell_m: Any, width_m: Any, amount: Any, salt: int
) -> Any:
    """Return whether a point is on a scratch of one grid.

    A scratch is where the surface cuts a slightly bent sheet within a ball; its width is measured
    along the surface, and there are one to three in parallel.
    """
    place = turned(mi, frame, si.p / cell_m)
    cell = dr.floor(place)
    a, b, c = random_3(dr, mi, cell, salt)
    kind, size, count = random_3(dr, mi, cell, salt + 7919)
    radius = 0.15 + 0.33 * size
    center = cell + 0.5 + (mi.Vector3f(a, b, c) - 0.5) * (1 - 2 * radius)
    away = mi.Vector3f(place - center)
    # Any function of the cell will do for the sheet's direction.
    across = dr.normalize(mi.Vector3f(b - 0.5, c - a, 0.5 - a + 0.3 * (size - 0.5)) + 1e-3)
    normal = mi.Vector3f(turned(mi, frame, mi.Point3f(si.sh_frame.n))) - mi.Vector3f(
        frame[3], frame[7], frame[11]
    )
    steep = dr.norm(across - normal * dr.dot(across, normal))
    along2 = dr.squared_norm(away)
    distance = (dr.dot(across, away) + (a - 0.5) * along2) / dr.maximum(steep, 0.3) * cell_m
    spacing = width_m * (3 + 4 * b)
    lines = dr.floor(count * count * 3)
    line = dr.clip(dr.round(distance / spacing), 0, lines)
    # Thin at its ends, as deep as its rank says in its middle; lines beside it end earlier.
    reach = 1 - along2 / (radius * radius) * (1 + 0.5 * line)
    half_width = 0.5 * width_m * (0.35 + 0.65 * c) * dr.minimum(3 * reach, 1)
    return (
        (kind < amount)
        & (steep > 0.3)
        & (reach > 0)
        & (dr.abs(distance - line * spacing) < half_width)
    )
