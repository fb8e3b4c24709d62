"""Pictures for the page: images beside their labels, and predictions beside the truth."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcoat.dataset import Dataset, LabelRaster, class_colors, resize_image, resize_labels
from clearcoat.dataset.overlay import beside, overlay
from clearcoat.dataset.resize import fitted
from clearcoat.report.cells import Cell
from clearcoat.report.tables import data_uri
from clearcoat.training import Predictor
from clearcoat.training.metrics import THRESHOLD

SAMPLES = 12
PREDICTED = 8
_SIDE_PX = 256
_JPEG_QUALITY = 85


@dataclass(frozen=True)
class Picture:
    """An encoded picture with what to say about it."""

    uri: str
    width: int
    height: int
    name: str
    """Which record it shows."""
    classes: tuple[str, ...] = ()
    """Classes visible in it."""
    iou: float | None = None
    """Of a prediction: mean IoU over the classes that the truth or the prediction shows."""


@dataclass(frozen=True)
class PredictionRow:
    """A test image, its truth, and what the best run of each cell makes of it."""

    image: Picture
    truth: Picture
    predictions: tuple[Picture, ...]


def samples(dataset: Dataset, count: int = SAMPLES) -> list[Picture]:
    """Return images of a data set, evenly spread over it, each beside itself with its labels."""
    colors = class_colors(len(dataset.classes))
    pictures = []
    for index in spread(dataset.indices, count):
        image, labels = _shrunk(dataset.image(index), dataset.labels(index))
        pair = beside(image, overlay(image, labels, colors), gap_px=2)
        pictures.append(_picture(pair, _name(dataset, index), _visible(labels, dataset.classes)))
    return pictures


def predictions(dataset: Dataset, cells: Sequence[Cell]) -> list[PredictionRow]:
    """Return images of the data set with the predictions of the best run of each cell.

    Pixels without known truth are hatched in all of them. Raises RunError where a run's model
    is damaged.
    """
    predictors = [Predictor(cell.best.path, "cpu") for cell in cells]
    colors = class_colors(len(dataset.classes))
    rows = []
    for index in spread(dataset.indices, PREDICTED):
        image, truth = dataset.image(index), dataset.labels(index)
        name = _name(dataset, index)
        small, small_truth = _shrunk(image, truth)
        drawn = []
        for predictor in predictors:
            planes = predictor(image) >= THRESHOLD
            raster = LabelRaster.from_planes(planes, truth.ignore())
            small_prediction = _shrunk(image, raster)[1]
            drawn.append(
                _picture(
                    overlay(small, small_prediction, colors),
                    name,
                    _visible(raster, dataset.classes),
                    mean_iou(planes, truth),
                )
            )
        rows.append(
            PredictionRow(
                image=_picture(small, name, _visible(truth, dataset.classes)),
                truth=_picture(
                    overlay(small, small_truth, colors), name, _visible(truth, dataset.classes)
                ),
                predictions=tuple(drawn),
            )
        )
    return rows


def mean_iou(planes: NDArray[np.bool_], truth: LabelRaster) -> float | None:
    """Return the mean IoU of (C, H, W) masks over the classes that occur in either.

    Pixels to be ignored do not count; None where no class occurs.
    """
    known = ~truth.ignore()
    expected = truth.planes(len(planes))
    shared = (planes & expected & known).sum(axis=(1, 2))
    either = ((planes | expected) & known).sum(axis=(1, 2))
    occurs = either > 0
    return float((shared[occurs] / either[occurs]).mean()) if occurs.any() else None


def spread(indices: Sequence[int], count: int) -> list[int]:
    """Return at most `count` of the indices, evenly spaced, the first among them."""
    if len(indices) <= count:
        return list(indices)
    return [indices[position * len(indices) // count] for position in range(count)]


def hex_colors(count: int) -> list[str]:
    """Return the class colours as CSS writes them."""
    return ["#{:02x}{:02x}{:02x}".format(*row) for row in class_colors(count).tolist()]


def has_ignored(dataset: Dataset, indices: Sequence[int]) -> bool:
    """Whether any pixel of these records is to be ignored."""
    infos = (dataset.record_info(index) for index in indices)
    return any(
        count and members is None
        for info in infos
        for members, count in zip(dataset.class_sets(info), info.labels.pixels, strict=True)
    )


def _shrunk(image: NDArray[np.uint8], labels: LabelRaster) -> tuple[NDArray[np.uint8], LabelRaster]:
    """Both with a longest side of at most `_SIDE_PX`, in their own proportions."""
    height, width = labels.shape
    if max(height, width) <= _SIDE_PX:
        return image, labels
    top, left, inner_height, inner_width = fitted(height, width, _SIDE_PX)
    rows, columns = slice(top, top + inner_height), slice(left, left + inner_width)
    small = resize_labels(labels, _SIDE_PX)
    return (
        resize_image(image, _SIDE_PX)[rows, columns],
        LabelRaster(index=small.index[rows, columns], sets=small.sets),
    )


def _picture(
    pixels: NDArray[np.uint8], name: str, classes: tuple[str, ...], iou: float | None = None
) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(
        buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True
    )
    height, width = pixels.shape[:2]
    return Picture(data_uri("image/jpeg", buffer.getvalue()), width, height, name, classes, iou)


def _name(dataset: Dataset, index: int) -> str:
    source = dataset.record_info(index).source_name
    return f"{index}" if source is None else f"{index} ({source})"


def _visible(labels: LabelRaster, classes: Sequence[str]) -> tuple[str, ...]:
    counts = labels.pixel_counts()
    numbers = {n for s, c in zip(labels.sets, counts, strict=True) if s and c for n in s}
    return tuple(classes[number] for number in sorted(numbers))
