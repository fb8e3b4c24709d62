"""States and occluders as samples: shared by a block, pure, and placed as asked."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from clearcoat.scene import (
    HingeSpec,
    OccluderSpec,
    SceneModel,
    Stage,
    StateSpec,
    sample,
)
from clearcoat.scene.states import placement, sample_states

_CORNERS = np.array([[x, y, z] for x in (-2.3, 2.3) for y in (-0.9, 0.9) for z in (0.0, 1.4)])
_STAGE = Stage(points_m=_CORNERS)


def test_a_block_of_images_shares_its_states_and_the_next_has_others() -> None:
    model = SceneModel(
        states={"door": StateSpec(parts="*", turn_deg={"uniform": [0, 60]})}, block=4
    )
    turns = [sample(model, _STAGE, 0, i).states[0].turn_deg for i in range(12)]
    assert len(set(turns[:4])) == len(set(turns[4:8])) == 1
    assert len(set(turns)) == 3
    # Pure: any image alone gives the same.
    assert sample(model, _STAGE, 0, 6).states[0].turn_deg == turns[6]


def test_states_hold_as_often_as_asked() -> None:
    specs = {"lost": StateSpec(parts="*", missing=True, probability=0.25, label="lost")}
    held = [bool(sample_states(specs, 0, block)) for block in range(400)]
    assert np.mean(held) == pytest.approx(0.25, abs=0.07)


def test_doors_open_outwards_on_both_sides() -> None:
    for side in (1.0, -1.0):
        bounds = np.array([[-0.5, side * 0.9 - 0.1, 0.3], [0.6, side * 0.9 + 0.1, 1.2]])
        rotation, shift = placement("front_edge", 50.0, bounds)
        outer = bounds[1, 1] if side > 0 else bounds[0, 1]
        hinge, handle = np.array([0.6, outer, 0.7]), np.array([-0.5, outer, 0.7])
        assert rotation @ hinge + shift == pytest.approx(hinge)
        moved = rotation @ handle + shift
        assert side * (moved[1] - outer) == pytest.approx(1.1 * np.sin(np.radians(50)))


def test_a_hinge_turns_as_a_right_handed_screw_about_its_axis() -> None:
    hinge = HingeSpec(point_m=(1.0, 0.0, 2.0), axis=(0.0, 3.0, 0.0))
    rotation, shift = placement(hinge, 90.0, np.zeros((2, 3)))
    # About +y, z turns towards x.
    assert rotation @ np.array([1.0, 5.0, 3.0]) + shift == pytest.approx([2.0, 5.0, 2.0])


@pytest.mark.parametrize("values", [{}, {"missing": True, "material": "chrome"}])
def test_a_state_changes_exactly_one_thing(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="changes one thing"):
        StateSpec.model_validate({"parts": "*", **values})


def test_occluders_stand_outside_the_product_and_never_in_the_camera() -> None:
    model = SceneModel(
        occluders=OccluderSpec(count={"uniform": [0, 6]}, in_front=0.5, floating=0.3), block=5
    )
    seen = 0
    for index in range(120):
        drawn = sample(model, _STAGE, 0, index)
        assert len({one.slot for one in drawn.occluders}) == len(drawn.occluders)
        for one in drawn.occluders:
            center = np.array(one.center_m)
            seen += 1
            assert np.linalg.norm(center - drawn.camera.pose.position_m) > one.reach_m
            beside = np.abs(center[:2]) > np.array([2.3, 0.9])
            assert beside.any() or center[2] > 0.5
            assert center[2] >= one.half_m[2] - 1e-9 or one.rotation[2][2] != 1.0
    assert seen > 100


def test_without_occluders_in_the_spec_there_are_none() -> None:
    assert all(sample(SceneModel(), _STAGE, 0, i).occluders == () for i in range(10))
