"""Adjusted p-values against statsmodels and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from clearcoat.statistics import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(P_VALUES)
def test_benjamini_hochberg_is_scipys(values: list[float]) -> None:
    np.testing.assert_allclose(benjamini_hochberg(values), false_discovery_control(values))


@given(P_VALUES)
def test_holm_is_the_closed_test_of_bonferroni(values: list[float]) -> None:
    # By definition: a hypothesis falls if every set that holds it falls by Bonferroni, and of
    # the sets of one size that with its own and the greatest other values is the hardest.
    adjusted = holm(values)
    for place, value in enumerate(values):
        others = sorted(values[:place] + values[place + 1 :], reverse=True)
        hardest = max(
            min(1.0, (size + 1) * min([value, *others[:size]])) for size in range(len(values))
        )
        assert adjusted[place] == pytest.approx(hardest)


def test_what_could_not_be_tested_counts_for_nothing() -> None:
    assert holm([None, 0.01, None, 0.04]) == [None, pytest.approx(0.02), None, pytest.approx(0.04)]
    assert benjamini_hochberg([None]) == [None]
    assert holm([]) == []
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.5, 1.5])
