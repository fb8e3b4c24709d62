"""From the node tree of a glTF file to placed parts (glTF 2.0, sections 3.5 and 3.7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from clearcoat.product.raw import Notes, RawPart, RawProduct, Tessellation
from clearcoat.product.readers.gltf.container import GltfFile, open_gltf
from clearcoat.product.readers.gltf.materials import Materials
from clearcoat.product.readers.gltf.nodes import Placed, extras_text, unique, walk
from clearcoat.product.readers.gltf.primitives import Primitive, place, read_primitive
from clearcoat.product.readers.triangles import tidy

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
    Metadata are the `extras` of the node and of those above it, of its mesh and its material;
    the layer is their entry of that name.

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
    reader = _Meshes(file, notes)
    taken: set[str] = set()
    for placed, node in walk(file, rename or str, taken, notes):
        index = file.value(node, "mesh", "index", None, of=f"nodes[{placed.node}]")
        if index is None:
            continue
        if "skin" in node:
            notes.add("skinned meshes shown in their rest pose", part=placed.path)
        reader.show(index, placed, taken)
    if file.count("animations"):
        notes.add("animations are not played: everything stands as the file places it")
    return RawProduct(
        parts=tuple(reader.parts), unit_m=1.0, up="y", front="z", notes=notes.sentences()
    )


class _Meshes:
    """Turns meshes into parts wherever a node shows them, reading each primitive once."""

    def __init__(self, file: GltfFile, notes: Notes) -> None:
        self.parts: list[RawPart] = []
        self._file = file
        self._notes = notes
        self._materials = Materials(file, notes)
        self._primitives: dict[tuple[int, int], Primitive | None] = {}

    def show(self, index: int, placed: Placed, taken: set[str]) -> None:
        """Add the parts of a mesh at the place of a node."""
        file, notes = self._file, self._notes
        mesh = file.item("meshes", index, of=f"nodes[{placed.node}]")
        definition = file.value(mesh, "name", "string", "", of=f"meshes[{index}]")
        entries = file.value(mesh, "primitives", "array", of=f"meshes[{index}]")
        own_path: str | None = placed.path
        for number, entry in enumerate(entries):
            of = f"meshes[{index}].primitives[{number}]"
            if (index, number) not in self._primitives:
                read = read_primitive(file, entry, of, placed.path, notes)
                self._primitives[index, number] = read
            piece = self._primitives[index, number]
            if piece is None:
                continue
            part_path = own_path or unique(placed.stem, taken)
            material = file.value(entry, "material", "index", None, of=of)
            source = None if material is None else self._materials.read(material, of=of)
            vertices, faces, normals = place(piece, placed.transform)
            part = tidy(part_path, vertices, faces, normals, piece.uv, source, notes)
            if part is not None:
                metadata = {**placed.metadata, **extras_text(mesh)}
                if material is not None:
                    own = extras_text(file.item("materials", material, of=of))
                    metadata = {**own, **metadata}
                self.parts.append(
                    replace(
                        part,
                        color=None if source is None else source.base_color,
                        layer=metadata.get("layer", ""),
                        metadata=metadata,
                        body=placed.path if len(entries) > 1 else "",
                        definition=definition or f"mesh_{index}",
                    )
                )
                own_path = None


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
