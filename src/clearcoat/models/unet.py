"""The paper's U-Net in three swappable pieces: encoder, decoder, head.

Ronneberger et al. 2015 (doi 10.1007/978-3-319-24574-4_28) with batch norm on both paths; the
widths follow from the parameter counts of the paper's Table II.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clearcoat.models.base import SegmentationModel
from clearcoat.models.blocks import ConvBlock, InputNormalisation, initialise
from clearcoat.models.config import UNetConfig


class UNetEncoder(nn.Module):
    """The contracting path: a block per level, 2×2 max-pooling between levels."""

    def __init__(
        self,
        channels_in: int,
        filters: Sequence[int],
        *,
        momentum: float = 0.1,
        dropout_levels: float = 0.0,
        dropout_bottleneck: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [channels_in, *filters]
        self.channels = tuple(filters)
        """Channels of each feature map returned, from full resolution down."""
        self.blocks = nn.ModuleList(
            ConvBlock(a, b, momentum) for a, b in itertools.pairwise(widths)
        )
        self.dropout_levels = dropout_levels
        self.dropout_bottleneck = dropout_bottleneck

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, C, H, W) to one map per level; level k has height H / 2^k."""
        features: list[Tensor] = []
        last = len(self.blocks) - 1
        for level, block in enumerate(self.blocks):
            x = block(F.max_pool2d(x, 2) if level else x)
            rate = self.dropout_bottleneck if level == last else self.dropout_levels
            if rate:
                x = F.dropout(x, rate, self.training)
            features.append(x)
        return features


class UNetDecoder(nn.Module):
    """The expanding path: 2×2 transposed convolution up, the skip beside it, a block."""

    def __init__(
        self,
        encoder_channels: Sequence[int],
        filters: Sequence[int],
        *,
        momentum: float = 0.1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.channels = filters[0]
        """Channels of the map returned."""
        self.dropout = dropout
        ups, blocks = [], []
        below = encoder_channels[-1]
        for width, skip in zip(reversed(filters), reversed(encoder_channels[:-1]), strict=True):
            ups.append(nn.ConvTranspose2d(below, width, 2, stride=2))
            blocks.append(ConvBlock(width + skip, width, momentum))
            below = width
        self.ups = nn.ModuleList(ups)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Maps of an encoder, full resolution first, to one (N, `channels`, H, W) map."""
        *skips, x = features
        for up, block, skip in zip(self.ups, self.blocks, reversed(skips), strict=True):
            x = block(torch.cat([up(x), skip], dim=1))
            if self.dropout:
                x = F.dropout(x, self.dropout, self.training)
        return x


class EncoderDecoder(SegmentationModel):
    """Normalisation, encoder, decoder, head."""

    def __init__(
        self, normalisation: nn.Module, encoder: nn.Module, decoder: nn.Module, head: nn.Module
    ) -> None:
        super().__init__()
        self.normalisation = normalisation
        self.encoder = encoder
        self.decoder = decoder
        self.head = head

    @property
    def encoder_part(self) -> nn.Module:
        """The encoder."""
        return self.encoder

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) uint8, or float in 0…1, to logits (N, outputs, H, W)."""
        logits, _ = self.forward_with_features(images)
        return logits

    def forward_with_features(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the logits, and the encoder's maps from full resolution down."""
        features: list[Tensor] = self.encoder(self.normalisation(images))
        logits: Tensor = self.head(self.decoder(features))
        return logits, features


def build_unet(config: UNetConfig, output_count: int) -> EncoderDecoder:
    """Build the U-Net with `output_count` logits per pixel, freshly initialised."""
    levels, bottleneck = config.encoder_dropout
    encoder = UNetEncoder(
        config.input_channels,
        config.filters,
        momentum=config.batch_norm_momentum,
        dropout_levels=levels,
        dropout_bottleneck=bottleneck,
    )
    decoder = UNetDecoder(
        encoder.channels,
        config.filters[:-1],
        momentum=config.batch_norm_momentum,
        dropout=config.decoder_dropout,
    )
    head = nn.Conv2d(decoder.channels, output_count, 1)
    model = EncoderDecoder(InputNormalisation(config.input_channels), encoder, decoder, head)
    initialise(model)
    return model
