"""Conditions of a surface: dirt, wear, scratches, drops of water; how much of each, by chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clearcoat.scene.colors import Colors, ColorSpec
from clearcoat.scene.distributions import (
    Distribution,
    draw,
    draw_weighted,
    stream,
    uniform,
)
from clearcoat.spec import Model


class DirtSpec(ColorSpec):
    """Dust that has settled and mud that was thrown up."""

    dust: Distribution = uniform(0.05, 0.4)
    """Share of an upward surface that a film of dust hides, evenly; upright ones have half."""
    mud: Distribution = uniform(0.2, 0.8)
    """Share that mud hides where it is thickest: at the ground and behind `thrown_by`."""
    height_m: Distribution = uniform(0.25, 0.6)
    """Height above the ground at which mud has become a third of that."""
    patch_m: Distribution = uniform(0.1, 0.25)
    """Size of its patches."""
    thrown_by: tuple[str, ...] | str = ("*wheel*", "*tyre*", "*tire*")
    """Globs of the parts behind which mud is thrown up; none need match."""
    colors: Colors = {"#8f7f68": 2.0, "#6f5f4b": 2.0, "#a39a8a": 1.0, "#54463a": 1.0}
    """sRGB colours as #rrggbb, with relative weights. A list means equal weights."""


class ScratchSpec(ColorSpec):
    """Scratches through the surface, some of them several in parallel."""

    amount: Distribution = uniform(0.1, 0.6)
    """Share of the places for a scratch that have one: at 1 there are some 10 per square metre
    of `length_m` 0.3, and more of shorter ones."""
    length_m: Distribution = uniform(0.15, 0.4)
    """Length of the longest."""
    width_mm: Distribution = uniform(1.0, 3.0)
    """Width of the widest."""
    colors: Colors = {"#b9b8b4": 2.0, "#8b8a88": 1.0, "#d9d8d4": 1.0}
    """What lies bare: primer, metal, scratched-up coat. sRGB with relative weights, or a list."""


class WearSpec(Model):
    """A coat that has gone dull in patches."""

    amount: Distribution = uniform(0.2, 0.8)
    """Share of the surface that is dull."""
    roughness: Distribution = uniform(0.35, 0.6)
    """Roughness of what is dull."""
    patch_m: Distribution = uniform(0.2, 0.5)
    """Size of the patches."""


class DropSpec(Model):
    """Beads of water."""

    amount: Distribution = uniform(0.3, 1.0)
    """Share of the places for a drop that have one: at 1 about a third of the surface is wet."""
    diameter_mm: Distribution = uniform(4.0, 9.0)
    """Of the largest drops."""


@dataclass(frozen=True)
class ConditionSample:
    """How a condition is in a block of images."""

    kind: str
    """`dirt`, `scratches`, `wear` or `water_drops`."""
    values: Mapping[str, float]
    """What was drawn of the spec's numbers."""
    color: str | None = None
    """sRGB as #rrggbb, where the condition has one."""
    variation: int = 0
    """Which of the patterns of its kind it is."""


ConditionSpec = DirtSpec | ScratchSpec | WearSpec | DropSpec
KINDS: dict[str, type[Model]] = {
    "wear": WearSpec,
    "scratches": ScratchSpec,
    "dirt": DirtSpec,
    "water_drops": DropSpec,
}
"""The keys of a state, from the coat outwards."""


def sample_condition(
    kind: str, spec: ConditionSpec, seed: int, block: int, name: str
) -> ConditionSample:
    """Draw a condition of the state `name`; shares are clipped to 0 … 1, sizes to above 0."""
    limits: dict[str, Callable[[float], float]] = {
        "dust": _share, "mud": _share, "amount": _share, "roughness": _share
    }  # fmt: skip
    values = {
        key: limits.get(key, _size)(draw(getattr(spec, key), seed, block, f"states.{name}.{key}"))
        for key in type(spec).model_fields
        if key not in {"colors", "thrown_by"}
    }
    colors: Any = getattr(spec, "colors", None)
    rng = stream(seed, block, f"states.{name}.pattern")
    return ConditionSample(
        kind=kind,
        values=values,
        color=None if colors is None else draw_weighted(rng, colors),
        variation=int(rng.integers(2**31)),
    )


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _size(value: float) -> float:
    return max(value, 1e-3)
