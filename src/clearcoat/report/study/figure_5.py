"""Fig. 5: what models from more and more photos see, with renders and without."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image

from clearcoat.dataset import LabelRaster, class_colors
from clearcoat.dataset.overlay import IGNORE_LABEL, overlay
from clearcoat.errors import RunError
from clearcoat.report.pictures import mean_iou
from clearcoat.report.study.drawing import Drawn, styled
from clearcoat.report.study.facts import StudyFacts
from clearcoat.report.tables import Table, Value, data_uri
from clearcoat.report.verdict import images
from clearcoat.studies import CellKey
from clearcoat.studies.pictures import PICTURES, Depicted, read_depicted

_SIDE_PX = 192
_CELL_INCHES, _ROW_INCHES = 1.25, 1.5


@dataclass(frozen=True)
class Panel:
    """A picture with what to say about it."""

    pixels: NDArray[np.uint8] = field(compare=False)
    """(H, W, 3) uint8 sRGB."""
    uri: str
    """The same as a file, which is what panels are compared by."""
    alt: str
    iou: float | None = None

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], alt: str, iou: float | None = None) -> Panel:
        """Encode a picture."""
        return cls(pixels, _jpeg(pixels), alt, iou)


@dataclass(frozen=True)
class Strip:
    """A test image with its truth, and predictions: columns are photos, rows without and with."""

    name: str
    image: Panel
    truth: Panel
    rows: tuple[tuple[str, tuple[Panel | None, ...]], ...]


@dataclass(frozen=True)
class Figure5:
    """All strips over the same models."""

    columns: tuple[int, ...]
    """Photos."""
    strips: tuple[Strip, ...]
    classes: tuple[str, ...]
    table: Table
    title = "Fig. 5: what models see, from more and more photos"

    @property
    def drawn(self) -> Drawn:
        """The same in one picture, as a file of its own; in an SVG photos are what pixels are."""
        return Drawn("fig-5", self.title, "", styled(lambda: _draw(self)), self.table)


def figure_5(study: StudyFacts) -> Figure5 | None:
    """Read the predictions that the study kept; None where there are none. A damaged file is
    left out.
    """  # fmt: skip
    drawn = _drawn(study)
    if not drawn:
        return None
    # Some may be from a time when `qualitative` asked for fewer images.
    shared = set.intersection(*(set(depicted.numbers) for depicted in drawn.values()))
    if not shared:
        return None
    found = {(k.real, k.synthetic): v.showing(sorted(shared)) for k, v in drawn.items()}
    first = next(iter(found.values()))
    columns = tuple(sorted({real for real, _ in found}))
    synthetic = tuple(sorted({s for _, s in found}))
    rows: list[tuple[Value, ...]] = []
    strips = []
    for number, name in enumerate(first.names):
        lines = []
        for count in synthetic:
            panels: list[Panel | None] = []
            for real in columns:
                if (real, count) not in found:
                    panels.append(None)
                    continue
                panel = _predicted(found[real, count], number)
                rows.append((name, real, count, panel.iou))
                panels.append(panel)
            label = "photos alone" if not count else f"with {count:,} renders"
            lines.append((label, tuple(panels)))
        strips.append(
            Strip(
                name,
                Panel.of(first.images[number], f"Test image {name}"),
                _painted(first, number, first.truth[number], f"Truth of {name}"),
                tuple(lines),
            )
        )
    table = Table(("image", "real", "synthetic", "mean IoU of image"), tuple(rows))
    return Figure5(columns, tuple(strips), first.classes, table)


def lacking(study: StudyFacts) -> list[CellKey]:
    """Return the cells that are trained and lack images that `qualitative` asks for."""
    figure = study.settings.qualitative
    if figure is None:
        return []
    asked = min((figure.images, *study.images.test[:1]))
    drawn = _drawn(study)
    return [
        key
        for key, _ in study.depicted
        if key.real
        and key in study.cells
        # The first repeat is the one that is shown.
        and not study.cells[key].entries[0].repeat
        and (key not in drawn or len(drawn[key].names) < asked)
    ]


def _drawn(study: StudyFacts) -> dict[CellKey, Depicted]:
    found = {}
    for key, name in study.depicted:
        if key.real:
            with suppress(RunError):
                found[key] = read_depicted(study.path / PICTURES / name)
    return found


def _predicted(depicted: Depicted, number: int) -> Panel:
    planes = depicted.predicted[number]
    truth = LabelRaster.from_planes(depicted.truth[number], depicted.ignored[number])
    names = [n for n, plane in zip(depicted.classes, planes, strict=True) if plane.any()]
    alt = "Predicted: " + (", ".join(names) or "no class")
    return _painted(depicted, number, planes, alt, mean_iou(planes, truth))


def _painted(
    depicted: Depicted,
    number: int,
    planes: NDArray[np.bool_],
    alt: str,
    iou: float | None = None,
) -> Panel:
    raster = LabelRaster.from_planes(planes, depicted.ignored[number])
    colors = class_colors(len(depicted.classes))
    return Panel.of(overlay(depicted.images[number], raster, colors), alt, iou)


def _draw(pictures: Figure5) -> Figure:
    lines = sum(len(strip.rows) for strip in pictures.strips)
    columns = 2 + len(pictures.columns)
    figure = Figure(
        figsize=(0.4 + _CELL_INCHES * columns, 0.6 + _ROW_INCHES * lines), layout="constrained"
    )
    grid = figure.add_gridspec(lines, columns)
    heads = ["image", "truth", *(images(count, "photo") for count in pictures.columns)]
    top = 0
    for strip in pictures.strips:
        below = top + len(strip.rows)
        for column, panel in enumerate((strip.image, strip.truth)):
            _show(figure.add_subplot(grid[top:below, column]), panel)
        for row, (label, panels) in enumerate(strip.rows, start=top):
            for column, found in enumerate(panels, start=2):
                axes = figure.add_subplot(grid[row, column])
                _show(axes, found)
                if found is not None:
                    axes.set_xlabel("IoU –" if found.iou is None else f"IoU {found.iou:.3f}")
                if column == 2:
                    axes.set_ylabel(label)
        top = below
    for axes in figure.axes:
        place = axes.get_subplotspec()
        if place is not None and not place.rowspan.start:
            axes.set_title(heads[place.colspan.start], fontsize=9)
    colors = class_colors(len(pictures.classes)) / 255
    # A space: of a name that begins with an underscore a legend says nothing.
    patches = [
        *(
            Patch(color=c, label=f" {name}")
            for c, name in zip(colors, pictures.classes, strict=True)
        ),
        Patch(facecolor="0.8", edgecolor="0.3", hatch="/////", label=f" {IGNORE_LABEL}"),
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=max(2, columns - 1))
    return figure


def _show(axes: Axes, panel: Panel | None) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    if panel is None:
        axes.set_aspect("equal")
        axes.text(0.5, 0.5, "not drawn", ha="center", va="center", transform=axes.transAxes)
    else:
        axes.imshow(panel.pixels, interpolation="none")
        axes.set(xticks=[], yticks=[])


def _jpeg(pixels: NDArray[np.uint8]) -> str:
    picture = Image.fromarray(pixels)
    if picture.width < _SIDE_PX:
        # Enlarged without smoothing: the model's pixels are what is to be seen.
        factor = -(-_SIDE_PX // picture.width)
        size = (picture.width * factor, picture.height * factor)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88, subsampling=0)
    return data_uri("image/jpeg", buffer.getvalue())
