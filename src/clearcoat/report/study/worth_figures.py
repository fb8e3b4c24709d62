"""Figures beyond the paper: what renders are worth in photos, and how they scale alone."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from clearcoat.report.charts import COLORS, MARKERS
from clearcoat.report.study.drawing import Drawn, styled
from clearcoat.report.study.grid import GridAnalysis
from clearcoat.report.study.unlabelled import WITHOUT_LABELS
from clearcoat.report.tables import Table, Value
from clearcoat.statistics import Equivalent
from clearcoat.statistics.worth import READ_BEYOND

_ASIDE = 0.09
"""Steps between the marks of a count, in doublings of it."""


def worth_figure(grid: GridAnalysis) -> Drawn | None:
    """The learning curve of photos alone, and how many of them each mix is worth."""
    worth = grid.worth
    if worth is None:
        return None
    photos = [real for real in grid.real if real and (real, 0) in grid.cells]

    def draw() -> Figure:
        figure = Figure(figsize=(7.6, 3.8), layout="constrained")
        axes = figure.add_subplot()
        at = np.geomspace(min(photos), worth.limit, 80)
        low, high = worth.band.range_at(at)
        axes.fill_between(at, low, high, color=COLORS[0], alpha=0.2, lw=0)
        inside = at <= max(photos)
        curve = worth.band.curve.at(at)
        axes.plot(at[inside], curve[inside], color=COLORS[0], lw=1.6)
        axes.plot(at[~inside], curve[~inside], color=COLORS[0], lw=1.2, ls="--")
        counts = [s for s in grid.synthetic if s]
        chosen = counts[:: max(1, -(-len(counts) // 4))] if counts else []
        series = [
            (
                "photos alone" if not synthetic else f"+ {synthetic:,} renders",
                [(r, grid.cells[r, synthetic]) for r in photos if (r, synthetic) in grid.cells],
            )
            for synthetic in (0, *chosen)
        ]
        own = [(one.cell.key.real, one.cell) for one in grid.self_trained if one.cell.key.synthetic]
        if own:
            series.append((f"+ renders and {WITHOUT_LABELS}", own))
        for turn, (name, cells) in enumerate(series):
            # Beside each other where several mixes share a count; photos alone have the band.
            aside = 2 ** (_ASIDE * (turn - len(series) / 2)) if turn else 1.0
            axes.errorbar(
                [aside * r for r, _ in cells],
                [cell.interval.estimate for _, cell in cells],
                yerr=[(cell.interval.half_width or 0.0) * bool(turn) for _, cell in cells],
                fmt=MARKERS[turn % len(MARKERS)],
                color=COLORS[turn % len(COLORS)],
                ms=5,
                elinewidth=1.2,
                label=name,
            )
        axes.set_xscale("log", base=2)
        axes.minorticks_off()
        axes.set_xticks(photos, [f"{count:,}" for count in photos])
        axes.set_xlabel("photos")
        axes.set_ylabel("mean IoU")
        axes.legend(loc="lower right", fontsize=8.5)
        return figure

    rows: list[tuple[Value, ...]] = [
        (name, e.real, e.synthetic, e.score, *map(_finite, (e.photos, e.low, e.high)), e.limit)
        for name, found in _equivalents(grid)
        for e in found
    ]
    repeats = {len(grid.cells[real, 0].entries) for real in photos}
    beside = " It is drawn for all repeats, and passes beside the means of counts that lack some."
    shape = "a − b·n^−c" if worth.band.curve.shape == "power" else "a + b·ln n"
    return Drawn(
        "worth",
        "How many photos the renders are worth",
        f"The line is the learning curve of photos alone ({shape}, 95 % band from resampled runs), "
        "dashed beyond the data; bars are the 95 % interval of a mix's mean."
        f"{beside if len(repeats) > 1 else ''} "
        "A mix is worth as many photos as the curve needs for its score; "
        "in the data an empty field is more than any number of photos.",
        styled(draw),
        Table(
            (
                "beside", "real", "synthetic", "mean IoU", "worth photos", "95 % low", "95 % high",
                "limit",
            ),
            tuple(rows),
        ),
    )  # fmt: skip


def _equivalents(grid: GridAnalysis) -> list[tuple[str, list[Equivalent]]]:
    """What mixes are worth, and what they are with photos without labels beside them."""
    mixes = [e for _, e in sorted(grid.equivalents.items())]
    worth = grid.self_trained_worth
    keys = [] if worth is None else [key for key in worth.cells if key[1]]
    own = [] if worth is None else [worth.equivalent(*key) for key in sorted(keys)]
    return [("", mixes), (WITHOUT_LABELS, own)]


def scaling_figure(grid: GridAnalysis) -> Drawn | None:
    """Models on renders alone against the number of renders, with their ceiling if it is known."""
    scaling = grid.scaling
    if scaling is None:
        return None
    counts = [s for s in grid.synthetic if s and (0, s) in grid.cells]
    photos = [grid.cells[r, 0].interval.estimate for r in grid.real if r and (r, 0) in grid.cells]

    def draw() -> Figure:
        figure = Figure(figsize=(7.6, 3.4), layout="constrained")
        axes = figure.add_subplot()
        at = np.geomspace(min(counts), READ_BEYOND * max(counts), 80)
        low, high = scaling.band.range_at(at)
        axes.fill_between(at, low, high, color=COLORS[1], alpha=0.2, lw=0)
        axes.plot(at, scaling.band.curve.at(at), color=COLORS[1], lw=1.6, label="renders alone")
        for count in counts:
            values = grid.cells[0, count].values
            axes.plot([count] * len(values), values, "o", color=COLORS[1], ms=4, alpha=0.7)
        if scaling.ceiling is not None and np.isfinite(scaling.ceiling[2]):
            axes.axhline(scaling.ceiling[0], color=COLORS[1], ls=":", lw=1.2, label="their ceiling")
        if photos:
            axes.axhline(
                max(photos), color=COLORS[0], ls="--", lw=1.2, label="most photos, no renders"
            )
        axes.set_xscale("log", base=2)
        axes.minorticks_off()
        axes.set_xticks(counts, [f"{count:,}" for count in counts])
        axes.set_xlabel("renders")
        axes.set_ylabel("mean IoU on photos")
        axes.set_ylim(bottom=0)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5)
        return figure

    rows: list[tuple[Value, ...]] = [
        (count, entry.repeat, entry.mean_iou, float(scaling.band.curve.at([count])[0]))
        for count in counts
        for entry in grid.cells[0, count].entries
    ]
    return Drawn(
        "scaling",
        "Renders alone: more of them, or better ones?",
        "Where the curve still rises, more renders help; where it has levelled off below what "
        "photos reach, only better ones can. The line is read to twice the largest count.",
        styled(draw),
        Table(("synthetic", "repeat", "mean IoU", "fitted"), tuple(rows)),
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
