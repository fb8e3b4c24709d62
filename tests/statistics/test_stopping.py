"""The stopping rule: in the order given, within its bounds, and what its interval covers."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.statistics import Stop, StoppingRule, mean_interval, relative_width, stopping_point

RULE = StoppingRule(least=3, most=6, relative_width=0.05)
WIDE, NARROW = [0.4, 0.6, 0.5], [0.500, 0.501, 0.499]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Stop("open", 0)),
        ([0.5, 0.5], Stop("open", 2)),
        (NARROW, Stop("settled", 3)),
        (WIDE, Stop("open", 3)),
        # What comes after the point of stopping does not count.
        ([*NARROW, 0.9, 0.1], Stop("settled", 3)),
        ([*WIDE, 0.4, 0.6, 0.5], Stop("capped", 6)),
        ([*WIDE, 0.4, 0.6, 0.5, 0.5, 0.5], Stop("capped", 6)),
        # A run without a result uses up a place, and is no value.
        ([0.5, None, 0.501], Stop("open", 3)),
        ([0.5, None, 0.501, 0.499], Stop("settled", 4)),
        ([None] * 6, Stop("capped", 6)),
        # Equal values have an interval of no width, also around a mean of zero.
        ([0.0, 0.0, 0.0], Stop("settled", 3)),
    ],
)
def test_where_it_stops(values: list[float | None], expected: Stop) -> None:
    assert stopping_point(values, RULE) == expected


def test_without_a_width_it_stops_at_the_least() -> None:
    rule = StoppingRule(2, 5, None)
    assert stopping_point([0.1, 0.9], rule) == Stop("settled", 2)
    assert stopping_point([0.1], StoppingRule(1, 1, None)) == Stop("settled", 1)


def test_the_width_is_that_of_the_interval() -> None:
    interval = mean_interval(WIDE)
    assert interval.low is not None and interval.high is not None
    assert relative_width(WIDE) == pytest.approx((interval.high - interval.low) / 0.5)
    assert relative_width([0.5]) is None


@pytest.mark.parametrize("wrong", [(0, 3, 0.1), (4, 3, 0.1), (1, 3, 0.1), (2, 3, 0.0)])
def test_rules_that_make_no_sense(wrong: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match="stopping rule"):
        StoppingRule(*wrong)


def coverage(spread: float, rule: StoppingRule, studies: int, seed: int) -> tuple[float, float]:
    """Share of intervals that hold the true mean 1, and of cells at the cap."""
    random = np.random.default_rng(seed)
    held = capped = 0
    for values in 1 + spread * random.standard_normal((studies, rule.most)):
        stop = stopping_point([float(value) for value in values], rule)
        interval = mean_interval([float(value) for value in values[: stop.count]])
        assert interval.low is not None and interval.high is not None
        held += interval.low <= 1 <= interval.high
        capped += stop.state == "capped"
    return held / studies, capped / studies


def test_stopping_when_it_looks_narrow_costs_a_little_coverage() -> None:
    held, capped = coverage(0.06, StoppingRule(), studies=300, seed=1)
    assert 0.88 < held < 0.97
    assert 0.05 < capped < 0.25


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spread", "expected"),
    # The table of docs/decisions/0121: coverage by spread between runs over the mean.
    [(0.02, 0.950), (0.04, 0.947), (0.05, 0.936), (0.06, 0.926), (0.08, 0.944), (0.15, 0.953)],
)
def test_coverage_of_the_rule(spread: float, expected: float) -> None:
    held, _ = coverage(spread, StoppingRule(), studies=3000, seed=3)
    assert held == pytest.approx(expected, abs=0.015)
