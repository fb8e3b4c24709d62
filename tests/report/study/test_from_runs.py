"""A miniature study from end to end: trained, reported, killed, gone on with, reported again."""

from __future__ import annotations

import html
import multiprocessing
import re
import time
from pathlib import Path

import pytest
import torch

from clearcoat.report.study import analyse_grid, read_study, write_study_report
from clearcoat.report.study.content import Chapter
from clearcoat.report.study.figure_5 import figure_5
from clearcoat.report.study.report import gather_studies
from clearcoat.report.study.starts import analyse_transfer
from clearcoat.report.study.transfer_figures import pairs_table
from clearcoat.studies import (
    Conditions,
    StudyPlan,
    SupplementSpec,
    conduct,
    load_study,
    read_ledger,
)
from tests.report.test_report import Page
from tests.studies.conftest import supplement, transfer

from .conftest import FIGURE_5


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_figure_5_shows_each_image_with_its_truth_and_all_models(miniature: Path) -> None:
    found = figure_5(read_study(miniature))
    assert found is not None
    assert found.columns == (4, 8) and len(found.strips) == 2
    for strip in found.strips:
        assert [label for label, _ in strip.rows] == ["photos alone", "with 8 renders"]
        assert all(panel is not None for _, panels in strip.rows for panel in panels)
    assert len(found.table.rows) == 8


def test_figure_5_shows_the_images_that_all_its_cells_have(data: Path, tmp_path: Path) -> None:
    few = {"real_counts": [8], "synthetic_counts": [0]}
    conduct(supplement(data, **few, qualitative={"real": [8], "images": 2}), tmp_path)
    more = supplement(
        data, **few | {"real_counts": [4, 8]}, qualitative={"real": [4, 8], "images": 3}
    )
    conduct(more, tmp_path)
    found = figure_5(read_study(tmp_path))
    assert found is not None
    assert found.columns == (4, 8) and len(found.strips) == 2
    assert all(None not in panels for strip in found.strips for _, panels in strip.rows)
    [caution] = [text for text in _cautions(tmp_path) if "Fig. 5" in text]
    assert "of 8 real + 0 synthetic:" in caution and "--remake-weights" in caution
    conduct(more, tmp_path, Conditions(remake_weights=True))
    found = figure_5(read_study(tmp_path))
    assert found is not None and found.columns == (4, 8) and len(found.strips) == 3
    assert not [text for text in _cautions(tmp_path) if "Fig. 5" in text]


def test_figure_5_is_a_picture_of_its_own(miniature: Path) -> None:
    [chapter] = _chapters(miniature)
    assert chapter.pictures is not None
    figure = chapter.pictures.drawn.figure
    # Per image itself, its truth, and two counts of photos without and with renders.
    assert len([axes for axes in figure.axes if axes.images]) == 2 * (2 + 2 * 2)
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == [
        "image", "truth", "4 photos", "8 photos",
    ]  # fmt: skip
    told = {axes.get_xlabel() for axes in figure.axes}
    assert {f"IoU {row[3]:.3f}" for row in chapter.pictures.table.rows} <= told
    assert {text.get_text().strip() for text in figure.legends[0].get_texts()} == {
        "bright", "dark", "not scored",
    }  # fmt: skip


def test_the_study_on_the_page_is_the_one_that_was_run(miniature: Path, tmp_path: Path) -> None:
    write_study_report(tmp_path / "report.html", [miniature])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    (printed,) = re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)
    (tmp_path / "again.yaml").write_text(html.unescape(printed), encoding="utf-8")
    again = load_study(tmp_path / "again.yaml", SupplementSpec)
    recorded = SupplementSpec.model_validate(read_study(miniature).spec)
    places = {"real": recorded.real, "synthetic": recorded.synthetic, "test": recorded.test}
    assert again.model_copy(update=places) == recorded


def test_intervals_over_test_images_are_had_from_the_runs(miniature: Path) -> None:
    analysis = analyse_grid(read_study(miniature))
    for gain in analysis.gains.values():
        interval = gain.contrast.over_images
        assert interval is not None and interval.low is not None and interval.high is not None
        assert interval.low <= interval.high
        # Scores of the bootstrap are those of the ledger.
        assert interval.estimate == pytest.approx(gain.contrast.difference.estimate, abs=1e-9)


def test_gains_of_classes_are_bootstrapped_from_the_runs(miniature: Path) -> None:
    analysis = analyse_grid(read_study(miniature))
    assert set(analysis.classes) == {(4, 8), (8, 8)}
    for counts, found in analysis.classes.items():
        assert [one.name for one in found] == ["bright", "dark"]
        for one in found:
            assert one.over_images and one.gain.low is not None and one.gain.high is not None
            # The bootstrap's centre is the ledger's difference.
            assert one.gain.estimate == pytest.approx(one.with_renders - one.without, abs=1e-9)
            # A paired design compares the repeats that both cells have.
            ours = {e.repeat for e in analysis.cells[counts].entries}
            baseline = analysis.cells[counts[0], 0].entries
            without = [e.classes[one.name] for e in baseline if e.repeat in ours]
            assert one.without == pytest.approx(sum(v or 0 for v in without) / len(without))


def test_table_1_is_that_of_the_studys_data(miniature: Path, tmp_path: Path) -> None:
    report = write_study_report(tmp_path / "r.html", [miniature], files=tmp_path / "files")
    assert [facts.statistics.images for facts in report.datasets] == [20, 12]
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert {row["class"] for row in page.table("table-1.csv")} == {"bright", "dark"}
    assert "Fig. 5" in page.text and page.table("fig-5.csv")
    written = {file.name for file in (tmp_path / "files").iterdir()}
    assert {"table-1.csv", "fig-5.csv", "fig-5.png", "fig-5.svg"} <= written


def _kill_after(lines: int, study: StudyPlan, out: Path) -> None:
    """Conduct a study in a process of its own that is killed (signal 9) in the middle."""

    def work() -> None:
        torch.set_num_threads(1)
        conduct(study, out)

    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    while len(read_ledger(out).entries) < lines:
        assert worker.is_alive()
        time.sleep(0.01)
    worker.kill()
    worker.join()


def _scores(folder: Path) -> dict[str, float | None]:
    return {entry.run_id: entry.mean_iou for entry in read_ledger(folder).entries}


def test_a_killed_and_resumed_study_has_the_same_figures(
    miniature: Path, data: Path, tmp_path: Path
) -> None:
    study = supplement(data, qualitative=FIGURE_5)
    _kill_after(3, study, tmp_path / "study")
    [partial] = _chapters(tmp_path / "study")
    assert "still missing in" in " ".join(partial.verdict.cautions)
    conduct(study, tmp_path / "study")
    assert _scores(tmp_path / "study") == _scores(miniature)
    [once], [twice] = _chapters(miniature), _chapters(tmp_path / "study")
    assert once.verdict == twice.verdict
    for first, second in zip(once.figures, twice.figures, strict=True):
        assert (first.name, first.table) == (second.name, second.table)
    assert once.pictures == twice.pictures


def test_a_killed_and_resumed_transfer_study_has_the_same_scores(
    data: Path, tmp_path: Path
) -> None:
    few = {"initialisations": ["control", "synth-synth"], "freeze": ["trainable"], "wnet": False}
    study = transfer(data, repeats={"min": 2, "width": None}, **few)
    conduct(study, tmp_path / "whole")
    _kill_after(2, study, tmp_path / "cut")
    assert len(_scores(tmp_path / "cut")) < len(_scores(tmp_path / "whole"))
    conduct(study, tmp_path / "cut")
    assert _scores(tmp_path / "cut") == _scores(tmp_path / "whole")
    once, twice = (analyse_transfer(read_study(tmp_path / name)) for name in ("whole", "cut"))
    assert once.arms == twice.arms and len(once.arms) == 3
    # All but the clock's: what each start scores, and every comparison of two.
    assert pairs_table(once) == pairs_table(twice)
    for name, start in once.starts.items():
        other = twice.starts[name]
        assert start.cell.values == other.cell.values
        if start.against_control is not None:
            assert other.against_control is not None
            assert start.against_control.difference == other.against_control.difference


def _cautions(folder: Path) -> tuple[str, ...]:
    [chapter] = _chapters(folder)
    return tuple(chapter.verdict.cautions)


def _chapters(folder: Path) -> tuple[Chapter, ...]:
    return gather_studies([folder], [], None, "", lambda _: None).chapters
