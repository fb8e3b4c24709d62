"""The W-net: a second, narrower U-Net that looks at the image through the first one's map.

Paper, section V.B, after Jha et al. 2020 (doi 10.1109/CBMS49503.2020.00111); what is multiplied
with what follows from Table II, see docs/decisions/0030-wnet.md.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clearcoat.models.base import SegmentationModel
from clearcoat.models.blocks import initialise
from clearcoat.models.config import MapActivation, UNetConfig, WNetConfig
from clearcoat.models.unet import EncoderDecoder, UNetDecoder, UNetEncoder, build_unet
from clearcoat.models.vgg19 import build_vgg19_unet


class SecondNetwork(nn.Module):
    """A U-Net whose decoder takes the skips of two encoders."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.head = head

    def forward(self, x: Tensor, other_skips: list[Tensor]) -> Tensor:
        """(N, C, H, W) and the other encoder's skips to logits (N, outputs, H, W)."""
        *skips, deepest = self.encoder(x)
        both = [torch.cat(pair, dim=1) for pair in zip(skips, other_skips, strict=True)]
        logits: Tensor = self.head(self.decoder([*both, deepest]))
        return logits


class WNet(SegmentationModel):
    """Two networks in a row; the logits are the second one's."""

    def __init__(
        self, first: EncoderDecoder, second: SecondNetwork, activation: MapActivation
    ) -> None:
        super().__init__()
        self.first = first
        self.second = second
        self.activation = activation

    @property
    def encoder_part(self) -> nn.Module:
        """The first network's encoder."""
        return self.first.encoder

    @property
    def first_part(self) -> EncoderDecoder:
        """The first network."""
        return self.first

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) uint8, or float in 0…1, to logits (N, outputs, H, W)."""
        logits, features = self.first.forward_with_features(images)
        chances = logits.softmax(dim=1) if self.activation == "softmax" else logits.sigmoid()
        seen = outer_product(self.first.normalisation(images), chances)
        result: Tensor = self.second(seen, features[:-1])
        return result


def outer_product(image: Tensor, chances: Tensor) -> Tensor:
    """(N, 3, H, W) and (N, K, H, W) to (N, 3 K, H, W): every colour times every class."""
    # One product per colour, since a five-dimensional one would lose the channels-last layout.
    return torch.cat([image[:, c : c + 1] * chances for c in range(image.shape[1])], dim=1)


def build_wnet(config: WNetConfig, output_count: int) -> WNet:
    """Build the W-net with `output_count` logits per pixel, freshly initialised."""
    first = (
        build_unet(config.first, output_count)
        if isinstance(config.first, UNetConfig)
        else build_vgg19_unet(config.first, output_count)
    )
    colours = config.first.input_channels if isinstance(config.first, UNetConfig) else 3
    levels, bottleneck = config.encoder_dropout
    encoder = UNetEncoder(
        colours * output_count,
        config.filters,
        momentum=config.batch_norm_momentum,
        dropout_levels=levels,
        dropout_bottleneck=bottleneck,
    )
    others: tuple[int, ...] = first.encoder.channels  # type: ignore[assignment]
    skips = [own + other for own, other in zip(config.filters[:-1], others[:-1], strict=True)]
    decoder = UNetDecoder(
        [*skips, config.filters[-1]],
        config.filters[:-1],
        momentum=config.batch_norm_momentum,
        dropout=config.decoder_dropout,
    )
    second = SecondNetwork(encoder, decoder, nn.Conv2d(decoder.channels, output_count, 1))
    initialise(second)
    return WNet(first, second, config.map_activation)
