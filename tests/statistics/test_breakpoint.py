"""Break points: found where planted, not found where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import dunnett

from clearcoat.statistics import break_point, two_lines
from clearcoat.statistics.breakpoint import _slope

COUNTS = (0, 16, 64, 256, 1024, 4096)
PLANTED = (0.40, 0.46, 0.50, 0.52, 0.47, 0.41)
RISING = (0.40, 0.43, 0.46, 0.49, 0.52, 0.55)
FLAT = (0.5,) * 6


def _row(
    means: tuple[float, ...], seed: int, runs: int = 5, spread: float = 0.015, pair: float = 0.0
) -> dict[int, list[float]]:
    random = np.random.default_rng(seed)
    common = pair * random.standard_normal(runs)
    noise = spread * random.standard_normal((len(means), runs))
    return {
        count: [float(v) for v in mean + common + noise[place]]
        for place, (count, mean) in enumerate(zip(COUNTS, means, strict=True))
    }


def test_a_planted_break_point_is_found() -> None:
    found = break_point(_row(PLANTED, 0))
    assert found is not None and found.two_lines is not None
    assert found.best == 256 and 256 in found.credible
    assert found.shown()
    assert found.two_lines.rise > 0 > found.two_lines.fall
    assert found.two_lines.p_value is not None and found.two_lines.p_value < 0.01
    assert sum(found.probability) == pytest.approx(1)


def test_none_is_found_in_a_row_that_rises() -> None:
    found = break_point(_row(RISING, 0))
    assert found is not None
    assert found.none_seen > 0.9 and found.credible[-1] == 4096
    assert not found.shown()


def shares(means: tuple[float, ...], studies: int, runs: int = 5) -> tuple[float, float]:
    """How often a break point is shown, and how often the credible set holds count 256."""
    rows = [break_point(_row(means, seed, runs), draws=1000) for seed in range(studies)]
    assert all(row is not None for row in rows)
    return (
        float(np.mean([row is not None and row.shown() for row in rows])),
        float(np.mean([row is not None and 256 in row.credible for row in rows])),
    )


def test_power_and_size() -> None:
    power, covered = shares(PLANTED, 60)
    assert power > 0.8 and covered > 0.9
    assert shares(RISING, 60)[0] < 0.05
    # Where nothing changes, a fall is shown in one row of twenty.
    assert shares(FLAT, 100)[0] < 0.12


def test_the_fall_is_dunnetts_test() -> None:
    row = _row((0.49, 0.50, 0.50, 0.52, 0.50, 0.49), 1)
    found = break_point(row)
    expected = dunnett(
        *list(row.values())[:-1], control=row[4096], alternative="greater", rng=0
    ).pvalue.min()
    assert found is not None and found.fall_p == pytest.approx(expected, abs=0.01)
    assert 0.001 < found.fall_p < 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("means", "runs", "expected"),
    # The table of docs/decisions/0122.
    [(PLANTED, 3, 1.0), (PLANTED, 7, 1.0), (RISING, 5, 0.0), (FLAT, 3, 0.05), (FLAT, 7, 0.05)],
)
def test_power_and_size_in_numbers(means: tuple[float, ...], runs: int, expected: float) -> None:
    assert shares(means, 400, runs)[0] == pytest.approx(expected, abs=0.05)


def test_pairs_make_a_weak_break_point_visible() -> None:
    weak = tuple(0.45 + (mean - 0.45) * 0.5 for mean in PLANTED)
    row = _row(weak, 3, spread=0.005, pair=0.05)
    unpaired, paired = break_point(row), break_point(row, paired=True)
    assert unpaired is not None and paired is not None
    assert max(paired.probability) > max(unpaired.probability)
    assert paired.shown() and paired.best == 256


@pytest.mark.parametrize("backwards", [False, True])
def test_the_weaker_of_two_lines_gets_more_of_the_flat_part(backwards: bool) -> None:
    # A steep rise, a flat top at ranks 3 to 6, and the beginning of a fall.
    means = np.array([0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5, 0.49])
    noise = 0.02 * np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    values = [mean + noise for mean in (means[::-1] if backwards else means)]
    found = two_lines(values)
    # Seen from behind, rise and fall change places, and the split with them.
    split = 7 - found.split if backwards else found.split
    assert 3 <= split < 4


def test_too_little_to_tell() -> None:
    assert break_point({0: [0.5, 0.6], 16: [0.5, 0.6]}) is None
    assert break_point({0: [0.5], 16: [0.5], 64: [0.4]}) is None
    three = break_point({0: [0.5, 0.51], 16: [0.6, 0.61], 64: [0.4, 0.41]})
    assert three is not None and three.two_lines is None
    with pytest.raises(ValueError, match="four counts"):
        two_lines([np.ones(3)] * 3)


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize(
    "cells",
    [
        {0: [0.5, 0.5], 16: [0.6, 0.6], 64: [0.55, 0.55]},
        # What summation leaves of equal values.
        {0: [0.1] * 3, 16: [0.1] * 2, 64: [0.1] * 7},
    ],
)
def test_without_spread_nothing_is_tested(cells: dict[int, list[float]], paired: bool) -> None:
    assert break_point(cells, paired=paired) is None


def test_repeats_that_differ_by_the_same_everywhere_have_no_spread_in_pairs() -> None:
    base = np.random.default_rng(0).normal(0.5, 0.03, 5)
    cells = {0: [*base], 16: [*(base + 0.01)], 64: [*base]}
    assert break_point(cells, paired=True) is None
    assert break_point(cells) is not None


@pytest.mark.parametrize("sign", [1, -1])
def test_robust_errors_are_those_of_statsmodels(sign: int) -> None:
    random = np.random.default_rng(0)
    design = np.column_stack([np.ones(40), random.standard_normal((40, 2))])
    y = design @ [1.0, 0.5, -0.2] + random.standard_normal(40) * (1 + np.abs(design[:, 1]))
    slope, p_value = _slope(design, y, 1, sign)
    fitted = sm.OLS(y, design).fit(cov_type="HC3", use_t=True)
    assert slope == pytest.approx(fitted.params[1])
    one_sided = fitted.pvalues[1] / 2 if sign > 0 else 1 - fitted.pvalues[1] / 2
    assert p_value == pytest.approx(one_sided)
