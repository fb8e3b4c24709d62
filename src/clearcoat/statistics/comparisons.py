"""One-sided tests of whether the mean of one sample is greater than that of another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from clearcoat.statistics.intervals import (
    measurements,
    require_pairs,
    variance,
    welch_degrees,
)


@dataclass(frozen=True)
class OneSidedTest:
    """The result of testing mean(a) > mean(b)."""

    difference: float
    """mean(a) - mean(b)."""
    p_value: float | None
    """Probability of so great a difference were both means the same; None: cannot be said."""
    statistic: float | None
    degrees: float | None
    """Degrees of freedom of Student's t distribution."""
    why_not: str = ""
    """Why there is no p-value, in words."""


def welch_one_sided(a: Sequence[float], b: Sequence[float]) -> OneSidedTest:
    """Test mean(a) > mean(b) without taking both variances for equal (the paper's Fig. 2c).

    There is no p-value where a sample has fewer than two values or neither has any spread.
    Raises ValueError where a sample is empty or not finite.
    """
    first, second = measurements(a, "a"), measurements(b, "b")
    difference = float(first.mean() - second.mean())
    if min(len(first), len(second)) < 2:
        return _untold(difference, "each sample needs two values or more")
    parts = (variance(first) / len(first), variance(second) / len(second))
    if sum(parts) == 0:
        return _untold(difference, "the values have no spread")
    return _told(difference, sum(parts), welch_degrees(parts, (len(first), len(second))))


def paired_one_sided(a: Sequence[float], b: Sequence[float]) -> OneSidedTest:
    """Test mean(a - b) > 0 for values that belong together, a[i] with b[i].

    There is no p-value for fewer than two pairs or differences without spread.
    Raises ValueError where a sample is empty or not finite, or the numbers differ.
    """
    first, second = measurements(a, "a"), measurements(b, "b")
    require_pairs(first, second)
    differences = first - second
    difference = float(differences.mean())
    if len(first) < 2:
        return _untold(difference, "two pairs or more are needed")
    squared_error = variance(differences) / len(differences)
    # What rounding leaves of equal differences would be infinitely significant.
    rounding = 4 * np.finfo(np.float64).eps * float(np.abs([first, second]).max())
    if squared_error == 0 or float(np.ptp(differences)) <= rounding:
        return _untold(difference, "the differences have no spread")
    return _told(difference, squared_error, len(differences) - 1)


def _told(difference: float, squared_error: float, degrees: float) -> OneSidedTest:
    # Not scipy.stats.ttest_ind: it warns where a sample has no spread, which one cell of a
    # study may well have, and its answer is this one.
    statistic = difference / math.sqrt(squared_error)
    return OneSidedTest(difference, float(stats.t.sf(statistic, degrees)), statistic, degrees)


def _untold(difference: float, why: str) -> OneSidedTest:
    return OneSidedTest(difference, None, None, None, why)
