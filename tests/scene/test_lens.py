"""Distortion against OpenCV, and framing through a lens."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcoat.errors import SpecError
from clearcoat.scene import BackdropSpec, CameraSpec, SceneModel, Stage, sample
from clearcoat.scene.lens import Intrinsics, Lens

_CORNERS = np.array([[x, y, z] for x in (-2.3, 2.3) for y in (-0.9, 0.9) for z in (0.0, 1.4)])
_STAGE = Stage(points_m=_CORNERS)
_BARREL = (-0.28, 0.07, 0.001, -0.0005, -0.01, 0.02, 0.01, 0.001)
_FISHEYE = (-0.02, 0.003, -0.001, 0.0002)


def _opencv(model: str, coefficients: tuple[float, ...], points: np.ndarray) -> np.ndarray:
    """(N, 2) by OpenCV, with the identity as camera matrix."""
    rays, still = np.c_[points, np.ones(len(points))][:, None], np.zeros(3)
    k = np.array(coefficients)
    if model == "fisheye":
        return cv2.fisheye.projectPoints(rays, still, still, np.eye(3), k)[0][:, 0]
    return cv2.projectPoints(rays, still, still, np.eye(3), k)[0][:, 0]


small = st.floats(-0.1, 0.1)


@settings(max_examples=100)
@given(
    coefficients=st.tuples(small, small, *[st.floats(-0.01, 0.01)] * 2, *[small] * 4),
    reach=st.floats(0.1, 0.9),
)
def test_radial_tangential_is_opencvs(coefficients: tuple[float, ...], reach: float) -> None:
    points = np.random.default_rng(0).uniform(-reach, reach, (40, 2))
    lens = Lens("radial_tangential", coefficients)
    points = points[np.hypot(*points.T) < lens.reach]
    assert lens.distort(points) == pytest.approx(
        _opencv("radial_tangential", coefficients, points), abs=1e-12
    )


@settings(max_examples=100)
@given(coefficients=st.tuples(*[st.floats(-0.02, 0.02)] * 4), reach=st.floats(0.1, 5))
def test_fisheye_is_opencvs(coefficients: tuple[float, ...], reach: float) -> None:
    points = np.random.default_rng(0).uniform(-reach, reach, (40, 2))
    lens = Lens("fisheye", coefficients)
    points = points[np.hypot(*points.T) < lens.reach]
    assert lens.distort(points) == pytest.approx(
        _opencv("fisheye", coefficients, points), abs=1e-12
    )


@pytest.mark.parametrize(
    ("lens", "reach"), [(Lens("radial_tangential", _BARREL), 0.9), (Lens("fisheye", _FISHEYE), 9.0)]
)
def test_undistort_takes_distort_back(lens: Lens, reach: float) -> None:
    points = np.random.default_rng(1).uniform(-reach, reach, (500, 2))
    assert lens.undistort(lens.distort(points)) == pytest.approx(points, abs=1e-9)


def test_a_lens_covers_a_picture_as_far_as_its_polynomial_rises() -> None:
    # r (1 - 0.3 r^2) rises up to r = 1.054, where it is 0.703.
    lens = Lens("radial_tangential", (-0.3, *[0.0] * 7))
    assert lens.reach == pytest.approx(1.054, abs=2e-3)
    corner = 0.5 * np.sqrt(2)
    assert lens.covers(Intrinsics(corner / 0.69, corner / 0.69))
    assert not lens.covers(Intrinsics(corner / 0.71, corner / 0.71))
    # Equidistant: the angle of a corner is its radius.
    assert Lens("fisheye", (0.0,) * 4).covers(Intrinsics(corner / 1.5, corner / 1.5))
    assert not Lens("fisheye", (0.0,) * 4).covers(Intrinsics(corner / 1.6, corner / 1.6))


def test_points_out_of_reach_stay_out_of_the_picture() -> None:
    lens = Lens("radial_tangential", (-0.3, *[0.0] * 7))
    far = lens.distort(np.array([[0.9, 0.0], [1.5, 0.0], [40.0, 0.0]]))[:, 0]
    assert (np.diff(far) > 0).all()
    assert far[1] > 0.7


@pytest.mark.parametrize(
    "distortion",
    [
        {"model": "radial_tangential", "k1": -0.2, "k2": 0.03},
        {"model": "radial_tangential", "k1": 0.3, "p1": 0.01},
        {"model": "fisheye", "k1": -0.02},
    ],
)
@pytest.mark.parametrize("aspect", [1.0, 1.5])
def test_framing_sees_through_the_lens(distortion: dict[str, object], aspect: float) -> None:
    model = SceneModel(
        camera=CameraSpec.model_validate(
            {
                "distortion": distortion,
                "fill": 0.7,
                "shift_x": 0.1,
                "shift_y": -0.05,
                "focal_mm": {"uniform": [24, 50]},
                "principal_point_x": 0.52,
                "elevation_deg": 20,
            }
        ),
        backdrop=BackdropSpec(modes={"skybox": 1}),
    )
    for index in range(5):
        camera = sample(model, _STAGE, 0, index, aspect=aspect).camera
        local = np.c_[_CORNERS, np.ones(8)] @ camera.pose.camera_from_world.T
        seen = camera.intrinsics.shares(camera.lens.distort(local[:, :2] / local[:, 2:3]))
        assert np.ptp(seen, axis=0).max() == pytest.approx(0.7, abs=1e-4)
        assert (seen.min(axis=0) + seen.max(axis=0)) / 2 == pytest.approx([0.6, 0.45], abs=2e-3)


def _intrinsics(camera: dict[str, object], aspect: float, size: tuple[int, int]) -> list[float]:
    model = SceneModel(camera=CameraSpec.model_validate(camera))
    return list(sample(model, _STAGE, 0, 0, aspect=aspect).camera.intrinsics.pixels(size))


def test_a_calibration_is_scaled_to_the_picture_and_cropped_to_its_aspect() -> None:
    calibration = {
        "width_px": 1280, "height_px": 960, "fx_px": 1400, "fy_px": 1390, "cx_px": 650, "cy_px": 470
    }  # fmt: skip
    camera = {"intrinsics": calibration, "sensor_width_mm": 8.0}
    # Pixel centres are at whole numbers in OpenCV and at halves here.
    assert _intrinsics(camera, 4 / 3, (1280, 960)) == pytest.approx([1400, 1390, 650.5, 470.5])
    assert _intrinsics(camera, 4 / 3, (320, 240)) == pytest.approx([350, 347.5, 162.625, 117.625])
    # A square loses 160 pixels on the left and right.
    assert _intrinsics(camera, 1.0, (960, 960)) == pytest.approx([1400, 1390, 490.5, 470.5])
    # 16:9 loses 120 above and below.
    assert _intrinsics(camera, 16 / 9, (1280, 720)) == pytest.approx([1400, 1390, 650.5, 350.5])


def test_a_sensor_of_another_aspect_is_cropped() -> None:
    camera = {"focal_mm": 12, "sensor_width_mm": 8.0, "sensor_height_mm": 6.0}
    assert _intrinsics(camera, 4 / 3, (800, 600)) == pytest.approx([1200, 1200, 400, 300])
    assert _intrinsics(camera, 1.0, (600, 600)) == pytest.approx([1200, 1200, 300, 300])
    assert _intrinsics(camera, 2.0, (800, 400)) == pytest.approx([1200, 1200, 400, 200])


def test_wide_pixels_squeeze_a_wider_picture() -> None:
    camera = {"focal_mm": 12, "sensor_width_mm": 8.0, "pixel_aspect_ratio": 4 / 3}
    # What a 4:3 photograph of 800 by 600 becomes when it is squeezed to 600 by 600.
    assert _intrinsics(camera, 1.0, (600, 600)) == pytest.approx([900, 1200, 300, 300])
    # As with a sensor of 4:3, of which nothing is cropped.
    camera["sensor_height_mm"] = 6.0
    assert _intrinsics(camera, 1.0, (600, 600)) == pytest.approx([900, 1200, 300, 300])


def test_impossible_values_are_named() -> None:
    with pytest.raises(SpecError, match=r"camera\.focal_mm must be above zero"):
        sample(SceneModel(camera=CameraSpec(focal_mm=-3)), _STAGE, 0, 0)
