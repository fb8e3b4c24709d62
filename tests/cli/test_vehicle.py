"""`clearcoat vehicle`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clearcoat.cli import main
from clearcoat.product import read
from clearcoat.vehicles import build, limits
from tests.product.test_glb import khronos_issues


@pytest.fixture(scope="module")
def car(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("car") / "made" / "car.glb"
    main(["vehicle", "build", "--style", "suv", "--seed", "3", "--out", str(out)])
    return out


def test_the_file_holds_the_vehicle(car: Path) -> None:
    ours, theirs = build("suv", 3), read(car)
    assert {part.path for part in theirs.parts} == {part.path for part in ours.parts}
    assert theirs.triangle_count == ours.triangle_count
    assert {p.path: p.material for p in theirs.parts} == {p.path: p.material for p in ours.parts}


def test_the_khronos_validator_finds_nothing(car: Path) -> None:
    issues = khronos_issues(car)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues


def test_list_says_limits_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    main(["vehicle", "list", "suv", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert set(said) == set(limits("suv"))
    low, high = limits("suv")["wheelbase_mm"]
    assert (said["wheelbase_mm"]["least"], said["wheelbase_mm"]["greatest"]) == (low, high)
    assert all(entry["meaning"].endswith(".") for entry in said.values())
    main(["vehicle", "list"])
    assert "hatchback+suv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--style", "suv", "--out", "{tmp}/afile/a.glb"],
            "a file stands where a folder is needed",
        ),
        (["--style", "seden", "--out", "a.glb"], "did you mean 'sedan'?"),
        (["--style", "sedan+suv", "--out", "a.glb"], "do not blend"),
        (["--style", "suv", "--set", "wheelbase_mm", "--out", "a.glb"], "NAME=VALUE"),
        (["--style", "suv", "--set", "wheelbase_mm=1", "--out", "a.glb"], "outside its limits"),
        (["--out", "a.obj"], "written as GLB"),
    ],
)
def test_mistakes_are_explained(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "afile").write_text("")
    arguments = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    with pytest.raises(SystemExit) as stopped:
        main(["vehicle", "build", *arguments])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
