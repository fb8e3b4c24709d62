"""Two-sided tests, and tests that two means are the same but for a margin.

"No significant difference" is no evidence of none: it is also what too few runs give. Where the
claim is that two things are equally good, test for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clearcoat.statistics.comparisons import OneSidedTest, paired_one_sided, welch_one_sided
from clearcoat.statistics.intervals import Interval, difference_interval


@dataclass(frozen=True)
class Equivalence:
    """The result of testing |mean(a) - mean(b)| < margin, and mean(a) > mean(b) - margin."""

    margin: float
    """In the unit of the values: the difference that would matter."""
    p_value: float | None
    """Of the two one-sided tests the greater (TOST); None: cannot be said."""
    not_worse_p: float | None
    """Of the test that a is worse than b by less than the margin (non-inferiority)."""
    interval: Interval
    """Of the difference at level 1 - 2α: it lies inside ±margin exactly if p < α."""


def two_sided(test: OneSidedTest) -> float | None:
    """Return the p-value of the two-sided test from a one-sided one; None where it has none."""
    return None if test.p_value is None else 2 * min(test.p_value, 1 - test.p_value)


def equivalence(
    a: Sequence[float],
    b: Sequence[float],
    margin: float,
    *,
    paired: bool = False,
    alpha: float = 0.05,
) -> Equivalence:
    """Two one-sided tests for equivalence (Schuirmann 1987), Welch's or paired.

    Raises ValueError as the tests do, and for a margin that is not positive.
    """
    if margin <= 0:
        raise ValueError(f"margin: expected a positive number, got {margin}")
    test = paired_one_sided if paired else welch_one_sided
    above = test([value + margin for value in a], b).p_value
    below = test([value + margin for value in b], a).p_value
    p_value = None if above is None or below is None else max(above, below)
    interval = difference_interval(a, b, 1 - 2 * alpha, paired=paired)
    return Equivalence(margin, p_value, above, interval)
