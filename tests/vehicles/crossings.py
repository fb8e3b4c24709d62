"""Where parts pass through each other: the edges of one against the triangles of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.model import Part

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Pairs = NDArray[np.bool_]

_CELL_M = 0.02
_PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Crossings:
    """Edges that pierce triangles of other parts, N of them."""

    first: Index
    """(N,) number of the part whose edge it is."""
    second: Index
    """(N,) number of the part whose triangle it is."""
    at: Array
    """(N, 3) where, metres."""
    depth_mm: Array
    """(N,) how far the edge goes on through the triangle, or the triangle through the face that
    the edge belongs to, whichever is less.

    Nothing where parts touch, lie on one another or share a border; at most half an edge's length
    (5 to 15 mm on a vehicle) where one goes right through the other.
    """


@dataclass(frozen=True, eq=False, kw_only=True)
class _Soup:
    vertices: Array
    faces: Index
    part: Index
    """Of each face."""
    edges: Index
    edge_faces: Index
    """(E, 2) the faces at each edge; twice the same at a border."""


def crossings(parts: Sequence[Part], tested: Pairs, from_y: float = -np.inf) -> Crossings:
    """Find every edge that pierces a triangle of another part.

    `tested` is a symmetric (P, P) matrix of the pairs of parts that count. Triangles that end below
    `from_y` are left out: of a vehicle whose sides mirror each other, half is enough.
    """
    soup = _soup(parts, from_y)
    found = [_pierced(soup, edge, face) for edge, face in _candidates(soup, tested)]
    edge, face, at, depth = (np.concatenate(column) for column in zip(*found, strict=True))
    # Both may share several cells.
    _, once = np.unique(edge * len(soup.faces) + face, return_index=True)
    return Crossings(
        first=soup.part[soup.edge_faces[edge[once], 0]],
        second=soup.part[face[once]],
        at=at[once],
        depth_mm=1000 * depth[once],
    )


def _soup(parts: Sequence[Part], from_y: float) -> _Soup:
    counts = [len(part.mesh.vertices) for part in parts]
    starts = np.cumsum([0, *counts[:-1]])
    vertices = np.concatenate([part.mesh.vertices.astype(np.float64) for part in parts])
    faces = np.concatenate(
        [part.mesh.faces.astype(np.int64) + at for part, at in zip(parts, starts, strict=True)]
    )
    owner = np.repeat(np.arange(len(parts)), [len(part.mesh.faces) for part in parts])
    kept = vertices[:, 1][faces].max(axis=1) > from_y
    faces, owner = faces[kept], owner[kept]
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    keys = np.sort(sides, axis=1) @ [len(vertices), 1]
    order = np.argsort(keys, kind="stable")
    _, start, count = np.unique(keys[order], return_index=True, return_counts=True)
    first, last = order[start], order[start + count - 1]
    return _Soup(
        vertices=vertices, faces=faces, part=owner,
        edges=sides[first], edge_faces=np.stack([first, last], axis=1) % len(faces),
    )  # fmt: skip


def _cells(low: Array, high: Array) -> tuple[Index, Index]:
    """(box, key of the cell) for every cell of a grid that each box touches."""
    first = np.floor(low / _CELL_M).astype(np.int64)
    span = np.floor(high / _CELL_M).astype(np.int64) - first + 1
    count = span.prod(axis=1)
    box = np.repeat(np.arange(len(low)), count)
    number = np.arange(len(box)) - np.repeat(np.cumsum(count) - count, count)
    size = span[box]
    steps = [number // (size[:, 1] * size[:, 2]), number // size[:, 2] % size[:, 1],
             number % size[:, 2]]  # fmt: skip
    cell = first[box] + np.stack(steps, axis=1)
    return box, cell @ [1 << 40, 1 << 20, 1]


def _candidates(soup: _Soup, tested: Pairs) -> Iterator[tuple[Index, Index]]:
    """Edges and faces of tested parts whose boxes meet, a bounded number at a time."""
    corners, ends = soup.vertices[soup.faces], soup.vertices[soup.edges]
    low, high = corners.min(axis=1), corners.max(axis=1)
    edge_low, edge_high = ends.min(axis=1), ends.max(axis=1)
    face, cell = _cells(low, high)
    order = np.argsort(cell, kind="stable")
    face, cell = face[order], cell[order]
    edge, edge_cell = _cells(edge_low, edge_high)
    begin = np.searchsorted(cell, edge_cell, "left")
    count = np.searchsorted(cell, edge_cell, "right") - begin
    total = np.cumsum(count)
    edge_part = soup.part[soup.edge_faces[:, 0]]
    at = 0
    while at < len(edge):
        done = total[at - 1] if at else 0
        rows = slice(at, max(int(np.searchsorted(total, done + _PAIRS_AT_ONCE)), at + 1))
        n = count[rows]
        e = np.repeat(edge[rows], n)
        f = face[np.arange(len(e)) + np.repeat(begin[rows] - (np.cumsum(n) - n), n)]
        keep = tested[edge_part[e], soup.part[f]]
        e, f = e[keep], f[keep]
        keep = (edge_low[e] <= high[f]).all(axis=1) & (edge_high[e] >= low[f]).all(axis=1)
        yield e[keep], f[keep]
        at = rows.stop


def _pierced(soup: _Soup, edge: Index, face: Index) -> tuple[Index, Index, Array, Array]:
    """Those edges that do pierce their faces, where, and how deep (metres)."""
    ends, corners = soup.vertices[soup.edges[edge]], soup.vertices[soup.faces[face]]
    normal = _normals(corners)
    height = np.einsum("nki,ni->nk", ends - corners[:, :1], normal)
    hit = height[:, 0] * height[:, 1] < 0
    ends, corners, normal, height = ends[hit], corners[hit], normal[hit], height[hit]
    share = height[:, 0] / (height[:, 0] - height[:, 1])
    at = ends[:, 0] + share[:, None] * (ends[:, 1] - ends[:, 0])
    inside = np.ones(len(at), dtype=np.bool_)
    for k in range(3):
        p, q = corners[:, k], corners[:, (k + 1) % 3]
        inside &= np.einsum("ij,ij->i", np.cross(q - p, at - p), normal) >= 0
    edge, face = edge[hit][inside], face[hit][inside]
    at, corners, height = at[inside], corners[inside], height[inside]
    depth = np.abs(height).min(axis=1)
    for side in range(2):
        across = _normals(soup.vertices[soup.faces[soup.edge_faces[edge, side]]])
        other = np.einsum("nki,ni->nk", corners - at[:, None], across)
        depth = np.minimum(depth, np.minimum(other.max(axis=1), -other.min(axis=1)))
    return edge, face, at, np.maximum(depth, 0.0)


def _normals(corners: Array) -> Array:
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    unit: Array = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    return unit
