"""An image and its labels at the square size at which a model is trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcoat.dataset.labels import LabelRaster


def resize_image(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(H, W, 3) to (size, size, 3) uint8 sRGB.

    The image keeps its aspect and is centred; what it does not cover is black. Reducing averages
    the area of each new pixel, enlarging interpolates linearly.
    """
    top, left, height, width = fitted(image.shape[0], image.shape[1], size)
    reducing = height <= image.shape[0]
    method = Image.Resampling.BOX if reducing else Image.Resampling.BILINEAR
    canvas = np.zeros((size, size, 3), dtype=np.uint8)
    canvas[top : top + height, left : left + width] = np.asarray(
        Image.fromarray(image).resize((width, height), method)
    )
    return canvas


def resize_labels(labels: LabelRaster, size: int) -> LabelRaster:
    """(H, W) to (size, size): the class set at the centre of each new pixel.

    Class sets cannot be averaged. Pixels that the image does not cover are *ignore*.
    """
    top, left, height, width = fitted(*labels.shape, size)
    rows = _centres(height, labels.shape[0])
    columns = _centres(width, labels.shape[1])
    inner = labels.index[np.ix_(rows, columns)]
    if (height, width) == (size, size):
        return LabelRaster(index=inner, sets=labels.sets).compact()
    sets = labels.sets if None in labels.sets else (*labels.sets, None)
    canvas = np.full((size, size), sets.index(None), dtype=np.uint16)
    canvas[top : top + height, left : left + width] = inner
    return LabelRaster(index=canvas, sets=sets).compact()


def fitted(height: int, width: int, size: int) -> tuple[int, int, int, int]:
    """Return top, left, height and width of an image fitted into the middle of a square."""
    if size < 1:
        raise ValueError(f"size: expected 1 or more, got {size}")
    longest = max(height, width)
    inner_height = max(1, round(height * size / longest))
    inner_width = max(1, round(width * size / longest))
    return (size - inner_height) // 2, (size - inner_width) // 2, inner_height, inner_width


def _centres(new: int, old: int) -> NDArray[np.int64]:
    return np.arange(old) if new == old else ((2 * np.arange(new) + 1) * old) // (2 * new)
