"""A training of nine steps, and a way to cut it off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from clearcoat.training import Silent, TrainingConfig, load_model, training_config


def tiny_config(**changes: Any) -> TrainingConfig:
    """Nine steps of a U-Net with three levels."""
    values: dict[str, Any] = {
        "model": {"filters": (4, 8, 16)},
        "size": 32,
        "batch_size": 4,
        "min_steps_per_epoch": 3,
        "max_steps": 9,
        "precision": "fp32",
        "channels_last": "on",
    }
    return training_config(values | changes)


class Interrupt(Silent):
    """Raises after some evaluations, as a kill would."""

    def __init__(self, after: int) -> None:
        self.left = after

    def on_step(self, progress: Any, phase: Any) -> None:
        if self.left <= 0:
            raise KeyboardInterrupt

    def on_evaluation(self, line: dict[str, Any]) -> None:
        self.left -= 1


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    """Return the weights of a finished run."""
    return load_model(run)[0].state_dict()


def same_weights(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of weights are the same bit for bit."""
    return all(torch.equal(first[key], second[key]) for key in first)
