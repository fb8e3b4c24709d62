"""Repairs of triangles as CAD exports need them: doubles, shells inside out, turned normals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.raw import Float64Array, Notes
from clearcoat.product.readers.vectors import lengths_of_rows

Uint32Array = NDArray[np.uint32]

SINGLE_STEP = 2.0**-23
"""Distance of a single-precision number from the next, relative to it."""
_VISIBLE_STEP = 1e-2

# Odd 64-bit constants of splitmix64 (Steele, Lea and Flood 2014, doi 10.1145/2660193.2660195).
_MIX = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def distinct_faces(vertices: Float64Array, faces: Uint32Array) -> NDArray[np.bool_]:
    """(F,): False for faces whose corners lie where those of an earlier face lie, in any order.

    Corners are compared by position: exporters write a double with vertices of its own. A face
    that repeats another the other way round counts as its double, since surfaces are drawn
    from both sides and two in one place flicker.
    """
    keep = np.ones(len(faces), dtype=np.bool_)
    if len(faces) < 2:
        return keep
    corner = np.zeros(len(vertices), dtype=np.uint64)
    for axis, constant in enumerate(_MIX):
        # Adding zero turns -0.0 into 0.0, which lies in the same place.
        bits = (vertices[:, axis] + 0.0).view(np.uint64)
        # Numbers that were float32 have zeros below; a product would keep them.
        corner += (bits ^ (bits >> np.uint64(32))) * np.uint64(constant)
    corner = _mixed(corner)
    # A sum does not know the order of the corners; 64 bits make chance collisions negligible.
    key = corner[faces[:, 0]] + corner[faces[:, 1]] + corner[faces[:, 2]]
    order = np.argsort(key, kind="stable")
    same = key[order][1:] == key[order][:-1]
    keep[order[1:][same]] = False
    return keep


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(_MIX[1])
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(_MIX[2])
    mixed: NDArray[np.uint64] = bits ^ (bits >> np.uint64(31))
    return mixed


def is_rough(vertices: Float64Array) -> bool:
    """Whether coordinates stored in single precision have steps above a hundredth of the shape.

    Exporters that bake a far placement into a float leave less of the shape than a picture shows.
    """
    if not len(vertices):
        return False
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    farthest = float(np.maximum(np.abs(low), np.abs(high)).max())
    if farthest * SINGLE_STEP <= _VISIBLE_STEP * float((high - low).max()):
        return False
    with np.errstate(over="ignore"):
        return bool(np.array_equal(vertices.astype(np.float32), vertices))


def is_inside_out(vertices: Float64Array, faces: Uint32Array, area_vector: Float64Array) -> bool:
    """Whether a closed shell encloses a negative volume.

    A shell is taken for closed where its area vectors cancel (divergence theorem); whether an
    open one is inside out cannot be told.
    """
    total = float(lengths_of_rows(area_vector).sum())
    if len(faces) < 4 or float(np.linalg.norm(area_vector.sum(axis=0))) > 1e-6 * total:
        return False
    centre = vertices.mean(axis=0)
    heights = np.einsum("ij,ij->i", vertices[faces[:, 0]] - centre, area_vector)
    # Six times the volume; flat or self-cancelling shells have none to speak of.
    return float(heights.sum()) < -1e-3 * float(np.abs(heights).sum())


def turn_opposed_normals(
    path: str,
    faces: Uint32Array,
    normals: Float64Array,
    area_vector: Float64Array,
    notes: Notes,
) -> Float64Array:
    """Return (V, 3) normals, those turned round that look away from all their faces.

    A shading normal behind its face makes the surface black, whatever the light.
    """
    shade = normals[faces[:, 0]] + normals[faces[:, 1]] + normals[faces[:, 2]]
    if not (np.einsum("ij,ij->i", shade, area_vector) < 0).any():
        return normals
    corners = faces.reshape(-1)
    sums = np.stack(
        [
            np.bincount(corners, weights=area_vector[:, axis].repeat(3), minlength=len(normals))
            for axis in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(sums, axis=1)
    opposed = np.einsum("ij,ij->i", sums, normals) < -0.2 * length
    if not opposed.any():
        return normals
    notes.add("normals that looked away from their faces turned round", int(opposed.sum()), path)
    normals = normals.copy()
    normals[opposed] *= -1.0
    return normals
