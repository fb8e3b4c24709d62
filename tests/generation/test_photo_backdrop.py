"""A photograph as backdrop through a whole data set, with states that are labels of the image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from clearcoat.dataset import Dataset
from clearcoat.generation import Job, generate, load_scene
from clearcoat.generation.generate import Studio

_SIZE = (48, 36)


def _spec(toy_spec: Path, folder: Path, backdrop: str) -> Path:
    (folder / "toy.glb").write_bytes((toy_spec.parent / "toy.glb").read_bytes())
    photos = folder / "photos"
    photos.mkdir(exist_ok=True)
    chance = np.random.default_rng(1)
    for name, tint in (("a.png", [200, 60, 60]), ("b.png", [60, 60, 200])):
        pixels = np.clip(chance.normal(tint, 10, (40, 60, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(photos / name)
    spec = folder / "toy.yaml"
    text = toy_spec.read_text() + f"backdrop: {{{backdrop}}}\n"
    text += "block: 1\nstates:\n  no_wheels: {parts: wheels_front, missing: true, "
    text += "label: no_wheels, probability: 0.5}\n"
    spec.write_text(text)
    return spec


def test_photographs_reach_the_data_set(toy_spec: Path, tmp_path: Path) -> None:
    spec = _spec(toy_spec, tmp_path, "modes: {photo: 1}, photo_folder: photos")
    out = tmp_path / "set"
    list(generate(Job(spec_path=spec, seed=0, size=_SIZE, out=out), range(6)))
    stored = Dataset.open(out)
    assert len(stored) == 6
    np.testing.assert_array_equal(
        stored.image(0), Studio(load_scene(spec), _SIZE, 0).record(0).image
    )
    front = 1 + stored.part_names.index("wheels_front")
    shown, held = set(), set()
    for index in stored:
        metadata, parts = stored.record_info(index).metadata, stored.parts(index)
        assert parts is not None
        image = stored.image(index)
        photo = metadata["sample"]["backdrop"]["photo"]["name"]
        beside = image[parts == 0].astype(float).mean(axis=0)
        # The first is red, the second blue.
        assert (beside[0] > beside[2] + 20) == (photo == "a.png")
        without = "no_wheels" in metadata["image_labels"]
        assert not (without and (parts == front).any())
        shown.add(photo)
        held.add(without)
    assert shown == {"a.png", "b.png"}
    assert held == {True, False}


def test_another_photograph_of_the_same_name_is_another_data_set(
    toy_spec: Path, tmp_path: Path
) -> None:
    spec = _spec(toy_spec, tmp_path, "modes: {photo: 1}, photo_folder: photos")
    before = load_scene(spec).digest
    assert load_scene(spec).digest == before
    Image.new("RGB", (60, 40), (60, 200, 60)).save(tmp_path / "photos" / "a.png")
    assert load_scene(spec).digest != before
