"""What training sees of a model: images in, logits out, and parts that can be held still."""

from __future__ import annotations

from typing import Literal, Self

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from clearcoat.errors import UsageError

Freeze = Literal["none", "encoder", "first_network"]


class SegmentationModel(nn.Module):
    """Images in, one logit per output and pixel out."""

    freezing: Freeze = "none"
    """What `freeze` was last asked to hold still."""

    @property
    def encoder_part(self) -> nn.Module:
        """The encoder that can be pretrained and frozen."""
        raise NotImplementedError

    @property
    def first_part(self) -> nn.Module | None:
        """The first of two networks, if there are two."""
        return None

    def train(self, mode: bool = True) -> Self:
        """Switch training on or off for all that is not frozen.

        A frozen encoder keeps its batch-norm statistics; dropout behind it goes on, since it
        is there for the layers that follow. A frozen first network does in training exactly
        what it does in use.
        """
        super().train(mode)
        if self.freezing == "encoder":
            for part in self.encoder_part.modules():
                if isinstance(part, _BatchNorm):
                    part.eval()
        elif self.freezing == "first_network" and self.first_part is not None:
            self.first_part.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) uint8, or float in 0…1, to logits (N, outputs, H, W)."""
        raise NotImplementedError


def freeze(model: SegmentationModel, what: Freeze) -> None:
    """Hold still what `what` names, batch-norm statistics included, and let all else move.

    Raises UsageError where the model has no such part.
    """
    if what == "first_network" and model.first_part is None:
        raise UsageError(
            "only a W-net has a first network to freeze", do="use --model wnet or --freeze encoder"
        )
    model.requires_grad_(True)
    held = {"none": None, "encoder": model.encoder_part, "first_network": model.first_part}[what]
    if held is not None:
        held.requires_grad_(False)
    model.freezing = what
    model.train(model.training)
