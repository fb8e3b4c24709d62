"""Loss and mean IoU of a model over a set of images."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from clearcoat.training.computing import autocast
from clearcoat.training.feeding import Images
from clearcoat.training.losses import Loss
from clearcoat.training.metrics import IoUCounter, Score


def score_model(
    model: nn.Module,
    images: Images,
    loss: Loss,
    *,
    precision: str = "fp32",
    batch: int = 32,
    detailed: bool = False,
) -> tuple[float, Score]:
    """Return the mean loss per counted pixel and the score; the model is left in eval mode.

    `detailed` adds confusion and boundary F-score.
    """
    device = images.device
    table = images.table()
    counter = IoUCounter(images.classes, device, detailed=detailed)
    total = torch.zeros((), dtype=torch.float64, device=device)
    weight = torch.zeros((), dtype=torch.float64, device=device)
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            numbers = np.arange(start, min(start + batch, len(images)))
            piece, labels = images.fetch(numbers)
            targets = table.targets(labels)
            with autocast(device, precision):
                logits = model(piece.contiguous(memory_format=torch.channels_last))
            counted = targets.counted.sum()
            total += loss(logits, targets) * counted
            weight += counted
            counter.add(loss.probabilities(logits), targets)
    return float(total / weight.clamp(min=1)), counter.score()
