"""What all figures of a study share: a drawing with its title, caption and data."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from clearcoat.report.charts import STYLE, inline_svg
from clearcoat.report.tables import Table
from clearcoat.statistics import Interval

_PNG_DPI = 200


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure of the page."""

    name: str
    """File name without suffix, and anchor on the page."""
    title: str
    caption: str
    figure: Figure
    table: Table

    @property
    def inline(self) -> Markup:
        """The figure as an <svg> element in the colour of the text around it."""
        with matplotlib.rc_context(STYLE):
            return inline_svg(self.figure, self.name, self.title)

    @property
    def svg(self) -> bytes:
        """The figure as an SVG file."""
        buffer = io.BytesIO()
        with matplotlib.rc_context(STYLE):
            self.figure.savefig(buffer, format="svg", facecolor="white", metadata={"Date": None})
        return buffer.getvalue()

    @property
    def png(self) -> bytes:
        """The figure as a PNG file on white."""
        buffer = io.BytesIO()
        with matplotlib.rc_context(STYLE):
            self.figure.savefig(
                buffer,
                format="png",
                dpi=_PNG_DPI,
                facecolor="white",
                metadata={"Software": "clearcoat"},
            )
        return buffer.getvalue()


def heat_map(
    axes: Axes,
    values: NDArray[np.float64],
    texts: Sequence[Sequence[str]],
    rows: Sequence[str],
    columns: Sequence[str],
    color_map: Colormap,
    norm: Normalize,
) -> None:
    """Draw (rows, columns) values as tiles with their text, dark on light tiles and light on dark.

    Cells that are nan are left empty.
    """
    axes.pcolormesh(
        np.arange(len(columns) + 1) - 0.5,
        np.arange(len(rows) + 1) - 0.5,
        np.ma.masked_invalid(values),
        cmap=color_map,
        norm=norm,
        edgecolors="white",
        linewidth=0.8,
    )
    size = max(5.5, min(9.0, 70 / max(1, len(columns))))
    for row in range(len(rows)):
        for column in range(len(columns)):
            if not np.isnan(values[row, column]):
                red, green, blue, _ = color_map(norm(values[row, column]))
                # Relative luminance (Rec. 709) decides which ink can be read.
                dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45
                axes.text(
                    column,
                    row,
                    texts[row][column],
                    ha="center",
                    va="center",
                    fontsize=size,
                    color="white" if dark else "black",
                    linespacing=1.25,
                )
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)


def styled(draw: Callable[[], Figure]) -> Figure:
    """Return what `draw` draws, in the style of the page."""
    with matplotlib.rc_context(STYLE):
        return draw()


def error_bar(interval: Interval) -> tuple[list[float], list[float]]:
    """Lengths below and above the estimate; none without an interval."""
    if interval.low is None or interval.high is None:
        return [0.0], [0.0]
    return [interval.estimate - interval.low], [interval.high - interval.estimate]


def limit_to_scores(axes: Axes, scores: Sequence[float]) -> None:
    """Let the scores of single runs fill the axis, and cut intervals off that reach far beyond.

    Those of two runs may be so long that all scores would lie on a line.
    """
    margin = 0.2 * (max(scores) - min(scores)) or 0.05
    axes.set_ylim(min(scores) - margin, max(scores) + margin)
