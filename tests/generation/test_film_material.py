"""Thin films in a spec: set by a rule, part of the digest, and drawn in a scene."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import SpecError
from clearcoat.generation import Studio, load_scene
from clearcoat.generation.scene_materials import material_facts
from clearcoat.materials import LIBRARY

_LINE = '  - {part: "wheels*", use: tyre_rubber}'
_FILM = "thin_film_thickness_nm: 52, thin_film_ior: 2.43, thin_film_substrate: titanium"


def _spec(toy_spec: Path, folder: Path, rule: str) -> Path:
    folder.mkdir(parents=True)
    shutil.copy(toy_spec.parent / "toy.glb", folder)
    text = toy_spec.read_text()
    assert _LINE in text
    (folder / "toy.yaml").write_text(text.replace(_LINE, '  - {part: "body*", ' + rule + "}"))
    return folder / "toy.yaml"


def test_a_rule_puts_a_film_on_a_material(toy_spec: Path, tmp_path: Path) -> None:
    bare, blue = (
        load_scene(_spec(toy_spec, tmp_path / name, f"use: titanium, with: {{{values}}}"))
        for name, values in (("bare", "roughness: 0.2"), ("blue", f"roughness: 0.2, {_FILM}"))
    )
    assert bare.digest != blue.digest
    bodies = [i for i, part in enumerate(bare.product.parts) if "body" in part.path]
    colors = []
    for scene in (bare, blue):
        record = Studio(scene, (32, 32), 0).record(0)
        assert record.parts is not None
        seen = record.image[np.isin(record.parts, np.array(bodies) + 1)]
        assert len(seen) > 10
        colors.append(seen.mean(axis=0))
    # 52 nm of oxide are blue: red goes, and blue stays.
    assert colors[1][0] < 0.7 * colors[0][0]
    assert colors[1][2] - colors[1][0] > colors[0][2] - colors[0][0] + 25


def test_an_impossible_film_names_its_line(toy_spec: Path, tmp_path: Path) -> None:
    spec = _spec(toy_spec, tmp_path / "a", "use: stainless, with: {thin_film_ior: 0.2}")
    number = next(i for i, line in enumerate(spec.read_text().splitlines(), 1) if "0.2}" in line)
    with pytest.raises(SpecError, match="thin_film_ior is out of range") as caught:
        load_scene(spec)
    assert f"toy.yaml:{number}" in str(caught.value)


def test_materials_without_a_film_keep_their_digest() -> None:
    """What was drawn before there were films is what is drawn now."""
    facts = [material_facts(material) for material in LIBRARY.values()]
    filmed = [any(key.startswith("thin_film_") for key in fact) for fact in facts]
    assert filmed == [material.has_film for material in LIBRARY.values()]
