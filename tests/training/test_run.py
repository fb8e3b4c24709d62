"""Runs: they learn, repeat, go on bit for bit, and refuse what does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.errors import ClearcoatError, DatasetError, RunError, TrainingError, UsageError
from clearcoat.training import (
    Predictor,
    RunFolder,
    Silent,
    Sources,
    TrainingConfig,
    load_model,
    run_training,
    training_config,
)

TINY: dict[str, Any] = {
    "model": {"filters": (4, 8, 16)},
    "size": 32,
    "batch_size": 4,
    "min_steps_per_epoch": 3,
    "max_steps": 9,
    "precision": "fp32",
}
Make = Callable[..., Dataset]


@pytest.fixture(scope="module")
def sources(squares: Make) -> Sources:
    return Sources(
        real=squares("real", 12, seed=1),
        synthetic=squares("synthetic", 20, seed=2),
        test=squares("test", 4, seed=3),
    )


def _config(**changes: Any) -> TrainingConfig:
    return training_config({**TINY, **changes})


def _weights(run: Path) -> dict[str, torch.Tensor]:
    return load_model(run)[0].state_dict()


def _same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[key], second[key]) for key in first)


class _Interrupt(Silent):
    """Raises after some evaluations, as a kill would."""

    def __init__(self, after: int) -> None:
        self.left = after

    def on_step(self, progress: Any, phase: Any) -> None:
        if self.left <= 0:
            raise KeyboardInterrupt

    def on_evaluation(self, line: dict[str, Any]) -> None:
        self.left -= 1


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy_dice"])
def test_a_small_model_learns_the_squares(loss: str, sources: Sources, tmp_path: Path) -> None:
    config = _config(loss=loss, learning_rate=0.01, max_steps=150, min_steps_per_epoch=25)
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
    run_training(_config(), sources, tmp_path / "run")
    predictor = Predictor(tmp_path / "run", device="cpu")
    image = np.zeros((21, 50, 3), np.uint8)
    probabilities = predictor(image)
    assert probabilities.shape == (2, 21, 50)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all() and (probabilities <= 1).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"mix": "concatenate", "augment": {"scale": (0.8, 1.2), "noise": 0.05}},
        {"mix": "balanced", "ema_decay": 0.9, "schedule": "cosine"},
        {"mix": "sequential", "weight_decay": 0.01},
    ],
    ids=lambda changes: str(changes["mix"]),
)
@pytest.mark.parametrize("after", [1, 2, 4])
def test_going_on_after_an_interruption_gives_the_same_bits(
    changes: dict[str, Any], after: int, sources: Sources, tmp_path: Path
) -> None:
    config = _config(**changes)
    whole = run_training(config, sources, tmp_path / "whole")
    cut = tmp_path / "cut"
    evaluations = len(RunFolder(tmp_path / "whole").read_curve())
    if after < evaluations:
        with pytest.raises(KeyboardInterrupt):
            run_training(config, sources, cut, observer=_Interrupt(after), checkpoint_every_s=0)
        assert not RunFolder(cut).finished
    resumed = run_training(config, sources, cut, checkpoint_every_s=0)
    assert _same(_weights(tmp_path / "whole"), _weights(cut))
    assert resumed["test"] == whole["test"]
    curves = [
        [{k: v for k, v in line.items() if k != "train_s"} for line in RunFolder(run).read_curve()]
        for run in (tmp_path / "whole", cut)
    ]
    assert curves[0] == curves[1]
    assert len(curves[0]) == evaluations
    assert not RunFolder(cut).has("last.pt")


def test_the_seed_decides_everything(sources: Sources, tmp_path: Path) -> None:
    for number, (name, seed) in enumerate((("a", 0), ("b", 0), ("c", 1))):
        torch.manual_seed(number)
        run_training(_config(seed=seed), sources, tmp_path / name)
    assert _same(_weights(tmp_path / "a"), _weights(tmp_path / "b"))
    assert not _same(_weights(tmp_path / "a"), _weights(tmp_path / "c"))


def test_training_leaves_the_callers_random_numbers_alone(sources: Sources, tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run_training(_config(), sources, tmp_path / "run")
    assert torch.equal(torch.rand(3), expected)


def test_patience_ends_a_run_and_the_best_weights_come_back(
    sources: Sources, tmp_path: Path
) -> None:
    # A rate this small changes nothing, apart from the noise of batch norm.
    config = _config(learning_rate=1e-9, patience_epochs=2, max_steps=None, max_epochs=50)
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
        run_training(_config(real_count=count, max_steps=3), sources, out)
        images[count] = json.loads((out / "config.json").read_text())["images"]
    small, large = images[4], images[8]
    assert set(small["real"]) < set(large["real"])
    assert small["held_back"] == large["held_back"]
    assert not set(large["real"]) & set(large["held_back"]["real"])
    assert not set(large["synthetic"]) & set(large["held_back"]["synthetic"])


def test_metrics_say_what_ran(sources: Sources, tmp_path: Path) -> None:
    metrics = run_training(_config(mix="sequential"), sources, tmp_path / "run")
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
    metrics = run_training(_config(), Sources(plain), tmp_path / "plain")
    assert metrics["notes"] == ["no training image shows unheard"]
    writer = DatasetWriter.create(tmp_path / "both", ("a", "b"), {})
    planes = np.zeros((2, 32, 32), dtype=np.bool_)
    planes[0, :16], planes[1, 8:16] = True, True
    for index in range(4):
        image = np.zeros((32, 32, 3), np.uint8)
        writer.write(Record(index=index, image=image, labels=LabelRaster.from_planes(planes)))
    both = Sources(Dataset.open(tmp_path / "both"))
    (note,) = run_training(_config(), both, tmp_path / "softmax")["notes"]
    assert note.startswith("50.0% of the labelled pixels have several classes")
    config = _config(loss="binary_cross_entropy_dice")
    assert run_training(config, both, tmp_path / "sigmoid")["notes"] == []


def test_no_real_images_stop_on_real_photos_or_on_renders(sources: Sources, tmp_path: Path) -> None:
    with_photos = run_training(_config(real_count=0), sources, tmp_path / "a")
    assert with_photos["validation"]["on"] == "real"
    alone = run_training(_config(), Sources(synthetic=sources.synthetic), tmp_path / "b")
    assert alone["validation"]["on"] == "synthetic"
    assert alone["images"]["real"] == 0


def test_paper_mode_stops_on_the_scored_images(sources: Sources, tmp_path: Path) -> None:
    metrics = run_training(_config(mode="paper", mix="balanced"), sources, tmp_path / "run")
    assert metrics["images"]["real"] == 12
    assert metrics["validation"]["loss"] == metrics["test"]["loss"]


def test_a_pretrained_run_is_where_another_starts(sources: Sources, tmp_path: Path) -> None:
    base = tmp_path / "base"
    run_training(_config(real_count=0), sources, base)
    config = _config(mix="sequential", learning_rate=1e-9, max_steps=3)
    tuned = run_training(config, sources, tmp_path / "tuned", init=base)
    assert [phase["name"] for phase in tuned["phases"]] == ["real"]
    before = json.loads((tmp_path / "tuned" / "config.json").read_text())["before"]
    base_images = json.loads((base / "metrics.json").read_text())["images"]
    assert before["run"] == "base"
    assert before["real"] == 0
    assert before["synthetic"] == base_images["synthetic"] > 0
    assert before["steps"] > 0
    kernels = [
        [v for k, v in _weights(run).items() if k.endswith("weight") and v.ndim == 4]
        for run in (base, tmp_path / "tuned")
    ]
    for before, after in zip(*kernels, strict=True):
        torch.testing.assert_close(before, after, atol=1e-6, rtol=0)


def test_a_finished_run_is_not_trained_again(sources: Sources, tmp_path: Path) -> None:
    first = run_training(_config(), sources, tmp_path / "run")
    again = run_training(_config(), sources, tmp_path / "run", observer=_Interrupt(0))
    assert again == first


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"real_count": 99}, UsageError, "--real-count 11 or less"),
        ({"synthetic_count": 99}, UsageError, "--synthetic-count"),
        ({"real_count": 0, "synthetic_count": 0}, UsageError, "nothing to train on"),
        ({"validation_count": 13}, UsageError, "too few real images"),
        ({"learning_rate": 1e30, "mix": "balanced"}, TrainingError, "--learning-rate"),
        ({"max_steps": 3, "warmup_steps": 3}, UsageError, "--warmup-steps"),
        (
            {"real_count": 1, "synthetic_count": 0, "size": 8, "model": {"filters": (2, 2, 2, 2)}},
            UsageError,
            "--size 16",
        ),
    ],
)
def test_what_cannot_be_trained_is_said(
    changes: dict[str, Any],
    error: type[ClearcoatError],
    says: str,
    sources: Sources,
    tmp_path: Path,
) -> None:
    with pytest.raises(error) as caught:
        run_training(_config(**changes), sources, tmp_path / "run")
    assert says in str(caught.value)
    if error is UsageError:
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"size": 33}, "use 32"),
        ({"real_share": 0.5, "mix": "concatenate"}, "use 'balanced'"),
        ({"batch_size": 0}, "batch_size"),
        ({"lerning_rate": 1}, "lerning_rate"),
        ({"model": {"filters": (4,)}}, "two levels"),
        ({"augment": {"scale": (2, 1)}}, "smaller first"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        _config(**changes)
    assert says in str(caught.value)


def test_other_classes_are_refused_by_name(squares: Make, sources: Sources, tmp_path: Path) -> None:
    other = squares("other", 3, classes=("bright", "dim"))
    with pytest.raises(DatasetError) as caught:
        run_training(_config(), Sources(sources.real, other), tmp_path / "run")
    assert "without dark; with dim" in str(caught.value)
    swapped = squares("swapped", 3, classes=("dark", "bright"))
    with pytest.raises(DatasetError, match="other classes") as caught:
        run_training(_config(), Sources(sources.real, swapped), tmp_path / "run")
    assert "another order" in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_another_config_in_the_same_folder_is_refused(sources: Sources, tmp_path: Path) -> None:
    run_training(_config(), sources, tmp_path / "run")
    with pytest.raises(RunError) as caught:
        run_training(_config(seed=7), sources, tmp_path / "run")
    assert "config.seed = 7" in str(caught.value)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="holds no run"):
        run_training(_config(), sources, tmp_path / "full")


def test_folders_that_are_no_finished_run_are_refused(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run"):
        load_model(tmp_path)
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run_training(_config(), sources, run, observer=_Interrupt(1), checkpoint_every_s=0)
    with pytest.raises(RunError, match="not finished"):
        load_model(run)
    run_training(_config(), sources, run)
    (run / "best.pt").write_bytes((run / "best.pt").read_bytes()[:500])
    with pytest.raises(RunError, match="damaged"):
        load_model(run)


def test_weights_of_another_model_cannot_start_a_run(sources: Sources, tmp_path: Path) -> None:
    run_training(_config(), sources, tmp_path / "base")
    config = _config(model={"filters": (4, 8, 8)})
    with pytest.raises(RunError, match="another model"):
        run_training(config, sources, tmp_path / "run", init=tmp_path / "base")
