"""Intervals and tests for a few repeated measurements; NumPy and SciPy only."""

from clearcoat.statistics.comparisons import OneSidedTest, paired_one_sided, welch_one_sided
from clearcoat.statistics.intervals import (
    LEVEL,
    Interval,
    difference_interval,
    mean_interval,
    relative_gain,
)
from clearcoat.statistics.stopping import (
    Stop,
    StoppingRule,
    relative_width,
    stopping_point,
)

__all__ = [
    "LEVEL",
    "Interval",
    "OneSidedTest",
    "Stop",
    "StoppingRule",
    "difference_interval",
    "mean_interval",
    "paired_one_sided",
    "relative_gain",
    "relative_width",
    "stopping_point",
    "welch_one_sided",
]
