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

_GREATEST_SIGMA = 10.0
"""A factor of twenty thousand up or down at one standard deviation: nothing in a scene has more."""


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


class LogNormalParameters(Model):
    """Median and spread, and limits outside which a draw is repeated."""

    median: Annotated[float, Field(gt=0)]
    sigma: Annotated[float, Field(ge=0)]
    """Standard deviation of the natural logarithm, at most 10: 0.1 is about ten percent."""
    min: Annotated[float, Field(ge=0)] | None = None
    max: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _reachable(self) -> LogNormalParameters:
        if self.sigma > _GREATEST_SIGMA:
            raise SpecError(
                "log_normal: sigma is the standard deviation of the logarithm, not of the value",
                key=("sigma",),
                found=f"{self.sigma:g}",
                expected=f"at most {_GREATEST_SIGMA:g}; 0.1 is about ten percent",
                do="divide what the value scatters by through its median",
            )
        low, high = self.min or 0.0, math.inf if self.max is None else self.max
        if not low <= self.median <= high:
            raise SpecError(
                "log_normal: the median lies outside its limits",
                found=f"median {self.median:g}, min {low:g}, max {high:g}",
                expected="min <= median <= max",
            )
        return self


class LogNormal(Model):
    """A (truncated) log-normal distribution: for factors that scatter about a typical one."""

    log_normal: LogNormalParameters

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value; values outside the limits are drawn again."""
        p = self.log_normal
        logs = NormalParameters(
            mean=math.log(p.median),
            std=p.sigma,
            min=math.log(p.min) if p.min else None,
            max=None if p.max is None else math.log(p.max),
        )
        return math.exp(Normal(normal=logs).draw(rng))


class Triangular(Model):
    """Least, most likely and greatest value: for what is known no better."""

    triangular: tuple[float, float, float]

    @model_validator(mode="after")
    def _ordered(self) -> Triangular:
        least, mode, greatest = self.triangular
        _check_order("triangular", least, mode)
        _check_order("triangular", mode, greatest)
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        least, mode, greatest = self.triangular
        if least == greatest:
            return least
        return float(rng.triangular(least, mode, greatest))


class Choice(Model):
    """One of several numbers: equally likely, or `{number: weight}`."""

    choice: Annotated[tuple[float, ...], Field(min_length=1)] | dict[float, float]

    @model_validator(mode="after")
    def _weighted(self) -> Choice:
        if isinstance(self.choice, dict):
            weights = list(self.choice.values())
            if any(weight < 0 for weight in weights) or sum(weights) <= 0:
                raise SpecError(
                    "choice: weights must not be negative, and at least one must be above zero",
                    found=self.choice,
                )
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        if isinstance(self.choice, dict):
            by_name = {repr(value): value for value in self.choice}
            weights = {name: self.choice[value] for name, value in by_name.items()}
            return by_name[draw_weighted(rng, weights)]
        return self.choice[int(rng.integers(len(self.choice)))]


class Truncated(Model):
    """Another distribution between limits: values outside are drawn again."""

    truncated: TruncatedParameters

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Truncated:
        # Here the spec's line is known, and nothing has been rendered yet.
        self.draw(np.random.default_rng(0))
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value.

        Raises SpecError where ten thousand draws found none between the limits.
        """
        low, high = self.truncated.limits
        inner = self.truncated.of
        for _ in range(10_000):
            value = float(inner) if isinstance(inner, int | float) else inner.draw(rng)
            if low <= value <= high:
                return value
        raise SpecError(
            "truncated: none of 10,000 draws lies between the limits",
            found=f"min {low:g}, max {high:g}",
            do="move the limits to where the distribution has its values",
        )


class Mixture(Model):
    """One of several distributions: equally likely, or with `weights`."""

    mixture: Annotated[tuple[Distribution, ...], Field(min_length=1)]
    weights: tuple[Annotated[float, Field(ge=0)], ...] | None = None

    @model_validator(mode="after")
    def _as_many(self) -> Mixture:
        if self.weights is not None and (
            len(self.weights) != len(self.mixture) or sum(self.weights) <= 0
        ):
            raise SpecError(
                "mixture: one weight per distribution, at least one above zero",
                found=f"{len(self.mixture)} distributions, weights {list(self.weights)}",
            )
        return self

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        weights = self.weights or (1.0,) * len(self.mixture)
        names = {f"{place:06d}": weight for place, weight in enumerate(weights)}
        inner = self.mixture[int(draw_weighted(rng, names))]
        return float(inner) if isinstance(inner, int | float) else inner.draw(rng)


_KINDS: dict[str, type[Model]] = {
    "uniform": Uniform,
    "log_uniform": LogUniform,
    "normal": Normal,
    "log_normal": LogNormal,
    "triangular": Triangular,
    "choice": Choice,
    "truncated": Truncated,
    "mixture": Mixture,
}
KINDS = frozenset(_KINDS)
"""Keys by which a mapping in a spec is a distribution."""


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
    | Annotated[LogNormal, Tag("log_normal")]
    | Annotated[Triangular, Tag("triangular")]
    | Annotated[Choice, Tag("choice")]
    | Annotated[Truncated, Tag("truncated")]
    | Annotated[Mixture, Tag("mixture")],
    Discriminator(_kind),
]
"""A number in a spec: exact, or a distribution to draw it from for each image."""


class TruncatedParameters(Model):
    """The distribution and its limits."""

    of: Distribution
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> TruncatedParameters:
        _check_order("truncated", *self.limits)
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """Least and greatest value that a draw may have."""
        return (
            -math.inf if self.min is None else self.min,
            math.inf if self.max is None else self.max,
        )


Truncated.model_rebuild()
Mixture.model_rebuild()


def draw(distribution: Distribution, seed: int, index: int, name: str) -> float:
    """Draw the quantity `name` of image `index`.

    Raises SpecError where the value is beyond what a number can hold.
    """
    if isinstance(distribution, int | float):
        return float(distribution)
    try:
        value = distribution.draw(stream(seed, index, name))
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise SpecError(
            f"{name}: a value was drawn that is not a finite number",
            found=f"{value:g}, in draw {index} of seed {seed}",
            do="make its distribution narrower, or give it limits",
        )
    return value


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
