"""OBJ, PLY and STL: against trimesh's writers and readers, and files written by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from clearcoat.errors import ProductError
from clearcoat.product import Product, read


def body() -> trimesh.Trimesh:
    mesh = trimesh.creation.torus(2.0, 0.5)
    mesh.apply_transform(trimesh.transformations.rotation_matrix(0.3, [1, 2, 3], [0, 0, 0]))
    return mesh


def volume(product: Product) -> float:
    parts = [trimesh.Trimesh(p.mesh.vertices, p.mesh.faces) for p in product.parts]
    return float(sum(part.volume for part in parts))


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("stl", {"file_type": "stl"}),
        ("stl", {"file_type": "stl_ascii"}),
        ("ply", {"encoding": "binary"}),
        ("ply", {"encoding": "ascii"}),
        ("obj", {}),
    ],
)
def test_what_trimesh_writes_is_read(tmp_path: Path, suffix: str, options: dict[str, str]) -> None:
    path = tmp_path / f"ring.{suffix}"
    mesh = body()
    mesh.export(path, **options)
    product = read(path, unit_m=1.0, up="z", front="x")
    assert product.triangle_count == len(mesh.faces)
    assert volume(product) == pytest.approx(mesh.volume, rel=1e-4)
    low, high = product.bounds_m
    np.testing.assert_allclose(high - low, mesh.bounds[1] - mesh.bounds[0], rtol=1e-5)
    (part,) = product.parts
    assert part.mesh.normals is not None
    face = np.cross(
        *(
            part.mesh.vertices[part.mesh.faces[:, i]] - part.mesh.vertices[part.mesh.faces[:, 0]]
            for i in (1, 2)
        )
    )
    face /= np.linalg.norm(face, axis=1, keepdims=True)
    shade = part.mesh.normals[part.mesh.faces]
    # Smooth: vertex normals differ from their faces, but not by much.
    cosine = np.einsum("ij,ikj->ik", face, shade)
    assert 0.85 < cosine.min() < 0.9999


def test_what_is_not_said_is_guessed_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "bar.stl"
    trimesh.creation.box((400, 100, 50)).export(path)
    product = read(path)
    assert (product.unit_m, product.up, product.front) == (0.001, "z", "x")
    assert sum("assumed" in note for note in product.notes) == 3
    told = read(path, unit_m=0.0254, up="y", front="z")
    assert not any("assumed" in note for note in told.notes)
    np.testing.assert_allclose(
        np.ptp(told.bounds_m, axis=0), np.array([50, 400, 100]) * 0.0254, rtol=1e-5
    )


def test_solids_of_a_text_stl_are_parts(tmp_path: Path) -> None:
    path = tmp_path / "two.stl"
    text = "".join(
        trimesh.creation.box().export(file_type="stl_ascii").replace("solid", f"solid {name}", 1)
        + "\n"
        for name in ("lid", "pot/handle")
    )
    path.write_text(text)
    assert [part.path for part in read(path).parts] == ["lid", "pot_handle"]


@pytest.mark.parametrize(
    ("header", "flag", "order"), [(b"COLOR=\x80\x80\x80\xff", 0, (0, 5, 10)), (b"", 1, (10, 5, 0))]
)
def test_face_colours_of_a_binary_stl_are_parts(
    tmp_path: Path, header: bytes, flag: int, order: tuple[int, ...]
) -> None:
    path = tmp_path / "colours.stl"
    content = bytearray(trimesh.creation.box().export(file_type="stl"))
    content[:80] = header.ljust(80)
    for number in range(12):
        colour = (31, 0, 0) if number < 5 else (0, 31, 0)
        code = sum(value << shift for value, shift in zip(colour, order, strict=True))
        place = 84 + 50 * number + 48
        content[place : place + 2] = (code | flag << 15).to_bytes(2, "little")
    path.write_bytes(content)
    parts = read(path).parts
    found = {part.material.name: part.triangle_count for part in parts if part.material}
    assert found == {"#ff0000": 5, "#00ff00": 7}
    assert len({part.instance for part in parts}) == 1


def test_face_colours_of_a_ply_are_parts(tmp_path: Path) -> None:
    mesh = trimesh.creation.box()
    mesh.visual.face_colors = [[255, 0, 0, 255]] * 4 + [[0, 128, 255, 255]] * 8
    for encoding in ("binary", "ascii"):
        path = tmp_path / f"{encoding}.ply"
        mesh.export(path, encoding=encoding)
        parts = read(path).parts
        found = {part.material.name: part.triangle_count for part in parts if part.material}
        assert found == {"#ff0000": 4, "#0080ff": 8}


def test_colours_of_two_bytes_in_a_ply_are_scaled(tmp_path: Path) -> None:
    path = tmp_path / "deep.ply"
    path.write_text(
        "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        "property float z\nelement face 1\nproperty list uchar int vertex_indices\n"
        "property ushort red\nproperty ushort green\nproperty ushort blue\nend_header\n"
        "0 0 0\n1 0 0\n0 1 0\n3 0 1 2 65535 32896 0\n"
    )
    [part] = read(path).parts
    assert part.material is not None and part.material.name == "#ff8000"


@pytest.mark.parametrize("endian", ["little", "big"])
def test_polygons_of_a_ply(tmp_path: Path, endian: str) -> None:
    path = tmp_path / "house.ply"
    order = "<" if endian == "little" else ">"
    header = (
        f"ply\nformat binary_{endian}_endian 1.0\ncomment a house\nelement vertex 5\n"
        "property float x\nproperty float y\nproperty float z\nproperty uchar extra\n"
        "element face 2\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.zeros(5, [("p", order + "f4", 3), ("e", "u1")])
    rows["p"] = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0.5, 1.5, 0], [0, 1, 0]]
    faces = bytes([5]) + np.arange(5, dtype=order + "i4").tobytes()
    faces += bytes([3]) + np.array([0, 2, 1], order + "i4").tobytes()
    path.write_bytes(header.encode() + rows.tobytes() + faces)
    product = read(path, unit_m=1, up="z", front="x")
    area = sum(trimesh.Trimesh(p.mesh.vertices, p.mesh.faces).area for p in product.parts)
    # The second face lies in the place of the first triangle of the fan, and is dropped.
    assert product.triangle_count == 3
    assert area == pytest.approx(1.25, rel=1e-5)


_OBJ = """# a car of two objects
mtllib car.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
o body
usemtl paint
f 1/1 2/2 3/3 4/4
usemtl glass
f -4/-4 -2/-2 \\
  -1/-1
v 0 0 5
v 1 0 5
v 1 1 5
o wheel
g rim
usemtl steel
f 5 6 7
"""


def test_obj_with_materials(tmp_path: Path) -> None:
    path = tmp_path / "car.obj"
    path.write_text(_OBJ)
    Image.fromarray(np.full((4, 4, 3), 188, np.uint8)).save(tmp_path / "pic.png")
    (tmp_path / "car.mtl").write_text(
        "newmtl paint\nKd 1 0 0\nmap_Kd -s 2 2 2 pic.png\nNs 200\nNi 1.0\n"
        "newmtl glass\nKd 0.2 0.5 1\nd 0.25\nNi 1.45\nPr 0.125\n"
    )
    product = read(path, unit_m=1, up="z", front="x")
    # The pane lies in the plane of the body, but is another material: it stays.
    assert [part.path for part in product.parts] == ["body", "body#2", "wheel/rim"]
    paint, glass, steel = product.parts
    assert paint.instance == glass.instance == "body"
    assert paint.material is not None
    assert paint.material.textures is not None
    np.testing.assert_allclose(paint.material.base_color, [0.5029] * 3, atol=1e-3)
    assert glass.material is not None
    assert (glass.material.alpha, glass.material.roughness) == (0.25, 0.125)
    assert glass.material.base_color[2] == 1
    # An index of 1 is what exporters write that know none.
    assert (glass.material.ior, paint.material.ior) == (1.45, 1.5)
    assert steel.material is not None
    assert any("'steel' is in no library" in note for note in product.notes)
    assert paint.mesh.uv is not None
    assert (paint.triangle_count, glass.triangle_count, steel.triangle_count) == (2, 1, 1)


def test_material_libraries_on_one_line(tmp_path: Path) -> None:
    triangle = "v 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl {}\nf -3 -2 -1\n"
    for name, line in (("a.mtl", "a.mtl b.mtl"), ("my lib.mtl", "my lib.mtl")):
        (tmp_path / "b.mtl").write_text("newmtl blue\nKd 0 0 1\n")
        (tmp_path / name).write_text("newmtl red\nKd 1 0 0\n")
        path = tmp_path / "two.obj"
        path.write_text(f"mtllib {line}\nmtllib {line}\n" + triangle.format("red"))
        [part] = read(path, unit_m=1, up="z", front="x").parts
        assert part.material is not None and part.material.base_color == (1, 0, 0)


_TRIANGLE = "v {0} 0 0\nv {0} 1 0\nv {0} 0 1\nf -3 -2 -1 # a face\n"


def test_the_sign_of_a_comment_in_a_name(tmp_path: Path) -> None:
    path = tmp_path / "bolts.obj"
    (tmp_path / "bolts.mtl").write_text("newmtl Steel#1\nKd 1 0 0\nnewmtl Steel#2\nKd 0 0 1\n")
    path.write_text(
        "  # two bolts\nmtllib bolts.mtl\n"
        + "".join(f"o Bolt#{n}\nusemtl Steel#{n}\n{_TRIANGLE.format(n)}" for n in (1, 2))
    )
    parts = read(path).parts
    assert [part.path for part in parts] == ["Bolt#1", "Bolt#2"]
    assert [part.color for part in parts] == [(1, 0, 0), (0, 0, 1)]


def test_objects_of_one_name_are_several(tmp_path: Path) -> None:
    path = tmp_path / "wheels.obj"
    names = ["o wheel", "o body", "o wheel\no empty\no wheel", "g rim", "o body\ng body"]
    path.write_text("".join(f"{name}\n{_TRIANGLE.format(n)}" for n, name in enumerate(names)))
    product = read(path)
    assert [part.path for part in product.parts] == [
        *("wheel", "body", "wheel#2", "wheel#2/rim", "body#2")
    ]
    assert len({part.instance for part in product.parts}) == 5


def test_paths_are_unique_whatever_the_names(tmp_path: Path) -> None:
    path = tmp_path / "solids.stl"
    text = str(trimesh.creation.box().export(file_type="stl_ascii"))
    path.write_text(
        "".join(text.replace("solid", f"solid {name}", 1) + "\n" for name in ("A", "A", "A#2"))
    )
    assert [part.path for part in read(path).parts] == ["A", "A#2", "A#2#2"]


def test_a_format_without_variants_says_so(tmp_path: Path) -> None:
    path = tmp_path / "box.stl"
    trimesh.creation.box().export(path)
    with pytest.raises(ProductError, match="no such variant") as caught:
        read(path, variant="red")
    assert "remove `variant`" in str(caught.value)


def test_tabs_and_byte_order_mark_of_a_material_library(tmp_path: Path) -> None:
    path = tmp_path / "red.obj"
    (tmp_path / "red.mtl").write_bytes(b"\xef\xbb\xbfnewmtl\tRed\nKd\t1 0\t0\n\tPr\t0.125\n")
    path.write_text("mtllib red.mtl\nusemtl Red\n" + _TRIANGLE.format(0))
    product = read(path)
    assert product.parts[0].material is not None
    assert product.parts[0].material.base_color == (1, 0, 0)
    assert product.parts[0].material.roughness == 0.125
    assert not any("in no library" in note for note in product.notes)


@pytest.mark.parametrize(
    ("options", "to_uv", "wrap"),
    [
        ("", (1, 0, 0, 0, 1, 0), "repeat"),
        ("-s 4 2 1 -o 0.5 0.25 0 ", (4, 0, 0.5, 0, 2, 0.25), "repeat"),
        ("-blendu on -o 0.5 -clamp on ", (1, 0, 0.5, 0, 1, 0), "clamp"),
        ("-clamp off -s nan -o 1 x ", (1, 0, 1, 0, 1, 0), "repeat"),
        ("-s ", (1, 0, 0, 0, 1, 0), "repeat"),
    ],
)
def test_options_of_a_map_place_it(
    tmp_path: Path, options: str, to_uv: tuple[float, ...], wrap: str
) -> None:
    path = tmp_path / "tiles.obj"
    Image.fromarray(np.full((4, 4, 3), 188, np.uint8)).save(tmp_path / "pic.png")
    (tmp_path / "tiles.mtl").write_text(f"newmtl tiles\nmap_Kd {options}pic.png\n")
    path.write_text("mtllib tiles.mtl\nusemtl tiles\n" + _TRIANGLE.format(0))
    material = read(path).parts[0].material
    assert material is not None
    assert material.textures is not None
    assert material.textures.base_color is not None
    assert material.textures.base_color.to_uv == to_uv
    assert material.textures.base_color.wrap == wrap


@pytest.mark.parametrize(
    ("options", "ignored"),
    [
        ("-mm 0 1 -t 0 0 0 -bm 1 ", []),
        ("-mm -0.1 1 ", ["-mm"]),
        ("-s 2 2 -mm 0 1.5 -t 0.1 -bm 1.0 ", ["-mm", "-t"]),
        ("-bm 0.3 ", ["-bm"]),
    ],
)
def test_options_of_a_map_that_are_not_taken_are_noted(
    tmp_path: Path, options: str, ignored: list[str]
) -> None:
    path = tmp_path / "tiles.obj"
    Image.fromarray(np.full((4, 4, 3), 188, np.uint8)).save(tmp_path / "pic.png")
    (tmp_path / "tiles.mtl").write_text(f"newmtl tiles\nmap_Kd {options}pic.png\n")
    path.write_text("mtllib tiles.mtl\nusemtl tiles\n" + _TRIANGLE.format(0))
    notes = [note for note in read(path).notes if "of a map" in note]
    assert notes == [f"the option {flag} of a map ignored: 1 (pic.png)" for flag in ignored]


@pytest.mark.parametrize("name", ["../secret.mtl", "/etc/passwd", "http://x/y.mtl", "link.mtl"])
def test_nothing_outside_the_folder_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.mtl").write_text("newmtl a\n")
    folder = tmp_path / "product"
    folder.mkdir()
    (folder / "link.mtl").symlink_to(tmp_path / "secret.mtl")
    path = folder / "car.obj"
    path.write_text(_OBJ.replace("car.mtl", name))
    with pytest.raises(ProductError, match=r"outside|elsewhere"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.stl", b"solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\n", "truncated"),
        ("a.stl", b"solid x\nfacet\nvertex 0 0\nendfacet\nendsolid x\n", "three numbers"),
        ("a.stl", b"\0" * 80 + b"\xff\xff\xff\xff", "truncated"),
        ("a.ply", b"plonk", "not a PLY"),
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex 1\nend_header\n", "truncated|no surface"),
        (
            "a.ply",
            b"ply\nformat ascii 1.0\nelement vertex 99999999999999\nproperty float x\nend_header\n",
            "truncated",
        ),
        ("a.ply", b"ply\nformat martian 1.0\nend_header\n", "header"),
        ("a.obj", b"\x89PNG", "not an OBJ"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nf 1 2 3\n", "does not exist"),
        ("a.obj", b"v 0 0 0\nf 0 1 1\n", "does not exist"),
        ("a.obj", b"v 0 0 0\nf -7 1 1\n", "does not exist"),
        ("a.obj", b"v 0 0 0\nf 1 x 1\n", "corner"),
        ("a.obj", b"v 0 nonsense 0\nf 1 1 1\n", "malformed"),
        ("a.obj", b"v 0 0 0\nv 1 1 1\n", "no geometry"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ProductError, match=what) as caught:
        read(path)
    assert caught.value.where == str(path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_damage_ends_in_a_traceback(data: st.DataObject, tmp_path: Path) -> None:
    box = trimesh.creation.box()
    suffix, options = data.draw(
        st.sampled_from([("stl", {}), ("ply", {}), ("ply", {"encoding": "ascii"}), ("obj", {})])
    )
    path = tmp_path / f"box.{suffix}"
    box.export(path, **options)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        read(path)
    except ProductError as error:
        assert error.where is not None
