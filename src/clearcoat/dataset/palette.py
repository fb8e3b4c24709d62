"""Colours in which a person tells classes apart; the same number has the same colour everywhere."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clearcoat.dataset.labels import ClassSet

BACKGROUND_COLOR = (0, 0, 0)
IGNORE_COLOR = (128, 128, 128)

_GOLDEN_RATIO = 0.618033988749895
_TONES = ((0.95, 1.0), (0.60, 1.0), (0.95, 0.70))
"""(saturation, value), in turn, so that neighbouring hues differ in lightness too."""


def class_colors(count: int) -> NDArray[np.uint8]:
    """(count, 3) uint8 sRGB: one colour per class number, independent of `count`."""
    colors = []
    for number in range(count):
        saturation, value = _TONES[number % len(_TONES)]
        rgb = colorsys.hsv_to_rgb((0.02 + number * _GOLDEN_RATIO) % 1.0, saturation, value)
        colors.append([round(255 * channel) for channel in rgb])
    return np.array(colors, dtype=np.uint8).reshape(count, 3)


def set_colors(sets: Sequence[ClassSet | None]) -> NDArray[np.uint8]:
    """(len(sets), 3) uint8 sRGB: the mean of a set's class colours; grey is *ignore*."""
    colors = class_colors(1 + max((max(s, default=-1) for s in sets if s), default=-1))
    rows = [
        IGNORE_COLOR if s is None else colors[sorted(s)].mean(axis=0) if s else BACKGROUND_COLOR
        for s in sets
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), 3).round().astype(np.uint8)
