"""A study whose time is up: what is left behind, and what is begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clearcoat.errors import DivergedError
from clearcoat.studies import Conditions, StudyPlan, conduct, plan, read_ledger
from clearcoat.studies.ledger import append
from clearcoat.studies.record import RUNS
from clearcoat.training import RunFolder, Silent, StoppedError

from .conftest import entry as line_of
from .conftest import facts, supplement


def test_a_spent_budget_leaves_a_valid_part(data: Path, finished: Path, tmp_path: Path) -> None:
    study = supplement(data)
    outcome = conduct(study, tmp_path, Conditions(budget_s=1e-6))
    assert outcome.ended_by == "budget"
    assert not outcome.progress.finished
    assert conduct(study, tmp_path, Conditions(budget_s=600)).ended_by == "finished"
    assert facts(tmp_path) == facts(finished)


class _Clock(Silent):
    """A clock that stands still but for an hour that a step takes."""

    def __init__(self, slow_step: int) -> None:
        self.now_s, self.left = 0.0, slow_step

    def monotonic(self) -> float:
        return self.now_s

    def on_step(self, progress: Any, phase: Any) -> None:
        self.left -= 1
        if not self.left:
            self.now_s += 3600.0


def test_a_budget_that_ends_in_a_run_loses_no_step(
    data: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = supplement(data)
    with monkeypatch.context() as patch:
        clock = _Clock(slow_step=4)
        patch.setattr("clearcoat.studies.work.time", clock)
        conditions = Conditions(observer=clock, budget_s=60)
        assert conduct(study, tmp_path, conditions).ended_by == "budget"
    [checkpoint] = (tmp_path / RUNS).glob("*/last.pt")
    progress = RunFolder(checkpoint.parent).read_progress()
    done = sum(entry.steps for entry in read_ledger(tmp_path).entries)
    assert progress is not None and done + progress["step"] == 4
    assert conduct(study, tmp_path).ended_by == "finished"
    assert facts(tmp_path) == facts(finished)


def test_training_on_renders_that_will_not_fit_is_not_begun(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = supplement(data, repeats={"min": 2, "width": None}, qualitative=None)
    for run in plan(study, []).next:
        if not run.repeat:
            append(tmp_path, line_of(run, 0.5, wall_s=1000.0 if run.starts_others else 0.01))
    begun: list[int | None] = []

    def diverge(config: Any, *_: Any, **__: Any) -> None:
        begun.append(config.real_count)
        raise DivergedError("the training loss is no longer a finite number", where="step 1")

    monkeypatch.setattr("clearcoat.studies.work.run_training", diverge)
    start = next(run.start for run in plan(study, []).next if run.start and run.repeat)
    folder = tmp_path / RUNS / start.folder_name
    folder.mkdir(parents=True)
    # What the curve says beyond the checkpoint is to be done again.
    (folder / "curve.jsonl").write_text('{"train_s": 980.0}\n')
    lines = (tmp_path / "ledger.jsonl").read_bytes()
    # Photos alone fit into the budget. So would the mixes, if training on renders did.
    outcome = conduct(study, tmp_path, Conditions(budget_s=60))
    assert (outcome.ended_by, begun) == ("no_run_fits", [4, 8])
    assert outcome.shortest_s is not None and 999 < outcome.shortest_s < 1001
    assert outcome.left_s is not None and 0 < outcome.left_s < 60
    # Cut off shortly before its end, it does.
    (tmp_path / "ledger.jsonl").write_bytes(lines)
    progress = {"train_s": 970.0, "validation_s": 10.0}
    RunFolder(folder).write_tensors("last.pt", {"progress": progress})
    begun.clear()
    conduct(study, tmp_path, Conditions(budget_s=60))
    assert 0 in begun


def _long_runs(data: Path, out: Path, **counts: Any) -> StudyPlan:
    """A study of two repeats a cell, whose first ones took 1,000 s each."""
    study = supplement(data, repeats={"min": 2, "width": None}, qualitative=None, **counts)
    for run in plan(study, []).next:
        if not run.repeat:
            append(out, line_of(run, 0.5, wall_s=1000.0))
    return study


def test_a_run_longer_than_the_budget_is_done_in_pieces(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = tmp_path / "whole", tmp_path / "pieces"
    for folder in folders:
        folder.mkdir()
        study = _long_runs(data, folder, real_counts=[4], synthetic_counts=[0])
    assert conduct(study, folders[0]).ended_by == "finished"
    ends = []
    for _ in range(5):
        with monkeypatch.context() as patch:
            clock = _Clock(slow_step=1)
            patch.setattr("clearcoat.studies.work.time", clock)
            conditions = Conditions(observer=clock, budget_s=60)
            ends.append(conduct(study, folders[1], conditions).ended_by)
    # Four steps, and the score.
    assert ends == ["budget"] * 4 + ["finished"]
    assert facts(folders[0]) == facts(folders[1])


def test_one_run_is_done_in_pieces_before_the_next_is_begun(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = _long_runs(data, tmp_path, real_counts=[4, 8], synthetic_counts=[0])
    begun: list[int | None] = []

    def stop(config: Any, *_: Any, **__: Any) -> None:
        begun.append(config.real_count)
        raise StoppedError

    monkeypatch.setattr("clearcoat.studies.work.run_training", stop)
    conduct(study, tmp_path, Conditions(budget_s=60))
    last = next(run for run in plan(study, []).next if run.repeat and run.key.real != begun[0])
    folder = RunFolder(tmp_path / RUNS / last.folder_name)
    folder.path.mkdir(parents=True)
    progress = {"train_s": 10.0, "validation_s": 1.0}
    folder.write_tensors("last.pt", {"progress": progress})
    conduct(study, tmp_path, Conditions(budget_s=60))
    assert begun[1] == last.key.real
