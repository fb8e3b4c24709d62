"""glTF: the real vehicles against trimesh, and small files made to order."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from clearcoat.errors import ProductError
from clearcoat.product import Product, SourceMaterial, read


def volume(product: Product, number: int = 0) -> float:
    """Signed volume of a part: positive where the faces look outwards."""
    mesh = product.parts[number].mesh
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(np.float64) for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6


VEHICLES = [
    # file, front, parts, triangles in the file, of which without area or doubles
    ("bmw_m6/bmw_m6.glb", "-x", 113, 792_726, 164),
    ("car_concept/car_concept.glb", "z", 109, 213_347, 79 + 4),
    ("asam_vehicle/vehicle_example.gltf", "x", 69, 50_760, 6),
]


@pytest.mark.parametrize(("file", "front", "parts", "triangles", "flat"), VEHICLES)
def test_real_vehicles_agree_with_trimesh(
    shared: Path, file: str, front: str, parts: int, triangles: int, flat: int
) -> None:
    path = shared / "vehicles" / file
    product = read(path, front=front)
    assert len(product.parts) == parts
    assert product.triangle_count == triangles - flat
    left_out = [re.search(r"left out: (\d+)", note) for note in product.notes]
    assert sum(int(found[1]) for found in left_out if found) == flat
    assert len({part.path for part in product.parts}) == parts

    oracle = trimesh.load_scene(path, process=False)
    instances = [oracle.geometry[oracle.graph[node][1]] for node in oracle.graph.nodes_geometry]
    assert sum(len(mesh.faces) for mesh in instances) == triangles
    size = oracle.bounds[1] - oracle.bounds[0]
    low, high = product.bounds_m
    length, width = (size[0], size[2]) if front.endswith("x") else (size[2], size[0])
    np.testing.assert_allclose(high - low, [length, width, size[1]], atol=1e-4)
    np.testing.assert_allclose((low + high)[:2], 0, atol=1e-5)
    assert low[2] == pytest.approx(0, abs=1e-6)
    area = sum(
        trimesh.Trimesh(part.mesh.vertices, part.mesh.faces, process=False).area
        for part in product.parts
    )
    assert area == pytest.approx(oracle.area, rel=1e-4)
    for part in product.parts:
        assert part.mesh.normals is not None
        np.testing.assert_allclose(np.linalg.norm(part.mesh.normals, axis=1), 1, atol=1e-5)
        corners = part.mesh.vertices[part.mesh.faces].astype(np.float64)
        face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        shade = part.mesh.normals[part.mesh.faces].mean(axis=1)
        assert (np.einsum("ij,ij->i", face, shade) > 0).mean() > 0.97, part.path


def test_left_parts_are_on_the_left(shared: Path) -> None:
    path = shared / "vehicles/asam_vehicle/vehicle_example.gltf"
    product = read(path, front="x")
    doors = {part.name: part.mesh.vertices.mean(axis=0) for part in product.parts}
    assert doors["Door_FL"][1] > 0.5 > -0.5 > doors["Door_FR"][1]
    assert doors["Window_F"][0] > doors["Window_R"][0]
    paths = [part.path for part in product.parts]
    assert any(p.endswith("Exterior_Dynamic/Grp_Door_Left_0/Door_FL") for p in paths)
    concept = read(shared / "vehicles/car_concept/car_concept.glb")
    place = {part.name: part.mesh.vertices.mean(axis=0) for part in concept.parts}
    assert place["BodyDoorLColor1"][1] > 0 > place["BodyDoorRColor1"][1]
    assert place["BodyHeadlights"][0] > 1 > -1 > place["BodyTaillights"][0]
    bmw = read(shared / "vehicles/bmw_m6/bmw_m6.glb", front="-x", drop=["emblem*"])
    assert not any("emblem" in part.path for part in bmw.parts)
    where = {part.path.split("__")[0]: part.mesh.vertices.mean(axis=0) for part in bmw.parts}
    assert where["headlight"][0] > 1 > -1 > where["taillight"][0]


def test_materials_of_a_real_vehicle(shared: Path) -> None:
    product = read(shared / "vehicles/car_concept/car_concept.glb")
    materials = {p.material.name: p.material for p in product.parts if p.material}
    assert materials["Glass"].transmission == 1.0
    assert materials["Paint 1 Carmine"].clearcoat == 1.0
    # Its emissive factor is white, but its emissive texture nearly black.
    assert max(materials["Panel"].emissive) < 0.1


def test_cube_is_placed_and_closed(gltf: Any, tmp_path: Path) -> None:
    product = read(gltf.write(tmp_path))
    assert [part.path for part in product.parts] == ["cube"]
    assert volume(product) == pytest.approx(1, rel=1e-6)
    np.testing.assert_allclose(product.bounds_m, [[-0.5, -0.5, 0], [0.5, 0.5, 1]], atol=1e-7)
    assert product.parts[0].mesh.vertices.shape == (24, 3)  # sharp edges: three normals a corner


def test_nested_and_mirroring_transforms(gltf: Any, tmp_path: Path) -> None:
    half = np.sqrt(0.5)
    gltf.document["nodes"] = [
        {"name": "a", "children": [1, 2], "scale": [2, 2, 2]},
        {"name": "b", "mesh": 0, "scale": [-1, 1, 1], "translation": [3, 0, 0]},
        {"name": "c", "children": [3], "rotation": [0, half, 0, half]},  # +90° about y: x -> -z
        {"name": "d", "mesh": 0, "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1]},
    ]
    product = read(gltf.write(tmp_path))
    assert [part.path for part in product.parts] == ["a/b", "a/c/d"]
    assert volume(product, 0) == pytest.approx(8, rel=1e-6)
    assert volume(product, 1) == pytest.approx(8, rel=1e-6)
    # In the file b spans x 4..6, z 0..2; d spans x 0..2, z -4..-2. Product x = z, y = x.
    for number, corners in ((0, [[1, 1, 0], [3, 3, 2]]), (1, [[-3, -3, 0], [-1, -1, 2]])):
        vertices = product.parts[number].mesh.vertices
        np.testing.assert_allclose([vertices.min(0), vertices.max(0)], corners, atol=1e-6)


def test_normals_follow_a_mirroring_stretch(gltf: Any, tmp_path: Path) -> None:
    slope = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 1]], "<f4")
    normal = np.cross(slope[1] - slope[0], slope[2] - slope[0])
    normals = np.tile(normal / np.linalg.norm(normal), (3, 1)).astype("<f4")
    index = gltf.mesh(slope, np.array([0, 1, 2]), attributes={"NORMAL": gltf.accessor(normals)})
    gltf.document["nodes"] = [{"name": "s", "mesh": index, "scale": [-1, 3, 1]}]
    mesh = read(gltf.write(tmp_path)).parts[0].mesh
    a, b, c = mesh.vertices[mesh.faces[0]]
    expected = np.cross(b - a, c - a)
    assert mesh.normals is not None
    np.testing.assert_allclose(
        mesh.normals, np.tile(expected / np.linalg.norm(expected), (3, 1)), atol=1e-6
    )


def test_paths_are_named_and_unique(gltf: Any, tmp_path: Path) -> None:
    gltf.document["meshes"][0]["name"] = "body"
    gltf.document["meshes"].append({"primitives": gltf.document["meshes"][0]["primitives"] * 2})
    gltf.document["nodes"] = [
        {"name": "car", "children": [1, 2, 3, 4, 5]},
        {"name": "door", "mesh": 0},
        {"name": "door", "mesh": 1},
        {"mesh": 0},
        {"mesh": 1},
        {"name": "a/b", "mesh": 0},
    ]
    paths = [part.path for part in read(gltf.write(tmp_path)).parts]
    assert paths == [
        *("car/door", "car/door#2", "car/door#3"),
        *("car/body", "car/node_4", "car/node_4#2", "car/a_b"),
    ]


def test_parts_know_colour_layer_metadata_and_occurrence(gltf: Any, tmp_path: Path) -> None:
    document = gltf.document
    document["materials"] = [
        {
            "name": "steel",
            "pbrMetallicRoughness": {"baseColorFactor": [0.1, 0.2, 0.3, 1]},
            "extras": {"finish": "brushed", "layer": "of the material"},
        }
    ]
    piece = document["meshes"][0]["primitives"][0]
    document["meshes"] = [{"name": "bolt M8", "primitives": [{**piece, "material": 0}, piece]}]
    document["nodes"] = [
        {"name": "car", "children": [1, 2], "extras": {"layer": "trim", "supplier": {"id": 7}}},
        {"name": "bolt", "mesh": 0, "extras": {"layer": "fasteners", "visible": True}},
        {"name": "bolt", "mesh": 0},
    ]
    steel, plain, other, _ = read(gltf.write(tmp_path)).parts
    assert steel.color == pytest.approx((0.1, 0.2, 0.3))
    assert plain.color is None
    assert (steel.layer, other.layer) == ("fasteners", "trim")
    assert steel.metadata == {
        **{"layer": "fasteners", "supplier.id": "7", "visible": "true", "finish": "brushed"}
    }
    assert steel.definition == plain.definition == other.definition == "bolt M8"
    assert steel.instance == plain.instance == "car/bolt"
    assert other.instance == "car/bolt#3"


def test_strips_and_fans_become_triangles(gltf: Any, tmp_path: Path) -> None:
    square = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    strip = gltf.mesh(square, np.array([0, 1, 2, 3]), mode=5)
    fan = gltf.mesh(square, np.array([0, 1, 3, 2]), mode=6)
    plain = gltf.mesh(square[[0, 1, 2, 2, 1, 3]], None)
    gltf.document["nodes"] = [{"name": str(i), "mesh": i} for i in (strip, fan, plain)]
    gltf.document["scenes"] = [{"nodes": [0, 1, 2]}]
    product = read(gltf.write(tmp_path))
    for part in product.parts:
        assert part.triangle_count == 2
        assert part.mesh.normals is not None
        # The file's z, towards which all look, is the product's x.
        np.testing.assert_allclose(part.mesh.normals, [[1, 0, 0]] * 4, atol=1e-6)
    assert len(product.notes) == 4  # strips, fans, normals, wider than long


def test_sparse_and_normalised_accessors(gltf: Any, tmp_path: Path) -> None:
    rows = gltf.view(np.array([2], "<u2").tobytes())
    values = gltf.view(np.array([[0, 7, 0]], "<f4").tobytes())
    gltf.mesh(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]]), None)
    accessor = gltf.document["accessors"][-1]
    accessor["sparse"] = {
        "count": 1,
        "indices": {"bufferView": rows, "componentType": 5123},
        "values": {"bufferView": values},
    }
    uv = gltf.accessor(np.array([[0, 0], [65535, 0], [0, 65535]], "<u2"), normalized=True)
    gltf.document["meshes"][1]["primitives"][0]["attributes"]["TEXCOORD_0"] = uv
    gltf.document["nodes"][0]["mesh"] = 1
    mesh = read(gltf.write(tmp_path)).parts[0].mesh
    assert mesh.vertices[:, 2].max() == pytest.approx(7)
    np.testing.assert_allclose(mesh.uv, [[0, 1], [1, 1], [0, 0]], atol=1e-6)


def test_interleaved_vertices(gltf: Any, tmp_path: Path) -> None:
    rows = np.zeros((3, 6), "<f4")
    rows[:, :3] = [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    rows[:, 5] = 2  # a normal that is not of unit length
    view = gltf.view(rows.tobytes())
    gltf.document["bufferViews"][view]["byteStride"] = 24
    common = {"bufferView": view, "componentType": 5126, "count": 3, "type": "VEC3"}
    gltf.document["accessors"] += [common, {**common, "byteOffset": 12}]
    first = len(gltf.document["accessors"]) - 2
    gltf.document["meshes"] = [
        {"primitives": [{"attributes": {"POSITION": first, "NORMAL": first + 1}}]}
    ]
    mesh = read(gltf.write(tmp_path)).parts[0].mesh
    np.testing.assert_allclose(mesh.normals, [[1, 0, 0]] * 3, atol=1e-6)


def test_material_properties(gltf: Any, tmp_path: Path) -> None:
    gltf.document["meshes"][0]["primitives"][0]["material"] = 0
    gltf.document["materials"] = [
        {
            "name": "all",
            "alphaMode": "BLEND",
            "emissiveFactor": [0.5, 0, 0],
            "pbrMetallicRoughness": {
                "baseColorFactor": [0.1, 0.2, 0.3, 0.4],
                "metallicFactor": 0.6,
                "roughnessFactor": 0.7,
            },
            "extensions": {
                "KHR_materials_transmission": {"transmissionFactor": 0.8},
                "KHR_materials_clearcoat": {"clearcoatFactor": 0.9},
                "KHR_materials_emissive_strength": {"emissiveStrength": 4},
            },
        }
    ]
    assert read(gltf.write(tmp_path)).parts[0].material == SourceMaterial(
        name="all",
        base_color=(0.1, 0.2, 0.3),
        alpha=0.4,
        metallic=0.6,
        roughness=0.7,
        transmission=0.8,
        clearcoat=0.9,
        emissive=(2.0, 0.0, 0.0),
    )
    gltf.document["materials"] = [{}]
    material = read(gltf.write(tmp_path)).parts[0].material
    assert material == SourceMaterial("material_0", (1.0, 1.0, 1.0), 1.0, 1.0, 1.0)


@pytest.mark.parametrize("cutoff", [0.3, None])
def test_a_mask_is_no_pane(gltf: Any, tmp_path: Path, cutoff: float | None) -> None:
    """Alpha 0.45 is above a cutoff of 0.3, and below the usual one of a half."""
    grille = {"name": "grille", "alphaMode": "MASK"}
    grille |= {"pbrMetallicRoughness": {"baseColorFactor": [0.1, 0.1, 0.1, 0.45]}}
    gltf.document["materials"] = [grille if cutoff is None else {**grille, "alphaCutoff": cutoff}]
    gltf.document["meshes"][0]["primitives"][0]["material"] = 0
    if cutoff is None:
        with pytest.raises(ProductError, match="alpha is below their cutoff left out"):
            read(gltf.write(tmp_path))
        return
    product = read(gltf.write(tmp_path))
    assert product.parts[0].material is not None
    assert product.parts[0].material.alpha == 1
    assert not any("cut-outs" in note for note in product.notes)


@pytest.mark.parametrize(("clear", "noted"), [(0, True), (128, False)])
def test_cut_outs_are_drawn_solid(gltf: Any, tmp_path: Path, clear: int, noted: bool) -> None:
    pixels = np.full((4, 4, 4), 255, np.uint8)
    pixels[1:, :, 3] = clear
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    gltf.document["images"] = [{"bufferView": gltf.view(content.getvalue())}]
    gltf.document["textures"] = [{"source": 0}]
    pbr = {"baseColorTexture": {"index": 0}}
    gltf.document["materials"] = [
        {"name": "mesh", "alphaMode": "MASK", "pbrMetallicRoughness": pbr}
    ]
    gltf.document["meshes"][0]["primitives"][0]["material"] = 0
    product = read(gltf.write(tmp_path))
    assert product.parts[0].material is not None
    assert product.parts[0].material.alpha == 1
    assert ("cut-outs drawn solid: 1 (mesh)" in product.notes) == noted


def test_textures_become_their_linear_mean(gltf: Any, tmp_path: Path) -> None:
    stream = io.BytesIO()
    pixels = np.array([[[188, 0, 0], [188, 255, 0]]], np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")
    gltf.document["images"] = [{"bufferView": gltf.view(stream.getvalue())}]
    gltf.document["textures"] = [{"source": 0}]
    gltf.document["materials"] = [
        {
            "name": "painted",
            "pbrMetallicRoughness": {
                "baseColorTexture": {"index": 0},
                "metallicRoughnessTexture": {"index": 0},
                "baseColorFactor": [1, 0.5, 1, 1],
            },
        }
    ]
    gltf.document["meshes"][0]["primitives"][0]["material"] = 0
    product = read(gltf.write(tmp_path))
    material = product.parts[0].material
    assert material is not None
    # sRGB 188 is linear 0.5029 (IEC 61966-2-1).
    np.testing.assert_allclose(material.base_color, [0.50289, 0.25, 0], atol=1e-4)
    assert (material.roughness, material.metallic) == (0.5, 0.0)
    assert material.textures is not None
    assert material.textures.base_color is not None
    np.testing.assert_allclose(
        material.textures.base_color.linear()[0],
        [[0.50289, 0, 0], [0.50289, 0.5, 0]],
        atol=1e-4,
    )

    gltf.document["images"] = [{"uri": "absent.png"}]
    product = read(gltf.write(tmp_path))
    assert any("unreadable" in note and "painted" in note for note in product.notes)


def test_gltf_with_inline_and_outside_buffers(gltf: Any, tmp_path: Path) -> None:
    inline = "data:application/octet-stream;base64," + base64.b64encode(gltf.binary).decode()
    (tmp_path / "my data.bin").write_bytes(gltf.binary)
    path = tmp_path / "product.gltf"
    for uri in (inline, "my%20data.bin"):
        gltf.document["buffers"][0]["uri"] = uri
        path.write_text(json.dumps(gltf.document))
        assert volume(read(path)) == pytest.approx(1, rel=1e-6)
