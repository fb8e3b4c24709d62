"""The numbers behind each figure and table of the report, as plain tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clearcoat.report.cells import Cell, Comparison
from clearcoat.report.charts import class_values
from clearcoat.report.content import DataFacts
from clearcoat.report.facts import FINISHED, RunFacts
from clearcoat.report.pictures import PredictionRow
from clearcoat.report.tables import Table, Value
from clearcoat.statistics import Interval

BADGES = {
    "gain": "gain",
    "loss": "loss",
    "mixed": "gain and loss",
    "unclear": "no gain shown",
    "too few": "too few runs to tell",
    "nothing": "nothing to compare",
}
"""A word for each verdict of a comparison."""


def mean(values: Sequence[float]) -> float | None:
    """Mean of the values; None without any."""
    return sum(values) / len(values) if values else None


def cells_table(cells: Sequence[Cell]) -> Table:
    """Every run with the mean and interval of its cell."""
    rows: list[tuple[Value, ...]] = [
        (
            cell.label, cell.real, cell.synthetic, len(cell.runs), cell.interval.estimate,
            cell.interval.low, cell.interval.high, run.name, run.seed, run.mean_iou,
        )
        for cell in cells
        for run in cell.runs
    ]  # fmt: skip
    return Table(
        (
            "cell", "real", "synthetic", "runs in cell", "mean of cell", "95 % low", "95 % high",
            "run", "seed", "mean IoU of run",
        ),
        tuple(rows),
    )  # fmt: skip


def comparisons_table(comparisons: Sequence[Comparison]) -> Table:
    """Every cell with renders against its baseline."""
    rows: list[tuple[Value, ...]] = []
    for item in comparisons:
        welch, paired = item.welch, item.paired
        rows.append(
            (
                item.cell.label,
                item.baseline.label,
                *_bounds(item.absolute),
                *_bounds(item.relative),
                welch.statistic,
                welch.degrees,
                welch.p_value,
                item.gain_p,
                item.loss_p,
                None if paired is None else paired.p_value,
                None if paired is None else paired.degrees,
                BADGES[item.verdict],
            )
        )
    return Table(
        (
            "cell", "baseline", "gain", "gain 95 % low", "gain 95 % high", "relative gain",
            "relative 95 % low", "relative 95 % high", "Welch t", "Welch degrees of freedom",
            "Welch p", "gain p, Holm", "loss p, Holm", "paired p", "paired degrees of freedom",
            "verdict",
        ),
        tuple(rows),
    )  # fmt: skip


def _bounds(interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    return (None,) * 3 if interval is None else (interval.estimate, interval.low, interval.high)


def statistics_table(datasets: Sequence[DataFacts]) -> Table:
    """Every data set's classes (the paper's Table I)."""
    return Table(
        ("data set", "class", "examples", "frequency", "mean share of the image where it occurs"),
        tuple(
            (facts.name, found.name, found.images, found.frequency, found.mean_share)
            for facts in datasets
            for found in facts.statistics.classes
        ),
    )


def frequency_rows(datasets: Sequence[DataFacts]) -> list[dict[str, Any]]:
    """Rows of the same for reading: a class, and what each data set has of it."""
    names = dict.fromkeys(name for facts in datasets for name in facts.dataset.classes)
    return [
        {
            "name": name,
            "cells": [
                next((c for c in facts.statistics.classes if c.name == name), None)
                for facts in datasets
            ],
        }
        for name in names
    ]


def run_row(run: RunFacts) -> dict[str, Any]:
    """One row of the table of runs, by name of column."""
    metrics = run.metrics
    row: dict[str, Any] = {"run": run, "finished": run.state == FINISHED}
    if metrics is not None:
        last = metrics["phases"][-1]
        row |= {
            "epochs": metrics["epochs"],
            "steps": metrics["steps"],
            "ms": 1000 * metrics["seconds_per_image_epoch"],
            "train_s": metrics["train_s"],
            "exclusive": metrics["exclusive"],
            "total": metrics["parameters"]["total"],
            "trainable": metrics["parameters"]["trainable"],
            "best_epoch": -(-last["best_step"] // last["steps_per_epoch"]),
            "last_phase": last["name"] if len(metrics["phases"]) > 1 else "",
            "loss": metrics["validation"]["loss"],
            "validation": metrics["validation"]["mean_iou"],
            "test": run.mean_iou if run.tested else None,
        }
    return row


def runs_table(runs: Sequence[RunFacts]) -> Table:
    """Every run: images, steps, time, parameters, scores (the paper's Table II)."""
    keys = (
        "epochs", "steps", "ms", "train_s", "total", "trainable", "best_epoch", "loss",
        "validation", "test",
    )  # fmt: skip
    return Table(
        (
            "run", "state", "real", "synthetic", "seed", "epochs", "steps",
            "ms per image and epoch", "training s", "parameters", "trainable parameters",
            "best epoch of last phase", "validation loss", "validation mean IoU", "test mean IoU",
        ),
        tuple(
            (run.name, run.state, run.real, run.synthetic, run.seed, *(row.get(k) for k in keys))
            for run, row in ((run, run_row(run)) for run in runs)
        ),
    )  # fmt: skip


def class_table(cells: Sequence[Cell], classes: Sequence[str]) -> Table:
    """IoU of every class in every cell."""
    rows: list[tuple[Value, ...]] = []
    for name in classes:
        for cell in cells:
            values = class_values(cell, name)
            rows.append(
                (
                    name, cell.label, len(values), mean(values), min(values, default=None),
                    max(values, default=None),
                )
            )  # fmt: skip
    return Table(("class", "cell", "runs", "mean IoU", "lowest", "highest"), tuple(rows))


def predictions_table(rows: Sequence[PredictionRow], cells: Sequence[Cell]) -> Table:
    """What every cell predicted on the images that are shown."""
    return Table(
        ("image", "classes in truth", "cell", "run", "mean IoU of image", "classes predicted"),
        tuple(
            (
                row.image.name, ", ".join(row.truth.classes), cell.label, cell.best.name,
                picture.iou, ", ".join(picture.classes),
            )
            for row in rows
            for cell, picture in zip(cells, row.predictions, strict=True)
        ),
    )  # fmt: skip
