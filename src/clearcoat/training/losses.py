"""Losses over class sets: what the head has to output, and how logits become probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

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
    pixel_loss: Callable[[Tensor, Targets, Tensor | None], Tensor] | None
    """Of logits, targets and class weights; None where Dice stands alone."""
    probabilities: Callable[[Tensor], Tensor]
    """Logits (N, outputs, H, W) to (N, C, H, W), each class by itself between 0 and 1."""
    dice_weight: float = 0.0
    class_weights: Tensor | None = None
    """(C,) on the device of the logits; None counts all classes alike."""

    def outputs(self, class_count: int) -> int:
        """Outputs per pixel that the head needs."""
        return class_count + self.extra_outputs

    def __call__(self, logits: Tensor, targets: Targets) -> Tensor:
        """Mean over the counted pixels; zero where none counts."""
        logits = logits.float()
        value = logits.new_zeros(())
        if self.pixel_loss is not None:
            value = self.pixel_loss(logits, targets, self.class_weights)
        if self.dice_weight:
            dice = soft_dice(self.probabilities(logits), targets, self.class_weights)
            value = value + self.dice_weight * dice
        return value

    def weighted(self, weights: Tensor | None) -> Loss:
        """Return the same loss with (C,) class weights; None takes them off."""
        return replace(self, class_weights=weights)


def softmax_cross_entropy(
    logits: Tensor, targets: Targets, weights: Tensor | None = None
) -> Tensor:
    """Cross-entropy over the classes and background, which is the last output and weighs 1.

    A pixel of several classes wants its probability split evenly between them. With weights the
    mean is a weighted one, as that of PyTorch's `cross_entropy` is.
    """
    members = targets.members
    size = members.sum(dim=1, keepdim=True)
    wanted = torch.cat([members, (size == 0).float()], dim=1) / size.clamp(min=1)
    if weights is not None:
        wanted = wanted * F.pad(weights, (0, 1), value=1.0).view(1, -1, 1, 1)
    surprise = -(wanted * F.log_softmax(logits, dim=1)).sum(dim=1, keepdim=True)
    if weights is None:
        return _mean_over_counted(surprise, targets.counted)
    weight = (wanted.sum(dim=1, keepdim=True) * targets.counted).sum()
    return (surprise * targets.counted).sum() / weight.clamp(min=1e-12)


def binary_cross_entropy(logits: Tensor, targets: Targets, weights: Tensor | None = None) -> Tensor:
    """Cross-entropy of each class against everything else, averaged over the classes."""
    surprise = F.binary_cross_entropy_with_logits(logits, targets.members, reduction="none")
    if weights is not None:
        surprise = surprise * (weights / weights.mean()).view(1, -1, 1, 1)
    return _mean_over_counted(surprise.mean(dim=1, keepdim=True), targets.counted)


def soft_dice(probabilities: Tensor, targets: Targets, weights: Tensor | None = None) -> Tensor:
    """One minus the soft Dice overlap over the batch, averaged over the classes present."""
    dims = (0, 2, 3)
    seen = probabilities * targets.counted
    truth = targets.members.sum(dim=dims)
    overlap = (seen * targets.members).sum(dim=dims)
    dice = (2 * overlap + 1.0) / (seen.sum(dim=dims) + truth + 1.0)
    present = (truth > 0).float()
    if weights is not None:
        present = present * weights
        return ((1 - dice) * present).sum() / present.sum().clamp(min=1e-12)
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
        Loss("dice", 1, None, _softmax_without_background, 1.0),
        Loss("binary_dice", 0, None, _sigmoid, 1.0),
    )
}
"""Losses by name."""


def find_loss(name: str) -> Loss:
    """Return the loss of that name. Raises UsageError for an unknown one."""
    if name not in LOSSES:
        raise UsageError(f"no such loss: {name!r}", do=did_you_mean(name, LOSSES))
    return LOSSES[name]
