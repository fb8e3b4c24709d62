"""Specs and studies that the documentation shows, or that made its results, still load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clearcoat.generation import load_scene_spec
from clearcoat.studies import SupplementSpec, load_study

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results"
SCENES = sorted((RESULTS / "car-parts").glob("family*.yaml"))
STUDIES = [found for found in sorted(RESULTS.rglob("*.yaml")) if found not in SCENES]


def test_the_spec_of_the_readme(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    file = tmp_path / "car.yaml"
    file.write_text(block, "utf-8")
    spec = load_scene_spec(file)
    assert spec.classes.rules[-1].part == "body_in_one_piece"


@pytest.mark.parametrize("file", SCENES, ids=lambda file: file.stem)
def test_the_specs_of_results(file: Path) -> None:
    assert load_scene_spec(file).product.builtin == "family"


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_studies_of_results(file: Path) -> None:
    spec = load_study(file, SupplementSpec)
    assert spec.untouched_count == 40
