"""Mean IoU as the paper scores (section IV.A.1): per pixel, classes equal, threshold 50 %."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from clearcoat.training.arrays import Targets

THRESHOLD = 0.5


@dataclass(frozen=True)
class Score:
    """Intersection over union over a whole set of images."""

    classes: tuple[str, ...]
    intersection: tuple[int, ...]
    """Pixels per class that truth and prediction share."""
    union: tuple[int, ...]
    """Pixels per class that either has."""
    truth: tuple[int, ...]
    """Pixels per class that the truth has."""
    image_count: int
    per_image_mean_iou: float | None
    """Mean over images of the mean over the classes present in the image or its prediction."""
    per_image: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()
    """Per image its pixels per class in the intersection and in the union, for a bootstrap."""

    @property
    def iou(self) -> tuple[float | None, ...]:
        """IoU per class; None for a class that neither truth nor prediction has."""
        pairs = zip(self.intersection, self.union, strict=True)
        return tuple(i / u if u else None for i, u in pairs)

    @property
    def absent(self) -> tuple[str, ...]:
        """Classes that do not count in the mean, because nothing shows or predicts them."""
        pairs = zip(self.classes, self.union, strict=True)
        return tuple(name for name, pixels in pairs if not pixels)

    @property
    def mean_iou(self) -> float | None:
        """Mean over the classes that occur; None where none does."""
        values = [value for value in self.iou if value is not None]
        return sum(values) / len(values) if values else None

    def as_json(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "mean_iou": self.mean_iou,
            "per_image_mean_iou": self.per_image_mean_iou,
            "image_count": self.image_count,
            "absent": list(self.absent),
            "per_class": {
                name: {"iou": iou, "intersection": i, "union": u, "truth": t}
                for name, iou, i, u, t in zip(
                    self.classes, self.iou, self.intersection, self.union, self.truth, strict=True
                )
            },
        }


class IoUCounter:
    """Counts batches on the device; nothing is copied to the host before `score`."""

    def __init__(self, classes: tuple[str, ...], device: torch.device) -> None:
        self.classes = classes
        zero = torch.zeros(len(classes), dtype=torch.int64, device=device)
        self._intersection, self._union, self._truth = zero, zero.clone(), zero.clone()
        self._image_means: list[Tensor] = []
        self._images: list[Tensor] = []

    def add(self, probabilities: Tensor, targets: Targets) -> None:
        """Count (N, C, H, W) probabilities against targets of the same shape."""
        counted = targets.counted > 0
        predicted = (probabilities >= THRESHOLD) & counted
        truth = (targets.members > 0) & counted
        shared = (predicted & truth).sum(dim=(2, 3))
        either = (predicted | truth).sum(dim=(2, 3))
        self._intersection = self._intersection + shared.sum(dim=0)
        self._union = self._union + either.sum(dim=0)
        self._truth = self._truth + truth.sum(dim=(0, 2, 3))
        self._image_means.append((shared / either).nanmean(dim=1))
        self._images.append(torch.stack((shared, either), dim=1))

    def score(self) -> Score:
        """Return what has been counted so far."""
        means = torch.cat(self._image_means) if self._image_means else torch.empty(0)
        per_image = means[~means.isnan()]
        return Score(
            classes=self.classes,
            intersection=tuple(self._intersection.tolist()),
            union=tuple(self._union.tolist()),
            truth=tuple(self._truth.tolist()),
            image_count=len(means),
            per_image_mean_iou=float(per_image.mean()) if len(per_image) else None,
            per_image=tuple(
                (tuple(shared), tuple(either))
                for piece in self._images
                for shared, either in piece.tolist()
            ),
        )
