"""Variants of the product as labelled states: turned, missing, of the wrong material."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from clearcoat.errors import SpecError
from clearcoat.scene.distributions import Distribution, draw, stream
from clearcoat.spec import Model

FloatArray = NDArray[np.float64]
About = Literal["front_edge", "rear_edge", "centre"]


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
    """The parts are made of this material of the library."""
    label: str | None = None
    """Written to `image_labels` in the record of every image in which the state holds."""

    @property
    def globs(self) -> tuple[str, ...]:
        """The globs as a tuple."""
        return (self.parts,) if isinstance(self.parts, str) else self.parts

    @model_validator(mode="after")
    def _one_change(self) -> StateSpec:
        changes = [self.turn_deg is not None, self.missing, self.material is not None]
        if sum(changes) != 1:
            raise SpecError(
                "a state changes one thing",
                found=f"{sum(changes)} of turn_deg, missing, material",
                expected="exactly one of them",
                do="name two states where two things change",
            )
        return self


@dataclass(frozen=True)
class StateSample:
    """A state that holds in an image."""

    name: str
    turn_deg: float = 0.0
    """0 where the state is none of turning."""
    label: str | None = None


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
        held.append(StateSample(name=name, turn_deg=turn_deg, label=spec.label))
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
