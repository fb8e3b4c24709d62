"""The bricks that encoders and decoders are built of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class InputNormalisation(nn.Module):
    """Bytes, or floats from 0 to 1, to zero mean and unit spread per channel.

    The constants are the usual sRGB statistics of ImageNet unless others are given. They are kept
    as buffers: a saved model carries its own preprocessing, and an encoder trained on ImageNet
    sees what it expects.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        channels: int,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        if channels != 3:
            mean, std = [0.45] * channels, [0.226] * channels
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("scale", 1.0 / torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W), uint8 or float in 0…1, to float of the same shape."""
        if images.dtype == torch.uint8:
            images = images.float() / 255.0
        return (images - self.mean) * self.scale


class ConvBlock(nn.Sequential):
    """Twice: 3×3 convolution with bias, batch norm, ReLU. Keeps height and width."""

    def __init__(self, channels_in: int, channels_out: int, momentum: float) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, padding=1),
            nn.BatchNorm2d(channels_out, momentum=momentum),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1),
            nn.BatchNorm2d(channels_out, momentum=momentum),
            nn.ReLU(inplace=True),
        )


def initialise(module: nn.Module) -> None:
    """He initialisation for convolutions that a ReLU follows, zero biases (Keras: zero too)."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
