"""Runs: they learn, repeat, and say what ran."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.errors import OccupiedError, RunError, TrainingError
from clearcoat.training import (
    Predictor,
    RunFolder,
    Silent,
    Sources,
    find_loss,
    load_model,
    pack,
    run_training,
    score_model,
)
from clearcoat.training.environment import Occupancy

from .tiny import Interrupt, same_weights, tiny_config, weights_of

Make = Callable[..., Dataset]


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy_dice"])
def test_a_small_model_learns_the_squares(loss: str, sources: Sources, tmp_path: Path) -> None:
    config = tiny_config(
        loss=loss, mix="concatenate", learning_rate=0.02, max_steps=120, min_steps_per_epoch=30
    )
    metrics = run_training(config, sources, tmp_path / "run")
    assert metrics["test"]["mean_iou"] > 0.8
    # The whole way from file to probabilities agrees with the score.
    assert sources.test is not None
    predictor = Predictor(tmp_path / "run", device="cpu")
    image, labels = sources.test.image(0), sources.test.labels(0)
    found = predictor(image) >= 0.5
    truth = labels.planes(2)
    counted = ~labels.ignore()
    assert (found == truth)[:, counted].mean() > 0.98


def test_predictions_have_the_size_of_the_image(sources: Sources, tmp_path: Path) -> None:
    run_training(tiny_config(), sources, tmp_path / "run")
    predictor = Predictor(tmp_path / "run", device="cpu")
    image = np.zeros((21, 50, 3), np.uint8)
    probabilities = predictor(image)
    assert probabilities.shape == (2, 21, 50)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all() and (probabilities <= 1).all()


def test_weights_of_classes_do_not_change_the_loss_that_is_told(
    sources: Sources, tmp_path: Path
) -> None:
    config = tiny_config(class_weights={"bright": 50.0})
    metrics = run_training(config, sources, tmp_path / "run")
    model, _, _ = load_model(tmp_path / "run")
    assert sources.test is not None
    images = pack(sources.test, sources.test.indices, config.size)
    loss, _ = score_model(model, images, find_loss(config.loss))
    assert metrics["test"]["loss"] == pytest.approx(loss, rel=1e-5)


def test_a_side_without_its_opposite_is_noted(squares: Make, tmp_path: Path) -> None:
    sources = Sources(real=squares("photos", 8, classes=("left_lamp", "dark")))
    notes = run_training(tiny_config(), sources, tmp_path / "flip")["notes"]
    assert any("left_lamp" in note and "--augment none" in note for note in notes)
    unflipped = tiny_config(augment={"flip": False})
    assert not run_training(unflipped, sources, tmp_path / "none")["notes"]


def test_streamed_images_give_the_same_bits(sources: Sources, tmp_path: Path) -> None:
    config = tiny_config(mix="balanced", augment={"scale": (0.8, 1.2), "noise": 0.05})
    for residence in ("device", "stream"):
        run_training(config, sources, tmp_path / residence, residence=residence)  # type: ignore[arg-type]
    assert same_weights(weights_of(tmp_path / "device"), weights_of(tmp_path / "stream"))
    tests = [RunFolder(tmp_path / name).read_json("metrics.json") for name in ("device", "stream")]
    assert tests[0]["test"] == tests[1]["test"]


def test_one_process_trains_in_a_folder_at_a_time(sources: Sources, tmp_path: Path) -> None:
    class Second(Silent):
        says = ""

        def on_step(self, progress: Any, phase: Any) -> None:
            if not self.says:
                with pytest.raises(OccupiedError) as caught:
                    run_training(tiny_config(), sources, tmp_path / "run")
                self.says = str(caught.value)

    second = Second()
    run_training(tiny_config(), sources, tmp_path / "run", observer=second)
    assert "another process is training in this folder" in second.says


@pytest.mark.parametrize(
    ("answers", "together"), [([True, True], True), ([False, True], False), ([None, True], None)]
)
def test_exclusive_means_all_sessions(
    answers: list[bool | None],
    together: bool | None,
    sources: Sources,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = tmp_path / "run"
    monkeypatch.setattr(Occupancy, "_processors_were_ours", lambda self: answers[0])
    with pytest.raises(KeyboardInterrupt):
        run_training(tiny_config(), sources, run, observer=Interrupt(2), checkpoint_every_s=0)
    monkeypatch.setattr(Occupancy, "_processors_were_ours", lambda self: answers[1])
    metrics = run_training(tiny_config(), sources, run, checkpoint_every_s=0)
    assert metrics["exclusive"] is together


def test_a_full_disk_is_one_error_and_the_run_goes_on_afterwards(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_training(tiny_config(), sources, tmp_path / "whole")
    run = tmp_path / "run"

    class Full(Silent):
        def on_step(self, progress: Any, phase: Any) -> None:
            if progress.step == 6:
                monkeypatch.setattr(os, "fsync", refuse)

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(RunError, match="cannot write") as caught:
        run_training(tiny_config(), sources, run, observer=Full(), checkpoint_every_s=0)
    assert "No space left" in str(caught.value) and "go on" in str(caught.value)
    monkeypatch.undo()
    assert len(RunFolder(run).read_curve()) >= 2
    assert not list(run.glob(".writing-*"))
    assert run_training(tiny_config(), sources, run)["test"] == whole["test"]


def test_a_loss_that_is_no_number_leaves_a_run_that_can_be_read(
    sources: Sources, tmp_path: Path
) -> None:
    config = tiny_config(learning_rate=1e30, mix="balanced")
    with pytest.raises(TrainingError, match="no longer a finite number") as caught:
        run_training(config, sources, tmp_path / "run", checkpoint_every_s=0)
    assert "--clip-norm" in str(caught.value)
    folder = RunFolder(tmp_path / "run")
    assert not folder.finished
    assert [line["step"] for line in folder.read_curve()] == [0]
    assert folder.read_json("config.json")["config"]["learning_rate"] == 1e30


def test_clipping_shortens_the_step(sources: Sources, tmp_path: Path) -> None:
    for name, norm in (("off", None), ("on", 1e-3)):
        run_training(tiny_config(clip_norm=norm), sources, tmp_path / name)
    assert not same_weights(weights_of(tmp_path / "off"), weights_of(tmp_path / "on"))


def test_independent_subsets_are_not_nested(sources: Sources, tmp_path: Path) -> None:
    images = {}
    for count in (5, 8):
        out = tmp_path / str(count)
        run_training(tiny_config(real_count=count, max_steps=3, subset="independent"), sources, out)
        images[count] = json.loads((out / "config.json").read_text())["images"]
    assert images[5]["held_back"] == images[8]["held_back"]
    assert not set(images[5]["real"]) <= set(images[8]["real"])


def test_the_seed_decides_everything(sources: Sources, tmp_path: Path) -> None:
    for number, (name, seed) in enumerate((("a", 0), ("b", 0), ("c", 1))):
        torch.manual_seed(number)
        run_training(tiny_config(seed=seed), sources, tmp_path / name)
    assert same_weights(weights_of(tmp_path / "a"), weights_of(tmp_path / "b"))
    assert not same_weights(weights_of(tmp_path / "a"), weights_of(tmp_path / "c"))


def test_training_leaves_the_callers_random_numbers_alone(sources: Sources, tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run_training(tiny_config(), sources, tmp_path / "run")
    assert torch.equal(torch.rand(3), expected)


def test_patience_ends_a_run_and_the_best_weights_come_back(
    sources: Sources, tmp_path: Path
) -> None:
    # A rate this small changes nothing, apart from the noise of batch norm.
    config = tiny_config(learning_rate=1e-9, patience_epochs=2, max_steps=None, max_epochs=50)
    metrics = run_training(config, sources, tmp_path / "run")
    (first, *_, last) = metrics["phases"]
    assert last["stopped_by"] == "patience"
    assert last["epochs"] < 50
    assert first["name"] == "synthetic"
    curve = RunFolder(tmp_path / "run").read_curve()
    best = min(line["validation_loss"] for line in curve if line["phase"] == "real")
    assert metrics["validation"]["loss"] == pytest.approx(best, rel=1e-6)


def test_subsets_are_nested_and_apart_from_what_stops_and_scores(
    sources: Sources, tmp_path: Path
) -> None:
    images = {}
    for count in (4, 8):
        out = tmp_path / str(count)
        run_training(tiny_config(real_count=count, max_steps=3), sources, out)
        images[count] = json.loads((out / "config.json").read_text())["images"]
    small, large = images[4], images[8]
    assert set(small["real"]) < set(large["real"])
    assert small["held_back"] == large["held_back"]
    assert not set(large["real"]) & set(large["held_back"]["real"])
    assert not set(large["synthetic"]) & set(large["held_back"]["synthetic"])


def test_metrics_say_what_ran(sources: Sources, tmp_path: Path) -> None:
    metrics = run_training(tiny_config(mix="sequential"), sources, tmp_path / "run")
    assert metrics["images"]["real"] == 11
    assert metrics["images"]["synthetic"] == 19
    assert [phase["name"] for phase in metrics["phases"]] == ["synthetic", "real"]
    assert metrics["steps"] == 18
    assert metrics["images_seen"] == 18 * 4
    assert metrics["seconds_per_image_epoch"] > 0
    assert metrics["exclusive"] in (True, False, None)
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == metrics
    assert (tmp_path / "run" / "environment.json").is_file()


def test_notes_tell_of_overlaps_and_of_classes_never_shown(squares: Make, tmp_path: Path) -> None:
    plain = squares("plain", 4, classes=("bright", "dark", "unheard"))
    metrics = run_training(tiny_config(), Sources(plain), tmp_path / "plain")
    assert metrics["notes"] == ["no training image shows unheard"]
    writer = DatasetWriter.create(tmp_path / "both", ("a", "b"), {})
    planes = np.zeros((2, 32, 32), dtype=np.bool_)
    planes[0, :16], planes[1, 8:16] = True, True
    for index in range(4):
        image = np.zeros((32, 32, 3), np.uint8)
        writer.write(Record(index=index, image=image, labels=LabelRaster.from_planes(planes)))
    both = Sources(Dataset.open(tmp_path / "both"))
    (note,) = run_training(tiny_config(), both, tmp_path / "softmax")["notes"]
    assert note.startswith("50.0% of the labelled pixels have several classes")
    config = tiny_config(loss="binary_cross_entropy_dice")
    assert run_training(config, both, tmp_path / "sigmoid")["notes"] == []


def test_no_real_images_stop_on_real_photos_or_on_renders(sources: Sources, tmp_path: Path) -> None:
    with_photos = run_training(tiny_config(real_count=0), sources, tmp_path / "a")
    assert with_photos["validation"]["on"] == "real"
    alone = run_training(tiny_config(), Sources(synthetic=sources.synthetic), tmp_path / "b")
    assert alone["validation"]["on"] == "synthetic"
    assert alone["images"]["real"] == 0


def test_paper_mode_stops_on_the_scored_images(sources: Sources, tmp_path: Path) -> None:
    metrics = run_training(tiny_config(mode="paper", mix="balanced"), sources, tmp_path / "run")
    assert metrics["images"]["real"] == 12
    assert metrics["validation"]["loss"] == metrics["test"]["loss"]


def test_a_pretrained_run_is_where_another_starts(sources: Sources, tmp_path: Path) -> None:
    base = tmp_path / "base"
    run_training(tiny_config(real_count=0), sources, base)
    config = tiny_config(synthetic_count=0, learning_rate=1e-9, max_steps=3)
    tuned = run_training(config, sources, tmp_path / "tuned", init=base)
    assert [phase["name"] for phase in tuned["phases"]] == ["real"]
    before = json.loads((tmp_path / "tuned" / "config.json").read_text())["before"]
    base_images = json.loads((base / "metrics.json").read_text())["images"]
    assert before["run"] == "base"
    assert before["real"] == 0
    assert before["synthetic"] == base_images["synthetic"] > 0
    assert before["steps"] > 0
    kernels = [
        [v for k, v in weights_of(run).items() if k.endswith("weight") and v.ndim == 4]
        for run in (base, tmp_path / "tuned")
    ]
    for before, after in zip(*kernels, strict=True):
        torch.testing.assert_close(before, after, atol=1e-6, rtol=0)


def test_a_finished_run_is_not_trained_again(sources: Sources, tmp_path: Path) -> None:
    first = run_training(tiny_config(), sources, tmp_path / "run")
    again = run_training(tiny_config(), sources, tmp_path / "run", observer=Interrupt(0))
    assert again == first
