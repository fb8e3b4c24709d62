"""A run that was cut off goes on bit for bit, wherever that was."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clearcoat.dataset import Dataset
from clearcoat.training import (
    RunFolder,
    Silent,
    Sources,
    StoppedError,
    TrainingConfig,
    run,
    run_training,
)

from .conftest import MakeDataset
from .tiny import Interrupt, same_weights, tiny_config, weights_of

_ways_of_training = pytest.mark.parametrize(
    "changes",
    [
        {"mix": "concatenate", "augment": {"scale": (0.8, 1.2), "noise": 0.05}},
        {"mix": "balanced", "ema_decay": 0.9, "schedule": "cosine"},
        {"mix": "sequential", "weight_decay": 0.01, "clip_norm": 0.5},
        {
            "mix": "concatenate",
            "schedule": "plateau",
            "plateau_epochs": 1,
            "class_weights": "balanced",
            "subset": "independent",
            "precision": "bf16",
        },
        {"mix": "sequential", "self_training": {"confidence": 0.55, "max_steps": 6}},
    ],
    ids=["concatenate", "balanced", "sequential", "plateau", "self-training"],
)


@pytest.fixture(scope="module")
def unlabelled(squares: MakeDataset) -> Dataset:
    return squares("unlabelled", 8, seed=5)


def _with(sources: Sources, unlabelled: Dataset, config: TrainingConfig) -> Sources:
    return sources if config.self_training is None else replace(sources, unlabelled=unlabelled)


@_ways_of_training
def test_going_on_after_an_interruption_gives_the_same_bits(
    changes: dict[str, Any], sources: Sources, unlabelled: Dataset, tmp_path: Path
) -> None:
    config = tiny_config(**changes)
    sources = _with(sources, unlabelled, config)
    whole = run_training(config, sources, tmp_path / "whole")
    cut = tmp_path / "cut"
    evaluations = len(RunFolder(tmp_path / "whole").read_curve())
    assert evaluations >= 3
    # Interrupted twice: once before a checkpoint has anything to say, once in the middle.
    for after in (1, 1):
        with pytest.raises(KeyboardInterrupt):
            run_training(config, sources, cut, observer=Interrupt(after), checkpoint_every_s=0)
        assert not RunFolder(cut).finished
    resumed = run_training(config, sources, cut, checkpoint_every_s=0)
    assert same_weights(weights_of(tmp_path / "whole"), weights_of(cut))
    assert resumed["test"] == whole["test"]
    assert _curve(tmp_path / "whole") == _curve(cut)
    assert len(_curve(cut)) == evaluations
    assert not RunFolder(cut).has("last.pt")


def _curve(run: Path) -> list[dict[str, Any]]:
    """Return the evaluations of a run, without what the clock says."""
    return [
        {k: v for k, v in line.items() if k != "train_s"} for line in RunFolder(run).read_curve()
    ]


@_ways_of_training
def test_stopping_after_every_step_gives_the_same_bits(
    changes: dict[str, Any], sources: Sources, unlabelled: Dataset, tmp_path: Path
) -> None:
    config = tiny_config(**changes)
    sources = _with(sources, unlabelled, config)
    whole = run_training(config, sources, tmp_path / "whole")
    cut, resumed = tmp_path / "cut", None
    steps = 0
    while resumed is None:
        try:
            resumed = run_training(config, sources, cut, stop=lambda: True)
        except StoppedError:
            steps += 1
            progress = RunFolder(cut).read_progress()
            # No step is lost, in the middle of an epoch as little as before its evaluation.
            assert progress is not None and progress["images_seen"] == 4 * steps
    assert steps == whole["steps"]
    assert same_weights(weights_of(tmp_path / "whole"), weights_of(cut))
    assert (resumed["test"], resumed["phases"]) == (whole["test"], whole["phases"])
    assert _curve(tmp_path / "whole") == _curve(cut)
    assert RunFolder(cut).read_progress() is None


def test_a_kill_after_the_last_step_gives_the_same_bits(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_config(mix="sequential")
    whole = run_training(config, sources, tmp_path / "whole")

    def curve_alone(self: Any, line: dict[str, Any]) -> None:
        self.folder.append_curve(line)

    class LastCheckpointInTheFirstPhase(Silent):
        """The second phase is then trained again from what that checkpoint holds."""

        def on_phase(self, phase: Any, number: int, count: int) -> None:
            if number:
                place = "clearcoat.training.run._Checkpoints.after_evaluation"
                patch.setattr(place, curve_alone)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("clearcoat.training.run.write_gallery", killed)
        with pytest.raises(KeyboardInterrupt):
            run_training(
                config,
                sources,
                tmp_path / "cut",
                observer=LastCheckpointInTheFirstPhase(),
                checkpoint_every_s=0,
            )
    assert RunFolder(tmp_path / "cut").has("best.pt")
    resumed = run_training(config, sources, tmp_path / "cut")
    assert same_weights(weights_of(tmp_path / "whole"), weights_of(tmp_path / "cut"))
    assert resumed["phases"] == whole["phases"]


def test_a_checkpoint_of_an_earlier_version_is_gone_on_with(
    sources: Sources, tmp_path: Path
) -> None:
    config = tiny_config()
    whole = run_training(config, sources, tmp_path / "whole")
    cut = RunFolder(tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        run_training(config, sources, cut.path, observer=Interrupt(1), checkpoint_every_s=0)
    saved = cut.read_tensors("last.pt")
    cut.write_tensors("best.pt", {"model": saved.pop("best")})
    cut.write_tensors("last.pt", saved)
    assert run_training(config, sources, cut.path)["test"] == whole["test"]


def test_a_run_begun_on_a_gpu_goes_on_without_one(sources: Sources, tmp_path: Path) -> None:
    config = tiny_config(real_count=0)
    cut = RunFolder(tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        run_training(config, sources, cut.path, observer=Interrupt(1), checkpoint_every_s=0)
    saved = cut.read_tensors("last.pt")
    saved["how"] |= {"cuda_graphs": True, "compile": True}
    cut.write_tensors("last.pt", saved)
    computing = run_training(config, sources, cut.path)["computing"]
    assert (computing["cuda_graphs"], computing["compile"]) == (False, False)


def test_what_a_kill_left_half_written_is_cleared_away(sources: Sources, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    # Of a process that is gone: numbers do not go that far.
    left = f".writing-{socket.gethostname()}-999999999-{'0' * 32}"
    (run / left).write_bytes(b"half")
    run_training(tiny_config(), sources, run)
    assert not (run / left).exists()
    (run / "last.pt").write_bytes(b"left by a kill after the result was written")
    assert RunFolder(run).read_progress() is None
    run_training(tiny_config(), sources, run)
    assert not (run / "last.pt").exists()


@pytest.mark.parametrize(
    "before",
    [{"wall_s": 1000.0}, {"train_s": 700.0, "validation_s": 300.0}],
    ids=["now", "earlier"],
)
def test_the_time_of_a_run_is_that_of_all_its_sessions(
    before: dict[str, float], sources: Sources, tmp_path: Path
) -> None:
    cut = RunFolder(tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        run_training(tiny_config(), sources, cut.path, observer=Interrupt(2), checkpoint_every_s=0)
    saved = cut.read_tensors("last.pt")
    # Earlier versions kept no wall time.
    assert saved["progress"].pop("wall_s") > 0
    saved["progress"] |= before
    cut.write_tensors("last.pt", saved)
    assert run_training(tiny_config(), sources, cut.path)["wall_s"] > 1000


def test_a_run_of_two_machines_has_the_times_of_neither(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr(run, "device_name", lambda device: "one machine")
    config = tiny_config(mix="balanced", precision="auto")
    with pytest.raises(KeyboardInterrupt):
        run_training(config, sources, out, observer=Interrupt(after=1), checkpoint_every_s=0)
    measured = RunFolder(out).read_json("environment.json")["probe"]
    assert measured["images_per_s"]
    monkeypatch.setattr(run, "device_name", lambda device: "another")
    metrics = run_training(config, sources, out)
    assert metrics["exclusive"] is None
    [note] = [note for note in metrics["notes"] if "trained in turn" in note]
    assert "one machine with 1 threads and another with 1 threads" in note
    # What was measured when the run began still stands there.
    assert RunFolder(out).read_json("environment.json")["probe"] == measured
