"""A spec that is read again keeps what has not changed, and draws what a fresh start would."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from clearcoat.generation import Studio, load_scene
from clearcoat.scene import sample
from tests.generation.edits import change
from tests.generation.test_family_scene import write_family

_SIZE = (32, 32)


def test_another_light_keeps_product_and_renderer_and_draws_as_a_fresh_start(spec: Path) -> None:
    first = load_scene(spec)
    studio = Studio(first, _SIZE, 0)
    before = studio.record(1)
    renderer = studio._renderer
    change(spec, "environments: {studio: 1}", "environments: {sky: 1}, exposure_ev: -1")
    second = load_scene(spec, last=first)
    assert second.product is first.product
    assert second.digest == load_scene(spec).digest != first.digest
    studio.change(second)
    after = studio.record(1)
    assert studio._renderer is renderer
    assert np.array_equal(after.image, Studio(load_scene(spec), _SIZE, 0).record(1).image)
    assert not np.array_equal(after.image, before.image)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("use: tyre_rubber", "use: chrome"),
        ("{samples: 2}", "{samples: 3}"),
        ("labels: {see_through: [seat]}", "labels: {write: [normals]}"),
    ],
)
def test_what_the_renderer_is_built_from_builds_it_anew(spec: Path, old: str, new: str) -> None:
    first = load_scene(spec)
    change(spec, old, new)
    second = load_scene(spec, last=first)
    assert second.product is first.product
    assert not second.is_drawn_like(first)
    assert first.is_drawn_like(first)


def test_another_file_is_read_again(spec: Path) -> None:
    first = load_scene(spec)
    os.utime(spec.parent / "toy.glb", ns=(1, 1))
    assert load_scene(spec, last=first).product is not first.product
    change(spec, "{file: toy.glb}", "{file: toy.glb, front: x}")
    assert load_scene(spec, last=first).product is not first.product


def test_an_image_is_the_same_whatever_was_drawn_before(toy_spec: Path) -> None:
    # The first has a ground and the second none: the scene of the second is built in between.
    scene = load_scene(toy_spec)
    renderer = scene.renderer(_SIZE)
    ground, open_ = (sample(scene.spec, scene.stage, 0, index) for index in (0, 1))
    assert (ground.backdrop.mode, open_.backdrop.mode) == ("grounded", "skybox")
    first, _, again = (renderer.render(drawn).radiance for drawn in (ground, open_, ground))
    assert np.array_equal(first, again)


def test_a_vehicle_of_a_family_stays_where_the_cast_is_the_same(tmp_path: Path) -> None:
    spec = write_family(tmp_path)
    studio = Studio(load_scene(spec), _SIZE, 0)
    studio.record(0)
    shown, renderer = studio._current, studio._renderer
    assert shown is not None
    change(spec, "environments: {studio: 1}", "environments: {sky: 1}, exposure_ev: -1")
    studio.change(load_scene(spec))
    after = studio.record(1)
    assert studio._renderer is renderer
    assert np.array_equal(after.image, Studio(load_scene(spec), _SIZE, 0).record(1).image)
    change(spec, "samples: 1", "samples: 2")
    studio.change(load_scene(spec))
    assert studio._renderer is None
    assert studio._current is not None
    assert studio._current.product is shown.product
    change(spec, "images_per_vehicle: 2", "images_per_vehicle: 2, seed: 9")
    studio.change(load_scene(spec))
    assert studio._current is None
