"""Intervals, tests, curves and what they say of an image's worth; NumPy and SciPy only."""

from clearcoat.statistics.bootstrap import (
    ScoredRun,
    class_iou_difference,
    gain_difference,
    mean_iou_difference,
    mean_iou_interval,
)
from clearcoat.statistics.breakpoint import BreakPoint, TwoLines, break_point, two_lines
from clearcoat.statistics.comparisons import OneSidedTest, paired_one_sided, welch_one_sided
from clearcoat.statistics.curves import Band, Curve, curve_band, fit_curve
from clearcoat.statistics.equivalence import Equivalence, equivalence, two_sided
from clearcoat.statistics.intervals import (
    LEVEL,
    Interval,
    difference_interval,
    mean_interval,
    relative_gain,
)
from clearcoat.statistics.multiplicity import benjamini_hochberg, holm
from clearcoat.statistics.stopping import (
    Stop,
    StoppingRule,
    relative_width,
    stopping_point,
)
from clearcoat.statistics.worth import (
    Equivalent,
    ExchangeRate,
    Saving,
    Scaling,
    Worth,
    synthetic_scaling,
)

__all__ = [
    "LEVEL",
    "Band",
    "BreakPoint",
    "Curve",
    "Equivalence",
    "Equivalent",
    "ExchangeRate",
    "Interval",
    "OneSidedTest",
    "Saving",
    "Scaling",
    "ScoredRun",
    "Stop",
    "StoppingRule",
    "TwoLines",
    "Worth",
    "benjamini_hochberg",
    "break_point",
    "class_iou_difference",
    "curve_band",
    "difference_interval",
    "equivalence",
    "fit_curve",
    "gain_difference",
    "holm",
    "mean_interval",
    "mean_iou_difference",
    "mean_iou_interval",
    "paired_one_sided",
    "relative_gain",
    "relative_width",
    "stopping_point",
    "synthetic_scaling",
    "two_lines",
    "two_sided",
    "welch_one_sided",
]
