"""`clearcoat report`: runs and data sets in, one file and an answer out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clearcoat.cli import main
from tests.report.conftest import make_dataset


def _fails(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_dataset(tmp_path / "photos", 3)
    run = tmp_path / "runs" / "one"
    main(
        [
            "train", "--real", str(tmp_path / "photos"), "--real-count", "2", "--size", "16",
            "--filters", "4,8", "--max-steps", "2", "--min-steps-per-epoch", "1",
            "--precision", "fp32", "--threads", "1", "--device", "cpu", "--out", str(run),
        ]
    )  # fmt: skip
    capsys.readouterr()
    out = tmp_path / "r.html"
    main(["report", str(tmp_path), "--out", str(out), "--title", "Mine"])
    output = capsys.readouterr()
    assert f"report: {out}" in output.out and "Nothing to compare yet" in output.out
    assert "<title>Mine</title>" in out.read_text(encoding="utf-8")

    make_dataset(tmp_path / "unseen", 3, seed=1)
    main(["report", str(tmp_path), "--out", str(out), "--json", "--test", str(tmp_path / "unseen")])
    output = capsys.readouterr()
    numbers = json.loads(output.out)
    assert numbers["report"] == str(out)
    assert [found["name"] for found in numbers["datasets"]] == ["photos", "unseen"]
    (cell,) = numbers["cells"]
    assert cell["real"] == 2 and cell["values"] == [numbers["runs"][0]["mean_iou"]]
    assert numbers["verdict"]["kind"] == "nothing"
    assert "scoring one" in output.err


def test_mistakes_write_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "r.html"
    assert "found:    nothing" in _fails(capsys, ["report", str(tmp_path / "x"), "--out", str(out)])
    error = _fails(capsys, ["report", str(tmp_path), "--out", str(out)])
    assert "neither a run nor a data set" in error and "clearcoat train" in error
    make_dataset(tmp_path / "photos", 1)
    error = _fails(
        capsys, ["report", str(tmp_path), "--out", str(out), "--test", str(tmp_path / "x")]
    )
    assert "not a data set" in error
    assert "Missing" in _fails(capsys, ["report", str(tmp_path)])
    assert not out.exists()
