"""Colours as people write them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def hex_color(linear: Sequence[float]) -> str:
    """Return `#rrggbb` (IEC 61966-2-1 sRGB) of a linear colour, clipped to 0 … 1."""
    clipped = np.clip(np.asarray(linear, dtype=np.float64), 0.0, 1.0)
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * float(value)):02x}" for value in encoded)
