"""`render`, `preview` and `schema`, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from clearcoat.cli import group
from clearcoat.dataset import Dataset
from clearcoat.errors import ClearcoatError
from clearcoat.generation import SceneSpec
from tests.generation.conftest import SPEC
from tests.products import write_toy_car


def _spec(folder: Path) -> Path:
    write_toy_car(folder / "toy.glb")
    (folder / "toy.yaml").write_text(SPEC)
    return folder / "toy.yaml"


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(group, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_render_continues_and_reports(tmp_path: Path) -> None:
    spec, out = _spec(tmp_path), tmp_path / "set"
    first = json.loads(
        _run("render", spec, "--out", out, "--count", 2, "--start", 1, "--size", "24x16", "--json")
    )
    assert (first["rendered"], first["already_there"]) == (2, 0)
    text = _run("render", spec, "--out", out, "--count", 3, "--size", "24x16")
    assert "1 images rendered" in text
    assert "2 were already there" in text
    assert Dataset.open(out).indices == (0, 1, 2)
    assert Dataset.open(out).image(0).shape == (16, 24, 3)


def test_preview_draws_pictures_labels_and_a_legend(tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    _run("preview", _spec(tmp_path), "--out", out, "--count", 4, "--columns", 2, "--size", 48)
    with Image.open(out) as sheet:
        width, height = sheet.size
    # Two columns of picture and overlay, two rows, and the legend below.
    assert width >= 4 * 48
    assert height > 2 * 48


def test_a_sheet_goes_into_a_folder_that_is_made(tmp_path: Path) -> None:
    out = tmp_path / "sheets" / "sheet.jpg"
    _run("preview", _spec(tmp_path), "--out", out, "--count", 1, "--size", 16)
    assert out.is_file()


@pytest.mark.parametrize(
    ("out", "options", "says"),
    [
        ("afile/x.png", [], "a file stands where a folder is needed"),
        ("folder.png", [], "a folder has this name"),
        ("x.jpg", ["--count", 20, "--columns", 20, "--size", 2048], "82,004 × 2,056 pixels"),
    ],
)
def test_a_sheet_that_cannot_be_written_is_not_drawn(
    tmp_path: Path, out: str, options: list[object], says: str
) -> None:
    (tmp_path / "afile").write_text("")
    (tmp_path / "folder.png").mkdir()
    # There is no such spec: nobody looks for it before.
    arguments = ["preview", tmp_path / "none.yaml", "--out", tmp_path / out, *options]
    result = CliRunner().invoke(group, [str(a) for a in arguments])
    assert isinstance(result.exception, ClearcoatError)
    assert says in str(result.exception)


def test_schema_describes_a_valid_spec() -> None:
    schema = json.loads(_run("schema"))
    assert set(schema["properties"]) == {*SceneSpec.model_fields, "extends"}
    assert schema["additionalProperties"] is False
    assert "description" in schema["$defs"]["CameraSpec"]["properties"]["fill"]
    # What the documentation writes in short is allowed, and what another spec may give not needed.
    kinds = [
        schema["$defs"]["PartPattern"],
        schema["$defs"]["StateSpec"]["properties"]["replaced_by"],
    ]
    assert all({"type": "string"} in kind["anyOf"] for kind in kinds)
    colors = schema["$defs"]["PaintSpec"]["properties"]["colors"]["anyOf"]
    assert {"type": "array", "items": {"type": "string"}} in colors
    assert "required" not in schema and {"required": ["extends"]} in schema["anyOf"]
