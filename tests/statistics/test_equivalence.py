"""Two-sided tests and equivalence, against SciPy and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from clearcoat.statistics import equivalence, paired_one_sided, two_sided, welch_one_sided

A, B = [0.50, 0.53, 0.49, 0.52, 0.51], [0.52, 0.50, 0.48, 0.51, 0.53]


def test_two_sided_is_scipys() -> None:
    welch = stats.ttest_ind(A, B, equal_var=False)
    assert two_sided(welch_one_sided(A, B)) == pytest.approx(welch.pvalue)
    assert two_sided(paired_one_sided(B, A)) == pytest.approx(stats.ttest_rel(A, B).pvalue)
    assert two_sided(welch_one_sided([0.5], B)) is None


def test_tost_is_two_of_scipys_tests() -> None:
    found = equivalence(A, B, 0.03)
    above = stats.ttest_ind(np.add(A, 0.03), B, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind(np.add(A, -0.03), B, equal_var=False, alternative="less").pvalue
    assert found.p_value == pytest.approx(max(above, below))
    assert found.not_worse_p == pytest.approx(above)
    paired = equivalence(A, B, 0.03, paired=True)
    assert paired.not_worse_p == pytest.approx(
        stats.ttest_1samp(np.subtract(A, B), -0.03, alternative="greater").pvalue
    )


@pytest.mark.parametrize("margin", [0.005, 0.02, 0.03, 0.1])
def test_the_interval_lies_inside_the_margin_exactly_if_equivalent(margin: float) -> None:
    found = equivalence(A, B, margin)
    low, high = found.interval.low, found.interval.high
    assert low is not None and high is not None and found.p_value is not None
    assert (found.p_value < 0.05) == (-margin < low and high < margin)


def test_too_few_runs_are_no_equivalence() -> None:
    assert equivalence([0.5], [0.5], 0.1).p_value is None
    with pytest.raises(ValueError, match="margin"):
        equivalence(A, B, 0.0)


def test_size_and_power() -> None:
    random = np.random.default_rng(0)

    def share(shift: float) -> float:
        pairs = random.normal(0.5, 0.02, (200, 2, 7)) + np.array([[[0.0], [shift]]])
        found = [equivalence(list(a), list(b), 0.05).p_value for a, b in pairs]
        return float(np.mean([p is not None and p < 0.05 for p in found]))

    # A difference as large as the margin is called equivalent in 5 % at most; none, mostly.
    assert share(0.05) < 0.10
    assert share(0.0) > 0.85
