"""Specs and studies that the documentation shows, or that made its results, still load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clearcoat.generation import load_scene_spec
from clearcoat.generation.presets import copy_presets
from clearcoat.studies import SupplementSpec, TransferSpec, load_study

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results"
SCENES = sorted((RESULTS / "car-parts").glob("family*.yaml"))
STUDIES = [found for found in sorted(RESULTS.rglob("*.yaml")) if found not in SCENES]


def test_the_specs_of_the_readme(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    copy_presets(tmp_path / "demo" / "specs")
    specs = []
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block, "utf-8")
        specs.append(load_scene_spec(file))
    own, extended = specs
    assert own.classes.rules[-1].part == "body_in_one_piece"
    assert extended.product.builtin == "suv" and extended.render.samples == 32


@pytest.mark.parametrize("file", SCENES, ids=lambda file: file.stem)
def test_the_specs_of_results(file: Path) -> None:
    assert load_scene_spec(file).product.builtin == "family"


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_studies_of_results(file: Path) -> None:
    spec = load_study(file, TransferSpec if file.stem == "transfer" else SupplementSpec)
    assert spec.untouched_count == 40
