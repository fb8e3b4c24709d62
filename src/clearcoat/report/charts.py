"""Charts as inline SVG: colour-blind safe, in the colour of the text around them, on no paper.

Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), left out the two that
vanish on white or black paper, and a brown: Fig. 7 may have seven starts, and bars have no marker.
Elsewhere markers and dashes say the same once more.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clearcoat.report.cells import Cell
from clearcoat.report.facts import RunFacts
from clearcoat.report.tables import Table

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#963C1E")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
"""One more than colours: the two come round together only after all of their pairs."""
_DASHES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
INK = "#010203"
"""Stands for the text colour of the page; replaced by `currentColor` in the SVG."""
_OTHER = "#888888"
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "clearcoat",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "font.size": 9,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.14,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "text.parse_math": False,
}


def cells_chart(cells: Sequence[Cell]) -> Markup:
    """Mean IoU of each cell: a mark per run, the mean as a bar, its interval as a line."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 0.9 + 0.42 * len(cells)), layout="constrained")
        axes = figure.add_subplot()
        for row, cell in enumerate(cells):
            color, marker = _look(row)
            spread = cell.interval
            if spread.low is not None and spread.high is not None:
                axes.plot(
                    (max(0.0, spread.low), min(1.0, spread.high)), (row, row),
                    color=color, linewidth=5, alpha=0.30, solid_capstyle="butt",
                )  # fmt: skip
            axes.plot((spread.estimate,) * 2, (row - 0.3, row + 0.3), color=color, linewidth=2)
            axes.plot(
                cell.values, [row] * len(cell.values), marker, color=color, markersize=5, alpha=0.8
            )
        axes.set_yticks(range(len(cells)), [fill(cell.label, 44) for cell in cells])
        axes.set_ylim(len(cells) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("mean IoU")
        return inline_svg(figure, "cells", "Mean IoU of each cell, with its runs and interval")


def class_chart(cells: Sequence[Cell], classes: Sequence[str]) -> Markup:
    """IoU per class: one mark per cell, the range over its runs as a line."""
    with matplotlib.rc_context(STYLE):
        step = min(0.18, 0.7 / max(1, len(cells)))
        rows_height = len(classes) * max(0.30, 0.11 * len(cells))
        figure = Figure(
            figsize=(7.6, 0.6 + rows_height + _legend_height(cells)), layout="constrained"
        )
        axes = figure.add_subplot()
        seen: list[float] = []
        for number, cell in enumerate(cells):
            color, marker = _look(number)
            for row, name in enumerate(classes):
                values = class_values(cell, name)
                seen += values
                if values:
                    y = row + (number - (len(cells) - 1) / 2) * step
                    axes.plot((min(values), max(values)), (y, y), color=color, alpha=0.5)
                    axes.plot((sum(values) / len(values),), (y,), marker, color=color, markersize=5)
        axes.set_yticks(range(len(classes)), classes)
        axes.set_ylim(len(classes) - 0.5, -0.5)
        axes.set_xlim(0, min(1.0, 0.05 + 1.05 * max(seen, default=0.95)))
        axes.set_xlabel("IoU")
        for row in range(1, len(classes)):
            axes.axhline(row - 0.5, color=INK, alpha=0.10, linewidth=0.6)
        axes.grid(visible=False, axis="y")
        _legend(figure, cells)
        return inline_svg(figure, "classes", "IoU of each class in each cell")


def curves_chart(runs: Sequence[RunFacts], cells: Sequence[Cell]) -> Markup:
    """Validation loss and mean IoU against epochs: a line per run, its cell's colour.

    Where a run first trains on renders alone, that part is thin and faint: its validation
    images are other ones.
    """
    numbers = {run.path: number for number, cell in enumerate(cells) for run in cell.runs}
    turn: dict[int, int] = {}
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 3.0 + _legend_height(cells)), layout="constrained")
        loss, iou = figure.subplots(1, 2)
        for run in runs:
            number = numbers.get(run.path)
            nth = turn[number or 0] = turn.get(number or 0, -1) + 1
            color, marker = (_OTHER, "") if number is None else _look(number)
            for phase, points in _phases(run):
                early = phase != run.curve[-1]["phase"]
                look = {
                    "color": color,
                    "linestyle": _DASHES[nth % len(_DASHES)],
                    "linewidth": 0.8 if early else 1.3,
                    "alpha": 0.45 if early else 0.95,
                    "marker": marker,
                    "markersize": 3.5,
                    "markevery": max(1, len(points) // 6),
                }
                _line(loss, points, "validation_loss", look)
                _line(iou, points, "validation_mean_iou", look)
        for axes, name in ((loss, "validation loss"), (iou, "validation mean IoU")):
            axes.set_xlabel("epoch")
            axes.set_title(name, loc="left", fontsize=9)
            axes.set_xlim(left=0)
        iou.set_ylim(bottom=0)
        losses = sorted(line["validation_loss"] for run in runs for line in run.curve)
        # The first epochs of one run may peak far above all that is worth seeing.
        loss.set_ylim(0.95 * losses[0], 1.1 * losses[int(0.97 * (len(losses) - 1))])
        _legend(figure, cells, lines=True, other=any(run.path not in numbers for run in runs))
        return inline_svg(figure, "curves", "Validation loss and mean IoU of each run by epoch")


def curve_table(runs: Sequence[RunFacts]) -> Table:
    """Every evaluation of every run."""
    rows = [
        (
            run.name, str(line["phase"]), epoch, line["step"], line["train_loss"],
            line["validation_loss"], line["validation_mean_iou"], line["learning_rate"],
        )
        for run in runs
        for _, points in _phases(run)
        for epoch, line in points
    ]  # fmt: skip
    return Table(
        (
            "run", "phase", "epoch", "step in phase", "training loss", "validation loss",
            "validation mean IoU", "learning rate",
        ),
        tuple(rows),
    )  # fmt: skip


def class_values(cell: Cell, name: str) -> list[float]:
    """Return the IoU of a class in each run of a cell that has one."""
    found = [((run.score or {}).get("per_class") or {}).get(name) for run in cell.runs]
    return [row["iou"] for row in found if row is not None and row["iou"] is not None]


def _phases(run: RunFacts) -> list[tuple[str, list[tuple[int, Mapping[str, Any]]]]]:
    """Split a curve by phase, with epochs counted on from phase to phase."""
    phases: list[tuple[str, list[tuple[int, Mapping[str, Any]]]]] = []
    before = last = 0
    for line in run.curve:
        if not phases or phases[-1][0] != line["phase"]:
            before = last
            phases.append((line["phase"], []))
        last = before + line["epoch"]
        phases[-1][1].append((last, line))
    return phases


def _line(
    axes: Axes, points: Sequence[tuple[int, Mapping[str, Any]]], key: str, look: Mapping[str, Any]
) -> None:
    values = [math.nan if line[key] is None else line[key] for _, line in points]
    axes.plot([epoch for epoch, _ in points], values, **look)


def _look(number: int) -> tuple[str, str]:
    return COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]


def _legend(
    figure: Figure, cells: Sequence[Cell], *, lines: bool = False, other: bool = False
) -> None:
    handles = []
    for number, cell in enumerate(cells):
        color, marker = _look(number)
        width = 1.5 if lines else 0
        handles.append(
            Line2D(
                [], [], color=color, label=cell.label, linewidth=width, marker=marker, markersize=5
            )
        )
    if other:
        handles.append(Line2D([], [], color=_OTHER, label="not counted", linewidth=1.5))
    if handles:
        columns = _legend_columns(cells)
        figure.legend(handles=handles, loc="outside lower left", ncols=columns, fontsize=8.5)


def _legend_columns(cells: Sequence[Cell]) -> int:
    longest = max((len(cell.label) for cell in cells), default=0)
    return max(1, min(len(cells), 110 // (longest + 8)))


def _legend_height(cells: Sequence[Cell]) -> float:
    """Return the inches that a legend of the cells and one more entry takes."""
    return 0.3 + 0.19 * math.ceil((len(cells) + 1) / _legend_columns(cells))


def inline_svg(figure: Figure, name: str, label: str) -> Markup:
    """Return the figure as an <svg> element that fits into a page with others.

    To who hears the page it is one picture, called `label`: its numbers stand in the table below.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.DOTALL)
    # Size by the page, not in points; the view box keeps the proportions.
    text = re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)
    # Several figures in one page must not share identifiers.
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    text = text.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)
    return Markup(text.replace(INK, "currentColor"))
