"""Triangle clean-up that every reader needs: strips, degenerates, stray vertices, normals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import Float64Array, Notes, RawPart
from clearcoat.product.readers.repair import (
    distinct_faces,
    is_inside_out,
    is_rough,
    turn_opposed_normals,
)
from clearcoat.product.readers.vectors import cross_rows, lengths_of_rows, squares_of_rows

CREASE_DEG = 40.0
"""Edges sharper than this stay sharp when normals have to be computed."""

# Squares of areas of anything smaller stay finite in float64.
_LARGEST = 1e60

Uint32Array = NDArray[np.uint32]


def strip_to_triangles(indices: Uint32Array) -> Uint32Array:
    """(N - 2, 3): the triangles of a strip; every second one turns the other way."""
    faces = np.stack([indices[:-2], indices[1:-1], indices[2:]], axis=1)
    faces[1::2] = faces[1::2, ::-1]
    return faces


def fan_to_triangles(indices: Uint32Array) -> Uint32Array:
    """(N - 2, 3): the triangles of a fan around its first vertex."""
    centre = np.full(max(len(indices) - 2, 0), indices[0] if len(indices) else 0, dtype=np.uint32)
    return np.stack([centre, indices[1:-1], indices[2:]], axis=1)


def polygons_to_triangles(
    counts: NDArray[np.int64], flat: Uint32Array
) -> tuple[Uint32Array, NDArray[np.int64]]:
    """Cut polygons into fans around their first corner.

    Args:
        counts: (P,), corners of each polygon; those with fewer than three give no triangle.
        flat: (sum of counts,), their corners one after the other.

    Returns:
        Triangles (F, 3), and the polygon (F,) of each.
    """
    starts = np.cumsum(counts) - counts
    fans = np.maximum(counts - 2, 0)
    owner = np.repeat(np.arange(len(counts)), fans)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(fans) - fans, fans)
    first = starts[owner]
    corners = np.stack([first, first + step + 1, first + step + 2], axis=1)
    return flat[corners].astype(np.uint32), owner


def tidy(
    path: str,
    vertices: Float64Array,
    faces: Uint32Array,
    normals: Float64Array | None,
    uv: NDArray[np.float32] | None,
    material: SourceMaterial | None,
    notes: Notes,
) -> RawPart | None:
    """Make a part of raw arrays; None where no triangle remains.

    Triangles without area, in the place of another, or with a corner that is no number are left
    out with a note; closed shells that are inside out are turned; vertices that no triangle uses
    are removed; missing normals are computed with a crease angle; normals that look away from
    their faces are turned round.
    """
    if not len(faces):
        notes.add("parts without triangles left out", part=path)
        return None
    finite: NDArray[np.bool_] = np.all(np.abs(vertices) < _LARGEST, axis=1)
    if not finite.all():
        good = finite[faces].all(axis=1)
        notes.add("triangles with a corner that is no number left out", int((~good).sum()), path)
        faces = faces[good]
    if is_rough(vertices[finite]):
        notes.add("parts roughened by the file's single precision, far from its origin", part=path)
    area_vector, longest = _area_vectors(vertices, faces)
    # Below 1e-12 of the longest edge's square even float64 holds nothing but rounding.
    solid = lengths_of_rows(area_vector) > 1e-12 * longest
    if not solid.all():
        notes.add("triangles without area left out", int((~solid).sum()), path)
        faces = faces[solid]
        area_vector = area_vector[solid]
    distinct = distinct_faces(vertices, faces)
    if not distinct.all():
        notes.add("triangles in the place of others left out", int((~distinct).sum()), path)
        faces, area_vector = faces[distinct], area_vector[distinct]
    if not len(faces):
        notes.add("parts without triangles left out", part=path)
        return None
    if is_inside_out(vertices, faces, area_vector):
        notes.add("shells that were inside out turned", part=path)
        faces, area_vector = faces[:, ::-1], -area_vector

    used = np.zeros(len(vertices), dtype=np.bool_)
    used[faces] = True
    if not used.all():
        renumber = np.cumsum(used, dtype=np.uint32) - np.uint32(1)
        faces, vertices = renumber[faces], vertices[used]
        normals = None if normals is None else normals[used]
        uv = None if uv is None else uv[used]

    if normals is None:
        vertices, faces, normals, uv = crease_normals(vertices, faces, uv)
        notes.add(
            f"parts without normals, computed so that edges above {CREASE_DEG:g}° stay sharp",
            part=path,
        )
    else:
        normals = _mend_normals(path, vertices, faces, normals, notes)
        normals = turn_opposed_normals(path, faces, normals, area_vector, notes)
    return RawPart(
        path=path,
        vertices=np.ascontiguousarray(vertices),
        faces=np.ascontiguousarray(faces, dtype=np.uint32),
        normals=normals,
        uv=None if uv is None else np.ascontiguousarray(np.nan_to_num(uv), dtype=np.float32),
        material=material,
    )


def crease_normals(
    vertices: Float64Array,
    faces: Uint32Array,
    uv: NDArray[np.float32] | None = None,
    crease_deg: float = CREASE_DEG,
) -> tuple[Float64Array, Uint32Array, Float64Array, NDArray[np.float32] | None]:
    """Compute vertex normals, smooth except across edges sharper than the crease angle.

    Corners that meet in a point are joined through shared edges below the crease angle; each
    joined group gets one normal, weighted by the angles at the point (Thürmer and Wüthrich
    1998, doi 10.1080/10867651.1998.10487487). Vertices are split where groups or texture
    coordinates differ.

    Returns:
        Vertices (V', 3), faces (F, 3), unit normals (V', 3), texture coordinates (V', 2) or None.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    place = np.unique(vertices + 0.0, axis=0, return_inverse=True)[1].reshape(-1)
    corner_place = place[faces]
    count = len(faces)
    area_vector, _ = _area_vectors(vertices, faces)
    face_normals = area_vector / np.linalg.norm(area_vector, axis=1, keepdims=True)

    # Half-edges sorted by their two ends: neighbours in that order share an edge.
    start = corner_place.reshape(-1)
    end = np.roll(corner_place, -1, axis=1).reshape(-1)
    corner = np.arange(3 * count)
    following = np.roll(corner.reshape(-1, 3), -1, axis=1).reshape(-1)
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.lexsort((high, low))
    same = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    first, second = order[:-1][same], order[1:][same]
    cosine = np.einsum("ij,ij->i", face_normals[first // 3], face_normals[second // 3])
    smooth = cosine > math.cos(math.radians(crease_deg))
    first, second = first[smooth], second[smooth]
    # The corner at the lower-numbered end, then the one at the other end, of both half-edges.
    is_low = start == low
    at_low = np.where(is_low, corner, following)
    at_high = np.where(is_low, following, corner)
    rows = np.concatenate([at_low[first], at_high[first]])
    columns = np.concatenate([at_low[second], at_high[second]])
    links = coo_array((np.ones(len(rows), np.bool_), (rows, columns)), shape=(3 * count, 3 * count))
    group = connected_components(links, directed=False)[1]

    weighted = face_normals.repeat(3, axis=0) * _corner_angles(vertices, faces)[:, None]
    sums = np.stack([np.bincount(group, weights=weighted[:, axis]) for axis in range(3)], axis=1)
    length = np.linalg.norm(sums, axis=1)
    flat = length < 1e-9
    # Opposed faces can cancel; any of them is then as right as the other.
    group_face = np.zeros(len(sums), dtype=np.int64)
    group_face[group] = corner // 3
    sums[flat] = face_normals[group_face[flat]]
    length[flat] = 1.0
    group_normals = sums / length[:, None]

    keys = np.stack([group, faces.reshape(-1).astype(np.int64)], axis=1)
    if uv is None:
        keys[:, 1] = start
    _, representative, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    old = faces.reshape(-1)[representative]
    return (
        vertices[old],
        inverse.reshape(-1, 3).astype(np.uint32),
        group_normals[group[representative]],
        None if uv is None else uv[old],
    )


def _area_vectors(vertices: Float64Array, faces: Uint32Array) -> tuple[Float64Array, Float64Array]:
    """Cross products (F, 3) of two edges, and the squares (F,) of the longest edge."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    with np.errstate(over="ignore", invalid="ignore"):
        along, across = b - a, c - a
        longest = np.maximum(squares_of_rows(along), squares_of_rows(across))
        longest = np.maximum(longest, squares_of_rows(across - along))
        return cross_rows(along, across), longest


def _corner_angles(vertices: Float64Array, faces: Uint32Array) -> Float64Array:
    """(3F,): the angle at every corner, radians."""
    corners = vertices[faces]
    ahead = np.roll(corners, -1, axis=1) - corners
    behind = np.roll(corners, 1, axis=1) - corners
    cross = np.linalg.norm(np.cross(ahead, behind), axis=2)
    angles: Float64Array = np.arctan2(cross, np.einsum("fij,fij->fi", ahead, behind)).reshape(-1)
    return angles


def _mend_normals(
    path: str, vertices: Float64Array, faces: Uint32Array, normals: Float64Array, notes: Notes
) -> Float64Array:
    """Bring normals to unit length; replace those that have none by the faces' average."""
    length = lengths_of_rows(normals)
    bad = ~np.isfinite(length) | (length < 1e-12)
    if bad.any():
        notes.add("normals without a direction replaced", int(bad.sum()), path)
        area_vector, _ = _area_vectors(vertices, faces)
        sums = np.stack(
            [
                np.bincount(
                    faces.reshape(-1),
                    weights=area_vector[:, axis].repeat(3),
                    minlength=len(normals),
                )
                for axis in range(3)
            ],
            axis=1,
        )
        face_of = np.zeros(len(normals), dtype=np.int64)
        face_of[faces.reshape(-1)] = np.arange(faces.size) // 3
        cancelled = np.linalg.norm(sums, axis=1) < 1e-30
        sums[cancelled] = area_vector[face_of[cancelled]]
        normals = normals.copy()
        normals[bad] = sums[bad]
        length = np.linalg.norm(normals, axis=1)
    return np.ascontiguousarray(normals / length[:, None])
