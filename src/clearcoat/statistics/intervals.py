"""Intervals for means, differences and ratios of a few repeated measurements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and, where the data allow one, its confidence interval."""

    estimate: float
    low: float | None
    """None where one measurement says nothing about the spread."""
    high: float | None
    level: float
    """Intended coverage, 0 to 1."""
    count: int
    """Measurements that the estimate rests on; of a comparison, those of the smaller side."""

    @property
    def half_width(self) -> float | None:
        """Half of high - low, in the unit of the estimate."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def mean_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Return the mean with Student's t interval; one value has no interval.

    Raises ValueError where there are no values, or one that is not finite.
    """
    array = measurements(values, "values")
    mean = float(array.mean())
    if len(array) < 2:
        return Interval(mean, None, None, level, len(array))
    error = math.sqrt(variance(array) / len(array))
    return _symmetric(mean, error, len(array) - 1, level, len(array))


def difference_interval(
    a: Sequence[float], b: Sequence[float], level: float = LEVEL, *, paired: bool = False
) -> Interval:
    """Return mean(a) - mean(b) with its interval.

    Unpaired: Welch's, which does not take both variances for equal. Paired: Student's on the
    differences a[i] - b[i]. No interval where a side has a single value.
    Raises ValueError as `mean_interval` does, and for pairs of unequal number.
    """
    first, second = measurements(a, "a"), measurements(b, "b")
    if paired:
        require_pairs(first, second)
        return mean_interval([float(value) for value in first - second], level)
    estimate = float(first.mean() - second.mean())
    count = min(len(first), len(second))
    if count < 2:
        return Interval(estimate, None, None, level, count)
    parts = (variance(first) / len(first), variance(second) / len(second))
    degrees = welch_degrees(parts, (len(first), len(second)))
    return _symmetric(estimate, math.sqrt(sum(parts)), degrees, level, count)


def relative_gain(
    a: Sequence[float], b: Sequence[float], level: float = LEVEL, *, paired: bool = False
) -> Interval | None:
    """Return mean(a) / mean(b) - 1 with its interval; None unless both means are positive.

    The interval is the delta method's on the logarithm of the ratio, with Student's t and
    Welch's degrees of freedom (paired: the covariance counts, n - 1 degrees). With the three to
    seven runs per cell that are usual here it covers what it says (the tests simulate it); a
    bootstrap of so few values is far too narrow. No interval where a side has one value.
    Raises ValueError as `difference_interval` does.
    """
    first, second = measurements(a, "a"), measurements(b, "b")
    if paired:
        require_pairs(first, second)
    mean_a, mean_b = float(first.mean()), float(second.mean())
    if mean_a <= 0 or mean_b <= 0:
        return None
    ratio = mean_a / mean_b
    count = min(len(first), len(second))
    if count < 2:
        return Interval(ratio - 1, None, None, level, count)
    if paired:
        squared_error = variance(first / mean_a - second / mean_b) / count
        degrees = float(count - 1)
    else:
        parts = (
            variance(first / mean_a) / len(first),
            variance(second / mean_b) / len(second),
        )
        squared_error = sum(parts)
        degrees = welch_degrees(parts, (len(first), len(second)))
    # Two values that differ wildly may reach beyond what a float can hold.
    reach = min(600.0, quantile(level, degrees) * math.sqrt(squared_error))
    low, high = ratio * math.exp(-reach) - 1, ratio * math.exp(reach) - 1
    return Interval(ratio - 1, low, high, level, count)


def measurements(values: Sequence[float], name: str) -> NDArray[np.float64]:
    """(n,) float64; raises ValueError where there is none, or one that is not finite."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not bool(np.isfinite(array).all()):
        raise ValueError(f"{name}: expected one or more finite numbers, got {values!r}")
    return array


def require_pairs(a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    """Raise ValueError unless both have the same number of values."""
    if len(a) != len(b):
        raise ValueError(f"pairs: {len(a)} values against {len(b)}")


def variance(array: NDArray[np.float64]) -> float:
    """Return the unbiased variance; exactly 0 where all values are the same.

    Rounding in the mean would otherwise leave a spread of 1e-34 to equal values, and an
    infinite significance to the difference of two such samples.
    """
    return 0.0 if bool((array == array[0]).all()) else float(array.var(ddof=1))


def welch_degrees(parts: Sequence[float], counts: Sequence[int]) -> float:
    """Return the degrees of freedom of Welch and Satterthwaite.

    `parts` are the squared standard errors of the means of `counts` values each.
    """
    total = sum(parts)
    if total == 0:
        return float(sum(counts) - len(counts))
    shares = [part / total for part in parts]
    return 1 / sum(share**2 / (n - 1) for share, n in zip(shares, counts, strict=True))


@lru_cache(maxsize=4096)
def quantile(level: float, degrees: float) -> float:
    """Return how many standard errors an interval of that level reaches to either side."""
    if not 0 < level < 1:
        raise ValueError(f"level: expected a number between 0 and 1, got {level}")
    return float(stats.t.ppf((1 + level) / 2, degrees))


def _symmetric(estimate: float, error: float, degrees: float, level: float, count: int) -> Interval:
    reach = quantile(level, degrees) * error
    return Interval(estimate, estimate - reach, estimate + reach, level, count)
