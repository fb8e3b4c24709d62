"""How often each class occurs in the training images, and the weights that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from clearcoat.errors import UsageError, did_you_mean
from clearcoat.training.feeding import Images

_CHUNK = 64


@dataclass(frozen=True)
class Frequencies:
    """Counts over a set of images, on the CPU."""

    positions: Tensor
    """(K,) int64: pixels per position of the table of class sets."""
    pixels: Tensor
    """(C,) int64: pixels of each class."""
    around: Tensor
    """(C,) int64: counted pixels of the images that show the class."""

    @property
    def shares(self) -> Tensor:
        """(C,) float64: share of each class in the images that show it; 0 where none does."""
        return self.pixels / self.around.clamp(min=1)


def frequencies(images: Images) -> Frequencies:
    """Count the labels of all images, some at a time."""
    table = images.table()
    length, count = len(images.sets), len(images)
    positions = torch.zeros(length, dtype=torch.int64, device=images.device)
    classes = len(images.classes)
    pixels = torch.zeros(classes, dtype=torch.float64, device=images.device)
    around = torch.zeros(classes, dtype=torch.float64, device=images.device)
    for start in range(0, count, _CHUNK):
        _, labels = images.fetch(np.arange(start, min(start + _CHUNK, count)))
        flat = labels.long().flatten(1)
        each = torch.zeros(len(flat), length, device=flat.device)
        each.scatter_add_(1, flat, torch.ones_like(flat, dtype=each.dtype))
        positions += each.sum(dim=0).long()
        of_class = (each.double() @ table.members.double()).round()
        counted = (each.double() @ table.counted.double()).round()
        pixels += of_class.sum(dim=0)
        around += ((of_class > 0) * counted.unsqueeze(1)).sum(dim=0)
    return Frequencies(positions.cpu(), pixels.long().cpu(), around.long().cpu())


def class_weights(
    wanted: Literal["balanced"] | Mapping[str, float] | None,
    classes: tuple[str, ...],
    seen: Frequencies,
) -> Tensor | None:
    """(C,) float weights of the loss, or None where all classes count alike.

    `balanced` is median frequency balancing (Eigen and Fergus 2015,
    doi 10.1109/ICCV.2015.304); a class that no image shows weighs 1. Raises UsageError for a
    class that there is not.
    """
    if wanted is None:
        return None
    if wanted == "balanced":
        shares = seen.shares
        shown = shares > 0
        if not shown.any():
            return None
        weights = torch.where(
            shown, torch.quantile(shares[shown], 0.5) / shares.clamp(min=1e-12), 1.0
        )
        return weights.float()
    unknown = [name for name in wanted if name not in classes]
    if unknown:
        raise UsageError(
            f"--class-weights names a class that there is not: {unknown[0]!r}",
            do=did_you_mean(unknown[0], classes),
        )
    return torch.tensor([float(wanted.get(name, 1.0)) for name in classes])
