"""Writing a product as a binary glTF file (glTF 2.0, ISO/IEC 12113:2022).

One node per component of the parts' paths, a mesh per part, materials with the metallic-roughness
model and the ratified extensions for clear coats and transmission. Positions are metres in glTF's
frame: y up, z forward, x left; reading the file gives the same parts back.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import ProductError
from clearcoat.product.model import Mesh, Product, SourceMaterial

_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_FLOAT, _UNSIGNED_INT = 5126, 5125
_PRODUCT_TO_GLTF = [1, 2, 0]
"""glTF's x, y, z are the product frame's y, z, x."""


def to_glb(product: Product, *, generator: str) -> bytes:
    """Return the bytes of a GLB file.

    Raises ProductError where one part's path is the beginning of another's, since a node of the
    file is either a part or a group.
    """
    writer = _Writer()
    roots: list[int] = []
    nodes: list[dict[str, Any]] = []
    groups: dict[str, int] = {}
    taken = {part.path for part in product.parts}
    for part in product.parts:
        components = part.path.split("/")
        siblings = roots
        for depth in range(1, len(components)):
            path = "/".join(components[:depth])
            if path in taken:
                raise ProductError(
                    "a part cannot hold other parts in a glTF file", found=f"{path}, {part.path}"
                )
            if path not in groups:
                groups[path] = len(nodes)
                nodes.append({"name": components[depth - 1], "children": []})
                siblings.append(groups[path])
            siblings = nodes[groups[path]]["children"]
        siblings.append(len(nodes))
        nodes.append({"name": components[-1], "mesh": writer.mesh(part.mesh, part.material)})
    document = {
        "asset": {"version": "2.0", "generator": generator},
        "scene": 0,
        "scenes": [{"name": product.name, "nodes": roots}],
        "nodes": nodes,
        **writer.document(),
    }
    return _container(document, bytes(writer.binary))


class _Writer:
    """Collects meshes and materials, and the bytes that they refer to."""

    def __init__(self) -> None:
        self.binary = bytearray()
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []
        self._meshes: list[dict[str, Any]] = []
        self._materials: dict[SourceMaterial, int] = {}

    def mesh(self, mesh: Mesh, material: SourceMaterial | None) -> int:
        """Add a mesh and return its number."""
        positions = np.ascontiguousarray(mesh.vertices[:, _PRODUCT_TO_GLTF], dtype="<f4")
        extent = {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()}
        attributes = {"POSITION": self._accessor(positions, "VEC3", **extent)}
        if mesh.normals is not None:
            normals = mesh.normals[:, _PRODUCT_TO_GLTF].astype(np.float64)
            normals /= np.linalg.norm(normals, axis=1, keepdims=True)
            attributes["NORMAL"] = self._accessor(normals.astype("<f4"), "VEC3")
        if mesh.uv is not None:
            # glTF counts v downwards.
            attributes["TEXCOORD_0"] = self._accessor(
                (mesh.uv * [1, -1] + [0, 1]).astype("<f4"), "VEC2"
            )
        primitive: dict[str, Any] = {
            "attributes": attributes,
            "indices": self._accessor(mesh.faces.astype("<u4").reshape(-1), "SCALAR"),
        }
        if material is not None:
            primitive["material"] = self._materials.setdefault(material, len(self._materials))
        self._meshes.append({"primitives": [primitive]})
        return len(self._meshes) - 1

    def document(self) -> dict[str, Any]:
        """Return the file's lists but for the nodes."""
        materials = [_material(material) for material in self._materials]
        used = sorted({name for entry in materials for name in entry.get("extensions", {})})
        return {
            "meshes": self._meshes,
            "materials": materials,
            "accessors": self._accessors,
            "bufferViews": self._views,
            "buffers": [{"byteLength": len(self.binary)}],
        } | ({"extensionsUsed": used} if used else {})

    def _accessor(self, values: NDArray[Any], kind: str, **facts: Any) -> int:
        is_index = kind == "SCALAR"
        data = np.ascontiguousarray(values).tobytes()
        self._views.append(
            {
                "buffer": 0,
                "byteOffset": len(self.binary),
                "byteLength": len(data),
                "target": _ELEMENT_ARRAY_BUFFER if is_index else _ARRAY_BUFFER,
            }
        )
        self.binary += data
        self._accessors.append(
            {
                "bufferView": len(self._views) - 1,
                "componentType": _UNSIGNED_INT if is_index else _FLOAT,
                "count": len(values),
                "type": kind,
                **facts,
            }
        )
        return len(self._accessors) - 1


def _material(material: SourceMaterial) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": material.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*material.base_color, material.alpha],
            "metallicFactor": material.metallic,
            "roughnessFactor": material.roughness,
        },
    }
    if material.alpha < 1.0:
        entry |= {"alphaMode": "BLEND", "doubleSided": True}
    extensions: dict[str, Any] = {}
    if material.transmission > 0.0:
        extensions["KHR_materials_transmission"] = {"transmissionFactor": material.transmission}
    if material.clearcoat > 0.0:
        extensions["KHR_materials_clearcoat"] = {"clearcoatFactor": material.clearcoat}
    brightest = max(material.emissive)
    if brightest > 0.0:
        entry["emissiveFactor"] = [value / max(brightest, 1.0) for value in material.emissive]
        if brightest > 1.0:
            extensions["KHR_materials_emissive_strength"] = {"emissiveStrength": brightest}
    if extensions:
        entry["extensions"] = extensions
    return entry


def _container(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = b"".join(
        struct.pack("<I4s", len(data), kind) + data
        for data, kind in ((text, b"JSON"), (binary, b"BIN\0"))
    )
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
