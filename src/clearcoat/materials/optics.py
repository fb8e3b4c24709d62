"""From published refractive indices to the values of a material."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcoat.materials.material import Color

Index = tuple[float, float]
"""Real part n and extinction coefficient k of a refractive index."""

CHANNELS_NM = (630.0, 532.0, 465.0)
"""The wavelengths that stand for red, green and blue of linear sRGB."""

# At these three wavelengths, interpolated linearly between the published wavelengths.
_METALS: dict[str, tuple[Index, Index, Index]] = {
    "aluminium": ((1.43, 7.51), (0.94, 6.42), (0.69, 5.64)),
    "brass": ((0.44, 3.52), (0.57, 2.59), (0.95, 1.92)),
    "chromium": ((3.15, 3.31), (3.03, 3.33), (2.46, 3.21)),
    "copper": ((0.28, 3.37), (1.12, 2.60), (1.25, 2.46)),
    "gold": ((0.19, 3.40), (0.54, 2.23), (1.33, 1.87)),
    "iron": ((2.89, 3.07), (2.90, 2.92), (2.65, 2.80)),
    "silver": ((0.06, 4.25), (0.05, 3.43), (0.05, 2.80)),
    "stainless": ((2.14, 3.42), (1.85, 3.11), (1.56, 2.84)),
    "titanium": ((2.70, 3.76), (2.48, 3.35), (2.31, 3.08)),
    "zinc": ((1.17, 5.70), (0.88, 4.80), (0.71, 4.16)),
}

METAL_SOURCES = {
    "aluminium": "n, k of Al: Rakić 1995",
    "brass": "n, k of Cu70Zn30: Querry 1985",
    "chromium": "n, k of Cr: Johnson and Christy 1974",
    "copper": "n, k of Cu: Johnson and Christy 1972",
    "gold": "n, k of Au: Johnson and Christy 1972",
    "iron": "n, k of Fe: Johnson and Christy 1974",
    "silver": "n, k of Ag: Johnson and Christy 1972",
    "stainless": "n, k of ferritic steel, 13.5 % Cr: Karlsson and Ribbing 1982",
    "titanium": "n, k of Ti: Johnson and Christy 1974",
    "zinc": "n, k of Zn: Werner et al. 2009",
}
"""Where the indices of each metal come from. Full references: docs/materials.md."""


def reflectance(n: float, k: float = 0.0) -> float:
    """Return the share of light that a smooth surface in air reflects at normal incidence."""
    return ((n - 1) ** 2 + k**2) / ((n + 1) ** 2 + k**2)


def metal(name: str) -> Color:
    """Return the reflectance of a clean, smooth metal at `CHANNELS_NM`."""
    red, green, blue = (reflectance(n, k) for n, k in _METALS[name])
    return red, green, blue


def metal_index(name: str, wavelength_nm: ArrayLike) -> NDArray[np.complex128]:
    """Return the refractive index n + ik of a metal, constant beyond the outer `CHANNELS_NM`."""
    n, k = np.array(_METALS[name][::-1]).T
    found: NDArray[np.complex128] = np.interp(
        np.asarray(wavelength_nm), CHANNELS_NM[::-1], n
    ) + 1j * np.interp(np.asarray(wavelength_nm), CHANNELS_NM[::-1], k)
    return found


def specular(n: float) -> float:
    """Return the principled model's `specular` of a dielectric of refractive index n.

    The model spreads reflectances of 0 to 8 % over 0 to 1 (Burley 2012, section 5.1).
    """
    return reflectance(n) / 0.08


def scaled(color: Color, share: float) -> Color:
    """Return a reflectance of which oxide, dirt or texture leaves only a share."""
    red, green, blue = (channel * share for channel in color)
    return red, green, blue
