"""Where a study's ImageNet weights come from."""

from __future__ import annotations

from pathlib import Path

from clearcoat.errors import UsageError
from clearcoat.models import read_efficientnet, read_imagenet

EFFICIENTNET_UNET = "efficientnet_lite0_unet"
VGG19_UNET = "vgg19_unet"

ImageNet = tuple[Path | None, str]
"""A file, None where it comes as a package, and its digest."""


def find_imagenet(model: str, file: Path | None) -> ImageNet:
    """Return the weights that fit the encoder of a model.

    Raises UsageError where a file is needed and none was given, or the one given does not fit,
    and MissingDependencyError where a package is.
    """
    if model == EFFICIENTNET_UNET:
        return file, read_efficientnet(file)[1]
    if file is None:
        raise UsageError(
            "no file of ImageNet weights",
            expected="VGG19's, in torchvision's layout",
            do="give `imagenet: FILE`",
        )
    return file, read_imagenet(file)[1]
