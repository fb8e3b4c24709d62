"""A run's folder explains itself to people: README, pictures, event files."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcoat.dataset import Dataset
from clearcoat.errors import MissingDependencyError
from clearcoat.training import (
    RunFolder,
    Silent,
    Sources,
    TensorBoard,
    run_training,
    training_config,
)
from clearcoat.training import tensorboard as tensorboard_module
from clearcoat.training.gallery import curve_picture, ranking
from clearcoat.training.metrics import Score


@pytest.fixture(scope="module")
def run(squares: Callable[..., Dataset], tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = training_config(
        {"model": {"filters": (4, 8)}, "size": 32, "batch_size": 4, "max_steps": 12,
         "min_steps_per_epoch": 4, "learning_rate": 0.01, "precision": "fp32",
         "channels_last": "on"}
    )  # fmt: skip
    real, synthetic = squares("real", 8), squares("synthetic", 8, seed=1)
    sources = Sources(real, synthetic, None, squares("test", 5, seed=2))
    path = tmp_path_factory.mktemp("runs") / "run"
    run_training(config, sources, path, observer=TensorBoard(path / "tensorboard", Silent()))
    return path


def test_the_readme_says_what_the_metrics_say_and_links_what_is_there(run: Path) -> None:
    text = (run / "README.md").read_text()
    metrics = RunFolder(run).read_json("metrics.json")
    assert f"{metrics['test']['mean_iou']:.3f} on 5 test images" in text
    assert f"{metrics['parameters']['total']:,} parameters" in text
    assert "phase synthetic" in text and "phase real" in text
    for name in ("curve.png", "best.png", "worst.png"):
        assert f"]({name})" in text
        with Image.open(run / name) as picture:
            assert picture.width > 100


def test_best_and_worst_are_ranked_by_the_mean_over_the_classes_there() -> None:
    per_image = (((3, 0), (4, 0)), ((0, 0), (0, 0)), ((1, 4), (2, 4)), ((0, 1), (0, 4)))
    score = Score(("a", "b"), (4, 5), (6, 8), (4, 5), 4, 0.5, per_image)
    assert ranking(score) == [(0.25, 3), (0.75, 0), (0.75, 2)]


def test_a_curve_without_scores_can_be_drawn() -> None:
    line = {"phase": "real", "step": 0, "train_loss": None, "validation_loss": 1.0}
    content = curve_picture([{**line, "validation_mean_iou": None}])
    with Image.open(io.BytesIO(content)) as picture:
        assert np.asarray(picture).std() > 0


def test_event_files_hold_every_evaluation(run: Path) -> None:
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    ).EventAccumulator(str(run / "tensorboard"))
    accumulator.Reload()
    curve = [line for line in RunFolder(run).read_curve() if line["phase"] == "real"]
    events = accumulator.Scalars("real/mean IoU/validation")
    assert [event.step for event in events] == [line["images_seen"] for line in curve]
    assert [event.value for event in events] == pytest.approx(
        [line["validation_mean_iou"] for line in curve]
    )


def test_tensorboard_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard_module, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError) as caught:
        TensorBoard(tmp_path, Silent())
    assert "clearcoat[tensorboard]" in str(caught.value)
