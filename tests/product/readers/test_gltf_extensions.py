"""glTF extensions: compression, instancing, variants, materials, textures."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import DracoPy
import meshopt
import numpy as np
import pytest
import trimesh
from PIL import Image

from clearcoat.errors import MissingDependencyError, ProductError
from clearcoat.product import read


def sphere() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, outward normals and triangles of a finely cut unit ball."""
    ball = trimesh.creation.icosphere(subdivisions=3)
    points = np.asarray(ball.vertices, "<f4")
    return points, np.asarray(points, np.float64), np.asarray(ball.faces, np.uint32)


def draco(gltf: Any) -> dict[str, Any]:
    """Make the document's mesh a Draco-compressed ball; returns its primitive."""
    points, normals, faces = sphere()
    content = DracoPy.encode(
        points, faces, normals=normals, tex_coord=normals[:, :2], quantization_bits=16
    )
    ids = {3: "TEXCOORD_0", 1: "NORMAL", 0: "POSITION"}
    attributes = {
        ids[entry["attribute_type"]]: entry["unique_id"]
        for entry in DracoPy.decode(content).attributes
    }
    document = gltf.document
    document["accessors"] = [
        {"componentType": 5126, "count": len(points), "type": kind} for kind in ("VEC3", "VEC2")
    ]
    document["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    packed = {"bufferView": gltf.view(content), "attributes": attributes}
    primitive = {
        "attributes": {"POSITION": 0, "NORMAL": 0, "TEXCOORD_0": 1},
        "extensions": {"KHR_draco_mesh_compression": packed},
    }
    document["meshes"] = [{"primitives": [primitive]}]
    return primitive


def test_draco_geometry_is_that_of_the_source(gltf: Any, tmp_path: Path) -> None:
    draco(gltf)
    mesh = read(gltf.write(tmp_path)).parts[0].mesh
    assert len(mesh.faces) == 1280
    centre = np.array([0, 0, 1])
    radii = np.linalg.norm(mesh.vertices - centre, axis=1)
    np.testing.assert_allclose(radii, 1, atol=1e-4)
    assert mesh.normals is not None
    np.testing.assert_allclose(mesh.normals, mesh.vertices - centre, atol=1e-2)
    # File x is the product's y, file y is up: the texture coordinates were x and y.
    assert mesh.uv is not None
    np.testing.assert_allclose(mesh.uv[:, 0], mesh.vertices[:, 1], atol=1e-3)
    np.testing.assert_allclose(1 - mesh.uv[:, 1], mesh.vertices[:, 2] - 1, atol=1e-3)


def test_what_draco_does_not_hold_is_in_its_accessor(gltf: Any, tmp_path: Path) -> None:
    primitive = draco(gltf)
    packed = primitive["extensions"]["KHR_draco_mesh_compression"]
    whole = read(gltf.write(tmp_path)).parts[0].mesh
    count = len(whole.vertices)
    for name in ("NORMAL", "TEXCOORD_0"):
        del packed["attributes"][name]
    uv = np.random.default_rng(0).random((count, 2)).astype("<f4")
    normals = np.tile(np.array([0, 1, 0], "<f4"), (count, 1))
    primitive["attributes"] |= {"NORMAL": gltf.accessor(normals), "TEXCOORD_0": gltf.accessor(uv)}
    mesh = read(gltf.write(tmp_path)).parts[0].mesh
    assert mesh.uv is not None
    assert mesh.normals is not None
    np.testing.assert_allclose(np.sort(mesh.uv[:, 0]), np.sort(uv[:, 0]))
    np.testing.assert_allclose(np.abs(mesh.normals[:, 2]), 1)
    gltf.document["accessors"][-1]["count"] -= 1
    with pytest.raises(ProductError, match="one per vertex"):
        read(gltf.write(tmp_path))


def test_damaged_draco_is_refused(gltf: Any, tmp_path: Path) -> None:
    primitive = draco(gltf)
    packed = primitive["extensions"]["KHR_draco_mesh_compression"]
    packed["attributes"]["NORMAL"] = 99
    with pytest.raises(ProductError, match="NORMAL"):
        read(gltf.write(tmp_path))
    packed["bufferView"] = gltf.view(b"DRACO" + bytes(60))
    with pytest.raises(ProductError, match="damaged"):
        read(gltf.write(tmp_path))


@pytest.mark.parametrize(("package", "make"), [("DracoPy", draco), ("meshopt", None)])
def test_a_missing_decoder_is_named(
    gltf: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, make: Any
) -> None:
    (make or packed_cube)(gltf)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=package) as caught:
        read(gltf.write(tmp_path))
    assert "clearcoat[compression]" in str(caught.value)


def packed_cube(gltf: Any) -> dict[str, Any]:
    """Compress the cube's positions and indices with meshopt; returns the first view's extension.

    Positions become quantized integers (KHR_mesh_quantization) of four columns, as gltfpack
    writes them; the node scales them back.
    """
    document = gltf.document
    corners = [[x, y, z, 0] for x in (0, 1000) for y in (0, 1000) for z in (0, 1000)]
    points = np.array(corners, "<u2")
    faces = np.frombuffer(gltf.binary, "<u2", offset=96).astype("<u2")
    assert len(faces) == 36
    views = []
    for data, mode in ((points.view(np.uint8), "ATTRIBUTES"), (faces, "TRIANGLES")):
        packed = meshopt.encode_gltf_buffer(data, mode)
        stride = 8 if mode == "ATTRIBUTES" else 2
        start = len(gltf.binary)
        gltf.view(packed)
        start = document["bufferViews"][-1]["byteOffset"]
        extension = {
            **{"buffer": 0, "byteOffset": start, "byteLength": len(packed)},
            **{"byteStride": stride, "count": len(data), "mode": mode},
        }
        views.append(
            {
                "buffer": 1,
                "byteLength": len(data) * stride,
                "extensions": {"EXT_meshopt_compression": extension},
            }
        )
    views[0]["byteStride"] = 8
    document["buffers"].append({"byteLength": 1000})  # the fallback, which nobody stored
    document["bufferViews"] = views
    document["accessors"] = [
        {"bufferView": 0, "componentType": 5123, "count": 8, "type": "VEC3"},
        {"bufferView": 1, "componentType": 5123, "count": 36, "type": "SCALAR"},
    ]
    document["meshes"] = [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}]
    document["nodes"] = [{"name": "cube", "mesh": 0, "scale": [0.001] * 3}]
    document["extensionsRequired"] = ["EXT_meshopt_compression", "KHR_mesh_quantization"]
    found: dict[str, Any] = views[0]["extensions"]
    return found


def test_meshopt_geometry_is_that_of_the_source(gltf: Any, tmp_path: Path) -> None:
    packed_cube(gltf)
    product = read(gltf.write(tmp_path))
    assert product.triangle_count == 12
    np.testing.assert_allclose(product.bounds_m, [[-0.5, -0.5, 0], [0.5, 0.5, 1]], atol=1e-6)
    mesh = product.parts[0].mesh
    assert trimesh.Trimesh(mesh.vertices, mesh.faces).volume == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"count": 2**40}, "more than its bytes can hold"),
        ({"byteStride": 0}, "more than its bytes can hold"),
        ({"byteLength": 10**9}, "beyond its buffer"),
        ({"byteLength": 5}, "damaged"),
        ({"mode": "NONSENSE"}, "NONSENSE"),
        ({"filter": "NONSENSE"}, "NONSENSE"),
    ],
)
def test_damaged_meshopt_is_refused(
    gltf: Any, tmp_path: Path, changes: dict[str, Any], what: str
) -> None:
    packed_cube(gltf)["EXT_meshopt_compression"] |= changes
    with pytest.raises(ProductError, match=what):
        read(gltf.write(tmp_path))


def test_octahedral_normals_are_unpacked(gltf: Any, tmp_path: Path) -> None:
    points, normals, faces = sphere()
    packed = meshopt.encode_filter_oct(np.column_stack([normals, np.ones(len(normals))]), 4, 8)
    content = meshopt.encode_gltf_buffer(packed, "ATTRIBUTES")
    index = gltf.mesh(points, faces)
    view = gltf.view(content)
    document = gltf.document
    place = document["bufferViews"][view]["byteOffset"]
    document["bufferViews"][view] = {
        **{"buffer": 0, "byteLength": 4 * len(points), "byteStride": 4},
        "extensions": {
            "EXT_meshopt_compression": {
                **{"buffer": 0, "byteOffset": place, "byteLength": len(content)},
                **{"byteStride": 4, "count": len(points)},
                **{"mode": "ATTRIBUTES", "filter": "OCTAHEDRAL"},
            }
        },
    }
    document["accessors"].append(
        {"bufferView": view, "componentType": 5120, "count": len(points), "type": "VEC3"}
        | {"normalized": True}
    )
    last = len(document["accessors"]) - 1
    document["meshes"][index]["primitives"][0]["attributes"]["NORMAL"] = last
    document["nodes"][0]["mesh"] = index
    mesh = read(gltf.write(tmp_path)).parts[0].mesh
    assert mesh.normals is not None
    np.testing.assert_allclose(mesh.normals, mesh.vertices - [0, 0, 1], atol=0.02)


def test_every_gpu_instance_is_a_part(gltf: Any, tmp_path: Path) -> None:
    half = float(np.sqrt(0.5))
    moved = gltf.accessor(np.array([[0, 0, 0], [5, 0, 0], [0, 0, 9]], "<f4"))
    turned = gltf.accessor(np.array([[0, 0, 0, 1], [0, half, 0, half], [0, 0, 0, 1]], "<f4"))
    sized = gltf.accessor(np.array([[1, 1, 1], [2, 1, 1], [-1, 1, 1]], "<f4"))
    attributes = {"TRANSLATION": moved, "ROTATION": turned, "SCALE": sized}
    gltf.document["nodes"][0]["extensions"] = {
        "EXT_mesh_gpu_instancing": {"attributes": attributes}
    }
    gltf.document["extensionsRequired"] = ["EXT_mesh_gpu_instancing"]
    parts = read(gltf.write(tmp_path)).parts
    assert [part.path for part in parts] == ["cube", "cube#2", "cube#3"]
    assert len({part.instance for part in parts}) == 3
    assert {part.definition for part in parts} == {"mesh_0"}
    volumes = [trimesh.Trimesh(p.mesh.vertices, p.mesh.faces).volume for p in parts]
    np.testing.assert_allclose(volumes, [1, 2, 1], rtol=1e-5)
    # The second turns x towards -z: in the file it spans z from -2 to 0, product x.
    spans = [np.ptp(part.mesh.vertices, axis=0) for part in parts]
    np.testing.assert_allclose(spans, [[1, 1, 1], [2, 1, 1], [1, 1, 1]], atol=1e-5)

    gltf.document["accessors"][sized]["count"] = 2
    with pytest.raises(ProductError, match="instances"):
        read(gltf.write(tmp_path))


def test_a_variant_changes_materials(shared: Path) -> None:
    path = shared / "vehicles/car_concept/car_concept.glb"
    plain = read(path)
    assert plain.variants == ("Carmine Candy", "Pearly Swirly", "Torched Graphite")
    assert plain.variant == ""
    for variant, paint in (("Carmine Candy", "Carmine"), ("Torched Graphite", "Graphite")):
        product = read(path, variant=variant)
        assert product.variant == variant
        names = {part.material.name for part in product.parts if part.material}
        assert {name for name in names if "Paint" in name} == {
            f"Paint 1 {paint}",
            f"Paint 2 {paint}",
        }
    with pytest.raises(ProductError, match="no such variant") as caught:
        read(path, variant="Pearly Swirl")
    assert "Pearly Swirly" in str(caught.value)


def test_a_file_without_variants_says_so(gltf: Any, tmp_path: Path) -> None:
    with pytest.raises(ProductError, match="no such variant") as caught:
        read(gltf.write(tmp_path), variant="red")
    assert "remove `variant`" in str(caught.value)


def test_material_extensions(gltf: Any, tmp_path: Path) -> None:
    gltf.document["meshes"][0]["primitives"][0]["material"] = 0
    gltf.document["materials"] = [
        {
            "extensions": {
                "KHR_materials_ior": {"ior": 1.33},
                "KHR_materials_specular": {
                    "specularFactor": 0.4,
                    "specularColorFactor": [1, 0.5, 0],
                },
                "KHR_materials_sheen": {
                    "sheenColorFactor": [0.1, 0.2, 0.3],
                    "sheenRoughnessFactor": 0.6,
                },
                "KHR_materials_iridescence": {
                    **{"iridescenceFactor": 0.7, "iridescenceIor": 1.8},
                    "iridescenceThicknessMaximum": 550,
                },
                "KHR_materials_clearcoat": {
                    **{"clearcoatFactor": 0.9, "clearcoatRoughnessFactor": 0.2}
                },
            }
        }
    ]
    found = read(gltf.write(tmp_path)).parts[0].material
    assert found is not None
    assert (found.ior, found.specular, found.specular_color) == (1.33, 0.4, (1, 0.5, 0))
    assert not any("1.79" in note for note in read(gltf.write(tmp_path)).notes)
    assert (found.sheen_color, found.sheen_roughness) == ((0.1, 0.2, 0.3), 0.6)
    assert (found.iridescence, found.iridescence_ior) == (0.7, 1.8)
    assert found.iridescence_thickness_nm == 550
    assert (found.clearcoat, found.clearcoat_roughness) == (0.9, 0.2)
    gltf.document["materials"][0]["extensions"]["KHR_materials_ior"]["ior"] = 2.4
    assert any("above 1.79 drawn as 1.79" in note for note in read(gltf.write(tmp_path)).notes)


def test_the_thickness_of_a_film_is_kept_in_nanometres(gltf: Any, tmp_path: Path) -> None:
    """KHR_materials_iridescence: G runs from the least thickness to the greatest."""
    pixels = np.zeros((1, 2, 3), np.uint8)
    pixels[0, :, 1] = 0, 204
    textured(gltf, pixels)
    film: dict[str, Any] = {"iridescenceFactor": 0.5, "iridescenceThicknessTexture": {"index": 0}}
    extensions = {"KHR_materials_iridescence": film}
    gltf.document["materials"][0] = {"extensions": extensions}
    found = read(gltf.write(tmp_path)).parts[0].material
    assert found is not None
    assert found.textures is not None
    # The extension's own limits are 100 and 400 nm.
    assert found.iridescence_thickness_nm == pytest.approx(100 + 300 * 0.4)
    assert (found.iridescence, found.iridescence_ior) == (0.5, 1.3)
    picture = found.textures.film_thickness
    assert picture is not None
    np.testing.assert_allclose(picture.linear()[0, :, 1], [100, 100 + 300 * 0.8], atol=1)
    film |= {"iridescenceThicknessMinimum": 500, "iridescenceTexture": {"index": 0}}
    extensions["KHR_materials_clearcoat"] = {"clearcoatFactor": 1}
    product = read(gltf.write(tmp_path))
    found = product.parts[0].material
    assert found is not None
    assert found.iridescence_thickness_nm == pytest.approx(500 - 100 * 0.4)
    # The picture's red is 0 everywhere, and so is the film's share.
    assert (found.iridescence, found.textures) == (0, None)
    del film["iridescenceTexture"]
    product = read(gltf.write(tmp_path))
    assert product.parts[0].material is not None
    assert product.parts[0].material.textures is None
    assert any("film under a clear coat averaged" in note for note in product.notes)


def textured(gltf: Any, pixels: np.ndarray, **info: Any) -> None:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    document = gltf.document
    document["images"] = [{"name": "picture", "bufferView": gltf.view(stream.getvalue())}]
    document["textures"] = [{"source": 0, "sampler": 0}]
    document["samplers"] = [{"wrapS": 33071, "wrapT": 33071}]
    document["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0, **info}}}]
    document["meshes"][0]["primitives"][0]["material"] = 0


def test_textures_keep_pixels_sampler_and_place(gltf: Any, tmp_path: Path) -> None:
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    # The extension's own example: the lower left quadrant, turned by 90°.
    placed = {"offset": [0, 1], "rotation": np.pi / 2, "scale": [0.5, 0.5], "texCoord": 1}
    textured(gltf, pixels, extensions={"KHR_texture_transform": placed})
    points = gltf.document["accessors"][0]["count"]
    second = gltf.accessor(np.tile(np.array([[0.25, 0.75]], "<f4"), (points, 1)))
    gltf.document["meshes"][0]["primitives"][0]["attributes"]["TEXCOORD_1"] = second
    part = read(gltf.write(tmp_path)).parts[0]
    assert part.mesh.uv is not None
    np.testing.assert_allclose(part.mesh.uv, np.full_like(part.mesh.uv, 0.25))
    assert part.material is not None
    assert part.material.textures is not None
    texture = part.material.textures.base_color
    assert texture is not None
    np.testing.assert_array_equal(texture.pixels[..., :3], pixels)
    assert (texture.wrap, texture.srgb) == ("clamp", True)
    rows = np.array(texture.to_uv).reshape(2, 3)
    corners = [rows @ [u, v, 1] for u in (0, 1) for v in (0, 1)]  # v upwards
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    np.testing.assert_allclose([low, high], [[0, 0], [0.5, 0.5]], atol=1e-9)


def test_textures_on_two_sets_of_coordinates_are_reported(gltf: Any, tmp_path: Path) -> None:
    textured(gltf, np.zeros((2, 2, 3), np.uint8))
    gltf.document["materials"][0]["normalTexture"] = {"index": 0, "texCoord": 1}
    product = read(gltf.write(tmp_path))
    assert any("second set of coordinates" in note for note in product.notes)
    material = product.parts[0].material
    assert material is not None
    assert material.textures is not None
    assert material.textures.normal is None


@pytest.mark.parametrize("side", [12_000, 200_000])
def test_an_image_bomb_is_not_decoded(gltf: Any, tmp_path: Path, side: int) -> None:
    textured(gltf, np.zeros((2, 2, 3), np.uint8))
    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    gltf.document["images"][0]["bufferView"] = gltf.view(content)
    product = read(gltf.write(tmp_path))
    assert any("an image cannot be read" in note and "pixels" in note for note in product.notes)
    assert any("factor is taken alone" in note for note in product.notes)


def test_large_images_are_reduced(gltf: Any, tmp_path: Path) -> None:
    textured(gltf, np.full((16, 4096, 3), 200, np.uint8))
    product = read(gltf.write(tmp_path))
    material = product.parts[0].material
    assert material is not None
    assert material.textures is not None
    assert material.textures.base_color is not None
    assert material.textures.base_color.pixels.shape == (8, 2048, 4)
    assert any("reduced to 2048" in note for note in product.notes)
