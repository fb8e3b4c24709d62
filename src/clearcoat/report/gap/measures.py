"""Numbers that describe one labelled image: light, colour, sharpness, noise, and its classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clearcoat.dataset import Dataset, LabelRaster, resize_image, resize_labels
from clearcoat.dataset.resize import fitted
from clearcoat.errors import DatasetError

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]

MEASURES: dict[str, str] = {
    "lightness": "Mean CIELAB lightness L*, 0 (black) to 100 (white)",
    "contrast": "Standard deviation of L* over the image",
    "shadows": "Share of pixels darker than L* = 10",
    "highlights": "Share of pixels lighter than L* = 97",
    "colourfulness": "Mean CIELAB chroma: 0 is grey",
    "warmth": "Mean CIELAB b*: above 0 yellowish, below 0 bluish",
    "sharpness": "Share of the gradient's energy at the finest scale, 0 to 1",
    "noise": "Standard deviation of noise in grey levels of 255, from the flattest quarter",
    "clutter": "Edge density of what has no class: share of its pixels with a strong gradient",
}
"""Measures of whole images and what they mean."""

CLASS_MEASURES: dict[str, str] = {
    "area": "Share of the image that the class covers",
    "share": "Share of all that has a class",
    "x": "Horizontal place of its centre, 0 (left) to 1",
    "y": "Vertical place of its centre, 0 (top) to 1",
    "height": "Height of its bounding box, share of the image's",
    "top in outline": "Upper end of its box, 0 (top) to 1 (bottom) of all that has a class",
    "bottom in outline": "Lower end of its box, 0 (top) to 1 (bottom) of all that has a class",
    "cut off": "Whether it touches the border of the image",
    "lightness": "Mean L* of its pixels",
    "colourfulness": "Mean chroma of its pixels",
}
"""Measures of a class in the images that show it, and what they mean."""

BINARY = ("frequency", "cut off")
"""Measures of a class that an image has or has not."""

DECIMALS = dict.fromkeys(("lightness", "contrast", "colourfulness", "warmth", "noise"), 2)
"""Decimals of a measure that mean something: a hundredth of L*, of chroma, of a grey level."""
SHARE_DECIMALS = 5
"""The same of shares and places; a pixel of 256 × 256 is 0.000015."""

LEAST = 3
"""Images of a data set, and values of a measure, below which nothing is compared."""
SMALLEST_SIZE = 16
"""Pixels on the longest side below which sharpness, noise and places mean nothing."""
_STRONG_GRADIENT = 12.0
"""L* per pixel from which an edge counts."""
_FEWEST_PIXELS = 9
"""A class of fewer pixels has no place or colour worth measuring."""


@dataclass(frozen=True)
class Measured:
    """Measures of a data set."""

    name: str
    classes: tuple[str, ...]
    numbers: tuple[int, ...]
    """Records, one per value of a measure."""
    images: dict[str, FloatArray]
    """Measure to (N,) values; nan where it could not be taken."""
    present: dict[str, NDArray[np.bool_]]
    """Class to (N,): whether the image shows it."""
    of_class: dict[tuple[str, str], FloatArray]
    """(class, measure) to the values of the images that show the class."""


def common_size(datasets: Sequence[Dataset], wanted: int) -> int:
    """Return the size at which images are compared: none is enlarged, since that blurs.

    Raises DatasetError where one is so small that nothing could be seen of any.
    """
    size = wanted
    for dataset in datasets:
        for index in dataset.indices:
            info = dataset.record_info(index)
            longest = max(info.width, info.height)
            if longest < SMALLEST_SIZE:
                raise DatasetError(
                    "an image is too small to compare",
                    where=f"{dataset.path}, record {index}",
                    found=f"{info.width} × {info.height} pixels",
                    expected=f"{SMALLEST_SIZE} or more on the longest side, since all images are "
                    "reduced to the smallest one's",
                    do="leave this image out of the data set, or replace it by a larger one",
                )
            size = min(size, longest)
    return size


def measure(
    dataset: Dataset, size: int, numbers: Sequence[int], progress: Progress | None = None
) -> Measured:
    """Measure records of a data set, reduced to `size`.

    Raises DatasetError for a damaged one, and for fewer than `LEAST`.
    """
    if len(numbers) < LEAST:
        raise DatasetError(
            "too few images to compare",
            where=dataset.path,
            found=f"{len(numbers)}",
            expected=f"{LEAST} or more; some dozens tell something",
            do="add labelled images to the data set, or compare another",
        )
    images: dict[str, list[float]] = {name: [] for name in MEASURES}
    present: dict[str, list[bool]] = {name: [] for name in dataset.classes}
    of_class: dict[tuple[str, str], list[float]] = {
        (name, key): [] for name in dataset.classes for key in CLASS_MEASURES
    }
    for done, number in enumerate(numbers, start=1):
        pixels, labels = _reduced(dataset.image(number), dataset.labels(number), size)
        lab = to_lab(pixels)
        planes = labels.planes(len(dataset.classes))
        labelled = np.asarray(planes.any(axis=0))
        # What is not labelled may be anything: it is neither product nor surroundings.
        known = labelled | labels.ignore()
        for name, value in image_measures(pixels, lab, known).items():
            images[name].append(value)
        for name, plane in zip(dataset.classes, planes, strict=True):
            found = class_measures(plane, lab, labelled)
            present[name].append(found is not None)
            for key, value in (found or {}).items():
                of_class[name, key].append(value)
        if progress is not None:
            progress(done, len(numbers))
    return Measured(
        dataset.path.name,
        dataset.classes,
        tuple(numbers),
        {name: np.array(values) for name, values in images.items()},
        {name: np.array(values, dtype=np.bool_) for name, values in present.items()},
        {key: np.array(values) for key, values in of_class.items()},
    )


def image_measures(
    pixels: NDArray[np.uint8], lab: FloatArray, labelled: NDArray[np.bool_]
) -> dict[str, float]:
    """Measure (H, W, 3) pixels with their CIELAB values and (H, W) labelled pixels."""
    light = lab[..., 0]
    gradient = np.hypot(ndimage.sobel(light, 0), ndimage.sobel(light, 1)) / 8
    fine = gradient**2
    coarse = ndimage.gaussian_filter(light, 2.0)
    coarse_energy = (
        (ndimage.sobel(coarse, 0) / 8) ** 2 + (ndimage.sobel(coarse, 1) / 8) ** 2
    ).sum()
    total = float(fine.sum())
    rest = ~labelled
    return {
        "lightness": float(light.mean()),
        "contrast": float(light.std()),
        "shadows": float((light < 10).mean()),
        "highlights": float((light > 97).mean()),
        "colourfulness": float(np.hypot(lab[..., 1], lab[..., 2]).mean()),
        "warmth": float(lab[..., 2].mean()),
        "sharpness": 1 - min(1.0, float(coarse_energy) / total) if total else float("nan"),
        "noise": noise_level(pixels),
        "clutter": float((gradient[rest] > _STRONG_GRADIENT).mean())
        if rest.any()
        else float("nan"),
    }


def noise_level(pixels: NDArray[np.uint8]) -> float:
    """Standard deviation of noise in grey levels (Immerkaer 1996, doi 10.1006/cviu.1996.0060).

    His filter is blind to straight edges and slopes; taken is the quarter of the image's tiles
    where it answers least, so that texture does not pass for noise.
    """
    grey = pixels.astype(np.float64).mean(axis=2)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float64)
    answer = np.abs(ndimage.convolve(grey, kernel)[1:-1, 1:-1])
    tile = max(4, min(answer.shape) // 16)
    rows, columns = (extent // tile * tile for extent in answer.shape)
    if not rows or not columns:
        return float("nan")
    tiles = answer[:rows, :columns].reshape(rows // tile, tile, columns // tile, tile)
    means = np.sort(tiles.mean(axis=(1, 3)).ravel())
    flattest = means[: max(1, len(means) // 4)].mean()
    # Three channels are averaged: their noise, if independent, is greater by sqrt(3).
    return float(np.sqrt(np.pi / 2) * flattest / 6 * np.sqrt(3))


def class_measures(
    plane: NDArray[np.bool_], lab: FloatArray, labelled: NDArray[np.bool_]
) -> dict[str, float] | None:
    """Measure one class's (H, W) mask; None where the image does not show it.

    `labelled` (H, W) are the pixels that have any class.
    """
    rows, columns = np.nonzero(plane)
    if len(rows) < _FEWEST_PIXELS:
        return None
    height, width = plane.shape
    own = lab[plane]
    outline = np.flatnonzero(labelled.any(axis=1))
    tall = outline[-1] + 1 - outline[0]
    edge = plane[0].any() or plane[-1].any() or plane[:, 0].any() or plane[:, -1].any()
    return {
        "area": len(rows) / plane.size,
        "share": len(rows) / float(labelled.sum()),
        "x": float((columns.mean() + 0.5) / width),
        "y": float((rows.mean() + 0.5) / height),
        "height": float((rows.max() - rows.min() + 1) / height),
        "top in outline": float((rows.min() - outline[0]) / tall),
        "bottom in outline": float((rows.max() + 1 - outline[0]) / tall),
        "cut off": float(edge),
        "lightness": float(own[:, 0].mean()),
        "colourfulness": float(np.hypot(own[:, 1], own[:, 2]).mean()),
    }


def to_lab(pixels: NDArray[np.uint8]) -> FloatArray:
    """(…, 3) uint8 sRGB to CIELAB of D65 (IEC 61966-2-1, ISO 11664-4)."""
    value = pixels.astype(np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = linear @ to_xyz.T / to_xyz.sum(axis=1)
    small = (6 / 29) ** 3
    f = np.where(xyz > small, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _reduced(
    image: NDArray[np.uint8], labels: LabelRaster, size: int
) -> tuple[NDArray[np.uint8], LabelRaster]:
    """Both with a longest side of `size`, without the bars that make them square."""
    top, left, height, width = fitted(*labels.shape, size)
    rows, columns = slice(top, top + height), slice(left, left + width)
    small = resize_labels(labels, size)
    return (
        resize_image(image, size)[rows, columns],
        LabelRaster(index=np.ascontiguousarray(small.index[rows, columns]), sets=small.sets),
    )
