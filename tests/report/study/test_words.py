"""Numbers as a verdict says them."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearcoat.report.study import analyse_grid, read_study
from clearcoat.report.study.grid_figures import fig_2b
from clearcoat.report.study.words import percent_range
from clearcoat.statistics import Interval, relative_gain

from .ledgers import write_grid


@pytest.mark.parametrize(
    ("estimate", "low", "high", "text"),
    [
        (0.19, -0.06, 0.52, "+19 % (−6 to +52 %)"),
        (9.0, 8.0, 10.0, "+900 % (+800 to +1,000 %)"),
        (9.0, -0.5, 10.01, "+900 % (−50 % to more than +1,000 %)"),
        (30.0, 2.0, 400.0, "more than +1,000 % (+200 % to more than +1,000 %)"),
        (30.0, 20.0, 40.0, "more than +1,000 %"),
        (0.19, None, None, ""),
        (0.001, -0.004, 0.02, "0 % (0 to +2 %)"),
    ],
)
def test_relative_gains_beyond_tenfold_are_only_that(
    estimate: float, low: float | None, high: float | None, text: str
) -> None:
    assert percent_range(Interval(estimate, low, high, 0.95, 3)) == text


def test_two_runs_that_differ_wildly_give_no_millions_of_per_cent() -> None:
    wild = relative_gain([0.5, 0.30], [0.02, 0.25], paired=True)
    assert percent_range(wild) == "+196 % (−100 % to more than +1,000 %)"


def test_a_gain_beyond_tenfold_leaves_the_others_their_colours(tmp_path: Path) -> None:
    scores = {(16, 0): 0.02, (16, 64): 0.5, (64, 0): 0.40, (64, 64): 0.44}
    scores |= {(256, 0): 0.6, (256, 64): 0.5999}
    folder = write_grid(
        tmp_path,
        lambda real, synthetic: scores.get((real, synthetic), 0.1),
        real=(16, 64, 256),
        synthetic=(0, 64),
        spread=0.0,
        design="independent",
    )
    drawn = fig_2b(analyse_grid(read_study(folder)))
    assert drawn is not None
    axes = drawn.figure.axes[0]
    assert {"> +1,000 %", "+10.0 %", "0.0 %"} <= {text.get_text() for text in axes.texts}
    assert axes.collections[0].norm.vmax == 1000
    assert any(row[5] == pytest.approx(24.0) for row in drawn.table.rows)
