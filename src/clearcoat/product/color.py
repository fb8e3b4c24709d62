"""Colours as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Color = Sequence[float]
"""Red, green, blue: linear sRGB, 0 to 1."""

# Linear sRGB (IEC 61966-2-1, D65) to CIE XYZ, relative to the white point.
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = _XYZ.sum(axis=1)


def parse_hex(text: str) -> tuple[float, float, float]:
    """Return the linear colour of `#rrggbb` (IEC 61966-2-1 sRGB).

    Raises:
        ValueError: the text is no such colour.
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError(f"not a colour: {text!r}; expected '#rrggbb' (quote it in YAML)")
    encoded = np.array([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return float(linear[0]), float(linear[1]), float(linear[2])


def color_difference(one: Color, other: Color) -> float:
    """Return the CIE 1976 Delta E*ab of two linear colours: 2.3 is just visible."""
    return float(np.linalg.norm(lab(one) - lab(other)))


def lab(linear: Color) -> NDArray[np.float64]:
    """Return L*, a*, b* (CIE 1976, D65) of a linear colour."""
    return _lab(tuple(linear))


@lru_cache(maxsize=4096)
def _lab(linear: tuple[float, ...]) -> NDArray[np.float64]:
    ratio = _XYZ @ np.clip(np.asarray(linear, dtype=np.float64), 0.0, 1.0) / _WHITE
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def hex_color(linear: Sequence[float]) -> str:
    """Return `#rrggbb` (IEC 61966-2-1 sRGB) of a linear colour, clipped to 0 … 1."""
    clipped = np.clip(np.asarray(linear, dtype=np.float64), 0.0, 1.0)
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * float(value)):02x}" for value in encoded)
