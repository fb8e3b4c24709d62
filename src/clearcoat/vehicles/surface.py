"""Plain surfaces with normals, and how they are moved, mirrored, joined and thickened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.model import Mesh
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
        """As a product's mesh, without triangles too small to have a direction.

        Corners whose normal disagrees with every triangle round them cannot arise from the
        makers of surfaces here; corners on a cut may, by rounding, and take the triangle's.
        """
        corners = self.vertices[self.faces]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        keep = 0.5 * np.linalg.norm(cross, axis=1) > _SMALLEST_AREA_M2
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


def boundary(faces: Faces) -> NDArray[np.int64]:
    """(E, 2) directed edges that belong to one triangle only."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    size = int(faces.max()) + 1 if len(faces) else 0
    key = np.sort(edges, axis=1) @ np.array([size, 1])
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    return edges[first[count == 1]]


def hemmed(surface: Surface, depth_m: float) -> Surface:
    """The surface with its borders folded inwards by `depth_m`, as sheet metal is."""
    edges = boundary(surface.faces)
    if len(edges) == 0:
        return surface
    start, end = surface.vertices[edges[:, 0]], surface.vertices[edges[:, 1]]
    outwards = np.cross(end - start, surface.normals[edges[:, 0]])
    size = len(surface.vertices)
    total = np.zeros((size, 3))
    np.add.at(total, edges[:, 0], outwards)
    np.add.at(total, edges[:, 1], outwards)
    rim = np.unique(edges)
    place = np.zeros(size, dtype=np.int64)
    place[rim] = np.arange(len(rim))
    length = np.linalg.norm(total[rim], axis=1, keepdims=True)
    normals = np.where(length > 0, total[rim] / np.maximum(length, 1e-30), surface.normals[rim])
    upper, lower = surface.vertices[rim], surface.vertices[rim] - depth_m * surface.normals[rim]
    a, b = place[edges[:, 0]], place[edges[:, 1]]
    c, d = a + len(rim), b + len(rim)
    strip = Surface(
        np.concatenate([upper, lower]),
        np.concatenate([normals, normals]),
        np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]),
    )
    return join([surface, strip])
