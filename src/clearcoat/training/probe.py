"""Which way to compute is fastest here: measured, because it depends on model, size and machine.

Every question is asked once per machine: the answers lie in the cache folder. What the user forces
is not measured. See docs/decisions/0027-precision-probe.md.
"""

from __future__ import annotations

import copy
import json
import os
import platform
import time
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from clearcoat.dataset.files import write_whole
from clearcoat.errors import TrainingError, UsageError
from clearcoat.models import SegmentationModel
from clearcoat.training.cache import VARIABLE, cache_folder
from clearcoat.training.computing import Computing, autocast, lay_out, step_function
from clearcoat.training.config import TrainingConfig

_MARGIN = 1.10
"""A change must be this much faster: a probe is noisy, and the plain way is the more exact."""
_ROUNDS = 3
_CPU_BATCH = 8
"""Images that a probe on a processor takes: time there grows with the batch, so few are enough."""
_FILE = "probes.json"


@dataclass(frozen=True)
class Answer:
    """What was chosen, and what was measured for it."""

    how: Computing
    images_per_s: dict[str, float]
    """Way of computing to forward and backward passes in images per second; 0 where
    that failed; empty where all choices were forced."""
    cached: bool
    """Whether the figures come from an earlier run on this machine."""

    def as_json(self) -> dict[str, Any]:
        """Plain data for a run's folder."""
        return {
            "chosen": self.how.as_json(),
            "images_per_s": {way: round(rate, 2) for way, rate in self.images_per_s.items()},
            "cached": self.cached,
        }


def choose_computing(model: SegmentationModel, images: Tensor, config: TrainingConfig) -> Answer:
    """Return the fastest way to train `model` on batches like `images` that `config` leaves open.

    `images` is (N, 3, S, S) uint8 on the device; the model is left as it is. One choice is
    measured after the other, each with the best of those before. Raises UsageError where a forced
    choice is not possible here.
    """
    device = images.device
    require_possible(config, device)
    start, changes = _candidates(config, device)
    if not changes:
        return Answer(start, {}, cached=False)
    key = _key(model, images, start, changes)
    known = _read().get(key)
    if known is not None:
        return Answer(Computing(**known["chosen"]), known["images_per_s"], cached=True)
    if device.type == "cpu":
        images = images[:_CPU_BATCH]
    best, rates = start, {}
    rates[str(best)] = _rate(model, images, best)
    for change in changes:
        trial = replace(best, **change)
        try:
            rates[str(trial)] = _rate(model, images, trial)
        except Exception:  # No compiler, too little memory for a graph: the plain way may do.
            rates[str(trial)] = 0.0
            if device.type == "cuda":
                torch.cuda.empty_cache()
        if rates[str(trial)] > _MARGIN * rates[str(best)]:
            best = trial
    answer = Answer(best, rates, cached=False)
    if all(rates.values()):
        # Memory may be free next time, or a compiler there.
        _remember(key, answer.as_json())
    return answer


def _candidates(
    config: TrainingConfig, device: torch.device
) -> tuple[Computing, list[dict[str, Any]]]:
    """Return where to start and the changes to try, in this order."""
    gpu = device.type == "cuda"
    start = Computing(
        precision="fp32" if config.precision == "auto" else config.precision,
        channels_last=config.channels_last != "off",
        compile=config.compile == "on",
        cuda_graphs=config.cuda_graphs == "on",
    )
    changes: list[dict[str, Any]] = []
    # torch computes bf16 everywhere, but on an old GPU by detours.
    emulated = gpu and not torch.cuda.is_bf16_supported(including_emulation=False)
    if config.precision == "auto" and not emulated:
        changes.append({"precision": "bf16"})
    if config.channels_last == "auto":
        changes.append({"channels_last": False})
    # On a processor compiling takes minutes and needs a C++ compiler.
    if config.cuda_graphs == "auto" and gpu:
        changes.append({"cuda_graphs": True})
    if config.compile == "auto" and gpu:
        changes.append({"compile": True})
    return start, changes


def require_possible(config: TrainingConfig, device: torch.device) -> None:
    """Raise UsageError where the device cannot compute as `config` forces it to."""
    if config.cuda_graphs == "on" and device.type != "cuda":
        raise UsageError(
            "CUDA graphs need a CUDA device",
            found=str(device),
            do="use --cuda-graphs auto, or --device cuda",
        )


def _rate(model: nn.Module, images: Tensor, how: Computing) -> float:
    """Return forward and backward passes of a copy of the model, in images per second."""
    trial = copy.deepcopy(model).train()
    lay_out(trial, how)
    images = images.contiguous(memory_format=how.memory_format)
    device = images.device
    devices = [device] if device.type == "cuda" else []
    best = float("inf")
    with torch.random.fork_rng(devices=devices):
        run = step_function(trial, how, images)
        # The first rounds compile, tune and fill caches; the quickest one does not.
        for _ in range(_ROUNDS):
            _wait(device)
            start = time.perf_counter()
            with autocast(device, how.precision):
                total = run(images).float().square().mean()
            torch.autograd.backward(total)
            _wait(device)
            best = min(best, time.perf_counter() - start)
            trial.zero_grad(set_to_none=True)
    return len(images) / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _key(
    model: SegmentationModel, images: Tensor, start: Computing, changes: list[dict[str, Any]]
) -> str:
    device = images.device
    facts = {
        "torch": str(torch.__version__),
        "machine": platform.node(),
        "device": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else [platform.machine(), os.cpu_count(), torch.get_num_threads()],
        "weights": [(list(w.shape), w.requires_grad) for w in model.parameters()],
        "batch": list(images.shape),
        "start": start.as_json(),
        "changes": changes,
    }
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]


def _read() -> dict[str, Any]:
    try:
        content = json.loads((cache_folder() / _FILE).read_bytes())
    except (OSError, ValueError):
        # Measuring again costs seconds.
        return {}
    return content if isinstance(content, dict) else {}


def _remember(key: str, answer: dict[str, Any]) -> None:
    file: Path = cache_folder() / _FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            "cannot keep the answer of a probe",
            where=file,
            found=error.strerror,
            do=f"set {VARIABLE} to a folder with room and write permission",
        ) from error
    # Two processes that answer at once lose one answer, which is then measured again.
    write_whole(file, json.dumps(_read() | {key: answer}).encode())
