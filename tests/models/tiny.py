"""The models at a width that trains in a second."""

from __future__ import annotations

from clearcoat.models import (
    EfficientNetUNetConfig,
    ModelConfig,
    UNetConfig,
    VGG19UNetConfig,
    WNetConfig,
)

UNET = UNetConfig(filters=(4, 6, 8, 8, 8), dropout=0.0)
VGG19 = VGG19UNetConfig(filters=(4, 6, 8, 8), encoder_filters=(6, 8, 8, 8, 8), dropout=0.0)
TINY: dict[str, ModelConfig] = {
    "unet": UNET,
    "vgg19_unet": VGG19,
    "wnet": WNetConfig(first=UNET, filters=(4, 4, 6, 6, 6), dropout=0.0),
    "efficientnet": EfficientNetUNetConfig(
        filters=(4, 4, 6, 6, 6), encoder_filters=(4, 4, 4, 6, 6, 6, 6, 6), dropout=0.0
    ),
    "wnet on vgg19": WNetConfig(first=VGG19, filters=(4, 4, 6, 6, 6), dropout=0.0),
}
