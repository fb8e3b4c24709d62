"""Joint groups: what is drawn together, what it replaces, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from clearcoat.scene import SceneModel, Stage, resolve, sample

_CORNERS = np.array([[x, y, z] for x in (-2.3, 2.3) for y in (-0.9, 0.9) for z in (0.0, 1.4)])
_STAGE = Stage(points_m=_CORNERS)


def _model(*joint: dict[str, Any], **spec: Any) -> SceneModel:
    return SceneModel.model_validate({"joint": list(joint), **spec})


def test_one_row_at_a_time() -> None:
    rows = [
        {"camera.azimuth_deg": 0, "camera.focal_mm": 24},
        {"camera.azimuth_deg": 90, "camera.focal_mm": {"uniform": [70, 80]}},
    ]
    model = _model({"rows": rows, "weights": [1, 3]})
    drawn = [resolve(model, model.joint, 0, index).camera for index in range(200)]
    assert sample(model, _STAGE, 0, 0).camera.azimuth_deg == drawn[0].azimuth_deg
    assert {camera.azimuth_deg for camera in drawn} == {0, 90}
    for camera in drawn:
        if camera.azimuth_deg == 0:
            assert camera.focal_mm == 24
        else:
            assert isinstance(camera.focal_mm, float)
            assert 70 <= camera.focal_mm <= 80
    often = sum(camera.azimuth_deg == 90 for camera in drawn)
    assert stats.binomtest(often, 200, 0.75).pvalue > 0.01


def test_a_joint_normal_has_its_mean_covariance_and_limits() -> None:
    mean, covariance = [30.0, 10.0, 50.0], [[16, 6, 0], [6, 9, -2], [0, -2, 4]]
    names = ["camera.azimuth_deg", "camera.elevation_deg", "camera.focal_mm"]
    group = {"of": names, "mean": mean, "covariance": covariance}
    model = _model({"normal": group})
    drawn = np.array([list(model.joint[0].draw(3, index).values()) for index in range(3000)])
    assert drawn.mean(axis=0) == pytest.approx(mean, abs=0.3)
    assert np.cov(drawn.T) == pytest.approx(np.array(covariance, float), abs=0.8)
    for column, variance in zip(range(3), (16, 9, 4), strict=True):
        law = stats.norm(mean[column], variance**0.5)
        assert stats.kstest(drawn[:, column], law.cdf).pvalue > 0.01
    cut = _model({"normal": {**group, "min": [30, None, None], "max": [None, 12, None]}})
    kept = np.array([list(cut.joint[0].draw(3, index).values()) for index in range(300)])
    assert kept[:, 0].min() >= 30
    assert kept[:, 1].max() <= 12


def test_a_group_leaves_the_other_quantities() -> None:
    plain = SceneModel()
    grouped = _model({"rows": [{"light.sun.elevation_deg": 12.0}, {"light.sun.elevation_deg": 13}]})
    for index in range(10):
        before, after = (sample(model, _STAGE, 0, index) for model in (plain, grouped))
        assert before.camera == after.camera
        assert before.paint == after.paint
    assert resolve(grouped, grouped.joint, 0, 0).light.sun.elevation_deg in (12, 13)


@pytest.mark.parametrize(
    ("joint", "says"),
    [
        ({"rows": [{"camera.azimut_deg": 1}]}, "azimuth_deg"),
        ({"rows": [{"camera": 1}]}, "is not a number"),
        # Numbers that stay as they are for all images of a series.
        ({"rows": [{"block": 1}]}, "drawn for each image"),
        ({"rows": [{"occluders.most": 1}]}, "drawn for each image"),
        ({"rows": [{"camera.intrinsics": 1}]}, "drawn for each image"),
        ({"rows": [{"light.environments": 1}]}, "drawn for each image"),
        ({"rows": [{"camera.fill": 1}, {"camera.roll_deg": 1}]}, "same quantities"),
        ({}, "either rows or normal"),
        ({"normal": {"of": ["camera.fill"], "mean": [1], "covariance": [[-1]]}}, "covariance"),
        ({"normal": {"of": ["camera.fill"], "mean": [1, 2], "covariance": [[1]]}}, "one entry"),
        (
            {"normal": {"of": ["camera.fill"], "mean": [1], "covariance": [[0.01]], "min": [9]}},
            "none of 10,000",
        ),
    ],
)
def test_mistakes_are_named(joint: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        _model(joint)


def test_a_quantity_is_in_one_group() -> None:
    with pytest.raises(ValidationError, match="two groups"):
        _model({"rows": [{"camera.fill": 1}]}, {"rows": [{"camera.fill": 0.5}]})
