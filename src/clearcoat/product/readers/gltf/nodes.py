"""The node tree of a glTF file, walked from its roots: names, paths, placements, metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearcoat.product.raw import Float64Array, Notes
from clearcoat.product.readers.gltf.accessors import floats
from clearcoat.product.readers.gltf.container import GltfFile, printable
from clearcoat.product.readers.naming import unique

MOST_PARTS = 200_000
MOST_TRIANGLES = 200_000_000
"""A few bytes can ask for any number of copies of a mesh."""
_MOST_EXTRAS = 256
_MOST_CHARACTERS = 1 << 27
"""Of all paths together. Each has the names above it, so a few long names could fill the memory."""
_DEEPEST = 300


@dataclass(frozen=True)
class Placed:
    """A node on the way down: its path and its transform to the file's frame."""

    node: int
    stem: str
    """The path before a `#2` made it unique."""
    path: str
    transform: Float64Array
    metadata: Mapping[str, str]
    """Extras of the node and of those above it; the nearest counts."""


def walk(
    file: GltfFile, rename: Callable[[str], str], taken: dict[str, int], notes: Notes
) -> Iterator[tuple[Placed, dict[str, Any]]]:
    """Yield the nodes of the shown scene from the roots down, in the file's order.

    Raises:
        ProductError: no tree, or one so deep that its paths would fill the memory.
    """
    roots = _roots(file, notes)
    none: Mapping[str, str] = {}
    stack = [(root, "", np.eye(4), none) for root in reversed(roots)]
    seen: set[int] = set()
    characters = 0
    while stack:
        number, above, transform, inherited = stack.pop()
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
        if stem.count("/") >= _DEEPEST:
            raise file.error(
                "the node tree is too deep",
                found=f"more than {_DEEPEST} levels, down to {of}",
                expected=f"at most {_DEEPEST} levels",
                do="export a flatter tree",
            )
        path = unique(stem, taken)
        characters += len(path)
        if characters > _MOST_CHARACTERS:
            raise file.error(
                "the nodes' paths are too long",
                found=f"more than {_MOST_CHARACTERS:,} characters, down to {of}",
                do="give the nodes shorter names, or export a flatter tree",
            )
        with np.errstate(all="ignore"):
            full = transform @ _transform(file, node, of)
        extras = extras_text(node)
        metadata = {**inherited, **extras} if extras else inherited
        placed = Placed(number, stem, path, full, metadata)
        yield placed, node
        for child in reversed(file.value(node, "children", "array", [], of=of)):
            if not isinstance(child, int) or isinstance(child, bool):
                raise file.error(f"malformed glTF: child {child!r} of {of} is no number")
            stack.append((child, path, full, metadata))


def occurrences(
    file: GltfFile, node: dict[str, Any], placed: Placed, taken: dict[str, int]
) -> Iterator[Placed]:
    """Yield the placements of a node's mesh: one, or as many as EXT_mesh_gpu_instancing has."""
    of = f"nodes[{placed.node}]"
    extensions = file.value(node, "extensions", "object", {}, of=of)
    packed = file.value(extensions, "EXT_mesh_gpu_instancing", "object", None, of=of)
    if packed is None:
        yield placed
        return
    attributes = file.value(packed, "attributes", "object", of=of)
    columns = {
        name: floats(
            file, file.value(attributes, name, "index", of=of), width, of=f"{name} of {of}"
        )
        for name, width in (("TRANSLATION", 3), ("ROTATION", 4), ("SCALE", 3))
        if name in attributes
    }
    counts = {len(values) for values in columns.values()}
    if len(counts) != 1:
        raise file.error(
            f"malformed glTF: the instances of {of}",
            found=f"{sorted(counts)} entries" if counts else "none of TRANSLATION, ROTATION, SCALE",
            expected="as many of each attribute",
        )
    count = counts.pop()
    if count > MOST_PARTS:
        raise file.error(
            "the file is too large once its instances are placed",
            found=f"{count:,} instances of {of}",
            expected=f"at most {MOST_PARTS:,} parts",
            do="export fewer instances",
        )
    for number in range(count):
        own = _compose(
            *(
                tuple(columns[name][number]) if name in columns else default
                for name, default in (
                    ("TRANSLATION", (0.0, 0.0, 0.0)),
                    ("ROTATION", (0.0, 0.0, 0.0, 1.0)),
                    ("SCALE", (1.0, 1.0, 1.0)),
                )
            )
        )
        path = placed.path if not number else unique(placed.stem, taken)
        with np.errstate(all="ignore"):
            yield replace(placed, path=path, transform=placed.transform @ own)


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


def extras_text(entry: dict[str, Any]) -> dict[str, str]:
    """Return the `extras` of an entry as text: names of tree levels are joined by '.'."""
    found: dict[str, str] = {}
    stack: list[tuple[str, Any]] = [("", entry.get("extras"))]
    while stack and len(found) < _MOST_EXTRAS:
        key, value = stack.pop()
        if isinstance(value, dict):
            stack += [(f"{key}.{name}" if key else str(name), v) for name, v in value.items()]
        elif key and isinstance(value, (str, int, float)):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            found[printable(key)] = printable(text)
    return found


def _transform(file: GltfFile, node: dict[str, Any], of: str) -> Float64Array:
    """(4, 4): the node's transform to its parent, for column vectors."""
    if "matrix" in node:
        return np.array(file.vector(node, "matrix", (0.0,) * 16, of=of)).reshape(4, 4).T
    return _compose(
        file.vector(node, "translation", (0.0, 0.0, 0.0), of=of),
        file.vector(node, "rotation", (0.0, 0.0, 0.0, 1.0), of=of),
        file.vector(node, "scale", (1.0, 1.0, 1.0), of=of),
    )


def _compose(
    translation: tuple[float, ...], rotation: tuple[float, ...], scale: tuple[float, ...]
) -> Float64Array:
    """(4, 4): scale, then turn by a quaternion (x, y, z, w), then move."""
    x, y, z, w = rotation
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
    with np.errstate(all="ignore"):
        result[:3, :3] = turn * np.array(scale)
    result[:3, 3] = translation
    return result
