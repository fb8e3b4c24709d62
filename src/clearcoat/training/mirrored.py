"""A model that looks at an image and at its mirror image: test-time augmentation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from clearcoat.errors import UsageError
from clearcoat.training.config import TrainingConfig
from clearcoat.training.sides import opposite_classes


class Mirrored(nn.Module):
    """Answers with the mean logits of an image and of its mirror image, turned back.

    Classes that name a side change places in the mirror image. It takes twice as long, and brings
    what docs/decisions/0126-mirror.md measured. Raises UsageError for a model that was trained on
    images the right way round alone: to it a mirror image is of another product.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig, classes: Sequence[str]) -> None:
        super().__init__()
        if not config.augment.flip:
            raise UsageError(
                "this model has never seen a mirror image",
                found="augment.flip off in its training",
                do="leave out --mirror, or train with an augmentation that flips",
            )
        self.model = model
        self.opposite = opposite_classes(classes)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to logits (N, outputs, H, W)."""
        answer: Tensor = self.model(images)
        other: Tensor = self.model(images.flip(-1)).flip(-1)
        # Outputs beyond the classes, as that of background, have no side.
        order = [self.opposite.get(number, number) for number in range(other.shape[1])]
        return (answer + other[:, torch.tensor(order, device=other.device)]) / 2
