"""Where a model's weights come from and which of them stay: data, and what is done with it.

The named initialisations are those of the paper's section V.A; what is copied where shapes
differ, and why, is in docs/decisions/0031-initialisation.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict
from torch import Tensor

from clearcoat.errors import UsageError, did_you_mean
from clearcoat.models.base import Freeze, SegmentationModel, freeze


class InitConfig(BaseModel):
    """What the parts of a model start from. Of a W-net, the parts of its first network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: Literal["random", "run", "imagenet"] = "random"
    decoder: Literal["random", "run"] = "random"
    """The expanding path and the head."""
    freeze: Freeze = "none"
    """What training leaves as it is, batch-norm statistics included."""

    @property
    def needs_run(self) -> bool:
        """Whether some weights come from a finished run."""
        return "run" in (self.encoder, self.decoder)


INITIALISATIONS: dict[str, InitConfig] = {
    "control": InitConfig(),
    "synth-random": InitConfig(encoder="run"),
    "synth-synth": InitConfig(encoder="run", decoder="run"),
    "VGG19-random": InitConfig(encoder="imagenet"),
    "VGG19-synth": InitConfig(encoder="imagenet", decoder="run"),
}
"""The paper's initialisations by name, with nothing frozen."""

ALIASES: dict[str, str] = {"ImageNet-random": "VGG19-random", "ImageNet-synth": "VGG19-synth"}
"""Other names, since VGG19 is not the only encoder that starts from ImageNet weights."""


def find_initialisation(name: str, freezing: Freeze = "none") -> InitConfig:
    """Return one of the paper's initialisations. Raises UsageError for an unknown name."""
    known = INITIALISATIONS.get(ALIASES.get(name, name))
    if known is None:
        names = [*INITIALISATIONS, *ALIASES]
        raise UsageError(f"no such initialisation: {name!r}", do=did_you_mean(name, names))
    return known.model_copy(update={"freeze": freezing})


@dataclass(frozen=True)
class Pretrained:
    """Weights from outside, and where they were found."""

    weights: Mapping[str, Tensor]
    where: str


@dataclass(frozen=True)
class Start:
    """The weights that training starts from."""

    weights: dict[str, Tensor]
    """The model's whole state."""
    copied: tuple[str, ...]
    """Names of the model's tensors that came from outside."""
    unfit: tuple[str, ...]
    """Names of those that were to, and kept their own values since the shapes differ."""


def plan_start(
    state: Mapping[str, Tensor],
    init: InitConfig,
    *,
    run: Pretrained | None = None,
    imagenet: Pretrained | None = None,
) -> Start:
    """Combine a fresh model's `state` with pretrained weights as `init` says.

    An encoder is taken whole; of a decoder every tensor whose shape fits, level by level from full
    resolution down. From a run of a W-net
    into a W-net, encoder and decoder together mean both networks. Nothing given is changed.
    Raises UsageError where a source is missing or its encoder is of another shape.
    """
    ours = _first_network(state)
    whole: dict[str, Tensor] = {}
    partly: dict[str, Tensor] = {}
    if init.encoder == "imagenet":
        firsts = ("features.0.weight", "stem.0.weight")
        if not any(f"{ours}encoder.{name}" in state for name in firsts):
            raise UsageError(
                "only encoders of VGG19 and EfficientNet-Lite0 start from ImageNet weights",
                do="use --model vgg19_unet, --model efficientnet_lite0_unet, or --model wnet "
                "--first vgg19_unet",
            )
        # After the model: nobody is to fetch half a gigabyte for one that cannot take it.
        source = _given(imagenet, "ImageNet weights", "--imagenet FILE")
        whole = _require_all(state, f"{ours}encoder.", source, "")
    elif init.encoder == "run":
        source = _given(run, "a finished run", "--init RUN")
        theirs = _first_network(source.weights)
        whole = _require_all(state, f"{ours}encoder.", source, f"{theirs}encoder.")
    if init.decoder == "run":
        source = _given(run, "a finished run", "--init RUN")
        theirs = _first_network(source.weights)
        partly |= _renamed(source.weights, theirs + "head.", ours + "head.")
        partly |= _aligned(
            _renamed(source.weights, theirs + "decoder.", ours + "decoder."), state, ours
        )
        if ours and theirs and init.encoder == "run":
            partly |= _renamed(source.weights, "second.", "second.")
    # Only what the model has: a deeper decoder's further tensors have no place in it.
    partly = {name: value for name, value in partly.items() if name in state}
    fitting = {k: v for k, v in partly.items() if v.shape == state[k].shape}
    copied = {**whole, **fitting}
    return Start(
        weights={**state, **copied},
        copied=tuple(name for name in state if name in copied),
        unfit=tuple(name for name in state if name in partly and name not in fitting),
    )


def initialise_from(
    model: SegmentationModel,
    init: InitConfig,
    *,
    run: Pretrained | None = None,
    imagenet: Pretrained | None = None,
) -> Start:
    """Load what `plan_start` gives into a fresh model, and freeze as `init` says."""
    start = plan_start(model.state_dict(), init, run=run, imagenet=imagenet)
    model.load_state_dict(start.weights)
    freeze(model, init.freeze)
    return start


def _first_network(state: Mapping[str, Tensor]) -> str:
    return "first." if any(name.startswith("first.") for name in state) else ""


def _given(source: Pretrained | None, what: str, option: str) -> Pretrained:
    if source is None:
        raise UsageError(f"this initialisation needs {what}", do=f"give {option}")
    return source


def _renamed(weights: Mapping[str, Tensor], before: str, after: str) -> dict[str, Tensor]:
    return {
        after + name.removeprefix(before): value
        for name, value in weights.items()
        if name.startswith(before)
    }


def _aligned(
    theirs: Mapping[str, Tensor], state: Mapping[str, Tensor], ours: str
) -> dict[str, Tensor]:
    """Renumber a decoder's levels, which count from the deepest, so that resolutions agree."""
    place = re.compile(rf"({re.escape(ours)}decoder\.(?:ups|blocks)\.)(\d+)(\..+)")

    def levels(names: Mapping[str, Tensor]) -> int:
        return max((int(m[2]) + 1 for name in names if (m := place.fullmatch(name))), default=0)

    shift = levels(state) - levels(theirs)
    return {
        f"{m[1]}{int(m[2]) + shift}{m[3]}": value
        for name, value in theirs.items()
        if (m := place.fullmatch(name)) and int(m[2]) + shift >= 0
    }


def _require_all(
    state: Mapping[str, Tensor], ours: str, source: Pretrained, theirs: str
) -> dict[str, Tensor]:
    found = _renamed(source.weights, theirs, ours)
    wanted = [name for name in state if name.startswith(ours)]
    for name in wanted:
        have = found.get(name)
        if have is None or have.shape != state[name].shape:
            raise UsageError(
                "the encoder to start from has another shape than the model's",
                where=source.where,
                found=f"{theirs}{name.removeprefix(ours)}: "
                + ("no such tensor" if have is None else f"{tuple(have.shape)}"),
                expected=f"{tuple(state[name].shape)}",
                do="give the model the encoder that the weights were made for",
            )
    return {name: found[name] for name in wanted}
