"""Intervals: against scipy, closed forms, and simulations of what they promise."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clearcoat.statistics import Interval, difference_interval, mean_interval, relative_gain

numbers = st.lists(st.floats(0.01, 1.0), min_size=2, max_size=9)


@given(numbers, st.floats(0.5, 0.999))
def test_mean_interval_is_that_of_scipy(values: list[float], level: float) -> None:
    found = mean_interval(values, level)
    assert found.estimate == pytest.approx(np.mean(values))
    assert found.count == len(values) and found.level == level
    error = stats.sem(values)
    if len(set(values)) > 1 and error > 1e-12:
        low, high = stats.t.interval(level, len(values) - 1, np.mean(values), error)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_a_known_interval() -> None:
    # Mean 3, deviation sqrt(2.5), t(4, 97.5 %) = 2.776445.
    found = mean_interval([1, 2, 3, 4, 5])
    assert found.half_width == pytest.approx(2.776445 * math.sqrt(2.5 / 5), rel=1e-6)


def test_one_value_has_no_interval() -> None:
    assert mean_interval([0.3]) == Interval(0.3, None, None, 0.95, 1)
    assert mean_interval([0.3]).half_width is None
    assert difference_interval([0.4], [0.1, 0.2]).low is None
    gain = relative_gain([0.4], [0.1, 0.3])
    assert gain is not None and gain.estimate == pytest.approx(1.0) and gain.high is None


def test_equal_values_have_an_interval_of_no_width() -> None:
    found = mean_interval([0.1, 0.1, 0.1])
    assert found.low == found.high == found.estimate


@given(numbers, numbers)
def test_difference_interval_is_that_of_scipy(a: list[float], b: list[float]) -> None:
    found = difference_interval(a, b)
    assert found.estimate == pytest.approx(np.mean(a) - np.mean(b))
    if np.var(a) + np.var(b) > 1e-12:
        with warnings.catch_warnings(action="ignore"):
            expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_paired_difference_uses_the_pairs() -> None:
    b = [0.1, 0.3, 0.5, 0.7]
    a = [value + 0.1 + step for value, step in zip(b, (0.01, -0.01, 0.02, 0), strict=True)]
    paired, unpaired = difference_interval(a, b, paired=True), difference_interval(a, b)
    assert paired.estimate == pytest.approx(unpaired.estimate)
    assert paired.half_width is not None and unpaired.half_width is not None
    assert paired.half_width < unpaired.half_width / 5


def test_relative_gain_of_scaled_values_is_the_factor() -> None:
    b = [0.1, 0.2, 0.3]
    found = relative_gain([1.5 * value for value in b], b, paired=True)
    assert found is not None
    assert (found.estimate, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))
    assert relative_gain([0.2, 0.3], [0.0, 0.0]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: mean_interval([]),
        lambda: mean_interval([0.1, math.nan]),
        lambda: mean_interval([0.1, 0.2], 1.0),
        lambda: difference_interval([0.1, 0.2], [0.1], paired=True),
        lambda: relative_gain([0.1, 0.2], [0.1], paired=True),
    ],
)
def test_values_that_make_no_sense_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"expected|pairs"):
        wrong()


def _covers(found: Interval | None, truth: float) -> bool:
    assert found is not None and found.low is not None and found.high is not None
    return found.low <= truth <= found.high


@pytest.mark.parametrize("count", [3, 7])
def test_intervals_cover_the_truth_as_often_as_they_say(count: int) -> None:
    random = np.random.default_rng(20260801)
    repeats = 2500
    covered = np.zeros(4)
    for _ in range(repeats):
        # Spreads as those of small training sets: 15 % of the mean, and half of that with renders.
        common = random.normal(0, 0.01, count)
        a, b = random.normal(0.30, 0.02, count), random.normal(0.20, 0.03, count)
        covered += (
            _covers(mean_interval(a.tolist()), 0.30),
            _covers(difference_interval(a.tolist(), b.tolist()), 0.10),
            _covers(relative_gain(a.tolist(), b.tolist()), 0.50),
            _covers(
                relative_gain((a + 1.5 * common).tolist(), (b + common).tolist(), paired=True), 0.5
            ),
        )
    # Four standard deviations of 2,500 draws are 1.7 %; Welch's is a little conservative.
    assert (covered / repeats > 0.933).all(), covered / repeats
    assert (covered / repeats < 0.975).all(), covered / repeats
