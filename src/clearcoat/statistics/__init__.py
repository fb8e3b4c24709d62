"""Intervals and tests for a few repeated measurements; NumPy and SciPy only."""

from clearcoat.statistics.comparisons import OneSidedTest, paired_one_sided, welch_one_sided
from clearcoat.statistics.intervals import (
    LEVEL,
    Interval,
    difference_interval,
    mean_interval,
    relative_gain,
)

__all__ = [
    "LEVEL",
    "Interval",
    "OneSidedTest",
    "difference_interval",
    "mean_interval",
    "paired_one_sided",
    "relative_gain",
    "welch_one_sided",
]
