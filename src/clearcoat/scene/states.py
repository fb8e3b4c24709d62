"""Variants of the product as labelled states: turned, missing, wrong parts and materials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from clearcoat.errors import SpecError
from clearcoat.scene.conditions import (
    KINDS,
    ConditionSample,
    ConditionSpec,
    DirtSpec,
    DropSpec,
    ScratchSpec,
    WearSpec,
    sample_condition,
)
from clearcoat.scene.distributions import Distribution, draw, stream
from clearcoat.spec import Model

FloatArray = NDArray[np.float64]
About = Literal["front_edge", "rear_edge", "centre"]
Axis = Literal["x", "y", "z"]
Fit = Literal["own", "inside", "box"]


class HingeSpec(Model):
    """An axis in the product frame."""

    point_m: tuple[float, float, float]
    """A point of the axis: x forward, y left, z up."""
    axis: tuple[float, float, float]
    """Its direction; positive angles turn as a right-handed screw."""

    @model_validator(mode="after")
    def _has_direction(self) -> HingeSpec:
        if math.hypot(*self.axis) < 1e-9:
            raise SpecError("a hinge's axis has no direction", found=list(self.axis))
        return self


class ReplacementSpec(Model):
    """What is fitted in the place of a part."""

    parts: str = "*"
    """Glob of the parts that stand in: of the product, or of `file`. Those of the product replace
    one each, in the order of their paths and again from the first where there are fewer; those of
    a file are fitted together, as one assembly, in the place of every part."""
    file: Path | None = None
    """A CAD file that the parts are from, relative to the spec; without it, the product itself."""
    fit: Fit | None = None
    """`own` keeps their size, `inside` scales them into the bounding box of the right part, `box`
    stretches them to fill it. Default: `own` for parts of the product, `inside` for a file's."""
    scale: Annotated[float, Field(gt=0)] = 1.0
    """Their size is multiplied by this after fitting."""
    mirrored: Axis | None = None
    """They are mirrored along this axis of the product."""

    @property
    def fitting(self) -> Fit:
        """How they are fitted, the default resolved."""
        return self.fit or ("own" if self.file is None else "inside")


class StateSpec(Model):
    """One way in which some parts may differ from how the CAD file has them."""

    parts: tuple[str, ...] | str
    """Globs of the parts' paths."""
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the blocks of images in which the state holds."""
    turn_deg: Distribution | None = None
    """Angle by which the parts are turned: a door opened, a wheel steered."""
    about: About | HingeSpec = "centre"
    """What they turn about. `front_edge` and `rear_edge` are vertical hinges at the parts' outer
    edge, and positive angles open outwards; `centre` is the vertical axis through their middle.
    Each takes the parts left and right of the product's middle plane apart."""
    missing: bool = False
    """The parts are not there."""
    material: str | None = None
    """The parts are made of this material of the library; `paint` has the image's paint."""
    replaced_by: ReplacementSpec | None = None
    """Other parts stand in their place, each with its middle where that of the right part was, and
    are labelled as the parts that they stand in for. A text is the glob of parts of the product."""
    mirrored: Axis | None = None
    """Each part is its own mirror image along this axis of the product: `y` is the part made for
    the other side, `z` one that is upside down."""
    wear: WearSpec | None = None
    """Their coat has gone dull in patches; glass does not."""
    scratches: ScratchSpec | None = None
    """They are scratched."""
    dirt: DirtSpec | None = None
    """They are dusty and muddy."""
    water_drops: DropSpec | None = None
    """Beads of water stand on them."""
    also: Annotated[str, Field(min_length=1)] | None = Field(default=None, alias="is")
    """A class that the parts' pixels have besides their own while the state holds; of wear,
    scratches, dirt and drops, the pixels that these cover by more than half."""
    label: str | None = None
    """Written to `image_labels` in the record of every image in which the state holds."""

    @property
    def globs(self) -> tuple[str, ...]:
        """The globs as a tuple."""
        return (self.parts,) if isinstance(self.parts, str) else self.parts

    @property
    def kind(self) -> str | None:
        """Which condition of the surface the state is, if any: a key of `conditions.KINDS`."""
        return next((kind for kind in KINDS if getattr(self, kind) is not None), None)

    @property
    def condition(self) -> ConditionSpec | None:
        """The spec of that condition."""
        kind = self.kind
        spec: ConditionSpec | None = None if kind is None else getattr(self, kind)
        return spec

    @property
    def replacement(self) -> ReplacementSpec | None:
        """What stands in for each part: `replaced_by`, or for `mirrored` the part itself."""
        if self.mirrored is not None:
            return ReplacementSpec(mirrored=self.mirrored)
        return self.replaced_by

    @field_validator(
        "replaced_by", mode="before", json_schema_input_type=str | ReplacementSpec | None
    )
    @classmethod
    def _glob_alone(cls, value: object) -> object:
        return {"parts": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_change(self) -> StateSpec:
        changes = {
            "turn_deg": self.turn_deg is not None,
            "missing": self.missing,
            "material": self.material is not None,
            "replaced_by": self.replaced_by is not None,
            "mirrored": self.mirrored is not None,
            **{kind: getattr(self, kind) is not None for kind in KINDS},
        }
        if sum(changes.values()) != 1:
            raise SpecError(
                "a state changes one thing",
                found=f"{sum(changes.values())} of {', '.join(changes)}",
                expected="exactly one of them",
                do="name two states where two things change",
            )
        if self.missing and self.also is not None:
            raise SpecError(
                "what is missing has no pixels that a class could be given to",
                found=f"missing: true, is: {self.also}",
                do="leave `is` out; `label` marks the whole image",
            )
        return self


@dataclass(frozen=True)
class StateSample:
    """A state that holds in an image."""

    name: str
    turn_deg: float = 0.0
    """0 where the state is none of turning."""
    label: str | None = None
    condition: ConditionSample | None = None
    """How the surface is, where the state is one of that."""


def sample_states(specs: Mapping[str, StateSpec], seed: int, block: int) -> tuple[StateSample, ...]:
    """Draw which states hold in a block of images, and by how much."""
    held = []
    for name in sorted(specs):
        spec = specs[name]
        if stream(seed, block, f"states.{name}.holds").random() >= spec.probability:
            continue
        turn_deg = (
            0.0
            if spec.turn_deg is None
            else draw(spec.turn_deg, seed, block, f"states.{name}.turn_deg")
        )
        kind, condition = spec.kind, spec.condition
        sampled = (
            None
            if kind is None or condition is None
            else sample_condition(kind, condition, seed, block, name)
        )
        held.append(StateSample(name=name, turn_deg=turn_deg, label=spec.label, condition=sampled))
    return tuple(held)


def placement(
    about: About | HingeSpec, turn_deg: float, bounds_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(3, 3) rotation and (3,) shift that turn parts with the bounding box (2, 3) by an angle."""
    low, high = bounds_m
    middle = (low + high) / 2
    axis, point, angle = np.array([0.0, 0.0, 1.0]), middle, math.radians(turn_deg)
    if isinstance(about, HingeSpec):
        axis = np.array(about.axis) / math.hypot(*about.axis)
        point = np.array(about.point_m)
    elif about != "centre":
        left = middle[1] >= 0
        front = about == "front_edge"
        point = np.array([(high if front else low)[0], (high if left else low)[1], middle[2]])
        angle *= 1 if left != front else -1
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    # Rodrigues' formula.
    rotation = np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * (cross @ cross)
    return rotation, point - rotation @ point
