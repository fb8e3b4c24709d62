"""Colour filter arrays, and how a colour picture is made from one number per pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate

FloatArray = NDArray[np.float64]

# Malvar, He, Cutler: High-quality linear interpolation for demosaicing of Bayer-patterned color
# images, ICASSP 2004 (doi 10.1109/ICASSP.2004.1326587), figure 2; all in eighths.
_GREEN = np.array(
    [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]
)
_IN_ROW = np.array(
    [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]
)
_DIAGONAL = np.array(
    [
        [0, 0, -1.5, 0, 0],
        [0, 2, 0, 2, 0],
        [-1.5, 0, 6, 0, -1.5],
        [0, 2, 0, 2, 0],
        [0, 0, -1.5, 0, 0],
    ]
)


def channels(order: str, shape: tuple[int, int]) -> NDArray[np.int64]:
    """(H, W): 0 red, 1 green, 2 blue per pixel, for an order such as `rggb` (rows of two)."""
    tile = np.array(["rgb".index(letter) for letter in order]).reshape(2, 2)
    return tile[np.arange(shape[0])[:, None] % 2, np.arange(shape[1])[None] % 2]


def take(image: FloatArray, order: str) -> FloatArray:
    """Return (H, W): of (H, W, 3) what each pixel's filter lets through."""
    which = channels(order, image.shape[:2])
    taken: FloatArray = np.take_along_axis(image, which[..., None], axis=2)[..., 0]
    return taken


def demosaic(raw: FloatArray, order: str) -> FloatArray:
    """Return (H, W, 3) of (H, W), by the linear filters of Malvar, He and Cutler (2004).

    Mirrored at the border, where a row's neighbour has the colours of the row after it.
    """
    which = channels(order, raw.shape)

    def by(kernel: NDArray[np.float64]) -> FloatArray:
        return np.asarray(correlate(raw, kernel / 8, mode="mirror"))

    green, diagonal = by(_GREEN), by(_DIAGONAL)
    in_row, in_column = by(_IN_ROW), by(_IN_ROW.T)
    full = np.empty((*raw.shape, 3))
    full[..., 1] = np.where(which == 1, raw, green)
    # Red's neighbours left and right of a green pixel in a red row, above and below in a blue one.
    red_row = np.repeat((which == 0).any(axis=1)[:, None], raw.shape[1], axis=1)
    for channel, own_row in ((0, red_row), (2, ~red_row)):
        at_green = np.where(own_row, in_row, in_column)
        full[..., channel] = np.where(
            which == channel, raw, np.where(which == 1, at_green, diagonal)
        )
    return full
