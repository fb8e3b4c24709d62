"""Which classes renders help, and which they hurt: a figure beyond the paper."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from clearcoat.report.study.comparing import ClassContrast
from clearcoat.report.study.drawing import Drawn, heat_map, styled
from clearcoat.report.study.grid import GridAnalysis
from clearcoat.report.study.words import signed
from clearcoat.report.tables import Table, Value

_ROW_INCHES, _COLUMN_INCHES = 0.42, 1.25


def class_figure(grid: GridAnalysis) -> Drawn | None:
    """IoU of each class without and with renders, at each number of photos."""
    columns = [(counts, found) for counts, found in sorted(grid.classes.items()) if found]
    if not columns:
        return None
    classes = grid.study.classes
    values = np.full((len(classes), len(columns)), np.nan)
    texts = [["" for _ in columns] for _ in classes]
    rows: list[tuple[Value, ...]] = []
    for column, ((real, synthetic), found) in enumerate(columns):
        for one in found:
            row = classes.index(one.name)
            values[row, column] = one.gain.estimate
            texts[row][column] = _tile(one)
            rows.append(
                (
                    one.name, real, synthetic, one.without, one.with_renders, one.gain.estimate,
                    one.gain.low, one.gain.high,
                    "better" if one.better else "worse" if one.worse else "unclear",
                    one.p_value, "runs and test photos" if one.over_images else "runs",
                )
            )  # fmt: skip
    reach = max(0.01, float(np.nanmax(np.abs(values))))

    def draw() -> Figure:
        width = max(7.6, 1.6 + _COLUMN_INCHES * len(columns))
        height = 0.9 + _ROW_INCHES * len(classes)
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        names = [f"{real:,} photos\n+ {synthetic:,}" for (real, synthetic), _ in columns]
        norm = TwoSlopeNorm(0, -reach, reach)
        heat_map(axes, values, texts, classes, names, matplotlib.colormaps["PuOr_r"], norm)
        return figure

    over = "runs and test photos" if rows and rows[0][-1] == "runs and test photos" else "runs"
    return Drawn(
        "classes",
        "Class by class: IoU without and with renders",
        "Each tile: IoU on photos alone → with the best number of renders of that column, and "
        f"below it the 95 % interval of the gain (over {over}). Orange: better, purple: worse; ▲ "
        "and ▼: the sign is shown, by the interval and by a two-sided test over the runs after "
        "Holm's correction over the classes.",
        styled(draw),
        Table(
            (
                "class", "real", "synthetic", "IoU without", "IoU with", "gain", "95 % low",
                "95 % high", "sign", "p (Holm over classes)", "interval over",
            ),
            tuple(rows),
        ),
    )  # fmt: skip


def _tile(one: ClassContrast) -> str:
    mark = " ▲" if one.better else " ▼" if one.worse else ""
    scores = f"{one.without:.2f} → {one.with_renders:.2f}{mark}"
    if one.gain.low is None or one.gain.high is None:
        return scores
    return f"{scores}\n{signed(one.gain.low)} to {signed(one.gain.high)}"
