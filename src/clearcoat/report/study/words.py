"""Numbers as the verdict says them: each with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from clearcoat.report.verdict import p_text, percent, percent_bounds, signed, signed_percent
from clearcoat.statistics import Interval

if TYPE_CHECKING:
    from clearcoat.report.study.comparing import Contrast
    from clearcoat.report.study.facts import CellFacts

__all__ = [
    "NO_SPREAD",
    "alternatives",
    "cell_text",
    "contrast_text",
    "gain_text",
    "mean_text",
    "number_range",
    "p_text",
    "percent",
    "percent_range",
    "signed",
    "together",
]

NO_SPREAD = "runs of a cell score the same, so that none tells how far chance takes a score"
"""Why runs enough do not decide."""


def gain_text(interval: Interval) -> str:
    """A difference of mean IoU with its interval."""
    text = signed(interval.estimate)
    if interval.low is None or interval.high is None:
        return f"{text}, one run: no interval"
    # Student's t knows nothing of the bounds that a difference of two scores has.
    low, high = max(-1.0, interval.low), min(1.0, interval.high)
    return f"{text}, 95 % interval {signed(low)} to {signed(high)}"


def contrast_text(both: Contrast) -> str:
    """A difference of two means with its interval, and of what runs where not of all.

    A paired difference is over the repeats that both have: it need not be that of the means.
    """
    runs = max(len(both.cell.entries), len(both.baseline.entries))
    if both.difference.low is None and min(len(both.cell.entries), len(both.baseline.entries)) > 1:
        return f"{signed(both.difference.estimate)}, all from one run on renders: no interval"
    text = gain_text(both.difference)
    if both.paired is None or both.runs == runs:
        return text
    over = "the one repeat" if both.runs == 1 else f"the {both.runs} repeats"
    return f"{text}, over {over} that both have"


def mean_text(interval: Interval) -> str:
    """A mean IoU with its interval."""
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:.3f} (one run)"
    return (
        f"{interval.estimate:.3f} ({max(0.0, interval.low):.3f} to {min(1.0, interval.high):.3f})"
    )


def cell_text(cell: CellFacts) -> str:
    """A cell's mean IoU with its interval."""
    if len(cell.values) == 1 and len(cell.entries) > 1:
        return f"{cell.interval.estimate:.3f} ({len(cell.entries)} runs from one on renders)"
    return mean_text(cell.interval)


def percent_range(interval: Interval | None) -> str:
    """A relative gain with its interval; empty where it has none."""
    if interval is None or interval.low is None:
        return ""
    bounds = percent_bounds(interval)
    return signed_percent(interval.estimate) + (f" ({bounds})" if bounds else "")


def alternatives(counts: Sequence[int]) -> str:
    """Counts of which one is meant."""
    *others, last = (f"{count:,}" for count in counts)
    return f"{', '.join(others)} or {last}" if others else last


def together(counts: Sequence[int]) -> str:
    """Counts of which all are meant."""
    *others, last = (f"{count:,}" for count in counts)
    return f"{', '.join(others)} and {last}" if others else last


def number_range(low: float, high: float, limit: float = math.inf, fewest: float = 0.0) -> str:
    """A range of counts; beyond what a curve can be read for it is *more* or *fewer than*."""
    if low > limit:
        return f"more than {limit:,.0f}"
    if high < fewest:
        return f"fewer than {fewest:,.0f}"
    first = f"fewer than {fewest:,.0f}" if low < fewest else f"{low:,.0f}"
    return f"{first} to " + (f"more than {limit:,.0f}" if high > limit else f"{high:,.0f}")
