"""From a config to a model."""

from __future__ import annotations

from collections.abc import Callable

from clearcoat.errors import UsageError, did_you_mean
from clearcoat.models.config import ModelConfig
from clearcoat.models.unet import SegmentationModel, build_unet

BUILDERS: dict[str, Callable[[ModelConfig, int], SegmentationModel]] = {"unet": build_unet}
"""Model name -> function of (config, outputs per pixel)."""


def build_model(config: ModelConfig, class_count: int) -> SegmentationModel:
    """Build the model that `config` names, with `class_count` outputs per pixel.

    Weights come from PyTorch's global generator: seed it first for a repeatable model.
    Raises UsageError for an unknown name.
    """
    builder = BUILDERS.get(config.name)
    if builder is None:
        raise UsageError(f"no such model: {config.name!r}", do=did_you_mean(config.name, BUILDERS))
    return builder(config, class_count)
