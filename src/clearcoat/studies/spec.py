"""What a study is: two YAML files' worth of choices, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.models import INITIALISATIONS
from clearcoat.spec import Model, load
from clearcoat.spec.yaml_text import Key, dotted
from clearcoat.statistics import StoppingRule
from clearcoat.studies.imagenet import EFFICIENTNET_UNET, VGG19_UNET
from clearcoat.studies.options import config_of
from clearcoat.studies.presets import PRESETS, find_preset
from clearcoat.training import (
    RECIPES,
    SelfTraining,
    TrainingConfig,
    find_loss,
    recipe,
    with_size_of_recipe,
)

Count = Annotated[int, Field(ge=0)]
SHARES_NOTHING: dict[str, Any] = {"real_share": None}
"""How photos and renders share batches means nothing where there is one of them: studies that
differ in that alone then have these runs in common, and one ledger serves both."""
_BY_THE_STUDY = {
    "seed": "`seed`",
    "size": "`size`",
    "real_count": "`real_counts`",
    "synthetic_count": "`synthetic_counts` in a grid, `pretrain_count` in a transfer study",
    "initialisation": "`encoder` in a grid, `initialisations` in a transfer study",
    "self_training": "`self_training` in a grid; a transfer study has labelled photos alone",
}
"""Options that the study gives to every run, and the keys that it takes them from."""
_BY_THE_BASE = (
    *("seed", "real_count", "synthetic_count", "initialisation"),
    *("validation_source", "validation_count", "self_training"),
)
"""Options of the base model, which sees `pretrain_count` renders and stops on renders."""
_MOST_REPEATS = 100
"""Every run of a study is planned at each start: 5 s for this many in the paper's 120 cells."""


class Repeats(Model):
    """How often each cell is trained (paper: 7 to 30, interval narrower than 5 % of the mean)."""

    min: int = Field(default=7, ge=1)
    max: int = Field(default=30, ge=1)
    width: float | None = Field(default=0.05, gt=0)
    """Full width of the 95 % interval of the mean IoU over the mean; null: always `min` runs."""

    @model_validator(mode="after")
    def _makes_a_rule(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min ({self.min}) is greater than max ({self.max})")
        if self.max > _MOST_REPEATS:
            raise ValueError(
                f"max ({self.max}) is greater than {_MOST_REPEATS}: all runs of every cell are "
                "planned at each start, and intervals narrow with the root of their number alone "
                "(paper: 30)"
            )
        if self.width is not None and self.min < 2:
            raise ValueError("an interval needs min: 2 at least; or write width: null")
        return self

    @property
    def rule(self) -> StoppingRule:
        """The same as the statistics take it."""
        most = self.max if self.width is not None else self.min
        return StoppingRule(self.min, most, self.width)


class RowRepeats(Repeats):
    """Other numbers of repeats for some real counts."""

    real: tuple[Count, ...]


class ConfirmSpec(Model):
    """Runs whose weights stay, so that `study confirm` can score them on the untouched photos.

    Matters where `untouched_count` sets photos apart; null means all.
    """

    arms: tuple[str, ...] | None = None
    """Kinds of model and start, in a transfer study."""
    real: tuple[Count, ...] | None = None
    synthetic: tuple[Count, ...] | None = None
    repeats: int | None = Field(default=3, ge=1)
    """So many first repeats of each cell: a file of weights is four bytes a parameter."""

    def keeps(self, arm: str, real: int, synthetic: int, repeat: int) -> bool:
        """Whether the weights of a run stay."""
        return (
            (self.arms is None or arm in self.arms)
            and (self.real is None or real in self.real)
            and (self.synthetic is None or synthetic in self.synthetic)
            and (self.repeats is None or repeat < self.repeats)
        )


class Prices(Model):
    """What images cost the user; the report then says which to buy."""

    real: float = Field(gt=0)
    """One more photo, taken and labelled."""
    synthetic: float = Field(ge=0)
    """One more render."""
    currency: str = "EUR"


class StudySpec(Model):
    """What both kinds of study have in common."""

    real: Path
    """Data set of labelled photos, relative to this file."""
    synthetic: Path
    """Data set of renders."""
    test: Path | None = None
    """Data set to score on. Without it, `test_count` photos are set apart from `real`."""
    test_count: int | None = Field(default=None, ge=1)
    """Photos set apart for scoring in each split."""
    splits: int = Field(default=1, ge=1)
    """Disjoint sets of `test_count` photos over which the repeats take turns."""
    untouched_count: Count = 0
    """Photos that the study leaves out altogether, for `study confirm` when all is decided."""
    confirm: ConfirmSpec = ConfirmSpec()
    seed: int = Field(default=0, ge=0)
    repeats: Repeats = Repeats()
    design: Literal["paired", "independent"] = "paired"
    """`paired`: repeat i uses the same photos with and without renders, and nested ones from count
    to count. `independent`: every run draws its own (the paper)."""
    size: int = Field(default=128, ge=8)
    """Height and width in pixels at which models work."""
    recipe: str = "paper"
    """Its size, and in a grid its encoder, hold where the study says nothing of them."""
    training: dict[str, Any] = {}
    """Options of training that differ from the recipe."""
    without_renders: dict[str, Any] = {}
    """Options that differ where no render is seen. Without `max_steps` here it is the sum of those
    on renders and on photos: a model is not to lose for being trained less."""
    keep_weights: bool = False
    """Keep the weights of every run, not alone of those that others start from and those that
    `confirm` names."""
    prices: Prices | None = None

    @model_validator(mode="before")
    @classmethod
    def _size_of_the_recipe(cls, written: Any) -> Any:
        return with_size_of_recipe(written)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.test is None) == (self.test_count is None):
            raise ValueError("a study needs either `test` or `test_count`, and not both")
        if self.test is not None and self.splits > 1:
            raise ValueError("several splits need `test_count`: one `test` data set is one split")
        for key in ("training", "without_renders"):
            for name, own in _BY_THE_STUDY.items():
                if name in getattr(self, key):
                    raise SpecError(
                        f"{key}.{name} is the study's own to choose: give {own} beside `{key}`",
                        key=(key, name),
                    )
        self.config()
        self.config_without_renders(None)
        return self

    def keeps_weights(self, arm: str, real: int, synthetic: int, repeat: int) -> bool:
        """Whether a run's weights stay although no other run starts from them."""
        confirmed = self.untouched_count > 0 and self.confirm.keeps(arm, real, synthetic, repeat)
        return self.keep_weights or confirmed

    def config_without_renders(
        self, steps_on_renders: int | None, **changes: Any
    ) -> TrainingConfig:
        """Return the config of a run that sees no render, where others see them for so long."""
        mixed = self.config(**changes)
        if mixed.max_steps is not None and steps_on_renders is not None:
            changes = {"max_steps": mixed.max_steps + steps_on_renders} | changes
        return self.config(**(SHARES_NOTHING | changes | self.without_renders))

    def config(self, **changes: Any) -> TrainingConfig:
        """Return the training config with some options changed. Raises SpecError."""
        # What models start from is the study's to say, run by run, and not the recipe's.
        own: dict[str, Any] = {"size": self.size, "initialisation": None}

        def section(option: str) -> Key:
            if option == "size":
                return ()
            changed = ("without_renders", "pretrain") if option in changes else ()
            written = (key for key in changed if option in getattr(self, key, {}))
            return (next(written, "training"),)

        return config_of(self.recipe, own | self.training | changes, section)


class EncoderSpec(Model):
    """An encoder that starts from ImageNet weights, in every model of a grid."""

    imagenet: Path | None = None
    """File of VGG19's weights; those of EfficientNet-Lite0 come as a package."""
    frozen: bool = False
    """Whether neither renders nor photos change it, batch-norm statistics included."""


class QualitativeSpec(Model):
    """The paper's Fig. 5: predictions on the same images, from nested real subsets."""

    real: tuple[Count, ...] | None = None
    """Null: those of the grid from 16 to 256, between which the paper's lie."""
    synthetic: int | None = Field(default=None, ge=1)
    """Null: the most of the grid that there are renders for (paper: 2,048)."""
    images: int = Field(default=4, ge=1)
    """Test images that are shown."""


class SelfTrainingSpec(SelfTraining):
    """Cells once more whose models, in a last phase, label photos without labels themselves.

    Beside the options of that phase: which cells, and which photos.
    """

    real: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    """Null: all rows with photos."""
    synthetic: tuple[Count, ...] | None = None
    """Null: all columns."""
    photos: Path | None = None
    """Data set of these photos (`dataset import images`). Null: those of `real` that a run does
    not draw, their labels unseen."""
    control: bool = False
    """Also run each cell with the same last phase, as long, without these photos."""

    def phase(self, *, control: bool = False) -> SelfTraining:
        """Return the options of training alone."""
        names = SelfTraining.model_fields.keys() - {"control"}
        return SelfTraining(control=control, **{name: getattr(self, name) for name in names})

    def covers(self, real: int, synthetic: int) -> bool:
        """Whether a cell of the grid is run once more so."""
        return (
            real > 0
            and (self.real is None or real in self.real)
            and (self.synthetic is None or synthetic in self.synthetic)
        )


class SupplementSpec(StudySpec):
    """The grid of section IV.B: real counts times synthetic counts."""

    preset: str | None = None
    """Counts by name; `real_counts` and `synthetic_counts` win over it."""
    real_counts: tuple[Count, ...] = ()
    synthetic_counts: tuple[Count, ...] = ()
    more_repeats: tuple[RowRepeats, ...] = ()
    """Other repeats for some rows; the first that names a real count wins."""
    share_pretraining: bool = True
    """With mix `sequential`: one training on renders per count and repeat serves every row."""
    pretrainings: int | None = Field(default=None, ge=1)
    """Different pretraining runs per synthetic count; null: one for each repeat."""
    qualitative: QualitativeSpec | None = QualitativeSpec()
    self_training: SelfTrainingSpec | None = None
    """Cells beside the grid, to tell what photos without labels bring."""
    encoder: EncoderSpec | None = None
    """How the encoder starts where `training.model` has one that ImageNet weights exist for; null:
    random, as in the paper. Not written: the recipe's."""

    @model_validator(mode="before")
    @classmethod
    def _encoder_of_the_recipe(cls, written: Any) -> Any:
        if not isinstance(written, dict) or "encoder" in written:
            return written
        name, training = written.get("recipe"), written.get("training", {})
        if not isinstance(name, str) or name not in RECIPES or not isinstance(training, dict):
            return written
        start = recipe(name, training).get("initialisation")
        if start is None or start.encoder != "imagenet":
            return written
        return written | {"encoder": {"frozen": start.freeze == "encoder"}}

    @model_validator(mode="after")
    def _has_such_an_encoder(self) -> Self:
        name = self.config().model.name
        if self.encoder is not None and name not in (VGG19_UNET, EFFICIENTNET_UNET):
            raise ValueError(
                f"encoder: there are no ImageNet weights for training.model.name: {name}; "
                f"take {EFFICIENTNET_UNET} or {VGG19_UNET}"
            )
        return self

    @model_validator(mode="after")
    def _has_a_grid(self) -> Self:
        if self.preset is None and not (self.real_counts and self.synthetic_counts):
            raise ValueError(
                "a grid needs `real_counts` and `synthetic_counts`, or `preset`: "
                + ", ".join(PRESETS)
            )
        if self.preset is not None:
            find_preset(self.preset)
        return self

    @model_validator(mode="after")
    def _self_training_is_of_the_grid(self) -> Self:
        chosen, grid = self.self_training, self.grid
        for name, asked, there in (
            ("real", chosen and chosen.real, grid[0]),
            ("synthetic", chosen and chosen.synthetic, grid[1]),
        ):
            for count in asked or ():
                if count not in there:
                    raise SpecError(
                        f"self_training.{name}: {count} is no count of the grid, beside which it "
                        "would stand",
                        key=("self_training", name),
                        expected=", ".join(map(str, there)),
                    )
        return self

    @property
    def grid(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Real and synthetic counts, ascending."""
        preset = ((), ()) if self.preset is None else find_preset(self.preset)
        real, synthetic = self.real_counts or preset[0], self.synthetic_counts or preset[1]
        return tuple(sorted(set(real))), tuple(sorted(set(synthetic)))

    @property
    def shares_pretraining(self) -> bool:
        """Whether training on renders is a run of its own that others start from."""
        return self.share_pretraining and self.config().mix == "sequential"

    def rule(self, real: int) -> StoppingRule:
        """Return the stopping rule of a row."""
        return next((row.rule for row in self.more_repeats if real in row.real), self.repeats.rule)


class TransferSpec(StudySpec):
    """Section V: models specialised on photos, from different starts."""

    real_counts: tuple[Annotated[int, Field(ge=1)], ...]
    pretrain_count: int = Field(ge=1)
    """Renders that the base model is trained on (paper: 36,480)."""
    pretrain: dict[str, Any] = {}
    """Options of training that differ for the base model."""
    pretrainings: int = Field(default=3, ge=1)
    """Different base models over which the repeats take turns (paper: one). Runs that go on from
    the same one count as one repeat: with one alone no gain of theirs has an interval."""
    mix_counts: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Renders in the control models that are trained on a mix in one go (paper: 2,048)."""
    mix: Literal["concatenate", "balanced", "sequential"] = "concatenate"
    """How those controls mix (paper: concatenate)."""
    initialisations: tuple[str, ...] = tuple(INITIALISATIONS)
    freeze: tuple[Literal["trainable", "frozen"], ...] = ("trainable", "frozen")
    """Whether encoders go on learning, as far as they start from something."""
    wnet: bool = True
    """Also train the W-net's two variants (section V.B)."""
    imagenet: Path | None = None
    """File of VGG19's ImageNet weights; without it those variants are left out, and named."""
    efficientnet: bool = False
    """Also train on EfficientNet-Lite0's encoder, whose ImageNet weights come as a package."""
    vgg19: dict[str, Any] = {}
    """Options of the model on VGG19's encoder, where they differ from `training.model`."""

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


SpecT = TypeVar("SpecT", bound=StudySpec)


def load_study(path: Path, kind: type[SpecT]) -> SpecT:
    """Read a study, its paths made relative to where the file is. Raises SpecError."""
    spec = load(path, kind)
    places: dict[str, Any] = {
        name: path.parent / value
        for name in ("real", "synthetic", "test", "imagenet")
        if isinstance(value := getattr(spec, name, None), Path)
    }
    encoder = getattr(spec, "encoder", None)
    if encoder is not None and encoder.imagenet is not None:
        file = path.parent / encoder.imagenet
        places["encoder"] = encoder.model_copy(update={"imagenet": file})
    own = getattr(spec, "self_training", None)
    if own is not None and own.photos is not None:
        places["self_training"] = own.model_copy(update={"photos": path.parent / own.photos})
    return spec.model_copy(update=places)


def content(spec: StudySpec) -> Mapping[str, Any]:
    """Return a study as plain data."""
    return spec.model_dump(mode="json")
