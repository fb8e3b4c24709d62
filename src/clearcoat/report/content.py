"""What a report of runs and data sets shows, before it is drawn."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from clearcoat.dataset import Dataset, DatasetStatistics
from clearcoat.report.cells import Cell, Comparison
from clearcoat.report.facts import RunFacts
from clearcoat.report.verdict import Verdict
from clearcoat.statistics import Interval


@dataclass(frozen=True)
class DataFacts:
    """A data set of the report."""

    dataset: Dataset
    digest: str
    statistics: DatasetStatistics
    name: str
    """Unique among the data sets of a report."""


@dataclass(frozen=True)
class Report:
    """Everything that the page shows, before it is drawn."""

    title: str
    datasets: tuple[DataFacts, ...]
    runs: tuple[RunFacts, ...]
    cells: tuple[Cell, ...]
    comparisons: tuple[Comparison, ...]
    verdict: Verdict
    test: DataFacts | None
    """The scored images, as far as they could be found."""

    def as_json(self) -> dict[str, Any]:
        """The numbers, as plain data."""
        return {
            "title": self.title,
            "verdict": asdict(self.verdict),
            "cells": [
                {
                    "label": cell.label,
                    "real": cell.real,
                    "synthetic": cell.synthetic,
                    "scored_on": cell.scored_on,
                    "mean_iou": asdict(cell.interval),
                    "runs": [run.name for run in cell.runs],
                    "values": cell.values,
                }
                for cell in self.cells
            ],
            "comparisons": [
                {
                    "cell": comparison.cell.label,
                    "baseline": comparison.baseline.label,
                    "verdict": comparison.verdict,
                    "absolute": asdict(comparison.absolute),
                    "relative": _optional(comparison.relative),
                    "welch_p": comparison.welch.p_value,
                    "gain_holm_p": comparison.gain_p,
                    "loss_holm_p": comparison.loss_p,
                    "paired_p": None if comparison.paired is None else comparison.paired.p_value,
                }
                for comparison in self.comparisons
            ],
            "runs": [
                {
                    "name": run.name,
                    "path": str(run.path),
                    "state": run.state,
                    "note": run.note,
                    "real": run.real,
                    "synthetic": run.synthetic,
                    "seed": run.seed,
                    "mean_iou": run.mean_iou,
                    "scored_on": run.scored_on,
                }
                for run in self.runs
            ],
            "datasets": [
                {"name": facts.name, "digest": facts.digest, **asdict(facts.statistics)}
                for facts in self.datasets
            ],
        }


def _optional(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else asdict(interval)
