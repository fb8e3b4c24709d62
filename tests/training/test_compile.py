"""`--compile on` trains the same model; it needs a C++ compiler and a minute."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from clearcoat.dataset import Dataset
from clearcoat.training import Sources, load_model, run_training, training_config


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_run_ends_where_a_plain_one_does(
    squares: Callable[..., Dataset], tmp_path: Path
) -> None:
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        pytest.skip("no C++ compiler")
    sources = Sources(squares("real", 8))
    losses, keys = [], []
    for choice in ("off", "on"):
        config = training_config(
            {"model": {"filters": (4, 8), "dropout": 0.0}, "size": 16, "batch_size": 4,
             "max_steps": 4, "min_steps_per_epoch": 2, "precision": "fp32",
             "channels_last": "on", "compile": choice}
        )  # fmt: skip
        metrics = run_training(config, sources, tmp_path / choice)
        assert metrics["computing"]["compile"] is (choice == "on")
        losses.append(metrics["validation"]["loss"])
        keys.append(list(load_model(tmp_path / choice)[0].state_dict()))
    # Not weight by weight: a bias before batch norm has no gradient but rounding, whose sign Adam
    # makes a step of.
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert keys[0] == keys[1]
