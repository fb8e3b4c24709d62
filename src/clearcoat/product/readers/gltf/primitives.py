"""Primitives: the arrays of one mesh piece of a glTF file, and where a node puts them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.raw import Float64Array, Notes, RawPart
from clearcoat.product.readers.gltf.accessors import floats, indices
from clearcoat.product.readers.gltf.container import GltfFile
from clearcoat.product.readers.gltf.draco import DracoMesh
from clearcoat.product.readers.triangles import fan_to_triangles, strip_to_triangles
from clearcoat.product.readers.vectors import cofactor_matrix, lengths_of_rows

_IDENTITY = np.eye(3)
_LINES = {0: "points", 1: "lines", 2: "lines", 3: "lines"}


@dataclass(frozen=True)
class Primitive:
    """Triangles of one primitive in the frame of its mesh."""

    vertices: Float64Array
    faces: NDArray[np.uint32]
    normals: Float64Array | None
    uv: NDArray[np.float32] | None


def read_primitive(
    file: GltfFile, entry: Any, coordinates: int, of: str, path: str, notes: Notes
) -> Primitive | None:
    """Read the arrays of one primitive; None (with a note) where it holds no triangles.

    `coordinates` is the set of texture coordinates to take.
    """
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
    extensions = file.value(entry, "extensions", "object", {}, of=of)
    packed = file.value(extensions, "KHR_draco_mesh_compression", "object", None, of=of)
    draco = None if packed is None else DracoMesh(file, packed, of)
    texture = f"TEXCOORD_{coordinates}"
    if draco is None:
        vertices = floats(file, file.value(attributes, "POSITION", "index", of=of), 3, of=of)
        normals = _attribute(file, attributes, "NORMAL", 3, len(vertices), of)
        uv = _attribute(file, attributes, texture, 2, len(vertices), of)
        order = _order(file, entry, len(vertices), of)
    else:
        found = draco.attribute("POSITION", 3, _normalized(file, attributes, "POSITION", of))
        if found is None:
            raise file.error(f"malformed glTF: the Draco data of {of} has no positions")
        vertices = found
        normals = draco.attribute("NORMAL", 3, _normalized(file, attributes, "NORMAL", of))
        uv = draco.attribute(texture, 2, _normalized(file, attributes, texture, of))
        # What the extension does not list lies uncompressed in its accessor.
        if normals is None:
            normals = _attribute(file, attributes, "NORMAL", 3, len(vertices), of)
        if uv is None:
            uv = _attribute(file, attributes, texture, 2, len(vertices), of)
        # Whatever the mode says: the decoder gives triangles.
        order, mode = draco.faces.reshape(-1), 4
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
        normals=normals,
        uv=_uv(uv),
    )


def _order(file: GltfFile, entry: Any, count: int, of: str) -> NDArray[np.uint32]:
    index = file.value(entry, "indices", "index", None, of=of)
    return np.arange(count, dtype=np.uint32) if index is None else indices(file, index, of=of)


def _normalized(file: GltfFile, attributes: dict[str, Any], name: str, of: str) -> bool:
    """Whether integers of an attribute are fractions; its accessor says so, Draco or not."""
    index = file.value(attributes, name, "index", None, of=of)
    return index is not None and bool(file.item("accessors", index, of=of).get("normalized"))


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


def place(part: RawPart, transform: Float64Array) -> RawPart | None:
    """Apply a node's transform to a tidied part; a mirroring one turns the faces round.

    None where the transform flattens or breaks it, so that it has to be tidied anew.
    """
    linear, move = transform[:3, :3], transform[:3, 3]
    if np.array_equal(linear, _IDENTITY):
        vertices = part.vertices + move
        return replace(part, vertices=vertices) if math.isfinite(float(vertices.sum())) else None
    size = float(np.abs(linear).max())
    if not (size and math.isfinite(size)):
        return None
    cofactors, determinant = cofactor_matrix(linear / size)
    with np.errstate(all="ignore"):
        vertices = part.vertices @ linear.T + move
        # Sums stay finite only if all are, and are cheaper than a look at each.
        if not (abs(determinant) > 1e-6 and math.isfinite(float(vertices.sum()))):
            return None
    mirrored = determinant < 0
    normals = None
    if part.normals is not None:
        normals = part.normals @ (-cofactors if mirrored else cofactors).T
        normals /= lengths_of_rows(normals)[:, None]
    faces = np.ascontiguousarray(part.faces[:, ::-1]) if mirrored else part.faces
    return replace(part, vertices=vertices, faces=faces, normals=normals)


def place_untidied(piece: Primitive, transform: Float64Array) -> Primitive:
    """Apply a node's transform to the arrays as they are in the file."""
    linear = transform[:3, :3]
    with np.errstate(all="ignore"):
        vertices = piece.vertices @ linear.T + transform[:3, 3]
        # The cofactors are the inverse transpose up to the determinant, and exist for
        # flattening transforms too.
        cofactors, determinant = cofactor_matrix(linear / (np.abs(linear).max() or 1.0))
        mirrored = determinant < 0
        normals = None
        if piece.normals is not None:
            normals = piece.normals @ (-cofactors if mirrored else cofactors).T
    faces = piece.faces[:, ::-1] if mirrored else piece.faces
    return Primitive(vertices, faces, normals, piece.uv)
