"""The whole path, small: from CAD and photos to a report, as a user goes through it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from clearcoat.cli import demo, group
from clearcoat.dataset import Dataset
from tests.generation.conftest import SPEC
from tests.products import write_toy_car


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(group, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_from_cad_and_photos_to_a_report(tmp_path: Path) -> None:
    write_toy_car(tmp_path / "toy.glb")
    spec = tmp_path / "toy.yaml"
    spec.write_text(SPEC)
    # "Photos" come in as COCO, as a user's do: exported from one render and imported again.
    shot, photos, renders = tmp_path / "shot", tmp_path / "photos", tmp_path / "renders"
    _run("render", spec, "--out", shot, "--count", 10, "--seed", 1, "--size", 32)
    _run("dataset", "export", "coco", shot, "--out", shot / "coco.json")
    (tmp_path / "map.yaml").write_text(
        "classes: [body, glass, seat, wheel, handle]\n"
        "map: {body: body, glass: glass, seat: seat, wheel: wheel, handle: handle, "
        "ignore: ignore}\n"
    )
    _run(
        "dataset", "import", "coco", shot / "coco.json", "--images", shot,
        "--map", tmp_path / "map.yaml", "--out", photos,
    )  # fmt: skip
    assert len(Dataset.open(photos)) == 10
    _run("render", spec, "--out", renders, "--count", 6, "--seed", 2, "--size", 32)
    unseen = tmp_path / "unseen"
    _run("render", spec, "--out", unseen, "--count", 3, "--seed", 3, "--size", 32)
    _run("dataset", "check", photos)
    assert "wheel" in _run("dataset", "stats", photos, renders)

    small = ["--size", 32, "--filters", "4,8,8,8,8", "--batch-size", 2, "--max-steps", 2]
    small += ["--validation-count", 2, "--pretrain-max-steps", 2, "--recipe", "few-photos"]
    runs = tmp_path / "runs"
    alone = [*small, "--real", photos, "--real-count", 4, "--test", unseen]
    _run("train", *alone, "--out", runs / "alone")
    _run("train", *alone, "--synthetic", renders, "--synthetic-count", 4, "--out", runs / "mixed")
    score = json.loads(_run("evaluate", runs / "mixed", "--data", renders, "--json"))
    assert 0 <= score["mean_iou"] <= 1
    _run("predict", runs / "mixed", shot / "images", "--out", tmp_path / "predicted")
    assert len(list((tmp_path / "predicted").glob("*.overlay.png"))) == 10
    _run("report", runs, photos, renders, "--out", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "4 real + 4 synthetic" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "_PHOTO_COUNT": 5, "_TEST_COUNT": 2, "_RENDER_COUNT": 4, "_REAL_COUNT": 2,
        "_STOPPING_COUNT": 2, "_PICTURE_PX": 32, "_MODEL_PX": 32, "_STEPS_ON_RENDERS": 2,
        "_STEPS_ON_PHOTOS": 2,
    }.items():  # fmt: skip
        monkeypatch.setattr(demo, name, value)
    out = tmp_path / "demo"
    printed = _run("demo", "--out", out, "--workers", 1)
    assert str(out / "report.html") in printed
    assert len(Dataset.open(out / "renders")) == 4
    # Run again, it has nothing left to do and says where the report is.
    before = (out / "runs" / "real_only" / "metrics.json").stat().st_mtime_ns
    assert str(out / "report.html") in _run("demo", "--out", out, "--workers", 1)
    assert (out / "runs" / "real_only" / "metrics.json").stat().st_mtime_ns == before
