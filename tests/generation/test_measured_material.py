"""`use: measured` in a spec: drawn, part of the digest, and explained where it is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import RenderError, SpecError
from clearcoat.generation import Studio, load_scene
from tests.measured import lambertian, tensor_file

_LINE = '  - {part: "wheels*", use: tyre_rubber}'


def _spec(toy_spec: Path, folder: Path, rule: str, data: bytes | None) -> Path:
    folder.mkdir(parents=True)
    shutil.copy(toy_spec.parent / "toy.glb", folder)
    text = toy_spec.read_text()
    assert _LINE in text
    (folder / "toy.yaml").write_text(text.replace(_LINE, "  - {" + rule + "}"))
    if data is not None:
        (folder / "lab_rgb.bsdf").write_bytes(data)
    return folder / "toy.yaml"


_RULE = 'part: "body*", use: measured, file: lab_rgb.bsdf'


def test_it_is_drawn_and_its_bytes_decide_the_digest(toy_spec: Path, tmp_path: Path) -> None:
    white, black = (tensor_file(lambertian(albedo)) for albedo in (0.9, 0.01))
    scenes = [
        load_scene(_spec(toy_spec, tmp_path / name, _RULE, data))
        for name, data in (("a", white), ("b", white), ("c", black))
    ]
    # Where the file is does not matter, what is in it does.
    assert scenes[0].digest == scenes[1].digest != scenes[2].digest
    bodies = [i for i, part in enumerate(scenes[0].product.parts) if "body" in part.path]
    assert {scenes[0].materials[i].kind for i in bodies} == {"measured"}
    light, dark = (Studio(scene, (32, 32), 0).record(0) for scene in (scenes[0], scenes[2]))
    assert light.parts is not None
    seen = np.isin(light.parts, np.array(bodies) + 1)
    assert seen.sum() > 10
    assert light.image[seen].mean() > dark.image[seen].mean() + 60


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "No such file"),
        (tensor_file(lambertian(0.5))[:-1], "past the end"),
        (b"not a tensor file at all", "does not begin"),
    ],
    ids=["missing", "cut short", "another kind"],
)
def test_a_missing_or_damaged_file_is_explained_with_its_line(
    data: bytes | None, says: str, toy_spec: Path, tmp_path: Path
) -> None:
    spec = _spec(toy_spec, tmp_path / "a", _RULE, data)
    number = next(i for i, line in enumerate(spec.read_text().splitlines(), 1) if "lab_rgb" in line)
    with pytest.raises(RenderError) as caught:
        load_scene(spec)
    assert says in (caught.value.found or "")
    assert f"toy.yaml:{number}" in (caught.value.where or "")
    assert "lab_rgb.bsdf" in (caught.value.where or "")
    assert caught.value.do


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ('part: "wheels*", use: measured', "needs a `file`"),
        ('part: "wheels*", use: tyre_rubber, file: x.bsdf', "goes with"),
        (_RULE + ", with: {roughness: 0.1}", "no parameters"),
    ],
)
def test_keys_that_do_not_go_together(rule: str, says: str, toy_spec: Path, tmp_path: Path) -> None:
    spec = _spec(toy_spec, tmp_path / "a", rule, None)
    with pytest.raises(SpecError) as caught:
        load_scene(spec)
    assert says in str(caught.value)
    assert "toy.yaml:" in (caught.value.where or "")
