"""Texture coordinates for a part that has none: its broad face, seen straight on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.model import Mesh


def face_size(mesh: Mesh) -> tuple[float, float]:
    """Width and height in metres of a mesh's broad face, as `face_uv` lays it out."""
    low, high = _extent(mesh, _axes(mesh))
    return float(high[0] - low[0]), float(high[1] - low[1])


def face_uv(mesh: Mesh) -> NDArray[np.float32]:
    """(V, 2): coordinates from 0 to 1 over the broad face of a mesh, u to the right, v upwards.

    Right and up are those of somebody who looks at the face from outside the product. The sides
    of the mesh take what the face has at its edges.
    """
    axes = _axes(mesh)
    low, high = _extent(mesh, axes)
    place = mesh.vertices.astype(np.float64) @ axes[:2].T
    uv: NDArray[np.float32] = ((place - low) / np.maximum(high - low, 1e-9)).astype(np.float32)
    return uv


def _axes(mesh: Mesh) -> NDArray[np.float64]:
    """(3, 3): right, up and outwards of the face."""
    areas = _areas(mesh)
    size = np.maximum(np.linalg.norm(areas, axis=1), 1e-30)
    # The direction that most of the surface faces, whichever way its triangles are wound.
    _, directions = np.linalg.eigh((areas / size[:, None]).T @ areas)
    outwards = directions[:, -1]
    # The product's frame begins below its middle, so outside is away from there.
    if outwards @ mesh.vertices.mean(axis=0, dtype=np.float64) < 0:
        outwards = -outwards
    # A face that lies flat is read from behind the product.
    above = np.array([0.0, 0.0, 1.0] if abs(outwards[2]) < 0.9 else [1.0, 0.0, 0.0])
    up = above - outwards * (above @ outwards)
    up /= np.linalg.norm(up)
    return np.stack([np.cross(up, outwards), up, outwards])


def _areas(mesh: Mesh) -> NDArray[np.float64]:
    """(F, 3): normals of the triangles, twice as long as their areas."""
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    areas: NDArray[np.float64] = np.cross(
        corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    )
    return areas


def _extent(mesh: Mesh, axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 2): least and greatest place along right and up of what belongs to the face."""
    areas = _areas(mesh)
    facing = np.abs(areas @ axes[2]) > 0.7 * np.linalg.norm(areas, axis=1)
    face = mesh.vertices.astype(np.float64)[np.unique(mesh.faces[facing])]
    place = (face if len(face) else mesh.vertices) @ axes[:2].T
    return np.stack([place.min(axis=0), place.max(axis=0)])
