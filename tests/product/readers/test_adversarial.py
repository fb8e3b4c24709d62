"""Files made to harm or to mislead: each is read rightly, or refused with one clear error."""

from __future__ import annotations

import json
import os
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clearcoat.product import Product, images, read
from tests.product.readers.refusals import refused


def test_long_names_above_many_nodes(gltf: Any, tmp_path: Path) -> None:
    nodes = gltf.document["nodes"]
    first = len(nodes)
    nodes += [{"name": f"n{number}"} for number in range(1500)]
    nodes[0] |= {"name": "x" * 100_000, "children": [*range(first, len(nodes))]}
    assert "paths are too long" in refused(gltf.write(tmp_path))


def test_a_gltf_waits_for_no_pipe(gltf: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.bin")
    gltf.document["buffers"][0]["uri"] = "pipe.bin"
    path = tmp_path / "a.gltf"
    path.write_text(json.dumps(gltf.document))
    assert "no file of a sensible size" in refused(path)


def test_copies_of_copies_in_a_stage(tmp_path: Path) -> None:
    levels = [f'def Xform "level{n}" {{\n' for n in range(10)]
    for n in range(9):
        levels[n] += "".join(
            f'  def "copy{i}" (references = </level{n + 1}>) {{}}\n' for i in range(10)
        )
    path = tmp_path / "product.usda"
    path.write_text("#usda 1.0\n" + "".join(f"{level}}}\n" for level in levels))
    assert "too large once its references are followed" in refused(path)
    path.write_text('#usda 1.0\ndef "a" (references = </b>) {}\ndef "b" (references = </a>) {}\n')
    assert re.search(r"cannot be read|no geometry", refused(path))


def test_a_hundred_levels_of_a_stage(tmp_path: Path) -> None:
    path = tmp_path / "product.usda"
    mesh = (
        'def Mesh "leaf" {\nint[] faceVertexCounts = [3]\nint[] faceVertexIndices = [0, 1, 2]\n'
        "point3f[] points = [(0,0,0), (1,0,0), (0,1,0)]\n}\n"
    )
    path.write_text("#usda 1.0\n" + 'def Xform "n" {\n' * 100 + mesh + "}\n" * 100)
    (part,) = read(path).parts
    assert part.path.count("/") == 100


def test_textures_of_a_stage_stay_in_its_folder(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "secret.png")
    folder = tmp_path / "product"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    path = folder / "product.usda"
    for asset in ("../secret.png", "link.png"):
        path.write_text(
            f"""#usda 1.0
def Material "m" {{
    token outputs:surface.connect = </m/s.outputs:surface>
    def Shader "s" {{
        uniform token info:id = "UsdPreviewSurface"
        color3f inputs:diffuseColor.connect = </m/t.outputs:rgb>
        token outputs:surface
    }}
    def Shader "t" {{
        uniform token info:id = "UsdUVTexture"
        asset inputs:file = @{asset}@
        float3 outputs:rgb
    }}
}}
def Mesh "leaf" (prepend apiSchemas = ["MaterialBindingAPI"]) {{
    int[] faceVertexCounts = [3]
    int[] faceVertexIndices = [0, 1, 2]
    point3f[] points = [(0,0,0), (1,0,0), (0,1,0)]
    rel material:binding = </m>
}}
"""
        )
        product = read(path)
        assert any("outside the product's folder" in note for note in product.notes), asset
        assert product.parts[0].material is not None
        assert product.parts[0].material.textures is None


@pytest.mark.parametrize("name", ["../secret.png", "link.png", "/absolute"])
@pytest.mark.parametrize("key", ["map_Kd", "norm"])
def test_textures_of_an_obj_stay_in_its_folder(tmp_path: Path, name: str, key: str) -> None:
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "secret.png")
    folder = tmp_path / "product"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    asset = str(tmp_path / "secret.png") if name == "/absolute" else name
    (folder / "m.mtl").write_text(f"newmtl a\n{key} -s 1 1 1 {asset}\n")
    path = folder / "product.obj"
    path.write_text("mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl a\nf 1 2 3\n")
    product = read(path)
    assert sum("outside the product's folder" in note for note in product.notes) == 1
    assert product.parts[0].material is not None
    assert product.parts[0].material.textures is None


@pytest.mark.parametrize("uri", ["../secret.png", "link.png", "%2e%2e/secret.png", "file:///a.png"])
def test_textures_of_a_gltf_stay_in_its_folder(gltf: Any, tmp_path: Path, uri: str) -> None:
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "secret.png")
    folder = tmp_path / "product"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "link.bin").symlink_to(tmp_path / "secret.png")
    gltf.document["images"] = [{"uri": uri}]
    gltf.document["textures"] = [{"source": 0}]
    gltf.document["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    gltf.document["meshes"][0]["primitives"][0]["material"] = 0
    assert re.search("outside|elsewhere", refused(gltf.write(folder)))
    del gltf.document["meshes"][0]["primitives"][0]["material"]
    gltf.document["buffers"][0]["uri"] = "link.bin"
    assert "outside" in refused(gltf.write(folder))


def test_instances_that_cost_their_writer_nothing(gltf: Any, tmp_path: Path) -> None:
    number = len(gltf.document["accessors"])
    gltf.document["accessors"].append({"componentType": 5126, "count": 300_000, "type": "VEC3"})
    gltf.document["nodes"][0]["extensions"] = {
        "EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": number}}
    }
    said = refused(gltf.write(tmp_path))
    assert "too large once its instances" in said and "at most 200,000 parts" in said


def test_far_coordinates_are_precise_where_the_file_is(gltf: Any, tmp_path: Path) -> None:
    gltf.document["nodes"][0]["translation"] = [1e6, 0, 0]
    product = read(gltf.write(tmp_path))
    np.testing.assert_allclose(np.ptp(product.bounds_m, axis=0), 1, rtol=1e-6)
    assert not roughened(product)
    obj = tmp_path / "far.obj"
    obj.write_text("v 1000000000.1 0 0\nv 1000000001.2 0 0\nv 1000000000.1 1 0\nf 1 2 3\n")
    product = read(obj, unit_m=1, up="z", front="x")
    np.testing.assert_allclose(np.ptp(product.bounds_m, axis=0), [1.1, 1, 0], rtol=1e-6)
    assert not roughened(product)


def test_what_single_precision_has_lost_is_said(gltf: Any, tmp_path: Path) -> None:
    corners = np.array([[1e6, 0, 0], [1e6 + 1, 0, 0], [1e6, 1, 0]])
    gltf.document["nodes"][0]["mesh"] = gltf.mesh(corners, np.array([[0, 1, 2]]))
    assert roughened(read(gltf.write(tmp_path)))
    stl = tmp_path / "far.stl"
    numbers = [0.0, 0.0, 1.0, *corners.reshape(-1)]
    stl.write_bytes(b"\0" * 80 + struct.pack("<I12fH", 1, *numbers, 0))
    assert roughened(read(stl))


def roughened(product: Product) -> bool:
    return any("roughened" in note for note in product.notes)


_PLY = (
    "ply\nformat {form} 1.0\nelement vertex {vertices}\nproperty float x\nproperty float y\n"
    "property float z\nelement face {faces}\nproperty list uint int vertex_indices\nend_header\n"
)
_THREE = np.eye(3, dtype="<f4").tobytes()


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.ply", _PLY.format(form="ascii", vertices=3, faces=1) + "0 0 0\n" * 3 + "3 0 1 7", "no"),
        ("a.ply", _PLY.format(form="ascii", vertices=-3, faces=1), "header"),
        (
            "a.ply",
            _PLY.format(form="ascii", vertices=3, faces=1) + "0 0 0\n" * 3 + "4000000000 0 1 2\n",
            "malformed",
        ),
        (
            "a.ply",
            _PLY.format(form="binary_little_endian", vertices=3, faces=1).encode()
            + _THREE
            + struct.pack("<Iiii", 0xFFFFFFF0, 0, 1, 2),
            "truncated",
        ),
        (
            "a.ply",
            _PLY.format(form="binary_little_endian", vertices=3, faces=4294967295).encode()
            + _THREE
            + struct.pack("<Iiii", 3, 0, 1, 2),
            "truncated",
        ),
        ("a.stl", b"\0" * 80 + struct.pack("<I", 0xFFFFFFFF) + b"\0" * 50, "truncated"),
        ("a.stl", b"\0" * 80 + struct.pack("<I", 0), "no geometry"),
        ("a.stl", b"\0" * 80 + struct.pack("<I12fH", 1, *[float("nan")] * 12, 0), "no geometry"),
        ("a.obj", "v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "no geometry"),
        ("a.obj", "v 1e30 0 0\nv -1e30 0 0\nv 0 1e30 0\nf 1 2 3\n", "too large"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 99999999999999999999999999\n", "corner"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/9 2/1 3/1\n", "does not exist"),
        ("a.obj", "v 0 0\nv 1 0\nv 0 1\nf 1 2 3\n", "fewer than three numbers"),
        ("a.obj", "v\nv\nv\nf 1 2 3\n", "fewer than three numbers"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nvn 0 0\nf 1//1 2//1 3//1\n", "a line of 'vn'"),
        ("a.obj", "v 0 0 0\n" * 99 + f"v 1 0 0.{'0' * 1000}\nf 1 2 3\n", "1,002 characters"),
        ("a.obj", "v 0 0 0\n" * 99 + f"f 1 2 {'0' * 5000}3\n", "corner"),
        ("a.obj", f"mtllib {'a' * 300}.mtl\nv 0 0 0\nf 1 1 1\n", "cannot be read"),
        (
            "a.stl",
            f"solid\nfacet\nvertex 0 0 0.{'0' * 1000}\nvertex 1 0 0\nvertex 0 1 0\nendfacet\n"
            "endsolid\n",
            "three numbers",
        ),
        (
            "a.ply",
            _PLY.format(form="ascii", vertices=3, faces=1) + f"0 0 0.{'0' * 1000}\n" * 3,
            "1,002 characters",
        ),
        (
            "a.ply",
            _PLY.format(form="binary_little_endian", vertices=3, faces=1).replace(
                "float z\n", "float z\nproperty float z\n"
            ),
            "'z' of element 'vertex' declared twice",
        ),
        (
            "a.ply",
            _PLY.format(form="ascii", vertices=3, faces=1).replace("list uint int", "int")
            + "0 0 0\n" * 3
            + "1\n",
            "no surface",
        ),
        (
            "a.ply",
            _PLY.format(form="ascii", vertices=1, faces=1).replace("float x", "list uint float x")
            + "1 0 0 0\n3 0 0 0\n",
            "no surface",
        ),
        ("a.ply", _PLY.format(form="ascii", vertices=3, faces=1).replace("uint", "float"), "head"),
    ],
)
def test_lying_counts_and_indices(tmp_path: Path, name: str, content: Any, what: str) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert re.search(what, refused(path))


def test_colours_of_a_ply_that_are_lists_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    head = _PLY.format(form="ascii", vertices=3, faces=1)
    colours = [f"property {kind} {name}" for kind, name in (("uchar", "green"), ("uchar", "blue"))]
    head = head.replace(
        "end_header", "\n".join(["property list uchar uchar red", *colours, "end_header"])
    )
    path.write_text(head + "0 0 0\n1 0 0\n0 1 0\n3 0 1 2 1 255 0 0\n")
    assert read(path).parts[0].material is None


def test_a_damaged_picture_of_any_format_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise NotImplementedError("an unknown pixel format")

    monkeypatch.setattr(Image, "open", refuse)
    assert images.decode(b"DDS") == (None, "an unknown pixel format")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "product.stl"
    os.mkfifo(path)
    assert "no regular file" in refused(path)
