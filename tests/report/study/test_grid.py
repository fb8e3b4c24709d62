"""The analysis of a grid finds what the response surface has, and nothing that it has not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from clearcoat.report.study import analyse_grid, read_study
from clearcoat.report.study.grid import GridAnalysis
from clearcoat.report.study.grid_figures import fig_3, fig_4
from clearcoat.report.study.grid_verdict import judge_grid
from clearcoat.statistics import holm

from .ledgers import rewritten, useless, write_grid


def test_cells_count_up_to_their_stopping_point(tmp_path: Path) -> None:
    study = read_study(write_grid(tmp_path, spread=0.0001, pair=0.0, runs=7))
    assert {len(cell.values) for cell in study.cells.values()} == {5}
    assert {cell.stop.state for cell in study.cells.values()} == {"settled"}
    assert study.foreign == 2 * len(study.cells)


def test_gains_are_scipys_tests_with_holm_per_row(grid: Path) -> None:
    analysis = analyse_grid(read_study(grid))
    row = {s: analysis.cells[32, s].values for s in analysis.synthetic}
    expected = [
        float(stats.ttest_rel(row[s], row[0], alternative="greater").pvalue)
        for s in (64, 256, 1024, 4096)
    ]
    got = [analysis.gains[32, s] for s in (64, 256, 1024, 4096)]
    np.testing.assert_allclose([gain.contrast.p_value for gain in got], expected)
    np.testing.assert_allclose([gain.holm_p for gain in got], holm(expected))
    welch = stats.ttest_ind(row[64], row[0], equal_var=False, alternative="greater").pvalue
    assert got[0].contrast.welch.p_value == pytest.approx(float(welch))


def test_an_independent_design_is_not_paired(tmp_path: Path) -> None:
    analysis = analyse_grid(read_study(write_grid(tmp_path, design="independent")))
    gain = analysis.gains[16, 64].contrast
    assert gain.paired is None
    assert gain.p_value == gain.welch.p_value


def test_a_grid_of_renders_alone_has_a_figure_of_their_spread(tmp_path: Path) -> None:
    folder = write_grid(tmp_path, real=(0,), synthetic=(64, 4096), runs=3)
    drawn = fig_3(analyse_grid(read_study(folder)))
    assert drawn is not None
    assert {row[:2] for row in drawn.table.rows} == {(0, 4096)}


@pytest.mark.parametrize("few", [1, 2])
def test_a_cell_with_few_runs_does_not_hold_the_break_point_of_its_row_down(
    tmp_path: Path, few: int
) -> None:
    def without(folder: Path, kept: int) -> GridAnalysis:
        lines = (write_grid(folder, real=(16,), runs=7) / "ledger.jsonl").read_text().splitlines()
        (folder / "ledger.jsonl").write_text(
            "".join(
                f"{line}\n"
                for line in lines
                if (entry := json.loads(line))["synthetic"] != 256 or entry["repeat"] < kept
            )
        )
        return analyse_grid(read_study(folder))

    analysis = without(tmp_path / "few", few)
    # It is analysed as if the cell were not there: paired, with all repeats of the others.
    assert analysis.breaks == without(tmp_path / "none", 0).breaks
    [(counts, cell)] = analysis.left_out.items()
    assert counts == (16, 256) and len(cell.values) == few
    told = f"16 real + 256 synthetic ({few} run{'s' if few > 1 else ''})"
    assert any(told in text for text in judge_grid(analysis, None).cautions)
    drawn = fig_4(analysis)
    assert drawn is not None
    place = drawn.table.columns.index("in the 95 % set")
    assert [row[1] for row in drawn.table.rows if row[place] == "left out"] == [256]
    # Half of the least number is enough, however many more the others have.
    assert not without(tmp_path / "half", 3).left_out


def test_a_row_without_common_repeats_has_no_break_point_and_says_so(tmp_path: Path) -> None:
    folder = write_grid(tmp_path, real=(16,), runs=3)

    def diverged(line: dict[str, Any]) -> None:
        if (line["synthetic"], line["repeat"]) in ((64, 1), (256, 2)):
            line |= {"mean_iou": None, "failed": "no finite number"}

    analysis = analyse_grid(read_study(rewritten(folder, diverged)))
    assert not analysis.breaks
    assert analysis.left_out.keys() == analysis.cells.keys()


def test_pairs_are_those_of_the_plan_and_not_of_the_ledger(tmp_path: Path, grid: Path) -> None:
    def of_an_older_seed(line: dict[str, Any]) -> None:
        # Under `seed` 1 what was repeat 3 is repeat 2: its line says what it was when it was run.
        if line["synthetic"] and line["repeat"] > 1:
            line["repeat"] += 1

    for name in ("ledger.jsonl", "study.json"):
        (tmp_path / name).write_bytes((grid / name).read_bytes())
    again = analyse_grid(read_study(rewritten(tmp_path, of_an_older_seed)))
    before = analyse_grid(read_study(grid))
    for key, gain in before.gains.items():
        assert again.gains[key].contrast.difference == gain.contrast.difference


def test_the_best_of_many_mixes_is_corrected_for_being_chosen(tmp_path: Path) -> None:
    def just_worse(real: int, synthetic: int) -> float:
        # Every mix is worse than 64 photos by exactly what would matter.
        return useless(64, 0) - 0.01 if synthetic else useless(max(real, 1), 0)

    wrong = 0
    for seed in range(40):
        folder = write_grid(
            tmp_path / str(seed), just_worse, real=(16, 64), synthetic=(0, 2, 4, 8, 16, 32, 64),
            runs=7, pair=0.0, spread=0.02, seed=seed,
        )  # fmt: skip
        found = analyse_grid(read_study(folder)).stands_for
        assert found is not None
        wrong += found.shown
    # At 5 % there are two; with the best of six taken as it is there would be seven.
    assert wrong <= 4


def test_one_run_of_a_few_more_photos_does_not_hide_the_test_against_many(tmp_path: Path) -> None:
    folder = write_grid(tmp_path, real=(16, 64, 256), synthetic=(0, 64))
    lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    kept = [e for e in lines if e["repeat"] == 0 or (e["real"], e["synthetic"]) != (64, 0)]
    (folder / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in kept))
    found = analyse_grid(read_study(folder)).stands_for
    assert found is not None and not found.shown
    assert found.contrast.baseline.key.real == 256 and found.not_worse_p is not None
