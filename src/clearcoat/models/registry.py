"""From a config to a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clearcoat.errors import UsageError, did_you_mean
from clearcoat.models.base import SegmentationModel
from clearcoat.models.config import ModelConfig
from clearcoat.models.efficientnet import build_efficientnet_unet
from clearcoat.models.unet import build_unet
from clearcoat.models.vgg19 import build_vgg19_unet
from clearcoat.models.wnet import build_wnet

BUILDERS: dict[str, Callable[[Any, int], SegmentationModel]] = {
    "unet": build_unet,
    "vgg19_unet": build_vgg19_unet,
    "wnet": build_wnet,
    "efficientnet_lite0_unet": build_efficientnet_unet,
}
"""Model name -> function of (its config, outputs per pixel)."""


def build_model(config: ModelConfig, class_count: int) -> SegmentationModel:
    """Build the model that `config` names, with `class_count` outputs per pixel.

    Weights come from PyTorch's global generator: seed it first for a repeatable model.
    Raises UsageError for an unknown name.
    """
    builder = BUILDERS.get(config.name)
    if builder is None:
        raise UsageError(f"no such model: {config.name!r}", do=did_you_mean(config.name, BUILDERS))
    return builder(config, class_count)
