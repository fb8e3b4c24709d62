"""Parameter counts as the paper states them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@dataclass(frozen=True)
class ParameterCount:
    """Parameters of a module, counted as Keras counts them (paper, Table II)."""

    total: int
    """Weights plus the running mean and variance of batch norm."""
    trainable: int
    """Weights that the optimiser may change."""


def count_parameters(module: nn.Module) -> ParameterCount:
    """Count weights and batch-norm statistics; the input constants are no parameters."""
    weights = list(module.parameters())
    running = sum(
        stat.numel()
        for part in module.modules()
        if isinstance(part, _BatchNorm)
        for stat in (part.running_mean, part.running_var)
        if stat is not None
    )
    return ParameterCount(
        total=sum(w.numel() for w in weights) + running,
        trainable=sum(w.numel() for w in weights if w.requires_grad),
    )
