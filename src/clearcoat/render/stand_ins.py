"""Parts that stand in for others: of another material, mirrored, or other parts altogether."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clearcoat.materials import Material
from clearcoat.product import Mesh
from clearcoat.scene import ReplacementSpec

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StandIn:
    """What is in the place of one part while a state holds."""

    meshes: tuple[Mesh, ...]
    """In the product's frame, where they are seen."""
    materials: tuple[Material, ...]
    """One per mesh."""


def fit(meshes: Sequence[Mesh], right: Mesh, how: ReplacementSpec) -> tuple[Mesh, ...]:
    """Bring meshes, as one assembly, to where the right part is.

    The middles of the bounding boxes meet. A side of the assembly that has no extent keeps it.
    """
    low, high = bounds(meshes)
    right_low, right_high = bounds([right])
    size, right_size = high - low, right_high - right_low
    solid = size > 1e-6
    ratio = np.ones(3)
    ratio[solid] = right_size[solid] / size[solid]
    if how.fitting == "own" or not solid.any():
        ratio = np.ones(3)
    elif how.fitting == "inside":
        ratio = np.full(3, ratio[solid].min())
    ratio = ratio * how.scale
    if how.mirrored is not None:
        ratio["xyz".index(how.mirrored)] *= -1
    shift = (right_low + right_high) / 2 - ratio * (low + high) / 2
    return tuple(_scaled(mesh, ratio, shift) for mesh in meshes)


def bounds(meshes: Sequence[Mesh]) -> FloatArray:
    """(2, 3): least and greatest corner of the meshes' bounding box."""
    return np.array(
        [np.min([mesh.vertices.min(axis=0) for mesh in meshes], axis=0),
         np.max([mesh.vertices.max(axis=0) for mesh in meshes], axis=0)], np.float64,
    )  # fmt: skip


def _scaled(mesh: Mesh, ratio: FloatArray, shift: FloatArray) -> Mesh:
    """Scale along the axes and shift; front faces stay in front."""
    normals = None
    if mesh.normals is not None:
        # A side that is flattened to nothing has no direction left to divide by.
        turned = mesh.normals / np.where(np.abs(ratio) < 1e-9, 1.0, ratio)
        length = np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)
        normals = (turned / length).astype(np.float32)
    return replace(
        mesh,
        vertices=(mesh.vertices * ratio + shift).astype(np.float32),
        faces=np.ascontiguousarray(mesh.faces[:, ::-1]) if ratio.prod() < 0 else mesh.faces,
        normals=normals,
    )
