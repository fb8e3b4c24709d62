"""Photos without labels beside a grid: what they bring, and what they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearcoat.report.study import analyse_grid, read_study
from clearcoat.report.study.grid_verdict import judge_grid
from clearcoat.report.study.report import gather_studies
from clearcoat.report.study.unlabelled import gains_table
from clearcoat.report.study.worth_figures import worth_figure

from .ledgers import write_grid

BOTH = {(16, 4096): 0.16, (32, 4096): 0.06}


def test_a_gain_that_was_planted_is_found_and_advised(tmp_path: Path) -> None:
    grid = analyse_grid(read_study(write_grid(tmp_path, unlabelled=BOTH)))
    assert [tuple(one.cell.key[1:]) for one in grid.self_trained] == sorted(BOTH)
    for one in grid.self_trained:
        planted, found = BOTH[one.cell.key[1:]], one.contrast.difference
        assert one.shown and found.low is not None and found.high is not None
        assert found.low < planted < found.high
        assert one.contrast.baseline.key == ("U-Net", *one.cell.key[1:])
    verdict = judge_grid(grid, 16)
    told = next(text for text in verdict.sentences if text.startswith("288 photos without labels"))
    assert "16 photos and 4,096 renders" in told and "of this cell alone" in told
    assert any("train --unlabelled" in step for step in verdict.next_steps)
    assert any("up to 400 more steps" in caution for caution in verdict.cautions)
    # What they say is beside the grid: its own verdict is of renders.
    plain = judge_grid(analyse_grid(read_study(write_grid(tmp_path / "plain"))), 16)
    assert verdict.headline == plain.headline


def test_they_stand_for_more_photos_than_renders_alone(tmp_path: Path) -> None:
    grid = analyse_grid(read_study(write_grid(tmp_path, unlabelled=BOTH)))
    without, found = grid.stands_for, grid.self_trained_stands_for
    assert without is not None and found is not None and found.shown
    assert found.contrast.baseline.key.real > without.contrast.baseline.key.real
    assert found.mixes == 1
    text = " ".join(judge_grid(grid, 16).sentences)
    assert "16 photos with 4,096 renders and photos without labels are not worse than" in text
    assert grid.self_trained_worth is not None and grid.worth is not None
    assert (
        grid.self_trained_worth.equivalent(16, 4096).photos > grid.worth.equivalent(16, 4096).photos
    )


def test_what_chance_gives_is_no_gain(tmp_path: Path) -> None:
    nothing = {(16, 4096): 0.0, (64, 4096): 0.0}
    grid = analyse_grid(read_study(write_grid(tmp_path, unlabelled=nothing, seed=3)))
    assert not any(one.shown for one in grid.self_trained)
    verdict = judge_grid(grid, 16)
    assert any(
        "photos without labels" in text and "within what chance gives" in text
        for text in verdict.sentences
    )
    assert not any("--unlabelled" in step for step in verdict.next_steps)


@pytest.mark.parametrize(("longer", "shown"), [(0.02, True), (0.16, False)])
def test_what_as_much_training_brings_is_told_apart(
    longer: float, shown: bool, tmp_path: Path
) -> None:
    one = {(16, 4096): 0.16}
    grid = analyse_grid(read_study(write_grid(tmp_path, unlabelled=one, longer=longer)))
    [found] = grid.self_trained
    assert found.gain_p is not None and found.gain_p < 0.05
    assert found.control is not None and found.control.difference.low is not None
    assert found.control.difference.low < 0.16 - longer < (found.control.difference.high or 0)
    assert found.shown is shown
    verdict = judge_grid(grid, 16)
    assert any("trained for as long without them" in text for text in verdict.sentences)
    # It is said, so that no caution is needed; and what is not shown is no advice.
    assert not any("more steps" in caution for caution in verdict.cautions)
    assert any("--unlabelled" in step for step in verdict.next_steps) is shown
    row = gains_table(grid.self_trained).rows[0]
    assert row[-6:-5] == (found.control.baseline.interval.estimate,)


def test_photos_alone_may_have_them_too(tmp_path: Path) -> None:
    grid = analyse_grid(read_study(write_grid(tmp_path, unlabelled={(16, 0): 0.05})))
    assert grid.self_trained_stands_for is None and grid.self_trained_worth is None
    text = " ".join(judge_grid(grid, 16).sentences)
    assert "photos without labels beside 16 photos take mean IoU" in text
    assert worth_figure(grid) is not None


@pytest.mark.parametrize("with_them", [True, False])
def test_the_report_has_a_table_of_them(with_them: bool, tmp_path: Path) -> None:
    folder = write_grid(tmp_path, unlabelled=BOTH if with_them else None)
    (chapter,) = gather_studies([folder], [], 16, "", lambda _: None).chapters
    tables = {item.name: item.table for item in chapter.shown}
    assert ("unlabelled" in tables) is with_them
    mixes = {row[0] for row in tables["across"].rows}
    assert len(mixes) == 1 + with_them
    if with_them:
        assert [row[2] for row in tables["unlabelled"].rows] == [288, 272]
        beside = {row[0] for row in tables["worth"].rows}
        assert beside == {"", "photos without labels"}
