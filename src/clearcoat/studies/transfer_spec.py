"""What a transfer study is: the YAML file of `study transfer`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.models import INITIALISATIONS
from clearcoat.spec.yaml_text import dotted
from clearcoat.statistics import StoppingRule
from clearcoat.studies.imagenet import VGG19_UNET
from clearcoat.studies.spec import Repeats, StudySpec
from clearcoat.training import find_loss

_BY_THE_BASE = (
    *("seed", "real_count", "synthetic_count", "real_share", "initialisation"),
    *("mode", "validation_source", "validation_count", "self_training"),
)
"""Options of the base model, which sees `pretrain_count` renders and stops on renders."""


class StartRepeats(Repeats):
    """Other numbers of repeats for some starts, as the report names them: `synth-synth, frozen`."""

    starts: tuple[str, ...] = Field(min_length=1)
    real: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    """Numbers of photos at which; null: all."""


class TransferSpec(StudySpec):
    """Section V: models specialised on photos, from different starts."""

    real_counts: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    pretrain_count: int = Field(ge=1)
    """Renders that the base model is trained on (paper: 36,480)."""
    pretrain: dict[str, Any] = {}
    """Options of training that differ for the base model."""
    pretrainings: int = Field(default=3, ge=1)
    """Different base models over which the repeats take turns (paper: one); at most one for each
    repeat. Runs that go on from the same one count as one repeat: with one alone no gain of theirs
    has an interval."""
    more_repeats: tuple[StartRepeats, ...] = ()
    """Where a comparison is open; with as many more `pretrainings`, for starts from renders."""
    mix_counts: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Renders in the control models that are trained on a mix in one go (paper: 2,048)."""
    mix: Literal["concatenate", "balanced", "sequential"] = "concatenate"
    """How those controls mix (paper: concatenate)."""
    initialisations: tuple[str, ...] = tuple(INITIALISATIONS)
    freeze: tuple[Literal["trainable", "frozen"], ...] = Field(
        default=("trainable", "frozen"), min_length=1
    )
    """Whether encoders go on learning, as far as they start from something."""
    wnet: bool = True
    """Also train the W-net's two variants (section V.B)."""
    imagenet: Path | None = None
    """File of VGG19's ImageNet weights; without it those variants are left out, and named."""
    efficientnet: bool = False
    """Also train on EfficientNet-Lite0's encoder, whose ImageNet weights come as a package."""
    vgg19: dict[str, Any] = {}
    """Options of the model on VGG19's encoder, where they differ from `training.model`."""

    def rule(self, start: str, real: int) -> StoppingRule:
        """Return how often a start is trained with so many photos."""
        more = (
            one.rule
            for one in self.more_repeats
            if start in one.starts and (one.real is None or real in one.real)
        )
        return next(more, self.repeats.rule)

    @property
    def most_repeats(self) -> int:
        """How often the start that is trained most often is trained at most."""
        return max(one.rule.most for one in (self.repeats, *self.more_repeats))

    @model_validator(mode="after")
    def _repeats_what_there_is(self) -> Self:
        for number, one in enumerate(self.more_repeats):
            for count in one.real or ():
                if count not in self.real_counts:
                    raise SpecError(
                        f"more_repeats: {count} is none of the real counts",
                        key=("more_repeats", number, "real"),
                        expected=", ".join(map(str, self.real_counts)),
                    )
        return self

    @model_validator(mode="after")
    def _names_known(self) -> Self:
        for name in self.initialisations:
            if name not in INITIALISATIONS:
                raise ValueError(
                    f"no initialisation {name!r}: {did_you_mean(name, INITIALISATIONS)}"
                )
        if self.config().model.name != "unet":
            raise SpecError(
                "training.model: the base of a transfer study is a `unet`",
                key=("training", "model"),
            )
        for name in (*_BY_THE_BASE, "model"):
            if name in self.pretrain:
                raise SpecError(
                    f"pretrain.{name} is the study's own to choose", key=("pretrain", name)
                )
        if self.pretrain.get("size", self.size) != self.size:
            raise SpecError(
                f"pretrain.size: {self.pretrain['size']}: all models of a study work at one size",
                key=("pretrain", "size"),
                expected=f"{self.size}, as `size` says",
                do="leave it out",
            )
        if "model" in self.without_renders:
            # It would stand in the place of every network that starts from no render.
            raise SpecError(
                "without_renders.model is the study's own to choose",
                key=("without_renders", "model"),
            )
        base = self.config(**self.pretrain)
        if find_loss(base.loss).extra_outputs != find_loss(self.config().loss).extra_outputs:
            raise SpecError(
                f"pretrain.loss: {base.loss}: models that start from the base have other outputs "
                f"(training.loss: {self.config().loss})",
                key=("pretrain", "loss"),
            )
        return self

    @model_validator(mode="after")
    def _vgg19_known(self) -> Self:
        if "name" in self.vgg19:
            raise SpecError("vgg19.name is the study's own to choose", key=("vgg19", "name"))
        try:
            self.config(model={"name": VGG19_UNET} | self.vgg19)
        except SpecError as mistake:
            # What is wrong with the rest of the config matters once those variants are asked for.
            if "model" not in mistake.key:
                return self
            option = mistake.key[mistake.key.index("model") + 1 :]
            mistake.key = ("vgg19", *option)
            mistake.where = dotted(mistake.key)
            raise
        return self
