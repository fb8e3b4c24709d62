"""Presets of randomisation: what they set, and that a spec has the last word."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from pydantic import ValidationError

from clearcoat.generation import SceneSpec
from clearcoat.generation.randomisation import Randomisation
from clearcoat.render.sensor import sample_sensor
from clearcoat.scene import Stage, sample

_CORNERS = np.array([[x, y, z] for x in (-2.3, 2.3) for y in (-0.9, 0.9) for z in (0.0, 1.4)])
_STAGE = Stage(points_m=_CORNERS)


def _spec(**keys: Any) -> SceneSpec:
    base = {"product": {"builtin": "sedan"}, "classes": {"names": ["all"], "rules": []}}
    return SceneSpec.model_validate({**base, **keys})


@pytest.mark.parametrize("name", get_args(Randomisation))
def test_every_preset_can_be_sampled(name: str) -> None:
    spec = _spec(randomisation=name)
    for index in range(20):
        drawn = sample(spec, _STAGE, 0, index)
        assert np.isfinite(drawn.camera.pose.camera_from_world).all()
        if spec.sensor is not None:
            sample_sensor(spec.sensor, 0, index)


def test_hybrid_is_the_papers() -> None:
    spec = _spec(randomisation="hybrid")
    drawn = [sample(spec, _STAGE, 0, index) for index in range(20)]
    assert {d.backdrop.mode for d in drawn} == {"skybox"}
    assert {d.environment.kind for d in drawn} == {"busy"}
    assert all(d.sun is not None for d in drawn)


def test_full_strays_farther_than_structured() -> None:
    def spread(name: str) -> dict[str, float]:
        spec = _spec(randomisation=name)
        drawn = [sample(spec, _STAGE, 0, index) for index in range(60)]
        return {
            "elevation": float(np.std([d.camera.elevation_deg for d in drawn])),
            "roll": float(np.std([d.camera.roll_deg for d in drawn])),
            "exposure": float(np.std([d.exposure_ev for d in drawn])),
        }

    full, structured = spread("full"), spread("structured")
    assert all(full[key] > 2 * structured[key] for key in full)


def test_a_spec_replaces_distributions_and_weights_whole_and_merges_sections() -> None:
    spec = _spec(
        randomisation="hybrid",
        camera={"focal_mm": {"normal": {"mean": 50, "std": 1}}},
        backdrop={"modes": {"plain": 1}},
    )
    assert spec.backdrop.modes == {"plain": 1}
    assert spec.camera.focal_mm.model_dump() == {  # type: ignore[union-attr]
        "normal": {"mean": 50, "std": 1, "min": None, "max": None}
    }
    assert spec.camera.fill.model_dump() == {"uniform": (0.6, 1.0)}  # type: ignore[union-attr]


def test_a_spec_has_the_last_word_over_a_presets_groups() -> None:
    assert sample(_spec(randomisation="structured"), _STAGE, 0, 0).camera.focal_mm != 50
    fixed = _spec(randomisation="structured", camera={"focal_mm": 50})
    assert sample(fixed, _STAGE, 0, 0).camera.focal_mm == 50


def test_a_specs_groups_stand_beside_a_presets() -> None:
    own = {"rows": [{"light.exposure_ev": 1}, {"light.exposure_ev": -1}]}
    [preset] = _spec(randomisation="structured").joint
    assert _spec(randomisation="structured", joint=[own]).joint[0] == preset
    assert len(_spec(randomisation="structured", joint=[own]).joint) == 2
    for same in (
        {"rows": [{"camera.focal_mm": 50}]},
        {"normal": {"of": ["camera.focal_mm"], "mean": [50], "covariance": [[1]]}},
    ):
        [kept] = _spec(randomisation="structured", joint=[same]).joint
        assert kept.names == ("camera.focal_mm",)
    with pytest.raises(ValidationError, match="joint"):
        _spec(randomisation="structured", joint=3)


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(ValidationError, match="randomisation"):
        _spec(randomisation="wild")
