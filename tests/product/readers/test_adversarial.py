"""Files made to harm or to mislead: each is read rightly, or refused with one clear error."""

from __future__ import annotations

import json
import mmap
import os
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clearcoat.errors import ProductError
from clearcoat.product import Product, images, read
from clearcoat.product.readers import part21
from clearcoat.product.readers import step as step_reader
from clearcoat.product.readers.iges import extract

_HEAD = (
    "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\n"
    "FILE_NAME('','',(''),(''),'','','');\n"
    "FILE_SCHEMA(('AUTOMOTIVE_DESIGN { 1 0 10303 214 1 1 1 1 }'));\nENDSEC;\n"
)
_END = "END-ISO-10303-21;\n"


def step(folder: Path, *lines: str) -> Path:
    path = folder / "product.stp"
    path.write_text(_HEAD + "DATA;\n" + "\n".join(lines) + "\nENDSEC;\n" + _END)
    return path


def refused(path: Path) -> str:
    """Return what is said of a file that must be refused."""
    with pytest.raises(ProductError) as caught:
        read(path)
    assert caught.value.where == str(path)
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


def test_step_files_without_shapes(tmp_path: Path) -> None:
    path = tmp_path / "product.stp"
    for content, what in (
        ("", "is empty"),
        (" \n", "not a STEP file"),
        (_HEAD, "truncated"),
        (_HEAD + "DATA;\nENDSEC;\n" + _END, "cannot be read"),
    ):
        path.write_text(content)
        assert re.search(what, refused(path))


def test_absurd_step_coordinates_are_refused_before_anything_is_cut(
    shared: Path, tmp_path: Path
) -> None:
    text = (shared / "cad/as1-oc-214.stp").read_bytes()
    path = tmp_path / "product.stp"
    path.write_bytes(re.sub(rb"(#16 = CARTESIAN_POINT\('',\()[^,]+,", rb"\g<1>1.E+30,", text))
    said = refused(path)
    assert "too large to be cut" in said and "1.E+30 in #16" in said
    # Other numbers may be as large, and points may be very small.
    part21.check_coordinates(b"#1=X(1.E+30);#2=CARTESIAN_POINT('',(1.E-30,1.E+09,0.));", path)
    part21.check_coordinates(
        b"#1=X(10000000000000.);#2=CARTESIAN_POINT('(12345678901',(0.12345678901234,"
        b"9999999999.5,12345678901234.E-10));",
        path,
    )


@pytest.mark.parametrize("number", ["10000000000000.", "-10000000000.0", "1.E+10", "-1.5e300"])
@pytest.mark.parametrize("before", ["(", "(0.0, "])
def test_absurd_step_coordinates_in_any_spelling(number: str, before: str) -> None:
    text = f"#1=X();#16 = CARTESIAN_POINT('',{before}{number},0.));"
    with pytest.raises(ProductError, match="too large to be cut") as caught:
        part21.check_coordinates(text.encode(), Path("a.stp"))
    assert f"{number} in #16" in str(caught.value)


@pytest.mark.parametrize("name", ["a;b", "a=b", "it''s", ";#7=X("])
def test_strings_hide_no_absurd_coordinates(name: str) -> None:
    text = f"#1=X();#16 = CARTESIAN_POINT('{name}',(0.,1.E12,0.));"
    with pytest.raises(ProductError, match=r"1\.E12 in #16"):
        part21.check_coordinates(text.encode(), Path("a.stp"))


def test_text_that_is_slow_to_search_is_searched_once() -> None:
    """Without an end after a second, each of these took days."""
    many = b"#1=FOO(" + b",".join([b"1.E10"] * 200_000) + b");"
    part21.check_coordinates(many, Path("a.stp"))
    assert not step_reader._BEGINNING.match(b"/**/" * 10_000 + b"x")
    assert step_reader._BEGINNING.match(b" /* a * b */\n/**/ISO-10303-21 ;")
    assert not extract._HUGE.fullmatch(b"1" * 200_000 + b"x")
    assert extract._HUGE.fullmatch(b"-1.5D+11") and not extract._HUGE.fullmatch(b"1.5E9")


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


def test_a_step_product_far_from_its_origin(shared: Path, tmp_path: Path) -> None:
    text = (shared / "cad/as1-oc-214.stp").read_bytes()
    path = tmp_path / "product.stp"

    def at(offset_mm: float) -> Path:
        def moved(match: re.Match[bytes]) -> bytes:
            return match[1] + repr(float(match[2]) + offset_mm).encode() + b","

        pattern = rb"(#(?:16|20|24|28) = CARTESIAN_POINT\('',\()([-0-9.E+]+),"
        path.write_bytes(re.sub(pattern, moved, text))
        return path

    said = refused(at(1e9))
    assert "too far from the origin" in said and "corners would move" in said
    product = read(at(1e5))
    assert any("corners move by up to" in note for note in product.notes)
    expected = read(shared / "cad/as1-oc-214.stp")
    for one, other in zip(product.parts, expected.parts, strict=True):
        np.testing.assert_allclose(one.mesh.vertices, other.mesh.vertices, atol=1.3e-5)


def test_a_step_file_cut_between_entities_says_what_it_lacks(shared: Path, tmp_path: Path) -> None:
    text = (shared / "cad/as1-oc-214.stp").read_text()
    lines = text[: int(0.3 * len(text))].rpartition(";\n")[0] + ";\nENDSEC;\n" + _END
    path = tmp_path / "product.stp"
    path.write_text(lines)
    assert any("entities that it lacks" in note for note in read(path).notes)


def test_assemblies_that_multiply_or_contain_themselves(tmp_path: Path) -> None:
    def assembly(levels: int, copies: int) -> list[str]:
        return [
            f"#{1000 * level + copy + 1}=NEXT_ASSEMBLY_USAGE_OCCURRENCE('#7','','',"
            f"#{level + 1},#{level + 2},$);"
            for level in range(levels)
            for copy in range(copies)
        ]

    said = refused(step(tmp_path, *assembly(9, 10)))
    assert "too many occurrences" in said and "1,111,111,110" in said
    # A semicolon in a string ends no entity.
    hidden = [line.replace("'#7'", "'a;'") for line in assembly(9, 10)]
    assert "too many occurrences" in refused(step(tmp_path, *hidden))
    circle = "#9=NEXT_ASSEMBLY_USAGE_OCCURRENCE('','','',#3,#1,$);"
    assert "contains itself" in refused(step(tmp_path, *assembly(2, 1), circle))
    # A hundred levels are an assembly like any other: it has no shapes, and OpenCASCADE says so.
    assert "cannot be read" in refused(step(tmp_path, *assembly(100, 1)))


def test_strings_of_a_step_file() -> None:
    found = part21.entities(rb"#5=X('it''s','\X2\00E90041\X0\','\X\E9 #6',#7);", [b"X("])
    assert part21.strings(found[5]) == ["it's", "éA", "é #6"]
    assert part21.references(found[5]) == [7]


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


def test_a_unit_of_a_step_file_that_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "unit.stp"
    path.write_text(
        "#1=(GLOBAL_UNIT_ASSIGNED_CONTEXT((#2)));\n"
        "#2=(CONVERSION_BASED_UNIT('INCH',#3)LENGTH_UNIT()NAMED_UNIT(#9));\n"
        "#3=LENGTH_MEASURE_WITH_UNIT(LENGTH_MEASURE(2.5.4),#4);\n"
        "#4=(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.));\n"
    )
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as text:
        assert step_reader._length_units(text) == []


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "product.stl"
    os.mkfifo(path)
    assert "no regular file" in refused(path)
