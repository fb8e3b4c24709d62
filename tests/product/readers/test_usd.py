"""USD: stages written with OpenUSD itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcoat.errors import ProductError
from clearcoat.product import read

pytest.importorskip("pxr", reason="usd-core is not installed")
from pxr import Gf, Kind, Sdf, Usd, UsdGeom, UsdShade, UsdUtils, Vt

from tests.product.readers.usd_stages import (
    CORNERS,
    QUADS,
    bind,
    cube,
    outward,
    pictured,
    stage,
    surface,
)


@pytest.mark.parametrize("suffix", ["usda", "usdc", "usd"])
def test_unit_axes_tree_and_material(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"car.{suffix}"
    made = stage(path, metres=0.01, up="Y")
    root = UsdGeom.Xform.Define(made, "/car")
    root.AddScaleOp().Set(Gf.Vec3f(100, 50, 200))
    Usd.ModelAPI(root).SetKind(Kind.Tokens.assembly)
    door = cube(made, "/car/body/door", (1, 0, 0))
    door.GetPrim().SetCustomDataByKey("supplier", "ACME")
    bind(door, surface(made, "/looks/paint", diffuseColor=(0.2, 0.4, 0.6), metallic=0.25,
                       roughness=0.7, opacity=0.5, clearcoat=1.0, ior=1.4))  # fmt: skip
    cube(made, "/car/body/roof")
    made.GetRootLayer().Save()
    product = read(path, front="x")
    assert (product.unit_m, product.up) == (0.01, "y")
    assert {part.path for part in product.parts} == {"car/body/door", "car/body/roof"}
    np.testing.assert_allclose(np.ptp(product.bounds_m, axis=0), [2, 2, 0.5], rtol=1e-5)
    assert product.triangle_count == 24
    assert outward(product)
    found = next(part for part in product.parts if part.name == "door")
    assert found.metadata == {"kind": "assembly", "supplier": "ACME"}
    material = found.material
    assert material is not None
    assert material.name == "paint"
    np.testing.assert_allclose(material.base_color, (0.2, 0.4, 0.6), rtol=1e-6)
    values = (material.metallic, material.roughness, material.alpha, material.clearcoat)
    np.testing.assert_allclose((*values, material.ior), (0.25, 0.7, 0.5, 1.0, 1.4), rtol=1e-6)
    assert next(part for part in product.parts if part.name == "roof").material is None


def test_a_stage_that_names_no_unit_is_in_centimetres_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "box.usda"
    made = Usd.Stage.CreateNew(str(path))
    cube(made, "/box")
    made.GetRootLayer().Save()
    product = read(path)
    assert (product.unit_m, product.up) == (0.01, "y")
    assert any("centimetres" in note for note in product.notes)


@pytest.mark.parametrize("instanceable", [True, False])
def test_references_are_instances_of_one_shape(tmp_path: Path, instanceable: bool) -> None:
    wheel = stage(tmp_path / "wheel.usda")
    wheel.SetDefaultPrim(UsdGeom.Xform.Define(wheel, "/Wheel").GetPrim())
    tyre = cube(wheel, "/Wheel/tyre")
    bind(tyre, surface(wheel, "/Wheel/rubber", diffuseColor=(0.01, 0.01, 0.01)))
    wheel.GetRootLayer().Save()
    made = stage(tmp_path / "car.usda")
    for number in range(4):
        place = UsdGeom.Xform.Define(made, f"/car/wheel_{number}")
        place.GetPrim().GetReferences().AddReference("wheel.usda")
        place.GetPrim().SetInstanceable(instanceable)
        # Every second is mirrored, as the left ones of a car are.
        place.AddTranslateOp().Set(Gf.Vec3d(3.0 * number, 0, 0))
        place.AddScaleOp().Set(Gf.Vec3f(1, -1 if number % 2 else 1, 1))
    made.GetRootLayer().Save()
    product = read(tmp_path / "car.usda", front="x")
    assert [part.path for part in product.parts] == [f"car/wheel_{n}/tyre" for n in range(4)]
    assert {part.definition for part in product.parts} == {"Wheel/tyre"}
    assert len({part.instance for part in product.parts}) == 4
    assert {part.material.name for part in product.parts if part.material} == {"rubber"}
    np.testing.assert_allclose(np.ptp(product.bounds_m, axis=0), [10, 2, 1], rtol=1e-6)
    assert outward(product)


def test_a_point_instancer_places_its_prototypes(tmp_path: Path) -> None:
    path = tmp_path / "bolts.usda"
    made = stage(path)
    bolts = UsdGeom.PointInstancer.Define(made, "/bolts")
    cube(made, "/bolts/kinds/bolt")
    bolts.CreatePrototypesRel().AddTarget("/bolts/kinds/bolt")
    bolts.CreateProtoIndicesAttr([0, 0, 0])
    bolts.CreatePositionsAttr([Gf.Vec3f(2.0 * n, 0, 0) for n in range(3)])
    made.GetRootLayer().Save()
    product = read(path, front="x")
    assert [part.path for part in product.parts] == ["bolts/bolt", "bolts/bolt#2", "bolts/bolt#3"]
    np.testing.assert_allclose(np.ptp(product.bounds_m, axis=0), [5, 1, 1], rtol=1e-6)
    bolts.GetPrototypesRel().SetTargets(["/bolts"])
    made.GetRootLayer().Save()
    with pytest.raises(ProductError, match="prototype of itself"):
        read(path)


@pytest.mark.parametrize("kept", ["over", "class", "def"])
def test_prototypes_are_placed_wherever_they_are_kept(tmp_path: Path, kept: str) -> None:
    path = tmp_path / "bolts.usda"
    made = stage(path)
    # A group of its own: the prims below a prototype are no more defined than it is itself.
    cube(made, "/store/kinds/bolt/head")
    specifier = {"over": Sdf.SpecifierOver, "class": Sdf.SpecifierClass, "def": Sdf.SpecifierDef}
    for prim in ("/store", "/store/kinds", "/store/kinds/bolt"):
        made.GetPrimAtPath(prim).SetSpecifier(specifier[kept])
    bolts = UsdGeom.PointInstancer.Define(made, "/bolts")
    bolts.CreatePrototypesRel().SetTargets(["/store/kinds/bolt", "/store/kinds/absent"])
    bolts.CreateProtoIndicesAttr([0, 0, 1])
    bolts.CreatePositionsAttr([Gf.Vec3f(2.0 * n, 0, 0) for n in range(3)])
    made.GetRootLayer().Save()
    product = read(path)
    paths = [part.path for part in product.parts if part.path.startswith("bolts")]
    assert paths == ["bolts/bolt/head", "bolts/bolt/head#2"]
    # Outside an instancer only `def` is geometry.
    assert len(product.parts) - len(paths) == (kept == "def")
    assert any("prototypes of point instancers are absent" in note for note in product.notes)


def test_subsets_and_display_colours_are_parts(tmp_path: Path) -> None:
    path = tmp_path / "box.usdc"
    made = stage(path)
    lid = cube(made, "/lid")
    bind(lid, surface(made, "/looks/steel", metallic=1.0))
    subset = UsdShade.MaterialBindingAPI.Apply(lid.GetPrim()).CreateMaterialBindSubset(
        "glass", Vt.IntArray([0, 3])
    )
    bind(subset, surface(made, "/looks/pane", opacity=0.2))
    painted = cube(made, "/painted", (2, 0, 0))
    colours = painted.CreateDisplayColorPrimvar("uniform")
    colours.Set([Gf.Vec3f(1, 0, 0)] * 2 + [Gf.Vec3f(0, 0, 1)] * 4)
    made.GetRootLayer().Save()
    product = read(path)
    found = {
        (part.path, part.material.name): (part.triangle_count, part.instance)
        for part in product.parts
        if part.material
    }
    assert found == {
        ("lid", "steel"): (8, "lid"),
        ("lid/glass", "pane"): (4, "lid"),
        ("painted", "#0000ff"): (8, "painted"),
        ("painted#2", "#ff0000"): (4, "painted"),
    }


def test_a_mesh_that_is_one_subset_has_its_material(tmp_path: Path) -> None:
    path = tmp_path / "box.usdc"
    made = stage(path)
    lid = cube(made, "/lid")
    subset = UsdShade.MaterialBindingAPI.Apply(lid.GetPrim()).CreateMaterialBindSubset(
        "red", Vt.IntArray([*range(6)])
    )
    bind(subset, surface(made, "/looks/paint", opacity=0.6, opacityThreshold=0.5))
    gone = cube(made, "/gone", (2, 0, 0))
    bind(gone, surface(made, "/looks/cut", opacity=0.2, opacityThreshold=0.5))
    made.GetRootLayer().Save()
    found = {part.path: part.material for part in read(path).parts}
    assert found.keys() == {"gone", "lid/red"}
    # Above its threshold a surface is solid, below it is not there.
    assert {m.name: m.alpha for m in found.values() if m} == {"cut": 0.0, "paint": 1.0}


@pytest.mark.parametrize("interpolation", ["vertex", "faceVarying", "uniform"])
def test_normals_by_their_interpolation(tmp_path: Path, interpolation: str) -> None:
    path = tmp_path / "box.usda"
    made = stage(path)
    mesh = cube(made, "/box")
    corners = np.array(CORNERS, np.float64)
    faces = np.array(QUADS).reshape(-1, 4)
    middle = corners[faces].mean(axis=1) - 0.5
    if interpolation == "vertex":
        given = (corners - 0.5) / np.linalg.norm(corners - 0.5, axis=1, keepdims=True)
    else:
        given = middle / np.linalg.norm(middle, axis=1, keepdims=True)
        given = given.repeat(4, axis=0) if interpolation == "faceVarying" else given
    mesh.CreateNormalsAttr([Gf.Vec3f(*map(float, normal)) for normal in given])
    mesh.SetNormalsInterpolation(interpolation)
    made.GetRootLayer().Save()
    (part,) = read(path, up="z", front="x").parts
    assert part.mesh.normals is not None
    assert len(part.mesh.vertices) == (8 if interpolation == "vertex" else 24)
    centred = part.mesh.vertices - part.mesh.vertices.mean(axis=0)
    if interpolation == "vertex":
        np.testing.assert_allclose(part.mesh.normals, centred / np.sqrt(0.75), atol=1e-5)
    else:
        np.testing.assert_allclose(
            np.einsum("ij,ij->i", part.mesh.normals, centred), 0.5, atol=1e-5
        )


def test_left_handed_hidden_and_guide_prims(tmp_path: Path) -> None:
    path = tmp_path / "box.usda"
    made = stage(path)
    # A face alone: of a closed shell the reader could find out by itself.
    mesh = cube(made, "/face")
    mesh.GetFaceVertexCountsAttr().Set([4])
    mesh.GetFaceVertexIndicesAttr().Set([1, 5, 7, 3])  # the top, seen from above
    mesh.CreateOrientationAttr("leftHanded")
    cube(made, "/group/hidden", (9, 0, 0))
    UsdGeom.Imageable(made.GetPrimAtPath("/group/hidden")).MakeInvisible()
    UsdGeom.Imageable(cube(made, "/guide", (0, 9, 0))).CreatePurposeAttr("guide")
    UsdGeom.Sphere.Define(made, "/ball")
    made.GetRootLayer().Save()
    product = read(path, front="x")
    (part,) = product.parts
    a, b, c = part.mesh.vertices[part.mesh.faces[0]].astype(np.float64)
    assert np.cross(b - a, c - a)[2] < 0
    text = "\n".join(product.notes)
    assert "invisible" in text
    assert "purpose guide" in text
    assert "Sphere" in text


def test_textures_of_a_package(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:2] = (255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "paint.png")
    made = stage(tmp_path / "box.usda")
    mesh = cube(made, "/box")
    coordinates = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
        "map1", Sdf.ValueTypeNames.TexCoord2fArray, "faceVarying"
    )
    coordinates.Set([Gf.Vec2f(u, v) for u, v in [(0, 0), (1, 0), (1, 1), (0, 1)] * 6])
    bind(mesh, pictured(made, "/looks/paint", "paint.png", "map1"))
    made.GetRootLayer().Save()
    package = tmp_path / "pack" / "box.usdz"
    package.parent.mkdir()
    assert UsdUtils.CreateNewUsdzPackage(str(tmp_path / "box.usda"), str(package))
    for path in (tmp_path / "box.usda", package):
        (part,) = read(path).parts
        assert part.material is not None
        assert part.material.textures is not None
        base = part.material.textures.base_color
        assert base is not None
        np.testing.assert_array_equal(base.pixels[..., :3], pixels)
        assert base.srgb
        np.testing.assert_allclose(part.material.base_color, (0.5, 0, 0), atol=1e-9)
        assert part.mesh.uv is not None
        assert len(part.mesh.uv) == 24


def test_each_subset_has_the_coordinates_of_its_own_material(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "paint.png")
    path = tmp_path / "box.usda"
    made = stage(path)
    mesh = cube(made, "/box")
    # The first by name is read by no material.
    for number, name in enumerate(("baked", "decal", "st")):
        UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
            name, Sdf.ValueTypeNames.TexCoord2fArray, "constant"
        ).Set([Gf.Vec2f(number, number)])
    api = UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim())
    for face, name in enumerate(("decal", "st")):
        subset = api.CreateMaterialBindSubset(f"with_{name}", Vt.IntArray([face]))
        bind(subset, pictured(made, f"/looks/{name}", "paint.png", name))
    made.GetRootLayer().Save()
    parts = {part.path: part for part in read(path).parts}
    assert set(parts) == {"box", "box/with_decal", "box/with_st"}
    for number, name in enumerate(("decal", "st"), start=1):
        uv = parts[f"box/with_{name}"].mesh.uv
        assert uv is not None
        assert set(uv.ravel().tolist()) == {number}


def test_variants_are_offered_and_chosen(tmp_path: Path) -> None:
    path = tmp_path / "car.usda"
    made = stage(path)
    root = UsdGeom.Xform.Define(made, "/car").GetPrim()
    choices = root.GetVariantSets().AddVariantSet("body")
    for name in ("coupe", "estate"):
        choices.AddVariant(name)
        choices.SetVariantSelection(name)
        with choices.GetVariantEditContext():
            cube(made, f"/car/{name}")
    made.GetRootLayer().Save()
    product = read(path)
    assert product.variants == ("body=coupe", "body=estate")
    assert [part.path for part in product.parts] == ["car/estate"]
    assert [part.path for part in read(path, variant="body=coupe").parts] == ["car/coupe"]
    with pytest.raises(ProductError, match="no such variant"):
        read(path, variant="body=cope")


def test_a_collection_is_a_layer(tmp_path: Path) -> None:
    path = tmp_path / "car.usda"
    made = stage(path)
    root = UsdGeom.Xform.Define(made, "/car").GetPrim()
    cube(made, "/car/door")
    cube(made, "/car/roof", (2, 0, 0))
    collection = Usd.CollectionAPI.Apply(root, "movable")
    collection.CreateIncludesRel().AddTarget("/car/door")
    made.GetRootLayer().Save()
    assert {part.name: part.layer for part in read(path).parts} == {"door": "movable", "roof": ""}
