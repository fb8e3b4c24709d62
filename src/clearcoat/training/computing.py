"""How the arithmetic of a step is done: precision, memory layout, compilation, graphs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Computing:
    """Choices that change how fast a step is, and its last bits, but not what it means."""

    precision: Precision = "fp32"
    channels_last: bool = True
    compile: bool = False
    cuda_graphs: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain data for a checkpoint."""
        return asdict(self)

    def __str__(self) -> str:
        parts: list[str] = [self.precision]
        parts += ["channels last"] * self.channels_last
        parts += ["compiled"] * self.compile
        parts += ["CUDA graphs"] * self.cuda_graphs
        return ", ".join(parts)

    @property
    def memory_format(self) -> torch.memory_format:
        """Layout of images and kernels."""
        return torch.channels_last if self.channels_last else torch.contiguous_format


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which the model runs."""
    # Without a cache of cast weights, which a captured graph would go on reading; each weight is
    # used once per step, so nothing is lost.
    return torch.autocast(
        device.type, torch.bfloat16, enabled=precision == "bf16", cache_enabled=False
    )


def fastest_kernels(device: torch.device) -> AbstractContextManager[None]:
    """Return the context in which a GPU tries its convolutions once and keeps the fastest."""
    if device.type != "cuda":
        return nullcontext()
    # Flags that are not named take PyTorch's defaults for this call, by which cuDNN is off.
    flags: AbstractContextManager[None] = torch.backends.cudnn.flags(enabled=True, benchmark=True)
    return flags


def lay_out(model: nn.Module, how: Computing) -> None:
    """Bring the kernels of a model into the layout."""
    model.to(memory_format=how.memory_format)  # type: ignore[call-overload]


def step_function(model: nn.Module, how: Computing, sample: Tensor) -> Callable[[Tensor], Tensor]:
    """Return what a training step calls instead of the model: (N, 3, S, S) to logits.

    Parameters and buffers stay those of `model`, whose values are as before. Every call must
    bring a batch of the shape, type and layout of `sample`, which is on the device.
    """
    if how.compile:
        mode = "reduce-overhead" if how.cuda_graphs else "default"
        compiled: Callable[[Tensor], Tensor] = torch.compile(model, mode=mode, dynamic=False)
        return compiled
    if how.cuda_graphs:
        # A graph of another batch size would stand in the way of the model's own forward.
        model.__dict__.pop("forward", None)
        # Warming up moves batch-norm statistics; they come back.
        before = copy.deepcopy(model.state_dict())
        model.train()
        with autocast(sample.device, how.precision):
            torch.cuda.make_graphed_callables(model, (sample,))
        model.load_state_dict(before)
    return model
