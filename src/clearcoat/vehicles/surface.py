"""Plain surfaces with normals, and how they are moved, mirrored, joined and thickened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.model import Mesh
from clearcoat.product.readers.repair import distinct_faces
from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.skin import Skin

Faces = NDArray[np.int64]

_MIRROR = np.array([1.0, -1.0, 1.0])
_SMALLEST_AREA_M2 = 1e-10


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles with a unit normal at every vertex, metres."""

    vertices: Array
    """(V, 3)."""
    normals: Array
    """(V, 3)."""
    faces: Faces
    """(F, 3), counter-clockwise from outside."""

    def mirrored(self) -> Surface:
        """The other side of the vehicle."""
        return Surface(self.vertices * _MIRROR, self.normals * _MIRROR, self.faces[:, ::-1])

    def moved(self, offset: tuple[float, float, float] | Array) -> Surface:
        """Shifted by `offset` metres."""
        return Surface(self.vertices + np.asarray(offset), self.normals, self.faces)

    def turned(self, rotation: Array) -> Surface:
        """Turned about the origin by a (3, 3) rotation."""
        return Surface(self.vertices @ rotation.T, self.normals @ rotation.T, self.faces)

    def flipped(self) -> Surface:
        """Seen from the other side."""
        return Surface(self.vertices, -self.normals, self.faces[:, ::-1])

    def mesh(self) -> Mesh:
        """As a product's mesh, without triangles too small to have a direction, or drawn twice."""
        corners = self.vertices[self.faces]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        keep = 0.5 * np.linalg.norm(cross, axis=1) > _SMALLEST_AREA_M2
        # Pieces that meet may share a face; a reader of the exported file would leave it out.
        stored = self.vertices.astype(np.float32).astype(np.float64)
        keep[keep] = distinct_faces(stored, self.faces[keep].astype(np.uint32))
        faces = self.faces[keep]
        used = np.zeros(len(self.vertices), dtype=np.bool_)
        used[faces] = True
        renumber = np.cumsum(used) - 1
        return Mesh(
            vertices=self.vertices[used].astype(np.float32),
            faces=renumber[faces].astype(np.uint32),
            normals=self.normals[used].astype(np.float32),
        )


def join(surfaces: Iterable[Surface]) -> Surface:
    """One surface of several, corners kept apart."""
    pieces = list(surfaces)
    starts = np.cumsum([0, *(len(piece.vertices) for piece in pieces[:-1])])
    return Surface(
        np.concatenate([piece.vertices for piece in pieces]),
        np.concatenate([piece.normals for piece in pieces]),
        np.concatenate([piece.faces + at for piece, at in zip(pieces, starts, strict=True)]),
    )


def both_sides(surface: Surface) -> Surface:
    """A surface and its mirror image."""
    return join([surface, surface.mirrored()])


def of_skin(skin: Skin) -> Surface:
    """The left half of a piece of skin."""
    return Surface(skin.positions, skin.normals, skin.faces)


def whole(half: Surface) -> Surface:
    """A half y >= 0 and its mirror image, welded on the plane of symmetry."""
    on_plane = half.vertices[:, 1] == 0.0
    count = len(half.vertices)
    other = np.where(on_plane, np.arange(count), count + np.cumsum(~on_plane) - 1)
    return Surface(
        np.concatenate([half.vertices, half.vertices[~on_plane] * _MIRROR]),
        np.concatenate([half.normals, half.normals[~on_plane] * _MIRROR]),
        np.concatenate([half.faces, other[half.faces][:, ::-1]]),
    )


def boundary(faces: Faces) -> Faces:
    """(E, 2) directed edges that belong to one triangle only."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    size = int(faces.max()) + 1 if len(faces) else 0
    key = np.sort(edges, axis=1) @ np.array([size, 1])
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    border: Faces = edges[first[count == 1]]
    return border


def hemmed(surface: Surface, depth_m: float) -> Surface:
    """The surface with its borders folded inwards by `depth_m`, as sheet metal is."""
    edges = boundary(surface.faces)
    if len(edges) == 0:
        return surface
    a, b = surface.vertices[edges[:, 0]], surface.vertices[edges[:, 1]]
    normal_a, normal_b = surface.normals[edges[:, 0]], surface.normals[edges[:, 1]]
    outwards = np.cross(b - a, normal_a + normal_b)
    length = np.linalg.norm(outwards, axis=1, keepdims=True)
    outwards /= np.maximum(length, 1e-30)
    count = len(edges)
    i = np.arange(count)
    strip = Surface(
        np.concatenate([a, b, a - depth_m * normal_a, b - depth_m * normal_b]),
        np.concatenate([outwards] * 4),
        np.concatenate(
            [
                np.stack([i, i + 2 * count, i + count], 1),
                np.stack([i + count, i + 2 * count, i + 3 * count], 1),
            ]
        ),
    )
    return join([surface, strip])
