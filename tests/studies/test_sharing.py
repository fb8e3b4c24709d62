"""Several processes at work on one study."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from clearcoat.studies import Conditions, append, conduct, plan, read_ledger
from clearcoat.studies.locks import Claims
from clearcoat.studies.weights import run_folder
from clearcoat.training.folder import CONFIG, RunFolder

from .conftest import entry, facts, supplement, transfer


def _conduct(data: Path, out: Path) -> None:
    import torch

    torch.set_num_threads(1)
    conduct(supplement(data), out)


def test_two_processes_share_a_study(data: Path, finished: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_conduct, args=(data, tmp_path)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    lines = (tmp_path / "ledger.jsonl").read_text().splitlines()
    # No run twice, and the same runs with the same scores as one process makes.
    assert len({json.loads(line)["run_id"] for line in lines}) == len(lines)
    assert facts(tmp_path) == facts(finished)


def test_a_process_that_waits_for_others_says_so_once(data: Path, tmp_path: Path) -> None:
    study = supplement(data)
    (tmp_path / "claims").mkdir()
    for run in plan(study, ()).next:
        claim = {"host": "elsewhere", "pid": 1, "started": "5"}
        (tmp_path / "claims" / f"{run.run_id}.json").write_text(json.dumps(claim))
    told: list[str] = []
    outcome = conduct(study, tmp_path, Conditions(budget_s=3.0, tell=told.append))
    assert outcome.ended_by == "budget" and outcome.runs_here == 0
    assert sum("with another process" in text for text in told) == 1


def test_a_start_that_fails_with_another_process_is_not_tried_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"initialisations": ["synth-synth"], "freeze": ["trainable"], "wnet": False}
    study = transfer(data, mix_counts=[], **few)
    start, run = plan(study, ()).next
    take, asked = Claims.take, []

    def late(claims: Claims, name: str) -> bool:
        asked.append(name)
        if asked == [start.run_id]:
            # The other process has it still.
            return False
        if asked == [start.run_id] * 2:
            append(tmp_path, entry(start, None).model_copy(update={"failed": "it diverged"}))
        return take(claims, name)

    monkeypatch.setattr(Claims, "take", late)
    monkeypatch.setattr("clearcoat.studies.work._WAIT_S", 0.0)
    outcome = conduct(study, tmp_path)
    assert asked[:3] == [start.run_id, start.run_id, run.run_id]
    assert outcome.ended_by == "finished" and outcome.runs_here == 1
    assert [e.failed for e in read_ledger(tmp_path).entries] == [
        "it diverged",
        "the run that it starts from failed",
    ]
    assert not list((tmp_path / "claims").glob("*.json"))


def test_a_run_that_another_process_trains_without_a_claim_is_waited_for(
    data: Path, tmp_path: Path
) -> None:
    few = {"real_counts": [4], "synthetic_counts": [0], "qualitative": None}
    study = supplement(data, **few, repeats={"min": 2, "width": None})
    first = plan(study, ()).next[0]
    folder = run_folder(tmp_path, first.run_id)
    folder.mkdir(parents=True)
    held = RunFolder(folder).locked()
    done_meanwhile: list[int] = []

    def waited(text: str) -> None:
        assert "with another process" in text
        done_meanwhile.extend(line.repeat for line in read_ledger(tmp_path).entries)
        held.__exit__(None, None, None)

    RunFolder(folder).write_json(CONFIG, {"run_id": first.run_id})
    held.__enter__()
    outcome = conduct(study, tmp_path, Conditions(tell=waited))
    assert outcome.ended_by == "finished" and outcome.runs_here == 2
    assert done_meanwhile == [1]
    assert sorted(line.repeat for line in read_ledger(tmp_path).entries) == [0, 1]
    assert not list((tmp_path / "claims").glob("*.json"))
