"""Studies run, stop, go on, share work, and leave a ledger that says the same."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clearcoat.errors import DivergedError, TrainingError, UsageError
from clearcoat.studies import Conditions, Entry, StudyPlan, append, conduct, plan, read_ledger
from clearcoat.studies.pictures import PICTURES, read_depicted
from clearcoat.studies.record import RUNS, STUDY
from clearcoat.training import Silent

from .conftest import facts, supplement, transfer


def test_a_grid_is_run_until_every_cell_has_stopped(data: Path, finished: Path) -> None:
    study = supplement(data)
    progress = plan(study, read_ledger(finished).entries)
    assert progress.finished
    assert progress.foreign == 0
    assert [tuple(key[1:]) for key in progress.states] == [(0, 8), (4, 0), (4, 8), (8, 0), (8, 8)]
    for state in progress.states.values():
        assert 2 <= len(state.values) <= 3
        assert state.stop.state in ("settled", "capped")
        assert [entry.repeat for entry in state.entries] == list(range(len(state.entries)))
        assert [entry.split for entry in state.entries] == [0, 1, 0][: len(state.entries)]
    [skipped] = study.skipped
    assert tuple(skipped.key[1:]) == (0, 0) and "nothing to train on" in skipped.why


def test_training_on_renders_is_done_once_for_all_real_counts(data: Path, finished: Path) -> None:
    entries = read_ledger(finished).entries
    renders_only = {entry.run_id: entry for entry in entries if not entry.real}
    mixed = [entry for entry in entries if entry.real and entry.synthetic]
    assert mixed
    for entry in mixed:
        assert entry.started_from is not None
        assert renders_only[entry.started_from].repeat == entry.repeat
    # Weights stay only where others start from them.
    kept = {path.parent.name for path in (finished / RUNS).glob("*/best.pt")}
    assert kept == {name[:16] for name in renders_only}


def test_pictures_show_the_same_images_for_every_model(data: Path, finished: Path) -> None:
    pictures = [read_depicted(file) for file in sorted((finished / PICTURES).glob("*.npz"))]
    assert len(pictures) == 4
    for picture in pictures:
        assert picture.names == pictures[0].names and len(picture.names) == 2
        assert picture.predicted.shape == picture.truth.shape == (2, 2, 16, 16)
        assert picture.truth.any() and not (picture.truth & picture.ignored[:, None]).any()


class _Killed(BaseException):
    """What no handler of the study catches."""


class _Killer(Silent):
    def __init__(self, steps: int) -> None:
        self.left = steps

    def on_step(self, progress: Any, phase: Any) -> None:
        self.left -= 1
        if not self.left:
            raise _Killed


def test_pictures_may_be_asked_for_when_all_is_done(data: Path, tmp_path: Path) -> None:
    few = {"real_counts": [4], "synthetic_counts": [0], "keep_weights": True}
    conduct(supplement(data, **few, qualitative=None), tmp_path)
    assert not (tmp_path / PICTURES).exists()
    figure = {"real": [4], "synthetic": 8, "images": 2}
    outcome = conduct(supplement(data, **few, qualitative=figure), tmp_path)
    assert outcome.runs_here == 0
    (file,) = (tmp_path / PICTURES).iterdir()
    assert len(read_depicted(file).names) == 2


def test_pictures_that_were_asked_for_too_late_are_told_and_made_again(
    data: Path, tmp_path: Path
) -> None:
    few = {"real_counts": [4], "synthetic_counts": [0]}
    conduct(supplement(data, **few, qualitative=None), tmp_path)
    before = facts(tmp_path)
    study = supplement(data, **few, qualitative={"real": [4], "synthetic": 8, "images": 2})
    told: list[str] = []
    assert conduct(study, tmp_path, Conditions(tell=told.append)).runs_here == 0
    [line] = told
    assert "Fig. 5" in line and "4 real + 0 synthetic" in line and "--remake-weights" in line
    assert not (tmp_path / PICTURES).exists()
    told.clear()
    again = conduct(study, tmp_path, Conditions(tell=told.append, remake_weights=True))
    assert again.runs_here == 1 and not told
    [file] = (tmp_path / PICTURES).iterdir()
    assert len(read_depicted(file).names) == 2
    assert facts(tmp_path) == before and not list(tmp_path.glob(f"{RUNS}/*/best.pt"))
    assert not conduct(study, tmp_path, Conditions(remake_weights=True)).runs_here


def test_pictures_follow_the_number_of_images(data: Path, tmp_path: Path) -> None:
    def shown(images: int) -> tuple[str, ...]:
        few = {"real_counts": [4], "synthetic_counts": [0], "keep_weights": True}
        figure = {"real": [4], "synthetic": 8, "images": images}
        conduct(supplement(data, **few, qualitative=figure), tmp_path)
        [file] = (tmp_path / PICTURES).iterdir()
        return read_depicted(file).names

    two, three = shown(2), shown(3)
    assert (len(two), len(three)) == (2, 3) and set(two) < set(three)
    [file] = (tmp_path / PICTURES).iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert shown(3) == three
    for weights in (tmp_path / RUNS).glob("*/best.pt"):
        weights.unlink()
    # Fewer of those that are there need no weights.
    [one] = shown(1)
    assert one in two


def test_a_study_that_is_cut_off_in_a_run_goes_on_to_the_same_ledger(
    data: Path, finished: Path, tmp_path: Path
) -> None:
    study = supplement(data)
    with pytest.raises(_Killed):
        conduct(study, tmp_path, Conditions(observer=_Killer(5)))
    assert len(facts(tmp_path)) < len(facts(finished))
    outcome = conduct(study, tmp_path)
    assert outcome.progress.finished
    assert facts(tmp_path) == facts(finished)


def _work(data: Path, out: Path) -> None:
    import torch

    torch.set_num_threads(1)
    conduct(supplement(data), out)


@pytest.mark.parametrize("written", [False, True])
def test_a_kill_about_the_time_of_a_line_leaves_no_weights(
    written: bool, data: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few: dict[str, Any] = {"real_counts": [4], "synthetic_counts": [0]}
    study = supplement(data, **few, qualitative={"real": [4], "synthetic": 8, "images": 2})

    def killed(out: Path, line: Entry) -> None:
        if written:
            append(out, line)
        raise _Killed

    with monkeypatch.context() as patch, pytest.raises(_Killed):
        patch.setattr("clearcoat.studies.work.append", killed)
        conduct(study, tmp_path)
    assert len(read_ledger(tmp_path).entries) == written
    told: list[str] = []
    assert conduct(study, tmp_path, Conditions(tell=told.append)).ended_by == "finished"
    assert not list(tmp_path.glob(f"{RUNS}/*/best.pt"))
    assert len(list((tmp_path / PICTURES).iterdir())) == 1 and not told
    assert facts(tmp_path).items() <= facts(finished).items()


def test_a_study_whose_process_is_killed_goes_on_to_the_same_ledger(
    data: Path, finished: Path, tmp_path: Path
) -> None:
    worker = multiprocessing.get_context("fork").Process(target=_work, args=(data, tmp_path))
    worker.start()
    while len(read_ledger(tmp_path).entries) < 3:
        assert worker.is_alive()
        time.sleep(0.01)
    worker.kill()
    worker.join()
    # It died with a claim in its hands, somewhere between two lines of the ledger.
    assert len(facts(tmp_path)) < len(facts(finished))
    assert conduct(supplement(data), tmp_path).progress.finished
    assert facts(tmp_path) == facts(finished)


def test_a_corrupt_line_is_named_and_its_run_done_again(
    data: Path, finished: Path, tmp_path: Path
) -> None:
    lines = (finished / "ledger.jsonl").read_text().splitlines()
    lines[2] = lines[2][: len(lines[2]) // 2]
    # And the last one was being written when the power failed.
    (tmp_path / "ledger.jsonl").write_text("\n".join(lines)[:-40])
    told: list[str] = []
    conduct(supplement(data), tmp_path, Conditions(tell=told.append))
    assert any("ledger.jsonl:3 " in text for text in told)
    assert any(f"ledger.jsonl:{len(lines)} " in text for text in told)
    assert facts(tmp_path) == facts(finished)


@pytest.mark.parametrize("damaged", [b'{"kind": []}', b"[" * 100_000, b"[]", b"7", b"\xff\0"])
def test_a_line_of_whatever_content_is_passed_over(
    damaged: bytes, finished: Path, tmp_path: Path
) -> None:
    lines = (finished / "ledger.jsonl").read_bytes()
    (tmp_path / "ledger.jsonl").write_bytes(damaged + b"\n" + lines)
    ledger = read_ledger(tmp_path)
    assert ledger.entries == read_ledger(finished).entries
    [complaint] = ledger.complaints
    assert "ledger.jsonl:1 is no ledger line" in complaint


def test_a_run_that_diverges_is_written_down_and_not_tried_for_ever(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = supplement(data, real_counts=[4], synthetic_counts=[0], qualitative=None)

    def diverge(*_: Any, **__: Any) -> None:
        raise DivergedError("the training loss is no longer a finite number", where="step 1")

    with monkeypatch.context() as patch:
        patch.setattr("clearcoat.studies.work.run_training", diverge)
        outcome = conduct(study, tmp_path)
    [state] = outcome.progress.states.values()
    assert state.stop.state == "capped" and state.values == []
    assert "finite" in (state.entries[0].failed or "")
    ledger = read_ledger(tmp_path)
    assert len(plan(study, ledger.to_retry().entries).next) == 2
    # What was tried again and failed again is not next once more.
    tried = [failed.run_id for failed in ledger.entries]
    assert not plan(study, ledger.to_retry(tried).entries).next
    retried = conduct(study, tmp_path, Conditions(retry_failed=True))
    [state] = retried.progress.states.values()
    assert len(state.values) >= 2


def test_an_error_says_in_which_cell_it_is(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise UsageError("no pixel of these images is labelled", where="photos")

    monkeypatch.setattr("clearcoat.studies.work.run_training", refuse)
    study = supplement(data, real_counts=[4], synthetic_counts=[0], qualitative=None)
    with pytest.raises(UsageError, match=r"^4 real \+ 0 synthetic, repeat 0: no pixel") as raised:
        conduct(study, tmp_path)
    assert raised.value.where == "photos"


def test_other_data_leave_the_lines_of_the_first_uncounted(
    data: Path, finished: Path, tmp_path: Path
) -> None:
    lines = (finished / "ledger.jsonl").read_bytes()
    (tmp_path / "ledger.jsonl").write_bytes(lines)
    progress = plan(supplement(data, test_count=5), read_ledger(tmp_path).entries)
    assert progress.foreign == len(lines.splitlines())
    assert all(not state.entries for state in progress.states.values())


def test_a_transfer_study_trains_the_base_once(data: Path, tmp_path: Path) -> None:
    study = transfer(data)
    outcome = conduct(study, tmp_path)
    entries: dict[str, Entry] = {e.arm: e for e in read_ledger(tmp_path).entries}
    assert set(entries) == {
        "base", "control", "control, mix", "synth-random, trainable", "synth-random, frozen",
        "synth-synth, trainable", "synth-synth, frozen", "W-net synth",
    }  # fmt: skip
    base = entries["base"].run_id
    assert {a for a, e in entries.items() if e.started_from == base} == {
        name for name in entries if name.startswith(("synth", "W-net"))
    }
    assert entries["synth-random, frozen"].trainable < entries["synth-random, trainable"].trainable
    # Without the weights of ImageNet their arms are named, not forgotten.
    assert {cell.key.arm for cell in study.skipped} == {
        "VGG19-random, trainable", "VGG19-random, frozen", "VGG19-synth, trainable",
        "VGG19-synth, frozen", "W-net VGG19",
    }  # fmt: skip
    assert outcome.progress.finished


def test_a_folder_holds_one_kind_of_study(data: Path, finished: Path) -> None:
    before = (finished / STUDY).read_bytes()
    with pytest.raises(UsageError, match="belongs to a supplement study") as raised:
        conduct(transfer(data), finished)
    assert "another --out" in str(raised.value)
    assert (finished / STUDY).read_bytes() == before


@pytest.mark.parametrize("make", [supplement, transfer])
@pytest.mark.parametrize(
    ("files", "what"),
    [
        (["dataset.json"], "a data set"),
        (["config.json", "curve.jsonl"], "a training run"),
        (["journal.log"], "a search"),
    ],
)
def test_a_folder_of_something_else_is_refused(
    files: list[str], what: str, make: Callable[[Path], StudyPlan], data: Path, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match=f"the folder holds {what}") as raised:
        conduct(make(data), tmp_path)
    assert (raised.value.where, raised.value.found) == (str(tmp_path), " and ".join(files))
    assert "a folder of its own" in (raised.value.do or "")
    assert sorted(file.name for file in tmp_path.iterdir()) == files


def test_lost_weights_of_the_base_are_made_again(data: Path, tmp_path: Path) -> None:
    few = {"initialisations": ["synth-synth"], "freeze": ["trainable"], "wnet": False}
    conduct(transfer(data, mix_counts=[], **few), tmp_path)
    before = facts(tmp_path)
    [weights] = (tmp_path / RUNS).glob("*/best.pt")
    weights.unlink()
    outcome = conduct(transfer(data, mix_counts=[], real_counts=[4, 8], **few), tmp_path)
    assert outcome.progress.finished
    after = facts(tmp_path)
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()


@pytest.mark.parametrize("remake_weights", [False, True])
def test_weights_that_cannot_be_made_again_are_not_tried_for_ever(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remake_weights: bool
) -> None:
    few = {"initialisations": ["synth-synth"], "freeze": ["trainable"], "wnet": False}
    conduct(transfer(data, mix_counts=[], **few), tmp_path)
    before = facts(tmp_path)
    [weights] = (tmp_path / RUNS).glob("*/best.pt")
    weights.unlink()
    trained: list[Path] = []

    def diverge(_: Any, __: Any, folder: Path, **___: Any) -> None:
        trained.append(folder)
        assert len(trained) < 9, "it goes on for ever"
        raise DivergedError("the training loss is no longer a finite number", where="step 1")

    monkeypatch.setattr("clearcoat.studies.work.run_training", diverge)
    study = transfer(data, mix_counts=[], real_counts=[4] if remake_weights else [4, 8], **few)
    conditions = Conditions(remake_weights=remake_weights)
    if remake_weights:
        assert conduct(study, tmp_path, conditions).ended_by == "finished"
    else:
        with pytest.raises(TrainingError, match="diverges when it is trained again"):
            conduct(study, tmp_path, conditions)
    assert trained.count(weights.parent) == 1
    assert facts(tmp_path).items() >= before.items()
