"""Cells against each other: which runs belong together, and which count as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from clearcoat.report.study import analyse_grid, read_study
from clearcoat.report.study.comparing import contrast, matched
from clearcoat.report.study.grid_verdict import judge_grid
from clearcoat.statistics import mean_interval

from .ledgers import rewritten, write_grid


@pytest.mark.parametrize("design", ["paired", "independent"])
def test_repeats_that_go_on_from_one_run_count_as_one(design: str, tmp_path: Path) -> None:
    def three_bases(line: dict[str, Any]) -> None:
        if line["started_from"]:
            line["started_from"] = f"base {line['synthetic']} {line['repeat'] % 3}"

    folder = write_grid(
        tmp_path, real=(0, 16, 64), synthetic=(0, 64, 256), runs=7, spread=0.05, design=design
    )
    study = read_study(rewritten(folder, three_bases))
    analysis = analyse_grid(study)
    mix, alone = analysis.cells[16, 64], analysis.cells[16, 0]
    assert len(mix.entries) == len(alone.values) == 7

    def of_bases(scores: list[float]) -> list[float]:
        return [float(np.mean(scores[turn::3])) for turn in range(3)]

    assert mix.values == pytest.approx(of_bases(mix.scores))
    found = analysis.gains[16, 64].contrast
    if design == "paired":
        expected = stats.ttest_rel(
            of_bases(mix.scores), of_bases(alone.scores), alternative="greater"
        )
    else:
        expected = stats.ttest_ind(
            of_bases(mix.scores), alone.scores, equal_var=False, alternative="greater"
        )
    assert found.p_value == pytest.approx(float(expected.pvalue))
    assert found.difference.count == 3 and found.runs == 7
    assert any("count as one: the 7 of" in text for text in judge_grid(analysis).cautions)


def test_what_all_share_cancels(tmp_path: Path) -> None:
    def two_bases(line: dict[str, Any]) -> None:
        if line["started_from"]:
            line["started_from"] = f"base {line['synthetic']} {line['repeat'] % 2}"

    folder = write_grid(tmp_path, real=(0, 16, 64), synthetic=(0, 64), runs=6, spread=0.05)
    study = read_study(rewritten(folder, two_bases))
    cells = analyse_grid(study).cells
    assert contrast(study, cells[64, 64], cells[16, 64]).difference.count == 6
    assert [len(group) for group in matched(cells[64, 64], cells[64, 0])[0]] == [3, 3]


def test_runs_from_a_single_base_have_no_interval(tmp_path: Path) -> None:
    def one_base(line: dict[str, Any]) -> None:
        if line["started_from"]:
            line["started_from"] = f"base {line['synthetic']}"

    folder = write_grid(tmp_path, real=(0, 16, 64), synthetic=(0, 64), runs=5)
    verdict = judge_grid(analyse_grid(read_study(rewritten(folder, one_base))))
    assert verdict.kind == "too few"
    assert "all from one run on renders: no interval" in verdict.headline


@pytest.mark.parametrize(
    ("repeats", "bases", "each_counts"), [(6, 3, 0.84), (7, 3, 0.80), (7, 2, 0.67)]
)
def test_intervals_hold_where_runs_of_one_base_count_as_one(
    repeats: int, bases: int, each_counts: float
) -> None:
    # The table of docs/decisions/0122-statistics.md; 2,000 cells, so give or take 0.02.
    random = np.random.default_rng(0)
    held = np.zeros(2)
    for _ in range(2000):
        shared = 0.02 * random.standard_normal(bases)
        gains = shared[np.arange(repeats) % bases] + 0.012 * random.standard_normal(repeats)
        as_one = [float(gains[turn::bases].mean()) for turn in range(bases)]
        for place, values in enumerate((gains.tolist(), as_one)):
            found = mean_interval(values)
            assert found.low is not None and found.high is not None
            held[place] += found.low <= 0 <= found.high
    assert held / 2000 == pytest.approx([each_counts, 0.95], abs=0.025)
