"""COCO's run-length codes to masks and back: the one place that calls pycocotools."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

RunLengths = dict[str, Any]
"""{"size": [height, width], "counts": compressed code as bytes}."""


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


def decode(code: RunLengths) -> NDArray[np.bool_]:
    """(H, W) bool; raises ValueError where the code does not fill its size."""
    with warnings.catch_warnings():
        # pycocotools 2.0 does not follow NumPy 2's protocol for copies yet; no copy is lost.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        mask: NDArray[np.bool_] = coco_mask.decode(code).astype(np.bool_)
    return mask


def area_and_box(code: RunLengths) -> tuple[int, list[float]]:
    """Return the number of pixels, and x, y, width, height of the box around them."""
    return int(coco_mask.area(code)), [float(value) for value in coco_mask.toBbox(code)]
