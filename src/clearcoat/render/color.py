"""Colours of light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def black_body(temperature_k: float) -> NDArray[np.float64]:
    """(3,): linear sRGB of a black body of luminance 1, relative to daylight of 6504 K.

    Chromaticity by the cubic fit of Kim et al. (US patent 7024034, 2002), 1,667 to 25,000 K;
    temperatures outside are clipped. White balance is the camera's, so 6504 K is white here.
    """
    t = min(max(temperature_k, 1667.0), 25000.0)
    if t <= 4000:
        x = -0.2661239e9 / t**3 - 0.2343589e6 / t**2 + 0.8776956e3 / t + 0.179910
    else:
        x = -3.0258469e9 / t**3 + 2.1070379e6 / t**2 + 0.2226347e3 / t + 0.240390
    if t <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif t <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    # XYZ to linear sRGB, IEC 61966-2-1.
    matrix = np.array(
        [
            [3.2406, -1.5372, -0.4986],
            [-0.9689, 1.8758, 0.0415],
            [0.0557, -0.2040, 1.0570],
        ]
    )
    rgb: NDArray[np.float64] = np.maximum(matrix @ xyz, 0)
    return rgb
