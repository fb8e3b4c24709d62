"""`clearcoat materials`: the list, its JSON, the sheet, and mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from clearcoat.cli import main
from clearcoat.materials import LIBRARY


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = 0
    try:
        main(["materials", *map(str, arguments)])
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


def test_the_list_names_all(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    assert f"{len(LIBRARY)} materials" in out
    assert all(f" {name} " in out for name in LIBRARY)


def test_json_of_a_category_and_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "rubber", "gold", "--json")
    plain = {entry["name"]: entry for entry in json.loads(out)}
    assert (code, err) == (0, "")
    assert {entry["category"] for entry in plain.values()} == {"rubber", "metal"}
    assert plain["gold"]["base_color"] == list(LIBRARY["gold"].base_color)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_sheet(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "made" / f"sheet{suffix}"
    code, out, _ = run(capsys, "chrome", "glass", "--sheet", path, "--size", 16, "--samples", 2)
    assert (code, out.strip()) == (0, str(path))
    with Image.open(path) as sheet:
        assert sheet.width > 160
        assert sheet.height > 32


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["crome"], "did you mean 'chrome'"),
        (["--sheet", "sheet.gif"], ".png or .jpg"),
        (["glass", "--samples", "64", "--size", "32"], "--size, --samples"),
        (["--sheet", "sheet.png", "--json"], "do not go together"),
        (["--sheet", "sheet.jpg", "--size", "1024", "--columns", "1"], "too large for a JPEG"),
    ],
)
def test_mistakes(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert says in err
