"""ImageNet weights of VGG19, from a file that the user names."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from clearcoat.errors import UsageError
from clearcoat.models.initialisation import Pretrained

FILE_NAME = "vgg19-dcbb9e9d.pth"
"""torchvision's file; its name carries the first digits of its sha256."""

_GET_IT = (
    f"get {FILE_NAME} as torchvision's documentation of VGG19_Weights.IMAGENET1K_V1 describes, "
    "and name the file"
)


def read_imagenet(path: Path) -> tuple[Pretrained, str]:
    """Read VGG19's convolutions from a state dict in torchvision's layout; also its sha256.

    Nothing in the file is executed. Raises UsageError where there is no such file, where its
    digest is not the one in its name, or where it holds something else.
    """
    try:
        with path.open("rb") as file:
            digest = sha256()
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise UsageError(
            "no file of ImageNet weights can be read", where=path, found=error.strerror, do=_GET_IT
        ) from error
    named = re.search(r"-([0-9a-f]{8,64})\.", path.name)
    if named and not digest.hexdigest().startswith(named[1]):
        raise UsageError(
            "the file of ImageNet weights is damaged or another one",
            where=path,
            found=f"sha256 {digest.hexdigest()}",
            expected=f"sha256 {named[1]}…, as its name says",
            do=_GET_IT,
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises anything from EOFError to UnpicklingError
        raise _something_else(path, str(error).splitlines()[0] if str(error) else "") from error
    if not isinstance(content, dict) or "features.0.weight" not in content:
        raise _something_else(path, "no tensor features.0.weight")
    weights: dict[str, Tensor] = {
        str(name): value
        for name, value in content.items()
        if str(name).startswith("features.") and isinstance(value, Tensor)
    }
    return Pretrained(weights, str(path)), digest.hexdigest()


def _something_else(path: Path, found: str) -> UsageError:
    return UsageError(
        "not a file of VGG19's weights",
        where=path,
        found=found or None,
        expected="a state dict in torchvision's layout",
        do=_GET_IT,
    )
