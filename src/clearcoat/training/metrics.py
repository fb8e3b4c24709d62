"""Mean IoU as the paper scores (section IV.A.1): per pixel, classes equal, threshold 50 %.

Beside it what the paper does not report: IoU per image, confusion, and boundary F-score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from clearcoat.training.arrays import Targets
from clearcoat.training.boundaries import boundary_f

BACKGROUND = "background"
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
    confusion: tuple[tuple[int, ...], ...] | None = None
    """Pixels that have the class of the row and were found to have that of the column; the last
    of each is background, the absence of all classes. A pixel of several classes counts in
    several places."""
    boundary_f: tuple[float | None, ...] | None = None
    """Boundary F-score per class, averaged over the images that show or predict it."""

    @property
    def mean_boundary_f(self) -> float | None:
        """Mean boundary F-score over the classes that occur."""
        values = [value for value in self.boundary_f or () if value is not None]
        return sum(values) / len(values) if values else None

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
        """Everything but the scores per image as plain data."""
        content: dict[str, Any] = {
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
        if self.boundary_f is not None:
            content["mean_boundary_f"] = self.mean_boundary_f
            for name, value in zip(self.classes, self.boundary_f, strict=True):
                content["per_class"][name]["boundary_f"] = value
        if self.confusion is not None:
            content["confusion"] = {
                "names": [*self.classes, BACKGROUND],
                "pixels": [list(row) for row in self.confusion],
            }
        return content


class IoUCounter:
    """Counts batches on the device; nothing is copied to the host before `score`.

    `detailed` adds confusion and boundary F-score, which take as long again.
    """

    def __init__(
        self, classes: tuple[str, ...], device: torch.device, *, detailed: bool = False
    ) -> None:
        self.classes = classes
        self.detailed = detailed
        zero = torch.zeros(len(classes), dtype=torch.int64, device=device)
        self._intersection, self._union, self._truth = zero, zero.clone(), zero.clone()
        self._images: list[Tensor] = []
        self._boundaries: list[Tensor] = []
        rows = len(classes) + 1
        self._confusion = torch.zeros(rows, rows, dtype=torch.int64, device=device)

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
        self._images.append(torch.stack((shared, either), dim=1))
        if self.detailed:
            self._boundaries.append(boundary_f(predicted, truth, counted))
            pairs = torch.einsum(
                "nip,njp->nij",
                _with_background(truth, counted),
                _with_background(predicted, counted),
            )
            self._confusion = self._confusion + pairs.to(torch.int64).sum(dim=0)

    def score(self) -> Score:
        """Return what has been counted so far."""
        counts = torch.cat(self._images) if self._images else torch.empty(0, 2, len(self.classes))
        means = (counts[:, 0] / counts[:, 1]).nanmean(dim=1)
        per_image = means[~means.isnan()]
        boundaries = torch.cat(self._boundaries) if self._boundaries else torch.empty(0, 0)
        return Score(
            classes=self.classes,
            intersection=tuple(self._intersection.tolist()),
            union=tuple(self._union.tolist()),
            truth=tuple(self._truth.tolist()),
            image_count=len(means),
            per_image_mean_iou=float(per_image.mean()) if len(per_image) else None,
            per_image=tuple((tuple(s), tuple(e)) for s, e in counts.tolist()),
            confusion=tuple(map(tuple, self._confusion.tolist())) if self.detailed else None,
            boundary_f=_without_nan(boundaries.nanmean(dim=0).tolist())
            if self._boundaries
            else None,
        )


def _with_background(masks: Tensor, counted: Tensor) -> Tensor:
    """(N, C, H, W) bool to (N, C + 1, H W) float32, exact in sums below 2^24 pixels."""
    background = ~masks.any(dim=1, keepdim=True) & counted
    return torch.cat([masks, background], dim=1).flatten(2).to(torch.float32)


def _without_nan(values: list[float]) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else value for value in values)
