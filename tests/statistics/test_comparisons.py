"""Tests of means: against closed forms, published figures and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from clearcoat.statistics import difference_interval, paired_one_sided, welch_one_sided

numbers = st.lists(st.floats(0.01, 1.0), min_size=2, max_size=9)


@given(numbers, numbers)
def test_welch_is_the_closed_form(a: list[float], b: list[float]) -> None:
    parts = np.var(a, ddof=1) / len(a), np.var(b, ddof=1) / len(b)
    if sum(parts) < 1e-12 * max(*a, *b):
        return
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    statistic = (np.mean(a) - np.mean(b)) / math.sqrt(sum(parts))
    found = welch_one_sided(a, b)
    assert found.degrees == pytest.approx(degrees)
    assert found.p_value == pytest.approx(special.stdtr(degrees, -statistic), abs=1e-9)


def test_both_are_the_tests_of_scipy() -> None:
    random = np.random.default_rng(3)
    for count in (2, 3, 7, 30):
        a, b = random.normal(0.3, 0.05, count), random.normal(0.28, 0.02, count)
        welch = stats.ttest_ind(a, b, equal_var=False, alternative="greater")
        paired = stats.ttest_rel(a, b, alternative="greater")
        for found, expected in (
            (welch_one_sided(a.tolist(), b.tolist()), welch),
            (paired_one_sided(a.tolist(), b.tolist()), paired),
        ):
            assert found.p_value == pytest.approx(expected.pvalue)
            assert (found.statistic, found.degrees) == pytest.approx(
                (expected.statistic, expected.df)
            )


def test_student_s_sleep_data() -> None:
    # Extra hours of sleep under two drugs, ten patients (Student, Biometrika 6, 1908):
    # t = 4.0621 paired, 1.8608 by Welch with 17.776 degrees.
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    paired, welch = paired_one_sided(second, first), welch_one_sided(second, first)
    assert paired.statistic == pytest.approx(4.0621, abs=1e-4)
    assert paired.p_value == pytest.approx(0.002833 / 2, abs=1e-6)
    assert welch.statistic == pytest.approx(1.8608, abs=1e-4)
    assert welch.degrees == pytest.approx(17.776, abs=1e-3)
    assert welch.p_value == pytest.approx(0.07939 / 2, abs=1e-5)


@given(numbers, numbers)
def test_both_directions_add_up_to_one(a: list[float], b: list[float]) -> None:
    up, down = welch_one_sided(a, b), welch_one_sided(b, a)
    assert up.difference == pytest.approx(-down.difference)
    if up.p_value is not None and down.p_value is not None:
        assert up.p_value + down.p_value == pytest.approx(1)


@given(numbers, numbers)
def test_the_test_agrees_with_the_interval(a: list[float], b: list[float]) -> None:
    found, interval = welch_one_sided(a, b), difference_interval(a, b, level=0.90)
    if found.p_value is not None and abs(found.p_value - 0.05) > 1e-6:
        assert interval.low is not None
        assert (found.p_value < 0.05) == (interval.low > 0)


def test_too_little_to_tell_gives_no_p_value() -> None:
    for found in (
        welch_one_sided([0.2], [0.1, 0.2]),
        welch_one_sided([0.2, 0.2], [0.1, 0.1]),
        paired_one_sided([0.2], [0.1]),
        paired_one_sided([0.5, 0.25], [0.25, 0.0]),
    ):
        assert found.p_value is None and found.why_not
        assert found.difference > 0
    with pytest.raises(ValueError, match="pairs"):
        paired_one_sided([0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="finite"):
        welch_one_sided([], [0.1])


def test_equal_differences_have_no_spread_however_they_are_rounded() -> None:
    random = np.random.default_rng(3)
    for _ in range(100):
        first = random.random(4)
        second = first - 0.1 * random.random()
        assert paired_one_sided(first.tolist(), second.tolist()).p_value is None
    # A spread of one in a billion is one.
    assert paired_one_sided([0.5, 0.7], [0.4, 0.6 + 1e-9]).p_value is not None


def test_without_a_difference_p_values_are_uniform() -> None:
    random = np.random.default_rng(7)
    values = []
    for _ in range(1500):
        a, b = random.normal(0.3, 0.02, 5), random.normal(0.3, 0.04, 5)
        values.append(welch_one_sided(a.tolist(), b.tolist()).p_value)
    assert 0.03 < np.mean(np.array(values) < 0.05) < 0.07
    assert stats.kstest(values, "uniform").pvalue > 0.001
