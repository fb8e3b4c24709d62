"""From a study report's content to the HTML page."""

from __future__ import annotations

from typing import Any

from clearcoat.report.data_tables import BADGES, frequency_rows, statistics_table
from clearcoat.report.study.facts import StudyFacts
from clearcoat.report.study.report import StudyReport
from clearcoat.report.verdict import images
from clearcoat.report.writing import page

_SETTINGS = ("design", "splits", "seed", "size", "recipe", "training", "repeats", "more_repeats")


def render_study_page(report: StudyReport) -> str:
    """Return the whole page."""
    return page(
        "study.html",
        report.title,
        report=report,
        badges=BADGES,
        settings=_settings,
        machines=_machines,
        statistics=frequency_rows(report.datasets),
        table_1=statistics_table(report.datasets),
        lead=_lead,
    )


def _lead(study: StudyFacts) -> str:
    runs = sum(len(cell.values) for cell in study.cells.values())
    what = "Grid of photos and renders" if study.kind == "supplement" else "Transfer study"
    return (
        f"{what}: {images(runs, 'run')} in {images(len(study.cells), 'cell')}. The score is mean "
        "IoU on photos that no training saw, every class alike, a class being present where its "
        "probability reaches 50 %."
    )


def _settings(study: StudyFacts) -> list[tuple[str, Any]]:
    return [(key, study.spec[key]) for key in _SETTINGS if study.spec.get(key)]


def _machines(study: StudyFacts) -> list[tuple[str, str, int]]:
    """Device and versions, with the number of runs."""
    counts: dict[tuple[str, str], int] = {}
    for entry in study.ledger.entries:
        versions = ", ".join(f"{name} {v}" for name, v in sorted(entry.versions.items()))
        key = (entry.device or "unknown device", versions)
        counts[key] = counts.get(key, 0) + 1
    return [(*key, count) for key, count in counts.items()]
