"""Loss and mean IoU of a model over a set of images."""

from __future__ import annotations

import torch
from torch import nn

from clearcoat.training.arrays import ImageSet
from clearcoat.training.losses import Loss
from clearcoat.training.metrics import IoUCounter, Score
from clearcoat.training.precision import autocast


def score_model(
    model: nn.Module, images: ImageSet, loss: Loss, *, precision: str = "fp32", batch: int = 32
) -> tuple[float, Score]:
    """Return the mean loss per counted pixel and the score; the model is left in eval mode."""
    device = images.images.device
    table = images.table()
    counter = IoUCounter(images.classes, device)
    total = torch.zeros((), dtype=torch.float64, device=device)
    weight = torch.zeros((), dtype=torch.float64, device=device)
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            piece = images.images[start : start + batch]
            targets = table.targets(images.labels[start : start + batch])
            with autocast(device, precision):
                logits = model(piece.contiguous(memory_format=torch.channels_last))
            counted = targets.counted.sum()
            total += loss(logits, targets) * counted
            weight += counted
            counter.add(loss.probabilities(logits), targets)
    return float(total / weight.clamp(min=1)), counter.score()
