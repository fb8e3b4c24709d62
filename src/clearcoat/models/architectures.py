"""The paper's architectures (Table II), and how large they are for any number of classes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from clearcoat.models.base import Freeze, freeze
from clearcoat.models.config import ModelConfig, UNetConfig, VGG19UNetConfig, WNetConfig
from clearcoat.models.counting import ParameterCount, count_parameters
from clearcoat.models.registry import build_model


@dataclass(frozen=True)
class Architecture:
    """A row of Table II."""

    model: str
    variant: str
    config: ModelConfig
    freezing: Freeze = "none"

    def count(self, output_count: int) -> ParameterCount:
        """Count the parameters with that many outputs per pixel. Allocates no weights."""
        with torch.device("meta"):
            model = build_model(self.config, output_count)
        freeze(model, self.freezing)
        return count_parameters(model)


ARCHITECTURES: tuple[Architecture, ...] = (
    Architecture("U-net", "", UNetConfig()),
    Architecture("U-net", "frozen encoder", UNetConfig(), "encoder"),
    Architecture("U-net", "VGG19 encoder", VGG19UNetConfig()),
    Architecture("U-net", "frozen VGG19 encoder", VGG19UNetConfig(), "encoder"),
    Architecture("W-net", "frozen 1st U-net", WNetConfig(), "first_network"),
    Architecture("W-net", "frozen VGG19 encoder", WNetConfig(first=VGG19UNetConfig()), "encoder"),
)
"""In the order of Table II."""
