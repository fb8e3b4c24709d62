"""The studies that are kept with their results: they can be read, and say what is told of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from clearcoat.report.study import StudyFacts, analyse_grid, analyse_transfer, read_study
from clearcoat.report.study.confirmed import confirmed_cells
from clearcoat.report.study.grid_verdict import judge_grid
from clearcoat.report.study.transfer_verdict import judge_transfer
from clearcoat.report.study.worth_figures import worth_figure
from clearcoat.studies import (
    GRID_ARM,
    SELF_TRAINED_ARM,
    SELF_TRAINING_CONTROL,
    CellKey,
    Entry,
    read_ledger,
)

ROOT = Path(__file__).resolve().parents[2]
CAR_PARTS = ROOT / "docs" / "results" / "car-parts"


@pytest.fixture(scope="module")
def grid() -> StudyFacts:
    return read_study(CAR_PARTS / "grid")


def test_the_grid_is_whole(grid: StudyFacts) -> None:
    assert grid.open == grid.failed == grid.foreign == 0
    assert not grid.ledger.complaints
    assert all(grid.counts_of(cell.entries) is not None for cell in grid.cells.values())
    verdict = judge_grid(analyse_grid(grid), 16)
    assert verdict.kind == "gain"
    assert "with 16 to 256 photos" in verdict.headline


def test_a_curve_that_passes_beside_the_points_is_explained(grid: StudyFacts) -> None:
    cells = {key: replace(cell, entries=cell.entries[:3]) for key, cell in grid.cells.items()}
    even = replace(grid, cells=cells)
    for study, told in ((grid, True), (even, False)):
        figure = worth_figure(analyse_grid(study))
        assert figure is not None
        assert ("passes beside the means" in figure.caption) is told


def test_the_transfer_study_says_what_is_told() -> None:
    study = read_study(CAR_PARTS / "transfer")
    assert study.failed == study.foreign == 0 and not study.ledger.complaints
    assert "renders helps with 16 and 64 photos" in judge_transfer(analyse_transfer(study)).headline
    told = (ROOT / "docs" / "results" / "car-parts.md").read_text("utf-8")
    for key, cell in study.cells.items():
        if key.real:
            assert f"{cell.interval.estimate:.3f}" in told, str(key)


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "results" / "car-parts.md"])
def test_the_scores_are_those_of_the_ledger(page: Path, grid: StudyFacts) -> None:
    told = set(re.findall(r"\b0\.\d{3}\b", page.read_text("utf-8")))
    counts = [(0, 4096), *((real, more) for real in (16, 64, 256) for more in (0, 4096))]
    for real, synthetic in counts:
        mean = grid.cells[CellKey(GRID_ARM, real, synthetic)].interval.estimate
        assert f"{mean:.3f}" in told, f"{real} + {synthetic}"


def test_the_larger_images_are_those_of_the_ledger() -> None:
    study = read_study(CAR_PARTS / "grid96")
    assert study.failed == study.foreign == 0 and not study.ledger.complaints
    text = (CAR_PARTS.parent / "car-parts.md").read_text("utf-8")
    told = text[text.index("## Larger images") :].partition("\n## ")[0]
    for key, cell in study.cells.items():
        for score in cell.values:
            assert f"{score:.3f}" in told, str(key)


def test_the_columns_are_whole_and_told() -> None:
    study = read_study(CAR_PARTS / "columns")
    assert study.open == study.failed == study.foreign == 0 and not study.ledger.complaints
    text = (CAR_PARTS.parent / "car-parts.md").read_text("utf-8")
    told = text[text.index("## Fewer renders") :].partition("\n## ")[0]
    for key, cell in study.cells.items():
        assert f"{cell.interval.estimate:.3f} ± {cell.interval.half_width:.3f}" in told, str(key)
    verdict = judge_grid(analyse_grid(study))
    assert verdict.kind == "gain"
    assert any("the best number is 0, 1,024 or 4,096" in text for text in verdict.sentences)


def test_photos_without_labels_are_those_of_the_ledger(grid: StudyFacts) -> None:
    text = (CAR_PARTS.parent / "car-parts.md").read_text("utf-8")
    told = text[text.index("## Photos without labels") :].partition("\n## ")[0]
    cell = grid.cells[CellKey(SELF_TRAINED_ARM, 16, 4096)]
    control = grid.cells[CellKey(SELF_TRAINING_CONTROL, 16, 4096)]
    assert all(entry.unlabelled == 284 for entry in cell.entries)
    assert not any(entry.unlabelled for entry in control.entries)
    for one in (cell, control):
        assert all(f"{score:.3f}" in told for score in one.values)
        assert f"{one.interval.estimate:.3f} ± {one.interval.half_width:.3f}" in told
    [found] = analyse_grid(grid).self_trained
    assert found.shown and found.control is not None


def test_the_look_at_the_photos_set_apart_is_told(grid: StudyFacts) -> None:
    text = (CAR_PARTS.parent / "car-parts.md").read_text("utf-8")
    told = text[text.index("## On the photos set apart") :].partition("\n## ")[0]
    assert len(grid.ledger.looks) == 1
    cells = confirmed_cells(grid)
    assert len(cells) == 14 and all(cell.over_images for cell in cells)
    for cell in cells:
        assert f"{cell.untouched.estimate:.3f}" in told, str(cell.key)
        if cell.gain is not None:
            assert f"{cell.gain.estimate:+.3f}" in told, str(cell.key)


def test_w_nets_that_were_run_too_short_are_told() -> None:
    told = (ROOT / "docs" / "decisions" / "0030-wnet.md").read_text("utf-8")
    lines = (CAR_PARTS / "wnet-1200-ledger.jsonl").read_text("utf-8").splitlines()
    runs = [Entry.model_validate_json(line) for line in lines]
    assert len(runs) == 9 and {run.steps for run in runs} == {1200}
    for real in (16, 64, 256):
        scores = [run.mean_iou or 0.0 for run in runs if run.real == real]
        assert len(scores) == 3 and f"{fmean(scores):.3f}" in told


def test_photos_alone_elsewhere_are_told_beside_those_of_the_grid() -> None:
    text = (CAR_PARTS.parent / "car-parts-earlier.md").read_text("utf-8")
    told = text[text.index("## Photos alone on another processor") :].partition("\n## ")[0]
    lines = (CAR_PARTS / "alone-elsewhere-ledger.jsonl").read_text("utf-8").splitlines()
    elsewhere = [Entry.model_validate_json(line) for line in lines]
    here = {entry.run_id: entry for entry in read_ledger(CAR_PARTS / "grid").entries}
    assert len(elsewhere) == 6 and all(entry.run_id in here for entry in elsewhere)
    for entry in (*elsewhere, *(here[entry.run_id] for entry in elsewhere)):
        assert f"{entry.mean_iou:.3f}" in told, entry.run_id
