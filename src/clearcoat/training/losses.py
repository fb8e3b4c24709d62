"""Losses over class sets: what the head has to output, and how logits become probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from clearcoat.errors import UsageError, did_you_mean
from clearcoat.training.arrays import Targets


@dataclass(frozen=True)
class Loss:
    """A loss with the two things that must agree with it."""

    name: str
    extra_outputs: int
    """Outputs of the head beyond one per class: 1 where background is an output of its own."""
    pixel_loss: Callable[[Tensor, Targets], Tensor]
    probabilities: Callable[[Tensor], Tensor]
    """Logits (N, outputs, H, W) to (N, C, H, W), each class by itself between 0 and 1."""
    dice_weight: float = 0.0

    def outputs(self, class_count: int) -> int:
        """Outputs per pixel that the head needs."""
        return class_count + self.extra_outputs

    def __call__(self, logits: Tensor, targets: Targets) -> Tensor:
        """Mean over the counted pixels; zero where none counts."""
        logits = logits.float()
        value = self.pixel_loss(logits, targets)
        if self.dice_weight:
            value = value + self.dice_weight * soft_dice(self.probabilities(logits), targets)
        return value


def softmax_cross_entropy(logits: Tensor, targets: Targets) -> Tensor:
    """Cross-entropy over the classes and background, which is the last output.

    A pixel of several classes wants its probability split evenly between them.
    """
    members = targets.members
    size = members.sum(dim=1, keepdim=True)
    wanted = torch.cat([members, (size == 0).float()], dim=1) / size.clamp(min=1)
    surprise = -(wanted * F.log_softmax(logits, dim=1)).sum(dim=1, keepdim=True)
    return _mean_over_counted(surprise, targets.counted)


def binary_cross_entropy(logits: Tensor, targets: Targets) -> Tensor:
    """Cross-entropy of each class against everything else, averaged over the classes."""
    surprise = F.binary_cross_entropy_with_logits(logits, targets.members, reduction="none")
    return _mean_over_counted(surprise.mean(dim=1, keepdim=True), targets.counted)


def soft_dice(probabilities: Tensor, targets: Targets) -> Tensor:
    """One minus the soft Dice overlap over the batch, averaged over the classes present."""
    dims = (0, 2, 3)
    seen = probabilities * targets.counted
    truth = targets.members.sum(dim=dims)
    overlap = (seen * targets.members).sum(dim=dims)
    dice = (2 * overlap + 1.0) / (seen.sum(dim=dims) + truth + 1.0)
    present = (truth > 0).float()
    return ((1 - dice) * present).sum() / present.sum().clamp(min=1)


def _mean_over_counted(values: Tensor, counted: Tensor) -> Tensor:
    return (values * counted).sum() / counted.sum().clamp(min=1)


def _softmax_without_background(logits: Tensor) -> Tensor:
    return logits.float().softmax(dim=1)[:, :-1]


def _sigmoid(logits: Tensor) -> Tensor:
    return logits.float().sigmoid()


LOSSES = {
    loss.name: loss
    for loss in (
        Loss("cross_entropy", 1, softmax_cross_entropy, _softmax_without_background),
        Loss("binary_cross_entropy", 0, binary_cross_entropy, _sigmoid),
        Loss("cross_entropy_dice", 1, softmax_cross_entropy, _softmax_without_background, 1.0),
        Loss("binary_cross_entropy_dice", 0, binary_cross_entropy, _sigmoid, 1.0),
    )
}
"""Losses by name."""


def find_loss(name: str) -> Loss:
    """Return the loss of that name. Raises UsageError for an unknown one."""
    if name not in LOSSES:
        raise UsageError(f"no such loss: {name!r}", do=did_you_mean(name, LOSSES))
    return LOSSES[name]
