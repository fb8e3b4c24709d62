"""VGG19 as the encoder of a U-Net (paper, section V.A).

Simonyan and Zisserman 2015, configuration E (doi 10.48550/arXiv.1409.1556), up to its last
convolution. Layers are numbered as torchvision numbers them, so that its weights load.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from clearcoat.models.blocks import InputNormalisation, initialise
from clearcoat.models.config import VGG19UNetConfig
from clearcoat.models.unet import EncoderDecoder, UNetDecoder

CONVOLUTIONS_PER_BLOCK = (2, 2, 4, 4, 4)


class VGG19Encoder(nn.Module):
    """Five blocks of 3×3 convolutions with ReLU, 2×2 max-pooling between them, no batch norm.

    The maps returned are those of convolutions 1_2, 2_2, 3_4, 4_4 and 5_4, after their ReLU.
    """

    def __init__(
        self,
        filters: Sequence[int],
        *,
        dropout_levels: float = 0.0,
        dropout_bottleneck: float = 0.0,
    ) -> None:
        super().__init__()
        self.channels = tuple(filters)
        """Channels of each feature map returned, from full resolution down."""
        self.dropout_levels = dropout_levels
        self.dropout_bottleneck = dropout_bottleneck
        layers: list[nn.Module] = []
        ends = []
        below = 3
        for width, count in zip(filters, CONVOLUTIONS_PER_BLOCK, strict=True):
            if layers:
                layers.append(nn.MaxPool2d(2))
            for _ in range(count):
                layers += [nn.Conv2d(below, width, 3, padding=1), nn.ReLU(inplace=True)]
                below = width
            ends.append(len(layers) - 1)
        self.features = nn.Sequential(*layers)
        self.ends = tuple(ends)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) to one map per block; block k, from 0, has height H / 2^k."""
        maps: list[Tensor] = []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in self.ends:
                last = number == self.ends[-1]
                rate = self.dropout_bottleneck if last else self.dropout_levels
                if rate:
                    x = F.dropout(x, rate, self.training)
                maps.append(x)
        return maps


def build_vgg19_unet(config: VGG19UNetConfig, output_count: int) -> EncoderDecoder:
    """Build the U-Net on VGG19 with `output_count` logits per pixel, freshly initialised.

    Its input normalisation is the one that torchvision's ImageNet weights were trained with.
    """
    levels, bottleneck = config.encoder_dropout
    encoder = VGG19Encoder(
        config.encoder_filters, dropout_levels=levels, dropout_bottleneck=bottleneck
    )
    decoder = UNetDecoder(
        encoder.channels,
        config.filters,
        momentum=config.batch_norm_momentum,
        dropout=config.decoder_dropout,
    )
    head = nn.Conv2d(decoder.channels, output_count, 1)
    model = EncoderDecoder(InputNormalisation(3), encoder, decoder, head)
    initialise(model)
    return model
