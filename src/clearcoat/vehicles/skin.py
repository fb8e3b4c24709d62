"""The outer skin as triangles, and how panels are cut out of it along smooth lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcoat.vehicles.curves import Array, bump
from clearcoat.vehicles.form import FACES, Form

Faces = NDArray[np.int64]

_SOLVED_M = 2e-6
"""A root is found where the field is this close to zero: far below what a highlight shows."""

_COLUMNS = {name: column for column, name in enumerate(("x", "y", "z", "nx", "ny", "nz", *FACES))}


class FoldedFormError(ArithmeticError):
    """The skin of a form is crossed more than once from its spine, or not at all."""


@dataclass(frozen=True, eq=False)
class Skin:
    """Triangles of the half y >= 0 of a skin; the fields of the form ride along at the vertices."""

    values: Array
    """(V, C): position, normal, and one column per field of the form."""
    faces: Faces
    """(F, 3), counter-clockwise from outside."""

    def __getitem__(self, name: str) -> Array:
        """One column: x, y, z, nx, ny, nz or a field of the form."""
        column: Array = self.values[:, _COLUMNS[name]]
        return column

    @property
    def positions(self) -> Array:
        """(V, 3) metres."""
        return self.values[:, :3]

    @property
    def normals(self) -> Array:
        """(V, 3) unit normals of the uncut form, so that reflections run across panels."""
        return self.values[:, 3:6]


def _lattice(form: Form, cells: tuple[int, int, int]) -> tuple[Array, Array, Faces]:
    """Rays (origin, towards) from the inside through the surface of a car-like half box."""
    a = form.anchors
    nx, ny, nz = cells
    # Stations along x follow the arc length of the centre line: a steep screen gets its share.
    # At the foot of the pillar, where hood, screen, fender and door meet, they are closer.
    fine = np.linspace(a.rear_x, a.front_x, 600)
    slope = np.gradient(form.centre_line(fine), fine)
    density = np.hypot(1.0, np.minimum(np.abs(slope), 4.0))
    density *= 1.0 + bump(fine, a.cowl_x - 0.12, 0.15)
    arc = np.concatenate([[0.0], np.cumsum(density[1:])])
    station_x = np.interp(np.linspace(0.0, arc[-1], nx + 1), arc, fine)
    body_half, foot_half = form.half_widths(station_x)
    centre_z = form.centre_line(station_x)
    belt = np.minimum(form.belt(station_x) + 0.01, centre_z - 0.07)
    floor = form.floor(station_x)
    in_cab = np.clip((centre_z - belt - 0.10) / 0.35, 0.0, 1.0)
    # Before and behind the cab the rows of the pillars run on over the rounded shoulders, so that
    # the borders of hood and deck lie among them.
    beside = body_half - 0.13
    pillar = foot_half - a.side_slope * np.maximum(centre_z - belt - 0.05, 0.0)
    top_half = beside + in_cab * (pillar - beside)
    # Up the side: two thirds of the cells below the belt, the rest above.
    level = np.linspace(0.0, 1.0, nz + 1)
    split = 0.62
    low = np.clip(level / split, 0.0, 1.0)
    high = np.clip((level - split) / (1.0 - split), 0.0, 1.0)
    edge_z = centre_z - 0.03 - 0.03 * (1 - in_cab)
    side_z = floor[:, None] + (belt - floor)[:, None] * low + (edge_z - belt)[:, None] * high
    side_y = body_half[:, None] + (top_half - body_half)[:, None] * high

    i, j, k = np.meshgrid(np.arange(nx + 1), np.arange(ny + 1), np.arange(nz + 1), indexing="ij")
    on = (i == 0) | (i == nx) | (j == ny) | (k == 0) | (k == nz)
    number = np.full(on.shape, -1, dtype=np.int64)
    number[on] = np.arange(int(on.sum()))
    i, j, k = i[on], j[on], k[on]
    towards = np.stack([station_x[i], side_y[i, k] * (j / ny), side_z[i, k]], axis=1)
    spine_z = 0.55 * floor + 0.45 * np.minimum(belt, centre_z - 0.1)
    origin = np.stack([0.78 * station_x[i], np.zeros(len(i)), spine_z[i]], axis=1)

    def quads(grid: NDArray[np.int64], flip: bool) -> Faces:
        p, q, r, s = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
        both = np.concatenate(
            [np.stack([p, q, r], -1).reshape(-1, 3), np.stack([p, r, s], -1).reshape(-1, 3)]
        )
        return both[:, ::-1] if flip else both

    faces = np.concatenate(
        [
            quads(number[:, :, nz], False),
            quads(number[:, :, 0], True),
            quads(number[:, ny, :], True),
            quads(number[nx, :, :], False),
            quads(number[0, :, :], True),
        ]
    )
    return origin, towards, faces


NEAREST = 0.15
"""Share of a ray at which the search for the skin begins."""


def solve(form: Form, origin: Array, towards: Array, depth_m: float = 0.0) -> Array:
    """Where rays from inside leave the level set `depth_m` below the skin: (N, 3) points.

    Bisection with the Illinois rule; the form is star-shaped seen from its spine, so there is
    one crossing. Raises FoldedFormError where it is not, which extreme parameters together can do.
    """
    ray = towards - origin
    low, high = np.full(len(ray), NEAREST), np.full(len(ray), 1.6)

    def value(t: Array) -> Array:
        return form.distance(origin + t[:, None] * ray) + depth_m

    at_low, at_high = value(low), value(high)
    if bool(np.any(at_low >= 0)) or bool(np.any(at_high <= 0)):
        raise FoldedFormError("the form is not star-shaped about its spine")
    for step in range(14):
        if step % 3 == 2:
            middle = 0.5 * (low + high)
        else:
            middle = (low * at_high - high * at_low) / (at_high - at_low)
        at_middle = value(middle)
        inside = at_middle < 0
        low, at_low = np.where(inside, middle, low), np.where(inside, at_middle, at_low)
        high, at_high = np.where(inside, high, middle), np.where(inside, at_high, at_middle)
        if float(np.minimum(np.abs(at_low), np.abs(at_high)).max()) < _SOLVED_M:
            break
    root = np.where(np.abs(at_low) < np.abs(at_high), low, high)
    points: Array = origin + root[:, None] * ray
    return points


def make_skin(form: Form, cells: tuple[int, int, int], depth_m: float = 0.0) -> Skin:
    """Triangulate the left half of the level set `depth_m` below the form's skin."""
    origin, towards, faces = _lattice(form, cells)
    points = solve(form, origin, towards, depth_m)
    fields = form.faces(points)
    values = np.column_stack([points, form.normals(points), *(fields[name] for name in FACES)])
    return Skin(values, faces)


def clip(skin: Skin, region: Array) -> Skin:
    """The part of a skin where `region` (one value per vertex) is negative.

    Triangles that straddle the border are cut along it, so that it is smooth.
    """
    inside = region < 0.0
    count = inside[skin.faces].sum(axis=1)
    whole = skin.faces[count == 3]
    mixed = skin.faces[(count == 1) | (count == 2)]
    lone_in = inside[mixed].sum(axis=1) == 1
    # Turn each straddling triangle so that its first corner is the odd one out.
    odd = np.where(lone_in, np.argmax(inside[mixed], 1), np.argmin(inside[mixed], 1))
    turned = mixed[np.arange(len(mixed))[:, None], (odd[:, None] + np.arange(3)) % 3]
    a, b, c = turned.T
    pairs = np.sort(np.concatenate([np.stack([a, b], 1), np.stack([a, c], 1)]), axis=1)
    size = len(region)
    keys, where = np.unique(pairs[:, 0] * size + pairs[:, 1], return_inverse=True)
    start, end = keys // size, keys % size
    # Off the very ends, so that no sliver collapses into a point.
    t = np.clip(region[start] / (region[start] - region[end]), 0.01, 0.99)[:, None]
    fresh = (1.0 - t) * skin.values[start] + t * skin.values[end]
    fresh[:, 3:6] /= np.linalg.norm(fresh[:, 3:6], axis=1, keepdims=True)
    ab, ac = size + where[: len(a)], size + where[len(a) :]
    faces = np.concatenate(
        [
            whole,
            np.stack([a, ab, ac], 1)[lone_in],
            np.stack([ab, b, c], 1)[~lone_in],
            np.stack([ab, c, ac], 1)[~lone_in],
        ]
    )
    return compact(Skin(np.concatenate([skin.values, fresh]), faces))


def compact(skin: Skin) -> Skin:
    """Drop the vertices that no triangle uses."""
    used = np.zeros(len(skin.values), dtype=np.bool_)
    used[skin.faces] = True
    renumber = np.cumsum(used) - 1
    return Skin(skin.values[used], renumber[skin.faces])


def sunk(skin: Skin, depth: float | Array) -> Skin:
    """The same piece moved inwards by `depth` metres along its normals."""
    values = skin.values.copy()
    values[:, :3] -= np.reshape(depth, (-1, 1)) * skin.normals
    return Skin(values, skin.faces)
