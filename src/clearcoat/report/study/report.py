"""The report of studies: folders in, one HTML file out, and a folder of files when asked for."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from clearcoat.dataset import Dataset, dataset_statistics
from clearcoat.dataset.files import write_whole
from clearcoat.errors import ClearcoatError, DatasetError
from clearcoat.report.content import DataFacts
from clearcoat.report.data_tables import statistics_table
from clearcoat.report.study.across import across_table
from clearcoat.report.study.class_figures import class_figure
from clearcoat.report.study.comparing import ALPHA
from clearcoat.report.study.confirmed import confirmed_across, confirmed_cells
from clearcoat.report.study.confirmed_tables import confirmed_across_table, confirmed_table
from clearcoat.report.study.confirmed_verdict import (
    confirmed_cautions,
    confirmed_sentences,
    contradiction,
)
from clearcoat.report.study.content import Chapter, NamedTable, StudyReport
from clearcoat.report.study.drawing import Drawn
from clearcoat.report.study.facts import StudyFacts, read_study
from clearcoat.report.study.figure_5 import figure_5
from clearcoat.report.study.grid import GridAnalysis, analyse_grid
from clearcoat.report.study.grid_figures import fig_2a, fig_2b, fig_2c, fig_3, fig_4
from clearcoat.report.study.grid_verdict import judge_grid
from clearcoat.report.study.page import render_study_page
from clearcoat.report.study.starts import analyse_transfer
from clearcoat.report.study.transfer_figures import (
    pairs_table,
    table_2,
    transfer_figures,
    transfer_table,
)
from clearcoat.report.study.transfer_verdict import judge_transfer, shown_starts
from clearcoat.report.study.unlabelled import gains_table
from clearcoat.report.study.worth_figures import scaling_figure, worth_figure
from clearcoat.report.tables import Table
from clearcoat.report.writing import cannot_write, prepare, write_page
from clearcoat.statistics import holm
from clearcoat.studies import CellKey

Tell = Callable[[str], None]


def write_study_report(
    out: Path,
    studies: Sequence[Path],
    *,
    datasets: Sequence[Path] = (),
    photos: int | None = None,
    files: Path | None = None,
    title: str = "What the renders are worth",
    tell: Tell | None = None,
) -> StudyReport:
    """Write one self-contained HTML file about studies, and return its content.

    `photos` is the number of photos that the verdict is for (default: the most studied). `files`
    is a folder that gets every figure as PNG and SVG and every table as CSV. Raises UsageError,
    RunError and DatasetError; nothing is written then.
    """
    tell = tell or (lambda _: None)
    prepare(out, files)
    report = gather_studies(studies, datasets, photos, title, tell)
    tell("drawing")
    write_page(out, render_study_page(report))
    if files is not None:
        try:
            write_files(report, files)
        except (OSError, ClearcoatError) as error:
            raise cannot_write(files, error) from error
    return report


def gather_studies(
    studies: Sequence[Path],
    datasets: Sequence[Path],
    photos: int | None,
    title: str,
    tell: Tell,
) -> StudyReport:
    """Read and analyse all that the report is about. Raises RunError and DatasetError."""
    chapters = []
    for path in studies:
        tell(f"analysing {path}")
        facts = read_study(path)
        for complaint in facts.ledger.complaints:
            tell(complaint)
        chapters.append(
            _grid_chapter(facts, photos)
            if facts.kind == "supplement"
            else _transfer_chapter(facts, photos)
        )
    found, missing = _data(studies, chapters, datasets, tell)
    return StudyReport(title, tuple(chapters), found, missing)


def write_files(report: StudyReport, folder: Path) -> None:
    """Write every figure as PNG and SVG and every table as CSV into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [chapter.study.name for chapter in report.chapters]
    for number, chapter in enumerate(report.chapters, start=1):
        prefix = "" if len(names) == 1 else f"{chapter.study.name}-"
        if len(set(names)) < len(names):
            # a/out and b/out: by their place on the page.
            prefix = f"{number}-{prefix}"
        pictures = () if chapter.pictures is None else (chapter.pictures.drawn,)
        for figure in (*chapter.figures, *pictures):
            write_whole(folder / f"{prefix}{figure.name}.png", figure.png)
            write_whole(folder / f"{prefix}{figure.name}.svg", figure.svg)
        for item in chapter.shown:
            write_whole(folder / f"{prefix}{item.name}.csv", csv_bytes(item.table))
    if report.datasets:
        write_whole(folder / "table-1.csv", csv_bytes(statistics_table(report.datasets)))


def csv_bytes(table: Table) -> bytes:
    """Return a table as a CSV file, numbers in full precision."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(["" if value is None else value for value in row] for row in table.rows)
    return buffer.getvalue().encode()


def _grid_chapter(facts: StudyFacts, photos: int | None) -> Chapter:
    grid = analyse_grid(facts)
    drawn: list[Drawn | None] = []
    if grid.cells:
        drawn = [
            fig_2a(grid), fig_2b(grid), fig_2c(grid), fig_3(grid), fig_4(grid),
            worth_figure(grid), scaling_figure(grid), class_figure(grid),
        ]  # fmt: skip
    pictures = figure_5(facts)
    tables = [*_across(grid), *_unlabelled(grid), *_rates(grid), _ledger_table(facts)]
    if pictures is not None:
        tables.append(NamedTable("fig-5", "", "", pictures.table))
    chapter = Chapter(
        facts,
        judge_grid(grid, photos),
        tuple(figure for figure in drawn if figure is not None),
        tuple(tables),
        pictures,
    )
    shown = {g.contrast.cell.key for g in grid.gains.values() if g.verdict in ("gain", "loss")}
    shown |= {one.cell.key for one in grid.self_trained if one.shown}
    return _with_untouched(chapter, shown)


def _transfer_chapter(facts: StudyFacts, photos: int | None) -> Chapter:
    analysis = analyse_transfer(facts)
    tables = [
        NamedTable(
            "table-2",
            "Table II: model size and training time",
            "Times are of runs that had the device to themselves; a dash: none had.",
            table_2(analysis),
        ),
        NamedTable(
            "starts",
            "All starts",
            "Against control: the same photos from random weights. Against mix: the best of "
            "the controls trained on photos and renders in one go. Shares of pretraining are "
            "of all training that went into a model.",
            transfer_table(analysis, analysis.arms),
        ),
        NamedTable(
            "pairs",
            "One thing changed",
            "Two-sided tests, and the test that both are the same within 0.01 of mean IoU: only "
            "the latter can show that something makes no difference. Starts that see no render, "
            "and W-nets, whose second network is new, are trained for as long as base and "
            "specialisation together, and at the full rate; others from renders for the "
            "specialisation, at its rate (`tuning_rate`).",
            pairs_table(analysis),
        ),
        _ledger_table(facts),
    ]
    figures = transfer_figures(analysis) if analysis.starts else []
    chapter = Chapter(
        facts,
        judge_transfer(analysis, photos),
        tuple(figures),
        tuple(table for table in tables if table.table.rows),
        None,
    )
    tested = [start for start in analysis.starts.values() if start.against_control is not None]
    adjusted = holm([start.control_p for start in tested])
    shown = {
        start.cell.key
        for start, p in zip(tested, adjusted, strict=True)
        if p is not None and p < ALPHA
    }
    return _with_untouched(chapter, shown | shown_starts(analysis))


def _with_untouched(chapter: Chapter, shown: Collection[CellKey]) -> Chapter:
    """Add what the untouched photos say to the verdict, beside what it is drawn from."""
    study = chapter.study
    cells, across = confirmed_cells(study), confirmed_across(study)
    sentences = confirmed_sentences(study, cells, shown, across)
    verdict = replace(
        chapter.verdict,
        headline=chapter.verdict.headline + contradiction(cells, shown),
        sentences=(*sentences, *chapter.verdict.sentences),
        cautions=(*confirmed_cautions(study, cells), *chapter.verdict.cautions),
    )
    tables = chapter.tables
    if cells:
        # Without a title: it is shown beside the verdict.
        tables = (*tables, NamedTable("confirmed", "", "", confirmed_table(cells)))
    if across:
        tables = (
            *tables,
            NamedTable(
                "confirmed-across",
                "Few photos with renders against more photos alone, on the untouched photos",
                "The former less the latter, on the test photos of the splits and on the "
                "untouched ones; intervals are not corrected for their number.",
                confirmed_across_table(across),
            ),
        )
    return replace(chapter, verdict=verdict, confirmed=cells, tables=tables)


def _across(grid: GridAnalysis) -> list[NamedTable]:
    """Few photos with renders against more photos alone."""
    found = [one for one in (grid.stands_for, grid.self_trained_stands_for) if one is not None]
    if not found:
        return []
    return [
        NamedTable(
            "across",
            "Few photos with renders against more photos alone",
            "The best mix of the fewest photos less more photos alone, over repeats. Intervals and "
            "p-values are each of its row alone; the verdict's p is corrected for the choice of "
            "the mix.",
            across_table(found),
        )
    ]


def _unlabelled(grid: GridAnalysis) -> list[NamedTable]:
    """Cells with photos without labels against the same without."""
    if not grid.self_trained:
        return []
    return [
        NamedTable(
            "unlabelled",
            "What photos without labels bring",
            "The same photos and renders with and without a last phase on photos that the model "
            "labels itself, over repeats; the control has that phase without these photos.",
            gains_table(grid.self_trained),
        )
    ]


def _rates(grid: GridAnalysis) -> list[NamedTable]:
    """How many renders do what one photo does, from step to step of each row."""
    if grid.worth is None:
        return []
    rows = []
    for real in grid.real:
        counts = sorted(grid.row(real)) if real and (real, 0) in grid.cells else []
        for first, second in pairwise(counts):
            rate = grid.worth.exchange_rate(real, first, second)
            values = (rate.renders_per_photo, rate.low, rate.high)
            rows.append((real, first, second, *(v if math.isfinite(v) else None for v in values)))
    if not rows:
        return []
    return [
        NamedTable(
            "exchange-rate",
            "How many renders stand for one more photo",
            "From one count of renders to the next, at each number of photos. A dash: no number "
            "of renders does, the interval has no end, or a score lies beyond what the curve of "
            "photos alone can be read for.",
            Table(
                ("photos", "renders from", "to", "renders per photo", "95 % low", "95 % high"),
                tuple(rows),
            ),
        )
    ]


def _ledger_table(facts: StudyFacts) -> NamedTable:
    # A line taken over from another study may call its arm otherwise.
    arms = {e.run_id: key.arm for key, cell in facts.cells.items() for e in cell.entries}
    rows = tuple(
        (
            e.run_id[:12], arms.get(e.run_id, e.arm), e.real, e.synthetic, e.repeat, e.split,
            e.seed, e.mean_iou,
            e.failed or ("yes" if e.run_id in facts.belonging else "no"), e.steps, e.epochs,
            round(e.train_s, 1),
            "–" if e.exclusive is None else "yes" if e.exclusive else "no",
            (e.started_from or "")[:12], e.finished_at,
        )
        for e in sorted(
            facts.ledger.entries,
            key=lambda e: (arms.get(e.run_id, e.arm), e.real, e.synthetic, e.repeat, e.run_id),
        )
    )  # fmt: skip
    return NamedTable(
        "ledger",
        "Ledger of runs",
        f"{len(rows):,} runs; those that count are in a cell up to where its stopping rule ended.",
        Table(
            (
                "run", "arm", "real", "synthetic", "repeat", "split", "seed", "mean IoU",
                "counts", "steps", "epochs", "training s", "device alone", "started from",
                "finished",
            ),
            rows,
        ),
    )  # fmt: skip


def _data(
    studies: Sequence[Path],
    chapters: Sequence[Chapter],
    datasets: Sequence[Path],
    tell: Tell,
) -> tuple[tuple[DataFacts, ...], tuple[str, ...]]:
    """Open the data sets that are given or named, as far as they are at hand (Table I)."""
    found: dict[Path, DataFacts] = {}
    missing = []
    named = [
        (chapter.study, role)
        for chapter in chapters
        for role in ("real", "synthetic")
        if role in chapter.study.paths
    ]
    for path in datasets:
        if path.resolve() not in found:
            found[path.resolve()] = _counted(Dataset.open(path), path, tell)
    for study, role in named:
        path = study.paths[role]
        if path.resolve() in found:
            continue
        try:
            dataset = Dataset.open(path)
        except DatasetError:
            missing.append(str(path))
            continue
        if _is_of(study, role, dataset):
            found[path.resolve()] = _counted(dataset, path, tell)
        else:
            missing.append(f"{path} (another by now)")
    missing = [*dict.fromkeys(missing)]
    for place in missing:
        tell(f"left out of Table I, since not at hand: {place}")
    return tuple(found.values()), tuple(missing)


def _counted(dataset: Dataset, path: Path, tell: Tell) -> DataFacts:
    tell(f"counting the classes of {path}")
    statistics = dataset_statistics(dataset)
    return DataFacts(dataset, dataset.digest(), statistics, path.name or str(path))


def _is_of(study: StudyFacts, role: str, dataset: Dataset) -> bool:
    """Whether a data set is still the one that a study was run on."""
    digests = study.digests
    known = digests.photos if role == "real" else digests.synthetic
    if known is None:
        # Earlier versions wrote the digests of the parts of the photos alone.
        return dataset.classes == study.classes
    return dataset.digest() == known
