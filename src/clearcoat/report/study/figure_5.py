"""Fig. 5: what models from more and more photos see, with renders and without."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcoat.dataset import LabelRaster, class_colors
from clearcoat.dataset.overlay import overlay
from clearcoat.errors import RunError
from clearcoat.report.pictures import mean_iou
from clearcoat.report.study.facts import StudyFacts
from clearcoat.report.tables import Table, Value, data_uri
from clearcoat.studies import CellKey
from clearcoat.studies.pictures import PICTURES, Depicted, read_depicted

_SIDE_PX = 192


@dataclass(frozen=True)
class Panel:
    """A picture with what to say about it."""

    uri: str
    alt: str
    iou: float | None = None


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


def figure_5(study: StudyFacts) -> Figure5 | None:
    """Read the predictions that the study kept; None where there are none. A damaged file is
    left out.
    """  # fmt: skip
    found: dict[tuple[int, int], tuple[CellKey, Depicted]] = {}
    for key, name in study.depicted:
        file = study.path / PICTURES / name
        if not file.is_file():
            continue
        try:
            found[key.real, key.synthetic] = (key, read_depicted(file))
        except RunError:
            continue
    if not found:
        return None
    # Models of one figure saw one set of test images; other files are from other data.
    first = next(iter(found.values()))[1]
    found = {k: v for k, v in found.items() if v[1].names == first.names}
    columns = tuple(sorted({real for real, _ in found if real}))
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
                panel = _predicted(found[real, count][1], number)
                rows.append((name, real, count, panel.iou))
                panels.append(panel)
            label = "photos alone" if not count else f"with {count:,} renders"
            lines.append((label, tuple(panels)))
        strips.append(
            Strip(
                name,
                Panel(_png(first.images[number]), f"Test image {name}"),
                _painted(first, number, first.truth[number], f"Truth of {name}"),
                tuple(lines),
            )
        )
    table = Table(("image", "real", "synthetic", "mean IoU of image"), tuple(rows))
    return Figure5(columns, tuple(strips), first.classes, table)


def _predicted(depicted: Depicted, number: int) -> Panel:
    planes = depicted.predicted[number]
    truth = LabelRaster.from_planes(depicted.truth[number], depicted.ignored[number])
    names = [n for n, plane in zip(depicted.classes, planes, strict=True) if plane.any()]
    alt = "Predicted: " + (", ".join(names) or "no class")
    panel = _painted(depicted, number, planes, alt)
    return Panel(panel.uri, panel.alt, mean_iou(planes, truth))


def _painted(depicted: Depicted, number: int, planes: NDArray[np.bool_], alt: str) -> Panel:
    raster = LabelRaster.from_planes(planes, depicted.ignored[number])
    colors = class_colors(len(depicted.classes))
    return Panel(_png(overlay(depicted.images[number], raster, colors)), alt)


def _png(pixels: NDArray[np.uint8]) -> str:
    picture = Image.fromarray(pixels)
    if picture.width < _SIDE_PX:
        # Enlarged without smoothing: the model's pixels are what is to be seen.
        factor = -(-_SIDE_PX // picture.width)
        size = (picture.width * factor, picture.height * factor)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88, subsampling=0)
    return data_uri("image/jpeg", buffer.getvalue())
