"""From a report's content to the HTML page: rows and figures for the template."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from clearcoat.report.cells import Cell
from clearcoat.report.charts import (
    cells_chart,
    class_chart,
    class_values,
    curve_table,
    curves_chart,
)
from clearcoat.report.content import DataFacts, Report
from clearcoat.report.data_tables import (
    BADGES,
    cells_table,
    class_table,
    comparisons_table,
    frequency_rows,
    mean,
    predictions_table,
    run_row,
    runs_table,
    statistics_table,
)
from clearcoat.report.facts import FINISHED, RunFacts
from clearcoat.report.pictures import (
    PREDICTED,
    SAMPLES,
    Picture,
    has_ignored,
    predictions,
    samples,
    spread,
)
from clearcoat.report.tables import Table
from clearcoat.report.verdict import images, p_text, percent_bounds, signed, signed_percent
from clearcoat.report.writing import page
from clearcoat.statistics import Interval

_MAX_COLUMNS = 8
"""Cells shown in the picture of predictions: more do not fit on a page."""


@dataclass(frozen=True)
class DataSection:
    """A data set with its pictures."""

    facts: DataFacts
    pictures: list[Picture]
    ignored: bool
    table: Table


def render_page(report: Report) -> str:
    """Return the whole page. Raises DatasetError and RunError for images that cannot be read."""
    shown = [run for run in report.runs if run.curve]
    predicted = _shown_cells(report)
    rows = predictions(report.test.dataset, predicted) if report.test and predicted else []
    classes = _classes(report)
    test_indices = spread(report.test.dataset.indices, PREDICTED) if report.test else []
    return page(
        "report.html",
        report.title,
        filters=_FILTERS,
        report=report,
        badge=BADGES[report.verdict.kind],
        badges=BADGES,
        lead=_lead(report),
        matrix=_matrix(report.cells),
        cells=_cell_rows(report),
        cells_table=cells_table(report.cells),
        comparisons_table=comparisons_table(report.comparisons),
        cells_chart=cells_chart(report.cells) if report.cells else Markup(),
        sections=[_data_section(facts) for facts in report.datasets],
        statistics=frequency_rows(report.datasets),
        statistics_table=statistics_table(report.datasets),
        runs=[run_row(run) for run in report.runs],
        runs_table=runs_table(report.runs),
        curves_chart=curves_chart(shown, report.cells) if shown else Markup(),
        curve_table=curve_table(shown),
        class_chart=class_chart(report.cells, classes) if report.cells and classes else Markup(),
        class_rows=_class_rows(report.cells, classes),
        class_table=class_table(report.cells, classes),
        predicted=predicted,
        hidden_cells=len(_testable(report)) - len(predicted),
        predictions=rows,
        predictions_ignored=report.test is not None
        and has_ignored(report.test.dataset, test_indices),
        predictions_table=predictions_table(rows, predicted),
        samples=SAMPLES,
        machines=_machines(report.runs),
        data_used=_data_used(report),
        commands=_commands(report.runs),
    )


def _lead(report: Report) -> str:
    if not report.runs:
        return "No runs were given: this report describes data sets."
    finished = [run for run in report.runs if run.state == FINISHED]
    lead = f"{images(len(finished), 'finished run')} in {images(len(report.cells), 'cell')}"
    if (test := report.test) is not None:
        count = sum(run.scored_on == test.digest for run in finished)
        of_it = f"scored on the {images(len(test.dataset), 'image')} of {test.name}"
        if count:
            lead += f", {of_it}" if count == len(finished) else f", {count} of them {of_it}"
    return (
        lead + ". The score is mean IoU, every class alike, a class being present where its "
        "probability reaches 50 %."
    )


def _matrix(cells: Sequence[Cell]) -> dict[str, Any] | None:
    """Return the cells as a square of real by synthetic counts; None where that is ambiguous, or
    where they are scored on different images."""
    by_counts = {(cell.real, cell.synthetic): cell for cell in cells}
    real = sorted({cell.real for cell in cells})
    synthetic = sorted({cell.synthetic for cell in cells})
    if len(by_counts) < len(cells) or len(real) * len(synthetic) < 2:
        return None
    if len({cell.scored_on for cell in cells}) > 1:
        return None
    low = min(cell.interval.estimate for cell in cells)
    span = max(cell.interval.estimate for cell in cells) - low
    return {
        "synthetic": synthetic,
        "rows": [
            {
                "real": r,
                "cells": [
                    None
                    if (cell := by_counts.get((r, s))) is None
                    else {
                        "interval": cell.interval,
                        "runs": len(cell.runs),
                        "tint": round(45 * (cell.interval.estimate - low) / span) if span else 0,
                    }
                    for s in synthetic
                ],
            }
            for r in real
        ],
    }


def _cell_rows(report: Report) -> list[dict[str, Any]]:
    by_cell = {id(comparison.cell): comparison for comparison in report.comparisons}
    return [{"cell": cell, "comparison": by_cell.get(id(cell))} for cell in report.cells]


def _data_section(facts: DataFacts) -> DataSection:
    dataset = facts.dataset
    pictures = samples(dataset)
    return DataSection(
        facts=facts,
        pictures=pictures,
        ignored=has_ignored(dataset, spread(dataset.indices, SAMPLES)),
        table=Table(
            ("record", "width", "height", "classes"),
            tuple(
                # A picture shows its image twice.
                (p.name, info.width, info.height, ", ".join(p.classes))
                for p, info in zip(
                    pictures,
                    map(dataset.record_info, spread(dataset.indices, SAMPLES)),
                    strict=True,
                )
            ),
        ),
    )


def _classes(report: Report) -> list[str]:
    """Return the classes that any run has, in the order of the data."""
    scores = (run.score for cell in report.cells for run in cell.runs)
    return list(dict.fromkeys(name for score in scores if score for name in score["per_class"]))


def _class_rows(cells: Sequence[Cell], classes: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    comparable = len({cell.scored_on for cell in cells}) <= 1
    for name in classes:
        means = [mean(class_values(cell, name)) for cell in cells]
        best = max((mean for mean in means if mean), default=None) if comparable else None
        cells_of_row = [(mean, best is not None and mean == best) for mean in means]
        rows.append({"name": name, "cells": cells_of_row})
    return rows


def _testable(report: Report) -> list[Cell]:
    """Return the cells whose score is of the test images, which can be predicted and shown."""
    if report.test is None:
        return []
    return [cell for cell in report.cells if cell.scored_on == report.test.digest]


def _shown_cells(report: Report) -> list[Cell]:
    cells = _testable(report)
    if len(cells) <= _MAX_COLUMNS:
        return cells
    best = sorted(cells, key=lambda cell: -cell.interval.estimate)[:_MAX_COLUMNS]
    return [cell for cell in cells if cell in best]


def _machines(runs: Sequence[RunFacts]) -> list[dict[str, Any]]:
    """Return what the runs ran on, each combination once, with its runs."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        if run.environment is None:
            continue
        facts = {k: v for k, v in run.environment.items() if k != "command"}
        if run.metrics is not None:
            facts["precision"] = run.metrics["precision"]
        entry = found.setdefault(repr(sorted(facts.items())), {"facts": facts, "runs": []})
        entry["runs"].append(run.name)
    return list(found.values())


def _data_used(report: Report) -> list[dict[str, str]]:
    shown = {facts.digest: facts.name for facts in report.datasets}
    used: dict[tuple[str, str], dict[str, str]] = {}
    for run in report.runs:
        for role, digest in (run.data or {}).items():
            place = (run.paths or {}).get(role, "")
            where = shown.get(digest, "")
            used.setdefault(
                (role, digest), {"role": role, "digest": digest, "place": place, "shown": where}
            )
    return list(used.values())


def _commands(runs: Sequence[RunFacts]) -> list[tuple[str, str]]:
    found = []
    for run in runs:
        words: Any = (run.environment or {}).get("command")
        if isinstance(words, list) and words and words[0] == "train":
            found.append((run.name, shlex.join(["clearcoat", *map(str, words)])))
    return found


def _iou(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _range(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return "one run: no interval"
    return f"{max(0.0, interval.low):.3f} to {min(1.0, interval.high):.3f}"


def _gain_text(interval: Interval) -> tuple[str, str]:
    if interval.low is None or interval.high is None:
        return signed(interval.estimate), ""
    return signed(interval.estimate), f"{signed(interval.low)} to {signed(interval.high)}"


def _relative_text(interval: Interval | None) -> tuple[str, str]:
    if interval is None:
        return "–", ""
    return signed_percent(interval.estimate), percent_bounds(interval)


_FILTERS: dict[str, Any] = {
    "iou": _iou,
    "range": _range,
    "gain": _gain_text,
    "relative": _relative_text,
    "p": lambda value: "–" if value is None else p_text(value).removeprefix("p = "),
}
