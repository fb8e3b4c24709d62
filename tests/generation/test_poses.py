"""Poses by constraint: met where they can be met, explained where not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import SpecError
from clearcoat.generation import load_scene
from clearcoat.generation.generate import Studio
from clearcoat.generation.poses import find_pose
from clearcoat.generation.scene import Scene
from clearcoat.render import Renderer

_SIZE = (64, 48)


def _scene(toy_spec: Path, folder: Path, camera: str) -> Scene:
    (folder / "toy.glb").write_bytes((toy_spec.parent / "toy.glb").read_bytes())
    spec = folder / "posed.yaml"
    spec.write_text(f"{toy_spec.read_text()}camera: {{{camera}}}\n")
    return load_scene(spec)


@pytest.fixture(scope="module")
def renderer(toy_spec: Path) -> Renderer:
    return load_scene(toy_spec).renderer(_SIZE)


def test_poses_meet_the_constraints(toy_spec: Path, tmp_path: Path, renderer: Renderer) -> None:
    scene = _scene(
        toy_spec,
        tmp_path,
        "elevation_deg: {uniform: [-5, 60]}, fill: {uniform: [0.3, 1.3]}, require: {"
        "bbox_share: [0.2, 0.6], inside: true, azimuth_deg: [300, 60], elevation_deg: [10, 40]}",
    )
    attempts = 0
    for index in range(8):
        found = find_pose(scene, renderer, 0, index, _SIZE)
        attempts += found.attempts
        centre = scene.stage.points_m.min(axis=0) / 2 + scene.stage.points_m.max(axis=0) / 2
        x, y, z = np.array(found.sample.camera.pose.position_m) - centre
        assert abs(np.degrees(np.arctan2(y, x))) <= 60
        assert 10 <= np.degrees(np.arctan2(z, np.hypot(x, y))) <= 40
        parts, _ = renderer.survey(found.sample, _SIZE)
        rows, columns = np.nonzero(parts)
        box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1) / parts.size
        # A pixel of play on every side.
        assert 0.16 <= box <= 0.68
        assert sum(found.rejections.counts.values()) >= found.attempts - 1
        again = find_pose(scene, renderer, 0, index, _SIZE)
        assert again.sample == found.sample
    assert attempts > 16


def test_a_part_is_seen_as_far_as_asked(toy_spec: Path, tmp_path: Path, renderer: Renderer) -> None:
    scene = _scene(
        toy_spec,
        tmp_path,
        'elevation_deg: 5, require: {visible: ["wheels_front"], min_visible_share: 0.15}',
    )
    front = [part.path for part in scene.product.parts].index("wheels_front") + 1
    rejected = 0
    for index in range(6):
        found = find_pose(scene, renderer, 1, index, _SIZE)
        rejected += found.attempts - 1
        parts, extent = renderer.survey(found.sample, _SIZE)
        full = (extent.part == front).sum()
        assert (parts == front).sum() >= 0.1 * full > 0
    # From behind and above, the block hides it.
    assert rejected > 0


def test_what_cannot_be_met_is_counted(toy_spec: Path, tmp_path: Path, renderer: Renderer) -> None:
    scene = _scene(
        toy_spec,
        tmp_path,
        "fill: 0.3, require: {bbox_share: [0.8, 1], elevation_deg: [-90, 90], attempts: 7}",
    )
    with pytest.raises(SpecError) as caught:
        find_pose(scene, renderer, 0, 5, _SIZE)
    assert "image 5" in str(caught.value)
    assert "bbox_share: rejected 7 times, found 0." in str(caught.value)


def test_a_lens_that_folds_is_drawn_again(
    toy_spec: Path, tmp_path: Path, renderer: Renderer
) -> None:
    scene = _scene(
        toy_spec,
        tmp_path,
        "focal_mm: 24, distortion: {model: radial_tangential, k1: {choice: [-0.6, -0.1]}}",
    )
    found = [find_pose(scene, renderer, 0, index, _SIZE) for index in range(8)]
    assert all(each.sample.camera.lens.coefficients[0] == -0.1 for each in found)
    assert any(each.attempts > 1 for each in found)


def test_a_lens_that_always_folds_is_named(
    toy_spec: Path, tmp_path: Path, renderer: Renderer
) -> None:
    scene = _scene(
        toy_spec, tmp_path, "focal_mm: 24, distortion: {model: radial_tangential, k1: -0.6}"
    )
    with pytest.raises(SpecError, match=r"camera\.distortion leaves parts"):
        find_pose(scene, renderer, 0, 0, _SIZE)


def test_a_glob_without_parts_is_a_mistake(toy_spec: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="did you mean 'wheels_front'") as caught:
        _scene(toy_spec, tmp_path, 'require: {visible: ["wheel_front"]}')
    assert ".yaml:" in str(caught.value.where)


def test_the_record_tells_of_the_search(toy_spec: Path, tmp_path: Path) -> None:
    scene = _scene(toy_spec, tmp_path, "require: {azimuth_deg: [0, 180]}")
    search = Studio(scene, (32, 32), 0).record(0).metadata["pose_search"]
    assert search["attempts"] >= 1
    assert search["rejected"].get("azimuth_deg", 0) == search["attempts"] - 1
