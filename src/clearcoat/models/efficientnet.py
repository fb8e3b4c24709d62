"""EfficientNet-Lite0 as the encoder of a U-Net: ImageNet weights that come as a package.

The network is Google's EfficientNet-Lite0: EfficientNet-B0 (Tan and Le 2019,
doi 10.48550/arXiv.1905.11946) without squeeze and excitation, with ReLU6, and with TensorFlow's
padding, which for even sizes puts the odd pixel below and to the right.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from clearcoat.models.blocks import InputNormalisation, initialise
from clearcoat.models.config import EfficientNetUNetConfig
from clearcoat.models.unet import EncoderDecoder, UNetDecoder

_STAGES = (
    (1, 3, 1, 1),
    (2, 3, 2, 6),
    (2, 5, 2, 6),
    (3, 3, 2, 6),
    (3, 5, 1, 6),
    (4, 5, 2, 6),
    (1, 3, 1, 6),
)
"""Blocks, kernel, stride of the first block, expansion."""
_SKIPS = (0, 1, 2, 4, 6)
"""Stages whose maps are returned: the last ones at 1/2, 1/4, 1/8, 1/16 and 1/32."""
_EPSILON = 1e-3
"""Of batch norm, as the weights were trained with."""
MEAN, STD = 0.5, 0.5
"""Of the input, likewise."""


class EfficientNetLite0Encoder(nn.Module):
    """Stem and seven stages; the maps returned are the image and those at half to 1/32 size."""

    def __init__(
        self,
        filters: Sequence[int],
        *,
        momentum: float = 0.1,
        dropout_levels: float = 0.0,
        dropout_bottleneck: float = 0.0,
    ) -> None:
        super().__init__()
        self.channels = (3, *(filters[stage + 1] for stage in _SKIPS))
        """Channels of each feature map returned, from full resolution down."""
        self.dropout_levels = dropout_levels
        self.dropout_bottleneck = dropout_bottleneck
        self.stem = _Convolution(3, filters[0], 3, 2, momentum, active=True)
        blocks: list[nn.Module] = []
        ends = []
        below = filters[0]
        for width, (count, kernel, stride, expansion) in zip(filters[1:], _STAGES, strict=True):
            for number in range(count):
                step = stride if number == 0 else 1
                blocks.append(_Block(below, width, kernel, step, expansion, momentum))
                below = width
            ends.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        self.ends = tuple(ends[stage] for stage in _SKIPS)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) to six maps; map k has height H / 2^k, the first one is the input."""
        maps = [x]
        x = self.stem(x)
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.ends:
                last = number == self.ends[-1]
                rate = self.dropout_bottleneck if last else self.dropout_levels
                maps.append(F.dropout(x, rate, self.training) if rate else x)
        return maps


class _Convolution(nn.Sequential):
    """Convolution without bias, batch norm and, where `active`, ReLU6."""

    def __init__(
        self,
        below: int,
        width: int,
        kernel: int,
        stride: int,
        momentum: float,
        *,
        active: bool,
        groups: int = 1,
    ) -> None:
        padding = (kernel - 1) // 2 if stride == 1 else 0
        super().__init__(
            nn.Conv2d(below, width, kernel, stride, padding, groups=groups, bias=False),
            nn.BatchNorm2d(width, eps=_EPSILON, momentum=momentum),
        )
        # For sizes that the stride divides, as those of inputs are multiples of 32.
        self.before, self.after = ((kernel - 2) // 2, (kernel - 1) // 2) if stride == 2 else (0, 0)
        self.active = active

    def forward(self, x: Tensor) -> Tensor:
        """(N, `below`, H, W) to (N, `width`, H / stride, W / stride)."""
        if self.after:
            x = F.pad(x, (self.before, self.after, self.before, self.after))
        for layer in self:
            x = layer(x)
        return F.relu6(x) if self.active else x


class _Block(nn.Module):
    """Widen, filter each channel by itself, narrow; the input is added where shapes agree."""

    def __init__(
        self, below: int, width: int, kernel: int, stride: int, expansion: int, momentum: float
    ) -> None:
        super().__init__()
        wide = below * expansion
        self.expand = (
            _Convolution(below, wide, 1, 1, momentum, active=True)
            if expansion > 1
            else nn.Identity()
        )
        self.depthwise = _Convolution(
            wide, wide, kernel, stride, momentum, active=True, groups=wide
        )
        self.project = _Convolution(wide, width, 1, 1, momentum, active=False)
        self.adds = stride == 1 and below == width

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, `width`, H / stride, W / stride)."""
        found: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + found if self.adds else found


def build_efficientnet_unet(config: EfficientNetUNetConfig, output_count: int) -> EncoderDecoder:
    """Build the U-Net on EfficientNet-Lite0 with `output_count` logits per pixel, fresh."""
    levels, bottleneck = config.encoder_dropout
    encoder = EfficientNetLite0Encoder(
        config.encoder_filters,
        momentum=config.batch_norm_momentum,
        dropout_levels=levels,
        dropout_bottleneck=bottleneck,
    )
    decoder = UNetDecoder(
        encoder.channels,
        config.filters,
        momentum=config.batch_norm_momentum,
        dropout=config.decoder_dropout,
    )
    head = nn.Conv2d(decoder.channels, output_count, 1)
    model = EncoderDecoder(InputNormalisation(3, (MEAN,) * 3, (STD,) * 3), encoder, decoder, head)
    initialise(model)
    return model
