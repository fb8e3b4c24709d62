"""Things that stand around the product and hide some of it; they belong to no class."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from clearcoat.scene.distributions import (
    Distribution,
    LogUniform,
    draw,
    draw_weighted,
    stream,
    uniform,
)
from clearcoat.scene.framing import Pose, direction
from clearcoat.spec import Model

FloatArray = NDArray[np.float64]
SHAPES = ("box", "cylinder", "cone", "ball", "pole")
_CLEARANCE_M = 0.3
"""Beside a product of two metres or more; around smaller ones, cameras are nearer, too."""


class OccluderSpec(Model):
    """Distractors around the product: primitives of random size and colour, or given models."""

    count: Distribution = 0.0
    """How many, rounded; 0 is none, and at most `most` are drawn."""
    most: Annotated[int, Field(ge=1, le=64)] = 8
    """Objects that the scene holds ready."""
    models: tuple[Path, ...] = ()
    """Files of objects that are used instead of primitives, relative to the spec: each keeps its
    proportions and is scaled to `size_m`."""
    size_m: Distribution = LogUniform(log_uniform=(0.15, 1.4))
    """Largest extent of a primitive; poles are longer."""
    distance_m: Distribution = uniform(0.15, 3.0)
    """From the product's outline to the object, along the ground."""
    azimuth_deg: Distribution = uniform(0, 360)
    """Direction from the product to the object: 0 in front, 90 on the product's left."""
    in_front: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of the objects that stand between the product and the camera of the first image of
    their block (every image, with `block: 1`)."""
    floating: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Share of the objects that hang in the air; all others stand on the ground."""


@dataclass(frozen=True)
class OccluderSample:
    """One object."""

    slot: int
    """Which of the objects that the scene holds ready; of models, slot n is model n modulo their
    number."""
    shape: str
    """box, cylinder, cone, ball, pole, or the file name of a model."""
    center_m: tuple[float, float, float]
    """Of its bounding box, world frame."""
    half_m: tuple[float, float, float]
    """Half its extents before it is turned; of a model, half its largest."""
    rotation: tuple[tuple[float, float, float], ...]
    """(3, 3), from the object's frame to the world."""
    color: tuple[float, float, float]
    """Linear sRGB."""
    metallic: float
    roughness: float

    @property
    def reach_m(self) -> float:
        """Radius of a sphere around it."""
        return math.hypot(*self.half_m)


def sample_occluders(
    spec: OccluderSpec, points_m: FloatArray, pose: Pose, first_pose: Pose, seed: int, block: int
) -> tuple[OccluderSample, ...]:
    """Draw the objects of a block of images.

    Args:
        spec: what may stand there.
        points_m: (N, 3), the product's outline.
        pose: camera of the image; what it would stand in is left out.
        first_pose: camera of the block's first image.
        seed: of the series.
        block: number of the block.
    """
    count = min(max(round(draw(spec.count, seed, block, "occluders.count")), 0), spec.most)
    made = (
        _occluder(spec, points_m, first_pose, stream(seed, block, f"occluders.{n}"), seed, block, n)
        for n in stream(seed, block, "occluders.slots").permutation(spec.most)[:count].tolist()
    )
    camera, clearance = np.array(pose.position_m), _CLEARANCE_M * _smallness(points_m)
    return tuple(
        one
        for one in made
        if np.linalg.norm(np.array(one.center_m) - camera) > one.reach_m + clearance
    )


def _occluder(
    spec: OccluderSpec,
    points_m: FloatArray,
    pose: Pose,
    rng: np.random.Generator,
    seed: int,
    block: int,
    number: int,
) -> OccluderSample:
    def value(key: str, distribution: Any) -> float:
        return draw(distribution, seed, block, f"occluders.{number}.{key}")

    small = _smallness(points_m)
    size = max(value("size_m", spec.size_m), 0.01 * small)
    if spec.models:
        shape = spec.models[number % len(spec.models)].name
    else:
        shape = draw_weighted(rng, dict.fromkeys(SHAPES, 1.0))
    half = size / 2 * rng.uniform(0.35, 1.0, 3)
    half[int(rng.integers(3))] = size / 2
    if shape in {"ball", "cylinder", "cone"}:
        half[1] = half[0]
    if shape == "pole":
        thick = 0.02 * small + 0.03 * size
        half = np.array([thick, thick, small * rng.uniform(0.5, 1.6)])
    if spec.models:
        half = np.full(3, size / 2)
    floats = rng.random() < spec.floating
    rotation = _turn(rng, tilted=floats)
    # Where it stands: beside the product, or on the way from the camera to a point of it.
    low, high = points_m.min(axis=0), points_m.max(axis=0)
    towards = np.array(direction(value("azimuth_deg", spec.azimuth_deg), 0.0))
    outline = float((points_m @ towards).max())
    place = towards * (outline + value("distance_m", spec.distance_m) + float(np.hypot(*half[:2])))
    height = float(half[2])
    if floats:
        height += float(rng.uniform(0, 1.2)) * float(high[2])
    if rng.random() < spec.in_front:
        camera, share = np.array(pose.position_m), float(rng.uniform(0.3, 0.75))
        aim = rng.uniform(low, high)
        place = camera + share * (aim - camera)
        height = float(place[2]) if floats else height
        inside = (low[:2] - half.max() < place[:2]) & (place[:2] < high[:2] + half.max())
        if inside.all():
            place = towards * (outline + float(np.hypot(*half[:2])) + 0.2 * small)
    return OccluderSample(
        slot=number,
        shape=shape,
        center_m=(float(place[0]), float(place[1]), height),
        half_m=(float(half[0]), float(half[1]), float(half[2])),
        rotation=tuple((float(r[0]), float(r[1]), float(r[2])) for r in rotation),
        color=_color(rng),
        metallic=float(rng.random() < 0.15),
        roughness=float(rng.uniform(0.15, 0.9)),
    )


def _smallness(points_m: FloatArray) -> float:
    """Return 1 for products of two metres or more, and less in proportion for smaller ones."""
    return min(1.0, float(np.ptp(points_m, axis=0).max()) / 2)


def _turn(rng: np.random.Generator, *, tilted: bool) -> FloatArray:
    angle = 2 * math.pi * float(rng.random())
    c, s = math.cos(angle), math.sin(angle)
    upright = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    if not tilted:
        return upright
    c, s = math.cos(tilt := float(rng.uniform(0, math.pi))), math.sin(tilt)
    tilted_by: FloatArray = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    return np.asarray(upright @ tilted_by, np.float64)


def _color(rng: np.random.Generator) -> tuple[float, float, float]:
    """Half of the things of this world are grey, brown or black."""
    saturation = rng.uniform(0, 0.25) if rng.random() < 0.5 else rng.uniform(0.4, 1.0)
    red, green, blue = colorsys.hsv_to_rgb(
        float(rng.random()), float(saturation), float(rng.uniform(0.03, 0.8))
    )
    return red, green, blue
