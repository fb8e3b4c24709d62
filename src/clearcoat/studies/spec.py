"""What all studies have in common: choices of a YAML file, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from clearcoat.errors import SpecError
from clearcoat.spec import Model, load
from clearcoat.spec.yaml_text import Key
from clearcoat.statistics import StoppingRule
from clearcoat.studies.options import config_of
from clearcoat.training import (
    TrainingConfig,
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
    seed: int = Field(default=0, ge=0, lt=2**63 - _MOST_REPEATS)
    """In a paired design that of the first repeat; each has one more than the one before."""
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
        configs = {
            "training": self.config(),
            "without_renders": self.config_without_renders(None),
        }
        for key, config in configs.items():
            if self.design == "paired" and config.subset == "independent":
                raise SpecError(
                    f"{key}.subset: independent: in a paired design runs share their photos",
                    key=(key, "subset"),
                    do="write `design: independent`, or leave it out",
                )
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
            if option in ("size", "seed", "self_training"):
                return ()
            changed = ("without_renders", "pretrain") if option in changes else ()
            written = (key for key in changed if option in getattr(self, key, {}))
            return (next(written, "training"),)

        return config_of(self.recipe, own | self.training | changes, section)


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
