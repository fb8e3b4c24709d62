"""Figures 2a to 2c, 3 and 4 of the paper, drawn from a grid."""

from __future__ import annotations

import math

import matplotlib
import numpy as np
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from clearcoat.report.charts import COLORS, INK, MARKERS
from clearcoat.report.study.comparing import ALPHA
from clearcoat.report.study.drawing import Drawn, heat_map, limit_to_scores, styled
from clearcoat.report.study.grid import GridAnalysis
from clearcoat.report.tables import Table, Value
from clearcoat.report.verdict import MOST_TOLD, signed_percent

CAPPED = "†"
_PAPERS_COLUMN = 2048
"""Renders of its Fig. 3."""
_SHADES = (0.3, 0.75)
"""Part of the colour map whose colours are seen on white paper and on that of a dark page."""


def fig_2a(grid: GridAnalysis) -> Drawn:
    """Mean IoU of every cell."""
    values, texts = _empty(grid.real, grid.synthetic)
    rows: list[tuple[Value, ...]] = []
    for (real, synthetic), cell in sorted(grid.cells.items()):
        place = grid.real.index(real), grid.synthetic.index(synthetic)
        interval = cell.interval
        values[place] = interval.estimate
        half = "" if interval.half_width is None else f"\n±{interval.half_width:.3f}"
        mark = CAPPED if cell.stop.state == "capped" and cell.rule.relative_width else ""
        texts[place[0]][place[1]] = f"{interval.estimate:.3f}{mark}{half}"
        rows += [
            (
                real, synthetic, interval.estimate, interval.low, interval.high,
                len(cell.entries), cell.stop.state, cell.failed, entry.repeat, entry.split,
                entry.seed, entry.mean_iou,
            )
            for entry in cell.entries
        ]  # fmt: skip
    present = values[~np.isnan(values)]
    norm = Normalize(float(present.min()), float(present.max()) or 1.0)
    return Drawn(
        "fig-2a",
        "Fig. 2a: mean IoU by number of photos and renders",
        "Mean over the runs of a cell, and half the width of its 95 % interval (Student's t). "
        f"{CAPPED}: at the most runs allowed, and still wider than asked for. Empty: not run.",
        styled(lambda: _map(values, texts, "cividis", norm, grid.real, grid.synthetic)),
        Table(
            (
                "real", "synthetic", "mean", "95 % low", "95 % high", "runs", "state",
                "failed runs", "repeat", "split", "seed", "mean IoU of run",
            ),
            tuple(rows),
        ),
    )  # fmt: skip


def fig_2b(grid: GridAnalysis) -> Drawn | None:
    """Relative gain over as many photos without renders."""
    shown = tuple(real for real in grid.real if any(r == real for r, _ in grid.gains))
    if not shown:
        return None
    columns = _with_renders(grid)
    values, texts = _empty(shown, columns)
    rows: list[tuple[Value, ...]] = []
    for (real, synthetic), gain in sorted(grid.gains.items()):
        found, relative = gain.contrast.difference, gain.contrast.relative
        images = gain.contrast.over_images
        rows.append(
            (
                real, synthetic, found.estimate, found.low, found.high,
                *((None,) * 3 if relative is None else
                  (relative.estimate, relative.low, relative.high)),
                *((None,) * 2 if images is None else (images.low, images.high)),
            )
        )  # fmt: skip
        if relative is not None:
            place = shown.index(real), columns.index(synthetic)
            # One gain over next to nothing would leave all others one colour.
            values[place] = 100 * min(relative.estimate, MOST_TOLD)
            texts[place[0]][place[1]] = (
                f"> {signed_percent(MOST_TOLD)}"
                if relative.estimate > MOST_TOLD
                else signed_percent(relative.estimate, 1)
            )
    reach = max(1.0, float(np.nanmax(np.abs(values), initial=1.0)))
    norm = TwoSlopeNorm(0, -reach, reach)
    return Drawn(
        "fig-2b",
        "Fig. 2b: gain in mean IoU over as many photos without renders",
        "In per cent of the score without renders; orange: better, purple: worse. The intervals "
        "are in the data, over runs and, where the counts per image are at hand, over test images; "
        "that of the relative gain is the delta method's on the logarithm of the ratio, and may "
        "differ in sign from that of the difference near zero.",
        styled(lambda: _map(values, texts, "PuOr_r", norm, shown, columns)),
        Table(
            (
                "real", "synthetic", "gain", "95 % low", "95 % high", "relative gain",
                "relative 95 % low", "relative 95 % high", "95 % low over runs and images",
                "95 % high over runs and images",
            ),
            tuple(rows),
        ),
    )  # fmt: skip


def fig_2c(grid: GridAnalysis) -> Drawn | None:
    """One-sided p-values that renders help, with and without correction."""
    shown = tuple(real for real in grid.real if any(r == real for r, _ in grid.gains))
    if not shown:
        return None
    columns = _with_renders(grid)
    values, texts = _empty(shown, columns)
    rows: list[tuple[Value, ...]] = []
    boxes = []
    for (real, synthetic), gain in sorted(grid.gains.items()):
        both = gain.contrast
        rows.append(
            (
                real, synthetic, both.welch.p_value,
                None if both.paired is None else both.paired.p_value,
                gain.holm_p, gain.fdr_p, gain.loss_holm_p, gain.loss_fdr_p, gain.verdict,
            )
        )  # fmt: skip
        if both.p_value is not None:
            place = shown.index(real), columns.index(synthetic)
            values[place] = 0.0 if both.p_value > ALPHA else 1.0
            texts[place[0]][place[1]] = _p(both.p_value)
            if gain.verdict == "gain":
                boxes.append(place)
    test = "paired by repeat" if grid.study.paired else "Welch's, unpaired"

    def draw() -> Figure:
        figure = _map(values, texts, "Blues", Normalize(-0.15, 2.4), shown, columns)
        for row, column in boxes:
            figure.axes[0].add_patch(
                Rectangle((column - 0.49, row - 0.47), 0.98, 0.94, fill=False, ec="black", lw=1.6)
            )
        return figure

    return Drawn(
        "fig-2c",
        "Fig. 2c: is the gain more than chance gives?",
        f"p-value of the one-sided test ({test}). Shaded: p ≤ 0.05, as in the paper. Framed: "
        "significant also after Holm's correction for the tests of its row and Benjamini and "
        "Hochberg's for those of the grid. The data has both, and both tests.",
        styled(draw),
        Table(
            (
                "real", "synthetic", "Welch p", "paired p", "Holm over row",
                "Benjamini-Hochberg over grid", "loss: Holm over row",
                "loss: Benjamini-Hochberg over grid", "verdict",
            ),
            tuple(rows),
        ),
    )  # fmt: skip


def fig_3(grid: GridAnalysis) -> Drawn | None:
    """Spread of the models with and without renders."""
    with_renders = _typical(grid)
    columns = [
        column
        for column in (0, with_renders)
        if column is not None and any((real, column) in grid.cells for real in grid.real)
    ]
    shown = [real for real in grid.real if any((real, s) in grid.cells for s in columns)]
    if not shown:
        return None

    def draw() -> Figure:
        figure = Figure(figsize=(7.6, 3.4), layout="constrained")
        axes = figure.add_subplot()
        for turn, synthetic in enumerate(columns):
            places = [p for p, real in enumerate(shown) if (real, synthetic) in grid.cells]
            data = [grid.cells[shown[p], synthetic].scores for p in places]
            at = [p + (turn - (len(columns) - 1) / 2) * 0.36 for p in places]
            color = COLORS[turn]
            axes.boxplot(
                data, positions=at, widths=0.3, manage_ticks=False, showfliers=False,
                boxprops={"color": color}, whiskerprops={"color": color},
                capprops={"color": color}, medianprops={"color": color, "linewidth": 2},
            )  # fmt: skip
            for x, values in zip(at, data, strict=True):
                spread = np.linspace(-0.08, 0.08, len(values)) if len(values) > 1 else [0.0]
                axes.plot(
                    x + np.asarray(spread), values, MARKERS[turn], color=color, ms=3, alpha=0.6
                )
            name = "photos alone" if not synthetic else f"with {synthetic:,} renders"
            axes.plot([], [], MARKERS[turn], color=color, label=name)
        axes.set_xticks(range(len(shown)), [f"{real:,}" for real in shown])
        axes.set_xlabel("photos")
        axes.set_ylabel("mean IoU")
        axes.grid(visible=False, axis="x")
        axes.legend(loc="lower right", fontsize=8.5)
        return figure

    rows = tuple(
        (real, synthetic, entry.repeat, entry.mean_iou)
        for real in shown
        for synthetic in columns
        if (real, synthetic) in grid.cells
        for entry in grid.cells[real, synthetic].entries
    )
    return Drawn(
        "fig-3",
        "Fig. 3: spread of the models",
        "Each mark is one model. Boxes hold the middle half, the bar is the median, whiskers reach "
        "to the last run within 1.5 times the box.",
        styled(draw),
        Table(("real", "synthetic", "repeat", "mean IoU"), rows),
    )


def fig_4(grid: GridAnalysis) -> Drawn | None:
    """Score against renders per photo, one line per number of photos."""
    shown = [real for real in grid.real if real and len(grid.row(real)) > 1]
    if not shown:
        return None
    ratios = [s / real for real in shown for s in grid.row(real) if s]
    # Photos alone have no ratio on a logarithmic axis: they stand to the left of all others.
    alone = 2.0 ** (math.floor(math.log2(min(ratios))) - 2)

    def draw() -> Figure:
        figure = Figure(figsize=(7.6, 3.9), layout="constrained")
        axes = figure.add_subplot()
        shades = matplotlib.colormaps["viridis"](np.linspace(*_SHADES, len(shown)))
        for turn, real in enumerate(shown):
            row = sorted(grid.row(real).items())
            xs = [s / real if s else alone for s, _ in row]
            ys = [cell.interval.estimate for _, cell in row]
            color = shades[turn]
            axes.plot(
                xs, ys, marker=MARKERS[turn % len(MARKERS)], color=color, ms=4.5, lw=1.4,
                label=f"{real:,}",
            )  # fmt: skip
            for x, (_, cell) in zip(xs, row, strict=True):
                if cell.interval.low is not None and cell.interval.high is not None:
                    bounds = (cell.interval.low, cell.interval.high)
                    axes.plot((x, x), bounds, color=color, lw=1, alpha=0.45)
            found = grid.breaks.get(real)
            if found is not None and found.shown():
                place = xs[[s for s, _ in row].index(found.best)]
                axes.plot(
                    [place], [grid.cells[real, found.best].interval.estimate], "o", ms=12,
                    mfc="none", mec=INK, mew=1.3,
                )  # fmt: skip
        limit_to_scores(
            axes,
            [score for real in shown for cell in grid.row(real).values() for score in cell.scores],
        )
        axes.set_xscale("log", base=2)
        ticks = [
            2.0**p for p in range(round(math.log2(alone)) + 2, int(math.log2(max(ratios))) + 2)
        ]
        step = max(1, math.ceil(len(ticks) / 10))
        labels = [f"{t:g}" if t >= 1 else f"1/{1 / t:g}" for t in ticks[::step]]
        axes.set_xticks([alone, *ticks[::step]], ["none", *labels])
        axes.minorticks_off()
        axes.set_xlabel("renders per photo")
        axes.set_ylabel("mean IoU")
        axes.legend(title="photos", loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5)
        return figure

    return Drawn(
        "fig-4",
        "Fig. 4: score by renders per photo, and where it breaks",
        "Uprights are 95 % intervals, cut off far from the scores. A circle marks the best count "
        "of a row in which the scores are shown to fall before the last count (Dunnett's test, "
        "Holm over the rows, 5 %); no circle: no fall shown."
        + (
            " Left out, in the data: a cell with too few of the repeats of its row."
            if grid.left_out
            else ""
        ),
        styled(draw),
        _breaks_table(grid),
    )


def _breaks_table(grid: GridAnalysis) -> Table:
    rows: list[tuple[Value, ...]] = []
    for real, found in grid.breaks.items():
        lines = found.two_lines
        probabilities = dict(zip(found.counts, found.probability, strict=True))
        for count, cell in sorted(grid.row(real).items()):
            inside = count in probabilities
            rows.append(
                (
                    real, count, count / real, cell.interval.estimate, cell.interval.low,
                    cell.interval.high, probabilities.get(count),
                    "left out" if not inside else "yes" if count in found.credible else "no",
                    found.fall, found.fall_p, None if lines is None else lines.rise_p,
                    None if lines is None else lines.fall_p,
                )
            )  # fmt: skip
    return Table(
        (
            "real", "synthetic", "renders per photo", "mean IoU", "95 % low", "95 % high",
            "probability of being the best", "in the 95 % set", "fall from best to last",
            "p of a fall (Dunnett)", "two lines: p of the rise", "two lines: p of the fall",
        ),
        tuple(rows),
    )  # fmt: skip


def _typical(grid: GridAnalysis) -> int | None:
    """Column of Fig. 5, or the one that the paper shows, or that of most rows, then renders."""
    figure = grid.study.settings.qualitative
    wanted = (figure and figure.synthetic) or _PAPERS_COLUMN
    rows = {s: sum((r, s) in grid.cells for r in grid.real) for s in grid.synthetic if s}
    if wanted in rows:
        return wanted
    return max(rows, key=lambda s: (rows[s], s), default=None)


def _with_renders(grid: GridAnalysis) -> tuple[int, ...]:
    return tuple(sorted({synthetic for _, synthetic in grid.gains}))


def _empty(rows: tuple[int, ...], columns: tuple[int, ...]) -> tuple[np.ndarray, list[list[str]]]:
    return np.full((len(rows), len(columns)), np.nan), [["" for _ in columns] for _ in rows]


def _map(
    values: np.ndarray,
    texts: list[list[str]],
    colors: str,
    norm: Normalize,
    rows: tuple[int, ...],
    columns: tuple[int, ...],
) -> Figure:
    height = 0.9 + max(0.36, min(0.5, 4.4 / len(rows))) * len(rows)
    figure = Figure(figsize=(7.6, height), layout="constrained")
    axes = figure.add_subplot()
    heat_map(
        axes, values, texts, [f"{count:,}" for count in rows],
        [f"{count:,}" for count in columns], matplotlib.colormaps[colors], norm,
    )  # fmt: skip
    axes.set_xlabel("renders")
    axes.set_ylabel("photos")
    return figure


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"
