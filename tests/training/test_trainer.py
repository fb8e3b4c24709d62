"""What a step is made of."""

from __future__ import annotations

import pytest
import torch

from clearcoat.training.trainer import Trainer


def test_batches_of_another_dtype_are_prepared_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CUDA graph copies into the tensors that it was captured with, and so casts to theirs."""
    made: list[tuple[torch.Size, torch.dtype]] = []

    def step_function(model: object, how: object, images: torch.Tensor) -> object:
        made.append((images.shape, images.dtype))
        return lambda batch: batch

    monkeypatch.setattr("clearcoat.training.trainer.step_function", step_function)
    trainer = object.__new__(Trainer)
    trainer.__dict__.update(model=None, how=None, _forward=None, _forward_for=None)
    flipped = torch.zeros((2, 8, 8, 3), dtype=torch.uint8)
    for batch in (flipped, flipped, flipped.float(), flipped[:1]):
        trainer._prepared(batch)
    assert made == [(b.shape, b.dtype) for b in (flipped, flipped.float(), flipped[:1])]
