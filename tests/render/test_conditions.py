"""Dirt, wear, scratches, drops: energy, shape on the surface, masks, and no trace afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from clearcoat.materials import LIBRARY, Material
from clearcoat.product import Part, Product
from clearcoat.product.textures import Texture, Textures, texture_digest
from clearcoat.render import Renderer, RenderSettings, StandIn, State, backend, resolve_materials
from clearcoat.render.conditions import Conditions
from clearcoat.scene import (
    BackdropSpec,
    CameraSpec,
    LightSpec,
    SceneModel,
    SceneSample,
    Stage,
    StateSpec,
    sample,
)
from clearcoat.scene.states import sample_states
from tests.products import toy_car

_PRODUCT = toy_car()
_STAGE = Stage(points_m=np.concatenate([p.mesh.vertices for p in _PRODUCT.parts]).astype(float))
_SPECS = {
    "wear": StateSpec.model_validate({"parts": "*", "wear": {"amount": 0.5}}),
    "scratches": StateSpec.model_validate(
        {"parts": "*", "scratches": {"amount": 1, "length_m": 0.5, "width_mm": 12}}
    ),
    "dirt": StateSpec.model_validate({"parts": "*", "dirt": {"dust": 0.3, "mud": 0.8}}),
    "water_drops": StateSpec.model_validate(
        {"parts": "*", "water_drops": {"amount": 1, "diameter_mm": 60}}
    ),
}


def _drawn(specs: dict[str, StateSpec]) -> SceneSample:
    model = SceneModel(
        camera=CameraSpec(fill=0.8, azimuth_deg=110.0, elevation_deg=15.0, roll_deg=0.0),
        light=LightSpec(environments={"studio": 1}, exposure_ev=0),
        backdrop=BackdropSpec(modes={"grounded": 1}),
        states=specs,
    )
    return sample(model, _STAGE, 0, 0, aspect=4 / 3)


def _states(product: Product, specs: dict[str, StateSpec], parts: set[int]) -> list[State]:
    return [State(name, spec, frozenset(parts)) for name, spec in specs.items()]


def test_nothing_that_lies_on_a_surface_makes_energy() -> None:
    """In a furnace, where light of radiance 1 comes from everywhere, nothing shines brighter."""
    mi = backend.load()
    materials = [LIBRARY[name] for name in ("paint", "glass")]
    balls: dict[str, Any] = {}
    for row, (name, spec) in enumerate(_SPECS.items()):
        conditions = Conditions(_PRODUCT, _states(_PRODUCT, {name: spec}, {0}), mi)
        for column, material in enumerate(materials):
            built = conditions.build(conditions.dressed(0, material))
            if built is None:
                assert (name, material.kind) == ("wear", "thin_glass")
                continue
            balls[f"b{row}{column}"] = {
                "type": "sphere", "center": [2.0 * column - 1, 2.0 * row - 3, 0.5],
                "radius": 0.9, "bsdf": built[0],
            }  # fmt: skip
        conditions.show(_drawn({name: spec}))
    scene = mi.load_dict(
        {
            "type": "scene",
            "light": {"type": "constant"},
            **balls,
            "sensor": {
                "type": "orthographic",
                "to_world": mi.ScalarTransform4f()
                .look_at([0, 0, 9], [0, 0, 0], [0, 1, 0])
                .scale([2, 4, 1]),
                "film": {"type": "hdrfilm", "width": 16, "height": 32, "rfilter": {"type": "box"}},
            },
        }
    )
    path = mi.load_dict({"type": "path", "max_depth": 12, "rr_depth": 50})
    image = np.array(mi.render(scene, integrator=path, spp=256, seed=0))[..., :3]
    assert np.isfinite(image).all()
    cells = image.reshape(4, 8, 2, 8, 3)[:, 2:6, :, 2:6].mean(axis=(1, 3))
    # 2 % for noise.
    assert cells.max() < 1.02
    # Drops on clear glass lose little: they are no holes.
    assert cells.min() > 0.02
    assert cells[0, 1].mean() > 0.8


def _cover(spec: StateSpec, normal: tuple[float, float, float], side_m: float = 1.0) -> np.ndarray:
    """(400, 400): the share of a condition on a plane through (3, 2, 1)."""
    mi = backend.load()
    import drjit as dr

    conditions = Conditions(_PRODUCT, _states(_PRODUCT, {"it": spec}, {0}), mi)
    conditions.show(_drawn({"it": spec}))
    steps = (np.arange(400) / 400 - 0.5) * side_m
    u, v = (axis.ravel() for axis in np.meshgrid(steps, steps))
    n = np.array(normal) / np.linalg.norm(normal)
    s = np.cross(n, (0.36, 0.48, 0.8))
    s /= np.linalg.norm(s)
    place = np.array([3.0, 2.0, 1.0]) + u[:, None] * s + v[:, None] * np.cross(n, s)
    si = dr.zeros(mi.SurfaceInteraction3f, len(u))
    si.p = mi.Point3f(*place.T.astype(np.float32))
    si.sh_frame = mi.Frame3f(mi.Vector3f(*map(float, n)))
    (texture,) = conditions.textures.values()
    return np.array(texture.eval_1(si)).reshape(400, 400)


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 1, 0), (1, -2, 0.5)])
def test_drops_are_round_on_any_slope(normal: tuple[float, float, float]) -> None:
    spec = StateSpec.model_validate(
        {"parts": "*", "water_drops": {"amount": 0.2, "diameter_mm": 40}}
    )
    numbered, count = ndimage.label(_cover(spec, normal) > 0.5)
    assert count > 30
    boxes = ndimage.find_objects(numbered)
    tall, wide = np.array([[b[0].stop - b[0].start, b[1].stop - b[1].start] for b in boxes]).T
    area = np.bincount(numbered.ravel())[1:]
    assert np.median(area / (tall * wide)) == pytest.approx(np.pi / 4, abs=0.06)
    assert np.median(tall / wide) == pytest.approx(1, abs=0.06)
    # 2.5 mm a step: none is larger than asked, save where some run together.
    assert np.quantile(np.maximum(tall, wide), 0.9) <= 40 / 2.5 + 1


def test_scratches_are_as_wide_and_as_long_as_asked_and_more_of_them_include_the_fewer() -> None:
    def mask(amount: float) -> np.ndarray:
        values = {"amount": amount, "length_m": 0.4, "width_mm": 15}
        spec = StateSpec.model_validate({"parts": "*", "scratches": values})
        return _cover(spec, (1, -2, 0.5)) > 0.5

    few, many = mask(0.2), mask(0.9)
    assert few.any()
    assert many.sum() > 2 * few.sum()
    assert not (few & ~many).any()
    # Half a width to the nearest edge, at 2.5 mm a step; crossings are a little wider.
    inside = ndimage.distance_transform_edt(many) * 2.5
    assert 0.6 * 7.5 < inside.max() < 1.7 * 7.5
    numbered, _ = ndimage.label(few)
    longest = max(
        np.hypot(b[0].stop - b[0].start, b[1].stop - b[1].start)
        for b in ndimage.find_objects(numbered)
    )
    assert 0.1 < longest * 2.5e-3 < 0.45


def test_mud_lies_low_and_behind_the_wheels() -> None:
    mi = backend.load()
    import drjit as dr

    spec = StateSpec.model_validate(
        {"parts": "*", "dirt": {"dust": 0, "mud": 0.8, "height_m": 0.3, "thrown_by": "wheels/*"}}
    )
    wheel = Part("wheels/left", _PRODUCT.parts[3].mesh)
    conditions = Conditions(
        Product("p", (_PRODUCT.parts[0], wheel)), _states(_PRODUCT, {"it": spec}, {0}), mi
    )
    conditions.show(_drawn({"it": spec}))
    (texture,) = conditions.textures.values()
    rng = np.random.default_rng(0)

    def mean(x: float, z: float) -> float:
        """Around a point beside the wheel's middle, (1.3, 0, 0.4)."""
        place = np.array([x, 0, z]) + rng.uniform(-0.08, 0.08, (4000, 3))
        si = dr.zeros(mi.SurfaceInteraction3f, len(place))
        si.p = mi.Point3f(*place.T.astype(np.float32))
        si.sh_frame = mi.Frame3f(mi.Vector3f(0, 1, 0))
        return float(np.array(texture.eval_1(si)).mean())

    assert mean(-1, 0.1) > mean(-1, 0.3) > mean(-1, 0.9)
    assert mean(-1, 0.9) < 0.01
    assert mean(1.0, 0.45) > mean(1.6, 0.45) + 0.1


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(
        _PRODUCT,
        resolve_materials(_PRODUCT, [None] * len(_PRODUCT.parts), LIBRARY),
        settings=RenderSettings(samples=4),
        size=(64, 48),
        supersample=2,
        states=_states(_PRODUCT, {name: _SPECS[name] for name in ("wear", "dirt")}, {0, 1}),
    )


def test_masks_are_on_the_parts_and_where_the_picture_changes(renderer: Renderer) -> None:
    clean = renderer.render(_drawn({}))
    assert clean.conditions == {}
    dirty = renderer.render(_drawn({"dirt": _SPECS["dirt"]}))
    assert np.array_equal(dirty.parts, clean.parts)
    (mask,) = dirty.conditions.values()
    assert 100 < mask.sum() < mask.size
    assert not mask[~np.isin(dirty.parts, (1, 2))].any()
    change = np.abs(dirty.albedo - clean.albedo).mean(axis=2)
    body = (dirty.parts == 1) & ndimage.binary_erosion(clean.parts == 1)
    assert change[body & mask].mean() > 2 * change[body & ~mask].mean()
    # The centre of a pixel and the four rays through it see the same dirt.
    fine = dirty.fine_conditions["dirt"].reshape(48, 2, 64, 2).mean(axis=(1, 3))
    assert np.corrcoef(fine.ravel(), mask.ravel())[0, 1] > 0.5
    # Nothing stays on.
    again = renderer.render(_drawn({}))
    assert again.radiance.tobytes() == clean.radiance.tobytes()


def test_glass_does_not_wear(renderer: Renderer) -> None:
    worn = renderer.render(_drawn({"wear": _SPECS["wear"]}))
    assert worn.conditions["wear"][worn.parts == 1].any()
    assert not worn.conditions["wear"][worn.parts == 2].any()


def test_a_picture_wears_and_stays() -> None:
    """The letters of a worn plate are still there, and dull."""
    mi = backend.load()
    import drjit as dr

    pixels = np.full((1, 2, 4), 255, np.uint8)
    pixels[0, 0, :3] = 0
    picture = Texture(texture_digest(pixels), pixels, srgb=False, wrap="clamp")
    plate = Material("plate", "test", textures=Textures(base_color=picture))
    worn = StateSpec.model_validate({"parts": "*", "wear": {"amount": 1}})
    conditions = Conditions(_PRODUCT, _states(_PRODUCT, {"it": worn}, {0}), mi)
    built = conditions.build(conditions.dressed(0, plate))
    assert built is not None
    conditions.show(_drawn({"it": worn}))
    si = dr.zeros(mi.SurfaceInteraction3f, 2)
    si.p, si.wi = mi.Point3f(3, 2, 1), mi.Vector3f(0, 0, 1)
    si.sh_frame = mi.Frame3f(mi.Vector3f(0, 0, 1))
    si.uv = mi.Point2f([0.1, 0.9], [0.5, 0.5])
    (texture,) = conditions.textures.values()
    assert np.array(texture.eval_1(si)).min() == 1
    dark, light = np.array(built[0].eval_diffuse_reflectance(si))[0]
    assert dark < 0.1 < 0.9 < light


def test_conditions_are_drawn_per_block_and_shares_stay_shares() -> None:
    spec = {"it": StateSpec.model_validate({"parts": "*", "dirt": {"mud": {"uniform": [-1, 3]}}})}
    drawn = [sample_states(spec, 0, block)[0].condition for block in range(40)]
    assert sample_states(spec, 0, 7)[0].condition == drawn[7]
    muds = [one.values["mud"] for one in drawn if one is not None]
    assert len(muds) == 40
    assert min(muds) == 0
    assert max(muds) == 1
    assert len({one.variation for one in drawn if one is not None}) == 40
    assert len({one.color for one in drawn if one is not None}) > 2


def test_a_wrong_colour_is_explained() -> None:
    with pytest.raises(ValueError, match="not a colour"):
        StateSpec.model_validate({"parts": "*", "dirt": {"colors": ["brown"]}})


def test_what_stands_in_for_a_dirty_part_is_dirty() -> None:
    chrome, mesh = LIBRARY["chrome"], _PRODUCT.parts[0].mesh
    conditions = Conditions(
        _PRODUCT, _states(_PRODUCT, {"dirt": _SPECS["dirt"]}, {3}), backend.load()
    )
    swap = State("swap", StateSpec(parts="*", material="chrome"), frozenset({2, 3}),
                 {n: StandIn((mesh,), (chrome,)) for n in (2, 3)})  # fmt: skip
    clean, dirty = (conditions.dressed_state(swap).stand_ins[n].materials[0] for n in (2, 3))
    assert clean == chrome
    assert conditions.build(clean) is None
    assert dirty != chrome
    assert conditions.build(dirty) is not None
