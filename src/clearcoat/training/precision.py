"""Which arithmetic is faster here: measured, because it depends on size, batch and machine."""

from __future__ import annotations

import copy
import time

import torch
from torch import Tensor, nn

_MARGIN = 1.15
"""bf16 must be this much faster: a probe is noisy, and fp32 is the more exact."""
_ROUNDS = 3

_known: dict[tuple[object, ...], str] = {}


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which the model runs."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def choose_precision(model: nn.Module, images: Tensor) -> str:
    """Return `bf16` or `fp32`, whichever trains `model` faster on a batch like `images`.

    `images` is (N, 3, S, S) uint8 on the device. On the CPU forward and backward passes of a
    copy of the model are timed, once per process and kind of work; a GPU takes bf16 where its
    hardware has it.
    """
    device = images.device
    if device.type != "cpu":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    sizes = tuple((tuple(weight.shape), weight.requires_grad) for weight in model.parameters())
    key = (sizes, tuple(images.shape), torch.get_num_threads())
    if key not in _known:
        times = {name: _seconds(model, images[:8], name) for name in ("fp32", "bf16")}
        _known[key] = "bf16" if times["bf16"] * _MARGIN < times["fp32"] else "fp32"
    return _known[key]


def _seconds(model: nn.Module, images: Tensor, precision: str) -> float:
    # The layout that training uses: in the default one bf16 is several times slower.
    trial = copy.deepcopy(model).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = images.contiguous(memory_format=torch.channels_last)
    best = float("inf")
    with torch.random.fork_rng(devices=[]):
        for _ in range(_ROUNDS):
            start = time.perf_counter()
            with autocast(images.device, precision):
                total = trial(images).float().square().mean()
            total.backward()
            best = min(best, time.perf_counter() - start)
    return best
