"""Scene samples: pure functions of (spec, seed, index) that frame the product as asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from clearcoat.scene import (
    BackdropSpec,
    CameraSpec,
    LampSpec,
    LightSpec,
    PaintSpec,
    SceneModel,
    SceneSample,
    Stage,
    SunSpec,
    sample,
)

_CORNERS = np.array([[x, y, z] for x in (-2.3, 2.3) for y in (-0.9, 0.9) for z in (0.0, 1.4)])
_STAGE = Stage(points_m=_CORNERS)


def _project(drawn: SceneSample, points: np.ndarray, aspect: float) -> np.ndarray:
    """(N, 2): shares of the picture's width and height from its centre, by the extrinsics."""
    pose = drawn.camera.pose
    local = (pose.camera_from_world @ np.c_[points, np.ones(len(points))].T).T[:, :3]
    assert (local[:, 2] > 0).all(), "a corner lies behind the camera"
    focal = drawn.camera.focal_mm / drawn.camera.sensor_width_mm
    return local[:, :2] / local[:, 2:] * [focal, focal * aspect]


@settings(max_examples=60)
@example(seed=0, index=0, fill=1.5, elevation=0.0, aspect=0.5)
@given(
    seed=st.integers(0, 2**32),
    index=st.integers(0, 10**6),
    fill=st.floats(0.2, 1.5),
    elevation=st.floats(-5, 89),
    aspect=st.sampled_from([0.5, 1.0, 16 / 9]),
)
def test_the_product_fills_the_picture_as_asked(
    seed: int, index: int, fill: float, elevation: float, aspect: float
) -> None:
    model = SceneModel(
        camera=CameraSpec(fill=fill, elevation_deg=elevation, shift_x=0.1, shift_y=-0.05),
        # On the ground the camera may have to be lifted, which changes the framing.
        backdrop=BackdropSpec(modes={"skybox": 1}),
    )
    drawn = sample(model, _STAGE, seed, index, aspect=aspect)
    seen = _project(drawn, _CORNERS, aspect)
    low, high = seen.min(axis=0), seen.max(axis=0)
    depth = _CORNERS @ drawn.camera.pose.camera_from_world[2, :3]
    clearance = depth.min() + drawn.camera.pose.camera_from_world[2, 3]
    if clearance <= 0.1 * np.ptp(depth) * (1 + 1e-6):
        # As close as the camera may come without entering the product.
        assert (high - low).max() <= fill + 1e-6
    else:
        assert (high - low).max() == pytest.approx(fill, abs=1e-6)
    assert (low + high) / 2 == pytest.approx([0.1, -0.05], abs=1e-3)


@pytest.mark.parametrize(
    ("azimuth_deg", "place"), [(0, [1, 0]), (90, [0, 1]), (180, [-1, 0]), (270, [0, -1])]
)
def test_azimuth_turns_from_the_front_to_the_left(azimuth_deg: float, place: list[int]) -> None:
    model = SceneModel(camera=CameraSpec(azimuth_deg=azimuth_deg, shift_x=0, shift_y=0))
    position = np.array(sample(model, _STAGE, 0, 0).camera.pose.position_m[:2])
    assert position / np.linalg.norm(position) == pytest.approx(place, abs=1e-2)


def test_a_camera_on_the_ground_stays_above_it() -> None:
    model = SceneModel(
        camera=CameraSpec(elevation_deg=-10), backdrop=BackdropSpec(modes={"grounded": 1})
    )
    heights = [sample(model, _STAGE, 0, i).camera.pose.position_m[2] for i in range(30)]
    assert min(heights) >= 0.1


def test_same_index_same_sample_and_another_index_another() -> None:
    model = SceneModel()
    assert sample(model, _STAGE, 3, 5) == sample(model, _STAGE, 3, 5)
    assert sample(model, _STAGE, 3, 5) != sample(model, _STAGE, 3, 6)
    assert sample(model, _STAGE, 3, 5) != sample(model, _STAGE, 4, 5)


def test_changing_one_quantity_leaves_the_others() -> None:
    plain, painted = SceneModel(), SceneModel(paint=PaintSpec(colors=["#ff0000"]))
    for index in range(20):
        before, after = sample(plain, _STAGE, 0, index), sample(painted, _STAGE, 0, index)
        assert after.paint.color == (1.0, 0.0, 0.0)
        assert after.paint.metallic == before.paint.metallic
        assert (before.camera, before.environment, before.sun, before.backdrop) == (
            after.camera, after.environment, after.sun, after.backdrop,
        )  # fmt: skip


def test_a_skybox_turns_about_all_axes_and_an_upright_one_about_the_vertical() -> None:
    def tilts(mode: str) -> list[float]:
        model = SceneModel(backdrop=BackdropSpec(modes={mode: 1}))
        turns = [np.array(sample(model, _STAGE, 0, i).environment.rotation) for i in range(200)]
        for turn in turns:
            assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-9)
            assert np.linalg.det(turn) == pytest.approx(1)
        return [float(turn[2, 2]) for turn in turns]

    assert tilts("grounded") == [1.0] * 200
    # For rotations drawn uniformly from SO(3) this entry is uniform on (-1, 1).
    from scipy import stats

    assert stats.kstest(tilts("skybox"), stats.uniform(-1, 2).cdf).pvalue > 0.01


@pytest.mark.parametrize(
    "more",
    [
        {"joint": [{"rows": [{"camera.azimuth_deg": a} for a in (0, 120, 240)]}]},
        {"joint": [{"rows": [{"occluders.size_m": a} for a in (0.2, 0.9)]}]},
        {"camera": {"elevation_deg": {"uniform": [-20, 40]}}},
    ],
)
def test_a_block_has_the_same_objects_whatever_an_image_draws(more: dict[str, object]) -> None:
    model = SceneModel.model_validate(
        {"block": 8, "occluders": {"count": 4, "in_front": 1}, **more}
    )
    for block in range(6):
        seen: dict[int, object] = {}
        for index in range(8 * block, 8 * block + 8):
            for one in sample(model, _STAGE, 0, index).occluders:
                assert seen.setdefault(one.slot, one) == one


def test_small_products_have_objects_around_them() -> None:
    spec = {"count": 4, "in_front": 1, "size_m": 0.01, "distance_m": {"uniform": [0.002, 0.03]}}
    model = SceneModel.model_validate({"block": 1, "occluders": spec})
    stage = Stage(points_m=_CORNERS / 100)
    drawn = [sample(model, stage, 0, index).occluders for index in range(50)]
    assert np.mean([len(objects) for objects in drawn]) > 3
    assert max(one.half_m[2] for objects in drawn for one in objects) < 0.05


def test_no_sun_shines_into_a_tunnel() -> None:
    light = {"environments": {"tunnel": 1}, "sun": {"probability": 1}}
    model = SceneModel.model_validate({"light": light})
    assert sample(model, _STAGE, 0, 0).sun is None


def test_the_sun_comes_as_often_as_asked() -> None:
    for probability, expected in ((0.0, 0), (1.0, 50)):
        model = SceneModel(light=LightSpec(sun=SunSpec(probability=probability)))
        suns = [sample(model, _STAGE, 0, i).sun for i in range(50)]
        assert sum(sun is not None for sun in suns) == expected
    assert all(np.linalg.norm(sun.direction) == pytest.approx(1) for sun in suns if sun)


@pytest.mark.parametrize(
    ("environment", "surfaces"),
    [
        ("sky", {"asphalt", "concrete", "gravel", "grass", "paving"}),
        ("hall", {"concrete", "tiles", "epoxy"}),
        ("studio", {"seamless"}),
    ],
)
def test_floors_fit_their_place(environment: str, surfaces: set[str]) -> None:
    model = SceneModel(light=LightSpec(environments={environment: 1}))
    drawn = [sample(model, _STAGE, 0, i).backdrop for i in range(150)]
    assert {backdrop.surface for backdrop in drawn} == surfaces
    fixed = SceneModel(backdrop=BackdropSpec(surface_albedo=0.33, surface_roughness=0.4))
    backdrop = sample(fixed, _STAGE, 0, 0).backdrop
    assert (backdrop.albedo, backdrop.roughness) == (0.33, 0.4)


def test_the_lamps_of_a_studio_stand_in_the_world_as_asked() -> None:
    lamps = LampSpec(count=3, azimuth_deg=90.0, elevation_deg=0.0)
    model = SceneModel(light=LightSpec(environments={"studio": 1}, lamps=lamps))
    environment = sample(model, _STAGE, 0, 0).environment
    # A skybox or an upright one: lamps turn against the environment, so they stay in place.
    turned = np.array(environment.rotation) @ np.array(environment.lamps[0].direction)
    assert len(environment.lamps) == 3
    assert turned == pytest.approx([0, 1, 0], abs=1e-9)


def test_hdris_need_a_folder() -> None:
    with pytest.raises(ValueError, match="no folder is named"):
        LightSpec(environments={"hdri": 1.0})


@pytest.mark.parametrize("colors", [["red"], {"#ff00": 1}, {"#ffffff": 0.0}, {"#ffffff": -1.0}])
def test_paint_colours_are_checked(colors: object) -> None:
    with pytest.raises(ValidationError, match=r"not a colour|weights"):
        PaintSpec.model_validate({"colors": colors})
