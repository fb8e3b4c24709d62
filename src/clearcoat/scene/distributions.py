"""Numbers and choices that a spec may leave to chance.

Every quantity draws from a stream of its own, derived from (seed, index, name), so that
adding a randomised quantity leaves all the others as they were.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import Discriminator, Field, Tag, model_validator

from clearcoat.errors import SpecError
from clearcoat.spec import Model

NameT = TypeVar("NameT", bound=str)


def stream(seed: int, index: int, name: str) -> np.random.Generator:
    """Return the random generator of one quantity of one image."""
    word = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.default_rng(np.random.SeedSequence([seed, index, word]))


class Uniform(Model):
    """Every value of an interval is equally likely."""

    uniform: tuple[float, float]
    """Least and greatest value."""

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        _check_order("uniform", *self.uniform)
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        low, high = self.uniform
        return float(low + (high - low) * rng.random())


class LogUniform(Model):
    """Every factor is equally likely: for quantities that span orders of magnitude."""

    log_uniform: tuple[float, float]
    """Least and greatest value, both above zero."""

    @model_validator(mode="after")
    def _ordered(self) -> LogUniform:
        _check_order("log_uniform", *self.log_uniform)
        if self.log_uniform[0] <= 0:
            raise SpecError(
                "log_uniform needs values above zero", found=self.log_uniform[0], do="use uniform"
            )
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        low, high = (math.log(value) for value in self.log_uniform)
        return math.exp(low + (high - low) * float(rng.random()))


class NormalParameters(Model):
    """Mean, standard deviation, and limits outside which a draw is repeated."""

    mean: float
    std: Annotated[float, Field(ge=0)]
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _reachable(self) -> NormalParameters:
        low, high = self.limits
        if not low <= self.mean <= high:
            # A mean inside its limits keeps rejection cheap: nobody waits for a twelve-sigma event.
            raise SpecError(
                "normal: the mean lies outside its limits",
                found=f"mean {self.mean:g}, min {low:g}, max {high:g}",
                expected="min <= mean <= max",
            )
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """Least and greatest value that a draw may have."""
        return (
            -math.inf if self.min is None else self.min,
            math.inf if self.max is None else self.max,
        )


class Normal(Model):
    """A (truncated) normal distribution."""

    normal: NormalParameters

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value; values outside the limits are drawn again."""
        low, high = self.normal.limits
        for _ in range(1000):
            value = float(rng.normal(self.normal.mean, self.normal.std))
            if low <= value <= high:
                return value
        # Limits far narrower than the spread: invert the distribution between them instead.
        whole = NormalDist(self.normal.mean, self.normal.std)
        below, share = whole.cdf(low), whole.cdf(high) - whole.cdf(low)
        return min(max(whole.inv_cdf(below + share * float(rng.random())), low), high)


class Choice(Model):
    """One of several numbers, equally likely."""

    choice: Annotated[tuple[float, ...], Field(min_length=1)]

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        return self.choice[int(rng.integers(len(self.choice)))]


_KINDS: dict[str, type[Model]] = {
    "uniform": Uniform,
    "log_uniform": LogUniform,
    "normal": Normal,
    "choice": Choice,
}


def _kind(value: Any) -> str:
    """Tell pydantic which distribution a mapping means; an unknown key is its problem to report."""
    if isinstance(value, Mapping):
        known = [str(key) for key in value if key in _KINDS]
        return known[0] if known else str(next(iter(value), "nothing"))
    return next((key for key, kind in _KINDS.items() if isinstance(value, kind)), "number")


Distribution = Annotated[
    Annotated[float, Tag("number")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[LogUniform, Tag("log_uniform")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[Choice, Tag("choice")],
    Discriminator(_kind),
]
"""A number in a spec: exact, or a distribution to draw it from for each image."""


def draw(
    distribution: float | Uniform | LogUniform | Normal | Choice, seed: int, index: int, name: str
) -> float:
    """Draw the quantity `name` of image `index`."""
    if isinstance(distribution, int | float):
        return float(distribution)
    return distribution.draw(stream(seed, index, name))


def uniform(low: float, high: float) -> Uniform:
    """Return a uniform distribution (for defaults)."""
    return Uniform(uniform=(low, high))


def normal(mean: float, std: float, low: float | None = None, high: float | None = None) -> Normal:
    """Return a truncated normal distribution (for defaults)."""
    return Normal(normal=NormalParameters(mean=mean, std=std, min=low, max=high))


def draw_weighted(rng: np.random.Generator, weights: Mapping[NameT, float]) -> NameT:
    """Draw one name in proportion to its weight; the order of the mapping does not matter."""
    names = sorted(weights)
    total = math.fsum(weights[name] for name in names)
    threshold = float(rng.random()) * total
    for name in names:
        threshold -= weights[name]
        if threshold < 0:
            return name
    return next(name for name in reversed(names) if weights[name] > 0)


def some_weight(weights: dict[str, float]) -> dict[str, float]:
    """Return relative weights as they are.

    Raises:
        SpecError: one of them is negative, or none is above zero.
    """
    if any(weight < 0 for weight in weights.values()) or sum(weights.values()) <= 0:
        raise SpecError(
            "weights must not be negative, and at least one must be above zero", found=weights
        )
    return weights


def _check_order(kind: str, low: float, high: float) -> None:
    if low > high:
        raise SpecError(
            f"{kind}: the first value is greater than the second",
            found=f"[{low:g}, {high:g}]",
            expected="[least, greatest]",
            do="swap them",
        )
