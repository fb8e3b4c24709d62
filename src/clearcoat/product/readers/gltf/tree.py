"""From the node tree of a glTF file to placed parts (glTF 2.0, sections 3.5 and 3.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.raw import (
    Float64Array,
    Notes,
    RawPart,
    RawProduct,
    Tessellation,
)
from clearcoat.product.readers.gltf.accessors import floats, indices
from clearcoat.product.readers.gltf.container import GltfFile, open_gltf
from clearcoat.product.readers.gltf.materials import Materials
from clearcoat.product.readers.triangles import fan_to_triangles, strip_to_triangles, tidy

_COMPRESSED = {
    "KHR_draco_mesh_compression": "Draco compression",
    "EXT_meshopt_compression": "meshopt compression",
    "EXT_mesh_gpu_instancing": "GPU instancing",
}
# Extensions beside the materials that a file may require and that change nothing here, or that
# are covered by accessors and means of textures.
_HARMLESS = (
    *("KHR_materials_", "KHR_texture_", "KHR_mesh_quantization", "KHR_lights_punctual"),
    *("KHR_animation_pointer", "KHR_xmp", "EXT_texture_", "EXT_lights_"),
)
_LINES = {0: "points", 1: "lines", 2: "lines", 3: "lines"}


@dataclass(frozen=True)
class _Placed:
    """A node on the way down: its path and its transform to the file's frame."""

    node: int
    stem: str
    """The path before a `#2` made it unique."""
    path: str
    transform: Float64Array


@dataclass(frozen=True)
class _Primitive:
    vertices: Float64Array
    faces: NDArray[np.uint32]
    normals: Float64Array | None
    uv: NDArray[np.float32] | None


def read(
    path: Path,
    tessellation: Tessellation,
    *,
    rename: Callable[[str], str] | None = None,
    shown: Path | None = None,
) -> RawProduct:
    """Read a glTF file: metres, y up, front +z, as the format defines.

    Every primitive that a node shows is one part. Its path joins the names of its nodes; a
    node without a name takes its mesh's, else `node_<n>`; equal paths get `#2`, `#3`, ….

    Args:
        path: the .glb or .gltf file.
        tessellation: unused, the file holds triangles.
        rename: maps node names before paths are built; an empty result means unnamed.
        shown: the file that errors name, where `path` was converted from another.

    Raises:
        ProductError: damaged, compressed in a way that is not read, or not a tree.
    """
    file = open_gltf(path, shown)
    notes = Notes()
    _check_extensions(file)
    materials = Materials(file, notes)
    cache: dict[tuple[int, int], _Primitive | None] = {}
    parts: list[RawPart] = []
    taken: set[str] = set()
    for placed, node in _walk(file, rename or str, taken, notes):
        index = file.value(node, "mesh", "index", None, of=f"nodes[{placed.node}]")
        if index is None:
            continue
        mesh = file.item("meshes", index, of=f"nodes[{placed.node}]")
        if "skin" in node:
            notes.add("skinned meshes shown in their rest pose", part=placed.path)
        primitives = file.value(mesh, "primitives", "array", of=f"meshes[{index}]")
        own_path: str | None = placed.path
        for number, entry in enumerate(primitives):
            of = f"meshes[{index}].primitives[{number}]"
            if (index, number) not in cache:
                cache[index, number] = _primitive(file, entry, of, placed.path, notes)
            primitive = cache[index, number]
            if primitive is None:
                continue
            part_path = own_path or _unique(placed.stem, taken)
            material = file.value(entry, "material", "index", None, of=of)
            source = None if material is None else materials.read(material, of=of)
            vertices, faces, normals = _place(primitive, placed.transform)
            part = tidy(part_path, vertices, faces, normals, primitive.uv, source, notes)
            if part is not None:
                parts.append(part)
                own_path = None
    if file.count("animations"):
        notes.add("animations are not played: everything stands as the file places it")
    return RawProduct(parts=tuple(parts), unit_m=1.0, up="y", front="z", notes=notes.sentences())


def _check_extensions(file: GltfFile) -> None:
    for name in file.value(file.document, "extensionsRequired", "array", [], of="the file"):
        if name in _COMPRESSED:
            raise file.error(
                f"{_COMPRESSED[name]} is not read yet",
                found=f"the file requires {name}",
                do="export without mesh compression",
            )
        if not str(name).startswith(_HARMLESS):
            raise file.error(
                "the file requires a glTF extension that is not read",
                found=name,
                do="export without this extension",
            )


def _walk(
    file: GltfFile, rename: Callable[[str], str], taken: set[str], notes: Notes
) -> Iterator[tuple[_Placed, dict[str, Any]]]:
    """Yield the nodes of the shown scene from the roots down, in the file's order."""
    roots = _roots(file, notes)
    stack = [(root, "", np.eye(4)) for root in reversed(roots)]
    seen: set[int] = set()
    while stack:
        number, above, transform = stack.pop()
        of = f"nodes[{number}]"
        node = file.item("nodes", number, of="the node tree")
        if number in seen:
            raise file.error(
                "malformed glTF: the nodes do not form a tree",
                found=f"{of} is reached twice (a cycle, or a node with two parents)",
                expected="every node to have one parent at most",
            )
        seen.add(number)
        name = _name(file, node, number, rename)
        stem = f"{above}/{name}" if above else name
        path = _unique(stem, taken)
        with np.errstate(all="ignore"):
            placed = _Placed(number, stem, path, transform @ _transform(file, node, of))
        yield placed, node
        for child in reversed(file.value(node, "children", "array", [], of=of)):
            if not isinstance(child, int) or isinstance(child, bool):
                raise file.error(f"malformed glTF: child {child!r} of {of} is no number")
            stack.append((child, path, placed.transform))


def _roots(file: GltfFile, notes: Notes) -> list[int]:
    """Return the roots of the default scene, else of the first, else all nodes without parent."""
    scenes = file.count("scenes")
    if scenes:
        shown = file.value(file.document, "scene", "index", 0, of="the file")
        scene = file.item("scenes", shown, of="the file")
        if scenes > 1:
            notes.add(f"the file has {scenes} scenes: number {shown} is read")
        roots = file.value(scene, "nodes", "array", [], of=f"scenes[{shown}]")
        for root in roots:
            if not isinstance(root, int) or isinstance(root, bool):
                raise file.error(f"malformed glTF: node {root!r} of the scene is no number")
        return list(roots)
    children = {
        child
        for number in range(file.count("nodes"))
        for child in file.value(
            file.item("nodes", number, of="the file"),
            "children",
            "array",
            [],
            of=f"nodes[{number}]",
        )
        if isinstance(child, int)
    }
    roots = [number for number in range(file.count("nodes")) if number not in children]
    if file.count("nodes") and not roots:
        raise file.error(
            "malformed glTF: the nodes do not form a tree", found="every node has a parent"
        )
    return roots


def _name(file: GltfFile, node: dict[str, Any], number: int, rename: Callable[[str], str]) -> str:
    name = rename(file.value(node, "name", "string", "", of=f"nodes[{number}]"))
    if not name and "mesh" in node:
        index = file.value(node, "mesh", "index", of=f"nodes[{number}]")
        mesh = file.item("meshes", index, of=f"nodes[{number}]")
        name = file.value(mesh, "name", "string", "", of=f"meshes[{index}]")
    # A slash would feign a level of the tree.
    return name.strip().replace("/", "_") or f"node_{number}"


def _unique(path: str, taken: set[str]) -> str:
    """Return `path`, or `path#2`, `path#3`, … where it is taken; and take it."""
    result, number = path, 1
    while result in taken:
        number += 1
        result = f"{path}#{number}"
    taken.add(result)
    return result


def _transform(file: GltfFile, node: dict[str, Any], of: str) -> Float64Array:
    """(4, 4): the node's transform to its parent, for column vectors."""
    if "matrix" in node:
        return np.array(file.vector(node, "matrix", (0.0,) * 16, of=of)).reshape(4, 4).T
    x, y, z, w = file.vector(node, "rotation", (0.0, 0.0, 0.0, 1.0), of=of)
    length = float(np.sqrt(x * x + y * y + z * z + w * w))
    # Exporters round quaternions; an unnormalised one would scale the part.
    x, y, z, w = (v / length for v in (x, y, z, w)) if length > 0 else (0.0, 0.0, 0.0, 1.0)
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    result = np.eye(4)
    result[:3, :3] = turn * np.array(file.vector(node, "scale", (1.0, 1.0, 1.0), of=of))
    result[:3, 3] = file.vector(node, "translation", (0.0, 0.0, 0.0), of=of)
    return result


def _primitive(file: GltfFile, entry: Any, of: str, path: str, notes: Notes) -> _Primitive | None:
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
    return _Primitive(
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


def _place(
    primitive: _Primitive, transform: Float64Array
) -> tuple[Float64Array, NDArray[np.uint32], Float64Array | None]:
    """Apply a node's transform; a mirroring one turns the faces round."""
    linear = transform[:3, :3]
    with np.errstate(all="ignore"):
        vertices = primitive.vertices @ linear.T + transform[:3, 3]
        mirrored = float(np.linalg.det(linear)) < 0
    faces = primitive.faces[:, ::-1] if mirrored else primitive.faces
    if primitive.normals is None:
        return vertices, faces, None
    # The cofactor matrix is the inverse transpose up to the determinant, and exists for
    # flattening transforms too.
    with np.errstate(all="ignore"):
        a, b, c = linear / (np.abs(linear).max() or 1.0)
        cofactor = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)])
        return vertices, faces, primitive.normals @ (-cofactor if mirrored else cofactor).T
