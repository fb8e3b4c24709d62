"""Small glTF files made to order."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearcoat.product import Mesh, Part, Product, SourceMaterial


class Gltf:
    """A glTF document in the making: one cube, `document` free to be changed."""

    def __init__(self) -> None:
        self.binary = b""
        self.document: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"name": "cube", "mesh": 0}],
            "meshes": [],
            "accessors": [],
            "bufferViews": [],
            "buffers": [{"byteLength": 0}],
        }
        corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], "<f4")
        quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
        faces = np.array([[a, b, c] for a, b, c, _ in quads] + [[a, c, d] for a, _, c, d in quads])
        self.mesh(corners, faces)

    def accessor(self, values: np.ndarray, kind: str | None = None, **extra: Any) -> int:
        codes = {"f4": 5126, "u4": 5125, "u2": 5123, "u1": 5121, "i2": 5122, "i1": 5120}
        width = 1 if values.ndim == 1 else values.shape[1]
        self.document["accessors"].append(
            {
                "bufferView": self.view(values.tobytes()),
                "componentType": codes[values.dtype.str[1:]],
                "count": len(values),
                "type": kind or {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}[width],
                **extra,
            }
        )
        return len(self.document["accessors"]) - 1

    def view(self, content: bytes) -> int:
        self.binary += b"\0" * (-len(self.binary) % 4)
        self.document["bufferViews"].append(
            {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(content)}
        )
        self.binary += content
        self.document["buffers"][0]["byteLength"] = len(self.binary)
        return len(self.document["bufferViews"]) - 1

    def mesh(self, vertices: np.ndarray, faces: np.ndarray | None, **primitive: Any) -> int:
        attributes = {"POSITION": self.accessor(np.asarray(vertices, "<f4"))}
        attributes |= primitive.pop("attributes", {})
        entry: dict[str, Any] = {"attributes": attributes, **primitive}
        if faces is not None:
            entry["indices"] = self.accessor(np.asarray(faces, "<u2").reshape(-1))
        self.document["meshes"].append({"primitives": [entry]})
        return len(self.document["meshes"]) - 1

    def glb(self) -> bytes:
        text = json.dumps(self.document).encode()
        text += b" " * (-len(text) % 4)
        binary = self.binary + b"\0" * (-len(self.binary) % 4)
        body = struct.pack("<II", len(text), 0x4E4F534A) + text
        body += struct.pack("<II", len(binary), 0x004E4942) + binary
        return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body

    def write(self, folder: Path, name: str = "product.glb") -> Path:
        path = folder / name
        path.write_bytes(self.glb())
        return path


@pytest.fixture
def gltf() -> Gltf:
    """A glTF document with one unit cube at the origin, to be changed and written."""
    return Gltf()


@pytest.fixture
def new_gltf() -> type[Gltf]:
    return Gltf


@pytest.fixture
def toy() -> Callable[..., Product]:
    """Build a product of one-triangle parts from `path=material` pairs."""

    def build(**materials: str | None) -> Product:
        return toy_product(list(materials.items()))

    return build


def toy_product(entries: list[tuple[str, str | None]]) -> Product:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    faces = np.array([[0, 1, 2]], np.uint32)
    parts = tuple(
        Part(path, Mesh(corners + i, faces), None if name is None else SourceMaterial(name))
        for i, (path, name) in enumerate(entries)
    )
    return Product("toy", parts, source="toy.glb")


@pytest.fixture
def car() -> Product:
    """A handful of parts as cars have them."""
    return toy_product(
        [
            ("root/door__front", "Paint"),
            ("root/door__front/door_handle__l", "Chrome"),
            ("root/door__front/window", "Glass"),
            ("root/Hood", "Paint"),
            ("root/wheel_01", "Rubber"),
            ("root/Body", None),
        ]
    )
