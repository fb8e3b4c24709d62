"""Primitives: the arrays of one mesh piece of a glTF file, and where a node puts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.raw import Float64Array, Notes
from clearcoat.product.readers.gltf.accessors import floats, indices
from clearcoat.product.readers.gltf.container import GltfFile
from clearcoat.product.readers.triangles import fan_to_triangles, strip_to_triangles

_LINES = {0: "points", 1: "lines", 2: "lines", 3: "lines"}


@dataclass(frozen=True)
class Primitive:
    """Triangles of one primitive in the frame of its mesh."""

    vertices: Float64Array
    faces: NDArray[np.uint32]
    normals: Float64Array | None
    uv: NDArray[np.float32] | None


def read_primitive(
    file: GltfFile, entry: Any, of: str, path: str, notes: Notes
) -> Primitive | None:
    """Read the arrays of one primitive; None (with a note) where it holds no triangles."""
    extensions = file.value(entry, "extensions", "object", {}, of=of)
    if "KHR_draco_mesh_compression" in extensions:
        raise file.error(
            "Draco compression is not read yet",
            found=f"{of} with KHR_draco_mesh_compression",
            do="export without mesh compression",
        )
    mode = file.value(entry, "mode", "index", 4, of=of)
    if mode in _LINES:
        notes.add(f"primitives that are {_LINES[mode]} left out", part=path)
        return None
    if mode not in (4, 5, 6):
        raise file.error(f"malformed glTF: {of} has mode {mode}", expected="0 to 6")
    attributes = file.value(entry, "attributes", "object", of=of)
    if "POSITION" not in attributes:
        notes.add("primitives without positions left out", part=path)
        return None
    vertices = floats(file, file.value(attributes, "POSITION", "index", of=of), 3, of=of)
    index = file.value(entry, "indices", "index", None, of=of)
    order = (
        np.arange(len(vertices), dtype=np.uint32) if index is None else indices(file, index, of=of)
    )
    if len(order) and int(order.max()) >= len(vertices):
        raise file.error(
            f"malformed glTF: {of} refers to vertex {int(order.max()):,}",
            found=f"{len(vertices):,} vertices",
        )
    if mode == 4:
        if len(order) % 3:
            notes.add("incomplete triangles left out", part=path)
        faces = order[: len(order) // 3 * 3].reshape(-1, 3)
    else:
        faces = strip_to_triangles(order) if mode == 5 else fan_to_triangles(order)
        notes.add(f"triangle {'strips' if mode == 5 else 'fans'} converted", part=path)
    if entry.get("targets"):
        notes.add("morph targets ignored", part=path)
    return Primitive(
        vertices=vertices,
        faces=faces,
        normals=_attribute(file, attributes, "NORMAL", 3, len(vertices), of),
        uv=_uv(_attribute(file, attributes, "TEXCOORD_0", 2, len(vertices), of)),
    )


def _attribute(
    file: GltfFile, attributes: dict[str, Any], name: str, width: int, count: int, of: str
) -> Float64Array | None:
    index = file.value(attributes, name, "index", None, of=of)
    if index is None:
        return None
    values = floats(file, index, width, of=f"{name} of {of}")
    if len(values) != count:
        raise file.error(
            f"malformed glTF: {name} of {of}",
            found=f"{len(values):,} entries",
            expected=f"{count:,}, one per vertex",
        )
    return values


def _uv(values: Float64Array | None) -> NDArray[np.float32] | None:
    """Turn glTF's texture coordinates (v downwards) into ours (v upwards)."""
    if values is None:
        return None
    return np.stack([values[:, 0], 1.0 - values[:, 1]], axis=1).astype(np.float32)


def place(
    piece: Primitive, transform: Float64Array
) -> tuple[Float64Array, NDArray[np.uint32], Float64Array | None]:
    """Apply a node's transform; a mirroring one turns the faces round."""
    linear = transform[:3, :3]
    with np.errstate(all="ignore"):
        vertices = piece.vertices @ linear.T + transform[:3, 3]
        mirrored = float(np.linalg.det(linear)) < 0
    faces = piece.faces[:, ::-1] if mirrored else piece.faces
    if piece.normals is None:
        return vertices, faces, None
    # The cofactor matrix is the inverse transpose up to the determinant, and exists for
    # flattening transforms too.
    with np.errstate(all="ignore"):
        a, b, c = linear / (np.abs(linear).max() or 1.0)
        cofactor = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)])
        return vertices, faces, piece.normals @ (-cofactor if mirrored else cofactor).T
