"""What a grid is: the YAML file of `study supplement`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from clearcoat.errors import SpecError
from clearcoat.spec import Model
from clearcoat.statistics import StoppingRule
from clearcoat.studies.imagenet import EFFICIENTNET_UNET, VGG19_UNET
from clearcoat.studies.presets import PRESETS, find_preset
from clearcoat.studies.spec import Count, Repeats, StudySpec
from clearcoat.training import RECIPES, SelfTraining, recipe


class RowRepeats(Repeats):
    """Other numbers of repeats for some real counts."""

    real: tuple[Count, ...]


class EncoderSpec(Model):
    """An encoder that starts from ImageNet weights, in every model of a grid."""

    imagenet: Path | None = None
    """File of VGG19's weights, or of EfficientNet-Lite0's in place of the package that has them."""
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
        if chosen is not None:
            phase = chosen.phase()
            for count in grid[1]:
                if not any(chosen.covers(real, count) for real in grid[0]):
                    continue
                if count:
                    self.config(self_training=phase)
                else:
                    self.config_without_renders(None, self_training=phase)
        return self

    @model_validator(mode="after")
    def _asks_for_what_there_is(self) -> Self:
        real = self.grid[0]
        for number, row in enumerate(self.more_repeats):
            for count in row.real:
                if count not in real:
                    raise SpecError(
                        f"more_repeats: {count} is no real count of the grid",
                        key=("more_repeats", number, "real"),
                        expected=", ".join(map(str, real)),
                    )
        if self.pretrainings is not None and not self.shares_pretraining:
            raise SpecError(
                "pretrainings: no run starts from another here, since each sees renders itself",
                key=("pretrainings",),
                do="leave it out, or take mix 'sequential' with `share_pretraining: true`",
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
