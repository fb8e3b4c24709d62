"""A vehicle written as GLB is valid for every viewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearcoat.product.glb import to_glb
from clearcoat.vehicles import build
from tests.khronos import khronos_issues, validator


@pytest.mark.parametrize("style", ["suv", "pickup"])
def test_the_khronos_validator_finds_nothing_in_a_vehicle(style: str, tmp_path: Path) -> None:
    validator()
    file = tmp_path / "car.glb"
    file.write_bytes(to_glb(build(style, 3), generator="test"))
    issues = khronos_issues(file)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues
