"""`clearcoat study`: from a file to a ledger, and its mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from clearcoat.cli import group, main
from clearcoat.cli.study import _line, parse_duration
from clearcoat.errors import UsageError
from clearcoat.studies.planning import Progress
from clearcoat.studies.work import Outcome
from tests.training.conftest import squares

__all__ = ["squares"]

STUDY = """
real: photos
synthetic: renders
test_count: 4
real_counts: [4, 400]
synthetic_counts: [0, 8]
repeats: {min: 2, width: null}
size: 24
training:
  model: {filters: [4, 8]}
  batch_size: 4
  min_steps_per_epoch: 1
  max_steps: 1
  validation_count: 2
  precision: fp32
"""


@pytest.fixture(scope="module")
def study(squares, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli_study")
    squares("photos", 12, size=24, seed=1, where=folder)
    squares("renders", 10, size=24, seed=2, where=folder)
    (folder / "study.yaml").write_text(STUDY)
    return folder


def test_a_study_runs_once(study: Path) -> None:
    arguments = ["study", "supplement", str(study / "study.yaml"), "--out", str(study / "out")]
    dry = CliRunner().invoke(group, [*arguments, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "400 real + 0 synthetic: fewer real images" in dry.output
    assert "6 runs are next" in dry.output and not (study / "out").exists()
    first = CliRunner().invoke(group, [*arguments, "--threads", "1"])
    assert first.exit_code == 0, first.output
    assert "6 runs finished here; 2 cells: 2 settled" in first.output
    again = CliRunner().invoke(group, [*arguments, "--json"])
    document = json.loads(again.stdout)
    assert document["ended_by"] == "finished" and document["next"] == 0
    assert [cell["runs"] for cell in document["cells"]] == [2, 2]
    ledger = study / "out" / "ledger.jsonl"
    whole = ledger.read_text()
    assert len(whole.splitlines()) == 6
    ledger.write_text("{" + whole)
    dry = CliRunner().invoke(group, [*arguments, "--dry-run"])
    assert "ledger.jsonl:1 " in dry.output
    ledger.write_text(whole)

    page, files = study / "report.html", study / "files"
    report = ["report", str(study / "out"), "--out", str(page), "--photos", "5"]
    written = CliRunner().invoke(group, [*report, "--files", str(files)])
    assert written.exit_code == 0, written.output
    assert "with 4 photos, 8 renders take mean IoU from" in written.output
    assert "You have 5 photos; the nearest row that was studied is 4." in page.read_text()
    assert (files / "fig-2a.png").exists() and (files / "ledger.csv").exists()
    with pytest.raises(UsageError, match="studies or about single runs"):
        CliRunner().invoke(group, [*report, str(study / "out" / "runs")], catch_exceptions=False)


def test_a_dry_run_counts_what_is_tried_again(study: Path, tmp_path: Path) -> None:
    file, out = study / "failed.yaml", tmp_path / "out"
    file.write_text(STUDY.replace("[4, 400]", "[4]").replace("[0, 8]", "[0]"))
    arguments = ["study", "supplement", str(file), "--out", str(out)]
    assert CliRunner().invoke(group, arguments).exit_code == 0
    ledger = out / "ledger.jsonl"
    first, second = map(json.loads, ledger.read_text().splitlines())
    failed = second | {"failed": "it diverged", "mean_iou": None}
    ledger.write_text(f"{json.dumps(first)}\n{json.dumps(failed)}\n")
    told = {
        flag: CliRunner().invoke(group, [*arguments, "--dry-run", *flag]).output
        for flag in ((), ("--retry-failed",))
    }
    assert "2 done" in told[()] and "0 runs are next" in told[()]
    assert "1 done" in told["--retry-failed",] and "1 runs are next" in told["--retry-failed",]


def test_a_dry_run_refuses_the_folder_of_something_else(study: Path) -> None:
    arguments = ["study", "supplement", str(study / "study.yaml"), "--out", str(study / "photos")]
    with pytest.raises(UsageError, match="the folder holds a data set"):
        CliRunner().invoke(group, [*arguments, "--dry-run"], catch_exceptions=False)


def test_a_study_is_confirmed_once(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = study / "apart.yaml", study / "apart"
    few = STUDY.replace("[4, 400]", "[4]").replace("[0, 8]", "[0]")
    file.write_text(few + "untouched_count: 2\n")
    arguments = ["study", "supplement", str(file), "--out", str(out)]
    dry = CliRunner().invoke(group, [*arguments, "--dry-run"])
    assert "weights that stay: 0 runs that others start from, 2 for `study confirm`" in dry.output
    assert CliRunner().invoke(group, arguments).exit_code == 0
    shown = CliRunner().invoke(group, ["study", "confirm", str(out)])
    assert shown.exit_code == 0, shown.output
    assert "mean IoU on 2 untouched photos, look 1" in shown.output
    with pytest.raises(SystemExit) as exit_:
        main(["study", "confirm", str(out)])
    assert exit_.value.code == 2 and "--again" in capsys.readouterr().err
    again = CliRunner().invoke(group, ["study", "confirm", str(out), "--again", "--json"])
    assert [len(cell["untouched"]) for cell in json.loads(again.stdout)["cells"]] == [2]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("45min", 2700), ("2h", 7200), ("1.5d", 129600)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["2", "h", "-1h", "0h", "2 weeks"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="not a time"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("failed", "mean_iou", "told"),
    [(None, 0.5, "mean IoU 0.500"), (None, None, "no score"), ("diverged", None, "diverged")],
)
def test_a_run_without_a_score_has_a_line(
    failed: str | None, mean_iou: float | None, told: str
) -> None:
    run = SimpleNamespace(key="4 real", repeat=0)
    entry = SimpleNamespace(failed=failed, mean_iou=mean_iou, wall_s=3.0)
    assert told in _line(run, entry, SimpleNamespace(next=(run,)))


def test_a_budget_that_nothing_fits_into_says_what_is_missing(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress({}, (), 0)
    outcome = Outcome(progress, (), 0, "no_run_fits", shortest_s=5400.0, left_s=1500.0)
    monkeypatch.setattr("clearcoat.studies.conduct", lambda *_: outcome)
    arguments = ["study", "supplement", str(study / "study.yaml"), "--out", str(tmp_path)]
    told = CliRunner().invoke(group, [*arguments, "--budget", "30min"]).output
    assert "the shortest next run takes about 1.5 h, 25 min of the budget is left" in told
    document = json.loads(CliRunner().invoke(group, [*arguments, "--json"]).stdout)
    assert document["ended_by"] == "no_run_fits"
    assert (document["shortest_s"], document["left_s"]) == (5400, 1500)


def test_a_mistake_exits_with_2(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = study / "wrong.yaml"
    file.write_text(STUDY.replace("min: 2", "min: 0"))
    with pytest.raises(SystemExit) as exit_:
        main(["study", "supplement", str(file), "--out", str(study / "none")])
    assert exit_.value.code == 2
    assert "repeats.min" in capsys.readouterr().err
    assert not (study / "none").exists()


@pytest.mark.parametrize("below", ["", "out"])
def test_a_file_in_the_place_of_the_folder_is_named(
    below: str, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (study / "notes").write_text("mine")
    out = study / "notes" / below
    with pytest.raises(SystemExit) as exit_:
        main(["study", "supplement", str(study / "study.yaml"), "--out", str(out)])
    assert exit_.value.code == 2
    said = capsys.readouterr().err
    assert f"where:    {out}" in said
    assert "do:       a file stands where a folder is needed" in said
