"""When the device has too little memory: which batch would fit."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable

import torch
from torch import Tensor

from clearcoat.errors import TrainingError
from clearcoat.models import SegmentationModel
from clearcoat.training.computing import Computing, autocast, lay_out
from clearcoat.training.feeding import free_memory_bytes

_SHARE = 0.8
"""Of the memory that is free, what a step may take."""
_SIGNS = ("can't allocate memory", "not enough memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on a GPU or on a processor."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def largest_fitting(attempt: Callable[[int], None], failed: int) -> int | None:
    """Return the largest batch that `attempt` takes without running out of memory.

    Halves `failed` until one fits, then halves the gap until it is an eighth of the answer.
    None where not even one image fits.
    """

    def fits(batch: int) -> bool:
        try:
            attempt(batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return False
        finally:
            if torch.cuda.is_available():
                gc.collect()
                torch.cuda.empty_cache()
        return True

    low, high = failed // 2, failed
    while low and not fits(low):
        low, high = low // 2, low
    if not low:
        return None
    while high - low > max(1, low // 8):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def a_step(model: SegmentationModel, size: int, device: torch.device, how: Computing) -> Callable[
    [int], None
]:  # fmt: skip
    """Return a function that does what takes memory in a step of a batch of that many images."""

    def attempt(batch: int) -> None:
        trial = copy.deepcopy(model).to(device).train()
        lay_out(trial, how)
        weights = [weight for weight in trial.parameters() if weight.requires_grad]
        optimiser = torch.optim.AdamW(weights, fused=True)
        images = torch.zeros(batch, 3, size, size, dtype=torch.uint8, device=device)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            with autocast(device, how.precision):
                logits: Tensor = trial(images.contiguous(memory_format=how.memory_format))
            # Losses hold some maps of the size of the logits in fp32.
            torch.autograd.backward(logits.float().log_softmax(dim=1).square().mean())
        optimiser.step()

    return attempt


def bytes_per_image(model: SegmentationModel, size: int, how: Computing) -> int:
    """Return about what a step takes per image: what autograd keeps, and as much for gradients."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    # Two images, since batch norm needs two values where the deepest map is a single pixel.
    images = torch.zeros(2, 3, size, size, dtype=torch.uint8)
    trial = copy.deepcopy(model).cpu().train()
    lay_out(trial, how)
    with (
        torch.random.fork_rng(devices=[]),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        autocast(images.device, how.precision),
    ):
        trial(images.contiguous(memory_format=how.memory_format))
    for weight in trial.parameters():
        kept.pop(weight.untyped_storage().data_ptr(), None)
    return 2 * sum(kept.values()) // len(images)


def too_little(
    error: BaseException,
    where: torch.device,
    model: SegmentationModel,
    size: int,
    batch: int,
    how: Computing,
) -> TrainingError:
    """Return the error to show when batches of `batch` images are too much, with what fits."""
    do = "use a smaller --size, a smaller model, or another --device"
    if where.type == "cuda":
        fitting = largest_fitting(a_step(model, size, where, how), batch)
        if fitting:
            do = f"use --batch-size {fitting}: a step of that many images was tried and fits"
    else:
        # Trying might have the system end the process, so this is reckoned.
        each, free = bytes_per_image(model, size, how), free_memory_bytes(where)
        fitting = min(batch // 2, int(_SHARE * free / each)) if free else batch // 2
        if fitting:
            do = f"use --batch-size {fitting}: an image takes about {each / 1e6:.0f} MB"
    return TrainingError(
        "the device has too little memory",
        where=where,
        found=f"batches of {batch} images: {first_line(error)}",
        do=do,
    )


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says."""
    text = str(error) or type(error).__name__
    return text.splitlines()[0]
