"""COCO's run-length codes to masks and back: the one place that calls pycocotools."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

RunLengths = dict[str, Any]
"""{"size": [height, width], "counts": compressed code as bytes}."""
_LONGEST = 6
"""Place of the last digit that a run length can have: pycocotools' have 32 bits."""


def from_polygons(polygons: list[list[float]], height: int, width: int) -> RunLengths:
    """Return the code of the union of polygons, each x, y, x, y, … of three corners or more."""
    code: RunLengths = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    return code


def from_counts(counts: list[int], height: int, width: int) -> RunLengths:
    """Return the compressed code of run lengths that fill the image."""
    size = [height, width]
    code: RunLengths = coco_mask.frPyObjects({"size": size, "counts": counts}, height, width)
    return code


def encode(mask: NDArray[np.bool_]) -> RunLengths:
    """Return the compressed code of an (H, W) mask."""
    code: RunLengths = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return code


def require_filled(code: RunLengths) -> None:
    """Raise ValueError unless the runs fill the image and no more.

    pycocotools itself finds out only if there are too many: where they are too few, its mask ends
    in whatever was in memory.
    """
    height, width = code["size"]
    if (filled := _pixels(code["counts"])) != height * width:
        raise ValueError(f"runs of {filled} pixels, the image has {height * width}")


def decode(code: RunLengths) -> NDArray[np.bool_]:
    """(H, W) bool of a code that fills its size."""
    with warnings.catch_warnings():
        # pycocotools 2.0 does not follow NumPy 2's protocol for copies yet; no copy is lost.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        mask: NDArray[np.bool_] = coco_mask.decode(code).astype(np.bool_)
    return mask


def area_and_box(code: RunLengths) -> tuple[int, list[float]]:
    """Return the number of pixels, and x, y, width, height of the box around them."""
    return int(coco_mask.area(code)), [float(value) for value in coco_mask.toBbox(code)]


def _pixels(counts: bytes) -> int:
    """Return the pixels of all runs of a compressed code together.

    A number is characters from 0 on: five bits each, the lowest first, and a sixth that says that
    more follow; from the fourth run on it is the difference to the run before the last. Raises
    ValueError where the code is none.
    """
    bits = np.frombuffer(counts, np.uint8).astype(np.int64) - 48
    if not len(bits):
        return 0
    last = (bits & 32) == 0
    if bits.min() < 0 or bits.max() > 63 or not last[-1]:
        raise ValueError("characters that are no run lengths")
    starts = np.flatnonzero(np.concatenate([[True], last[:-1]]))
    place = np.arange(len(bits)) - np.repeat(starts, np.diff(np.append(starts, len(bits))))
    if place.max() > _LONGEST:
        raise ValueError("a run length of too many digits")
    numbers = np.add.reduceat((bits & 31) << (5 * place), starts)
    numbers -= np.where(bits[last] & 16, np.int64(32) << (5 * place[last]), 0)
    runs = numbers.copy()
    for first in (1, 2):
        runs[first::2] = numbers[first::2].cumsum()
    if runs.min() < 0:
        raise ValueError("a negative run length")
    return int(runs.sum())
