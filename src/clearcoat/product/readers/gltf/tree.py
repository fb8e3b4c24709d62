"""From the node tree of a glTF file to placed parts (glTF 2.0, sections 3.5 and 3.7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import Notes, RawPart, RawProduct, ReadOptions
from clearcoat.product.readers.gltf.container import GltfFile, open_gltf
from clearcoat.product.readers.gltf.materials import Materials
from clearcoat.product.readers.gltf.nodes import (
    MOST_PARTS,
    MOST_TRIANGLES,
    Placed,
    extras_text,
    occurrences,
    walk,
)
from clearcoat.product.readers.gltf.primitives import (
    Primitive,
    place,
    place_untidied,
    read_primitive,
)
from clearcoat.product.readers.gltf.variants import Variants
from clearcoat.product.readers.naming import unique
from clearcoat.product.readers.triangles import tidy

# Extensions that a file may require: read, or without effect on what is read.
_KNOWN = (
    *("KHR_materials_", "KHR_texture_", "KHR_mesh_quantization", "KHR_lights_punctual"),
    *("KHR_draco_mesh_compression", "EXT_meshopt_compression", "EXT_mesh_gpu_instancing"),
    *("KHR_animation_pointer", "KHR_xmp", "EXT_texture_", "EXT_lights_"),
)


def read(
    path: Path,
    options: ReadOptions,
    *,
    rename: Callable[[str], str] | None = None,
    shown: Path | None = None,
    notes: Notes | None = None,
) -> RawProduct:
    """Read a glTF file: metres, y up, front +z, as the format defines.

    Every primitive that a node shows is one part. Its path joins the names of its nodes; a
    node without a name takes its mesh's, else `node_<n>`; equal paths get `#2`, `#3`, ….
    Metadata are the `extras` of the node and of those above it, of its mesh and its material;
    the layer is their entry of that name.

    Args:
        path: the .glb or .gltf file.
        options: the variant to show.
        rename: maps node names before paths are built; an empty result means unnamed.
        shown: the file that errors name, where `path` was converted from another.
        notes: what is noted is added to these, for products of several files.

    Raises:
        ProductError: damaged, of an extension that is not read, not a tree, or without the
            variant that is asked for.
        MissingDependencyError: compressed, and the decoder is not installed.
    """
    file = open_gltf(path, shown)
    notes = Notes() if notes is None else notes
    for name in file.value(file.document, "extensionsRequired", "array", [], of="the file"):
        if not str(name).startswith(_KNOWN):
            raise file.error(
                "the file requires a glTF extension that is not read",
                found=repr(name)[:80],
                do="export without this extension",
            )
    variants = Variants(file, options.variant)
    meshes = _Meshes(file, variants, notes)
    taken: dict[str, int] = {}
    for placed, node in walk(file, rename or str, taken, notes):
        index = file.value(node, "mesh", "index", None, of=f"nodes[{placed.node}]")
        if index is None:
            continue
        if "skin" in node:
            notes.add("skinned meshes shown in their rest pose", part=placed.path)
        for occurrence in occurrences(file, node, placed, taken):
            meshes.show(index, occurrence, taken)
        meshes.release(index)
    if file.count("animations"):
        notes.add("animations are not played: everything stands as the file places it")
    return RawProduct(
        parts=tuple(meshes.parts),
        unit_m=1.0,
        up="y",
        front="z",
        notes=notes.sentences(),
        variants=variants.names,
        variant=variants.chosen,
    )


class _Meshes:
    """Turns meshes into parts wherever a node shows them, reading each primitive once."""

    def __init__(self, file: GltfFile, variants: Variants, notes: Notes) -> None:
        self.parts: list[RawPart] = []
        self._file = file
        self._notes = notes
        self._variants = variants
        self._materials = Materials(file, notes)
        self._pieces: dict[tuple[int, int], _Piece] = {}
        self._triangles = 0
        nodes = file.value(file.document, "nodes", "array", [], of="the file")
        shown = (node.get("mesh") for node in nodes if isinstance(node, dict))
        self._uses = Counter(index for index in shown if isinstance(index, int))

    def show(self, index: int, placed: Placed, taken: dict[str, int]) -> None:
        """Add the parts of a mesh at the place of a node."""
        file = self._file
        mesh = file.item("meshes", index, of=f"nodes[{placed.node}]")
        definition = file.value(mesh, "name", "string", "", of=f"meshes[{index}]")
        entries = file.value(mesh, "primitives", "array", of=f"meshes[{index}]")
        free_path: str | None = placed.path
        for number, entry in enumerate(entries):
            if (index, number) not in self._pieces:
                of = f"meshes[{index}].primitives[{number}]"
                self._pieces[index, number] = self._piece(entry, of, placed.path)
            piece = self._pieces[index, number]
            if not piece.has_triangles:
                continue
            path = free_path or unique(placed.stem, taken)
            part = piece.at(path, placed, self._notes)
            if part is None:
                continue
            self._triangles += len(part.faces)
            if len(self.parts) >= MOST_PARTS or self._triangles > MOST_TRIANGLES:
                raise file.error(
                    "the file is too large once its instances are placed",
                    found=f"more than {len(self.parts):,} parts, {self._triangles:,} triangles",
                    expected=f"at most {MOST_PARTS:,} parts and {MOST_TRIANGLES:,} triangles",
                    do="export a lighter file, or fewer instances",
                )
            metadata = {**piece.extras, **placed.metadata, **extras_text(mesh)}
            self.parts.append(
                replace(
                    part,
                    path=path,
                    material=piece.material,
                    color=None if piece.material is None else piece.material.base_color,
                    layer=metadata.get("layer", ""),
                    metadata=metadata,
                    body=placed.path if len(entries) > 1 else "",
                    definition=definition or f"mesh_{index}",
                )
            )
            free_path = None

    def release(self, index: int) -> None:
        """Forget a mesh that no other node shows, so that memory holds it once."""
        self._uses[index] -= 1
        if self._uses[index] <= 0:
            for key in [key for key in self._pieces if key[0] == index]:
                del self._pieces[key]

    def _piece(self, entry: Any, of: str, path: str) -> _Piece:
        file = self._file
        number = self._variants.material(entry, of)
        material, coordinates, extras = None, 0, {}
        if number is not None:
            material, coordinates = self._materials.read(number, of=of)
            if number in self._materials.cut_away:
                self._notes.add("parts whose alpha is below their cutoff left out", part=path)
                return _Piece(None, material, {})
            extras = extras_text(file.item("materials", number, of=of))
        primitive = read_primitive(file, entry, coordinates, of, path, self._notes)
        return _Piece(primitive, material, extras)


class _Piece:
    """One primitive with its material, tidied once and placed as often as it is shown."""

    def __init__(
        self,
        primitive: Primitive | None,
        material: SourceMaterial | None,
        extras: dict[str, str],
    ) -> None:
        self.has_triangles = primitive is not None
        self.material = material
        self.extras = extras
        self._notes = Notes()
        self._tidied: RawPart | None = None
        if primitive is not None:
            self._tidied = _tidied("", primitive, self._notes)
        # Where nothing is left of it there is nothing to place, and no reason to hold its arrays.
        self._primitive = None if self._tidied is None else primitive

    def at(self, path: str, placed: Placed, notes: Notes) -> RawPart | None:
        """Return it as a part at a node's place; None where no triangle is left of it."""
        part = None if self._tidied is None else place(self._tidied, placed.transform)
        if part is not None or self._primitive is None:
            notes.merge(self._notes, part=path)
            return part
        return _tidied(path, place_untidied(self._primitive, placed.transform), notes)


def _tidied(path: str, primitive: Primitive, notes: Notes) -> RawPart | None:
    return tidy(
        path, primitive.vertices, primitive.faces, primitive.normals, primitive.uv, None, notes
    )
