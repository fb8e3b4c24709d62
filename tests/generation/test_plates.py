"""Plates of a spec: characters where a rule says number plate and the file has no coordinates."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from clearcoat.generation import Studio, load_scene
from clearcoat.generation.scene_materials import material_facts

_LINE = '  - {part: "wheels*", use: tyre_rubber}'


def test_a_rule_puts_characters_on_a_plate(toy_spec: Path, tmp_path: Path) -> None:
    shutil.copy(toy_spec.parent / "toy.glb", tmp_path)
    text = toy_spec.read_text()
    assert _LINE in text
    spec = tmp_path / "toy.yaml"
    from_above = "camera: {elevation_deg: 70}\n"
    spec.write_text(from_above + text.replace(_LINE, '  - {part: "body*", use: number_plate}'))
    scene = load_scene(spec)
    bodies = [i for i, part in enumerate(scene.product.parts) if "body" in part.path]
    pictures = [i for i, material in enumerate(scene.materials) if material.textures]
    assert pictures == bodies
    # Read again, it is the same: nothing in it is left to chance.
    again = load_scene(spec)
    assert [material_facts(m) for m in again.materials] == [
        material_facts(m) for m in scene.materials
    ]
    record = Studio(scene, (128, 128), 0).record(0)
    assert record.parts is not None
    seen = record.image[np.isin(record.parts, np.array(bodies) + 1)].mean(axis=1)
    assert len(seen) > 50
    assert np.percentile(seen, 2) < 0.5 * np.percentile(seen, 90)
