"""When to stop repeating a measurement: the paper's rule (section IV.B), in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from clearcoat.statistics.intervals import LEVEL, mean_interval

State = Literal["open", "settled", "capped"]


@dataclass(frozen=True)
class StoppingRule:
    """Repeat until the interval of the mean is narrow, but within bounds."""

    least: int = 7
    most: int = 30
    relative_width: float | None = 0.05
    """Full width of the interval over the mean below which it is narrow; None: stop at `least`."""
    level: float = LEVEL

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise ValueError(f"stopping rule: 1 <= {self.least} <= {self.most} does not hold")
        if self.relative_width is not None and (self.least < 2 or self.relative_width <= 0):
            raise ValueError("stopping rule: a width needs two values at least, and to be positive")


@dataclass(frozen=True)
class Stop:
    """How far a sequence of measurements is."""

    state: State
    """`settled`: narrow enough; `capped`: at the most allowed, and still wide."""
    count: int
    """Measurements that count: those up to where the rule stopped."""


def stopping_point(values: Sequence[float | None], rule: StoppingRule) -> Stop:
    """Apply the rule to measurements in their fixed order, never in the order of finishing.

    None is a measurement that was tried and gave nothing: it counts towards `most` only. What
    comes after the point of stopping does not count, whoever measured it; otherwise the number
    of processes that share the work would decide the result.
    """
    got: list[float] = []
    for position, value in enumerate(values[: rule.most], start=1):
        if value is not None:
            got.append(value)
        if len(got) >= rule.least and _narrow(got, rule):
            return Stop("settled", position)
    if len(values) >= rule.most:
        return Stop("capped", rule.most)
    return Stop("open", len(values))


def relative_width(values: Sequence[float], level: float = LEVEL) -> float | None:
    """Full width of the mean's interval over the mean; None without an interval or a mean of 0."""
    interval = mean_interval(values, level)
    if interval.half_width is None or interval.estimate == 0:
        return None
    return 2 * interval.half_width / abs(interval.estimate)


def _narrow(values: Sequence[float], rule: StoppingRule) -> bool:
    if rule.relative_width is None:
        return True
    half = mean_interval(values, rule.level).half_width
    width = relative_width(values, rule.level)
    return half == 0 or (width is not None and width < rule.relative_width)
