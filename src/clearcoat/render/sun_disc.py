"""The sun as a small bright disc in a panorama."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.panorama import HEIGHT, directions, luminance, solid_angles

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SunDisc:
    """Pixels of a panorama and the radiance that the sun adds to them."""

    rows: NDArray[np.int64]
    """(N,)"""
    columns: NDArray[np.int64]
    """(N,)"""
    radiance: Float32Array
    """(N, 3)"""
    height: int = HEIGHT
    """Of the panorama."""

    def ground_irradiance(self) -> NDArray[np.float64]:
        """(3,): what it adds to the irradiance on a horizontal plane that faces up."""
        cosine = np.maximum(directions(self.height)[self.rows, self.columns, 2], 0)
        weights = (cosine * solid_angles(self.height)[self.rows, 0]).astype(np.float64)
        irradiance: NDArray[np.float64] = weights @ self.radiance
        return irradiance

    def mean_radiance(self) -> float:
        """What it adds to the mean luminance over the sphere."""
        weights = solid_angles(self.height)[self.rows, 0]
        return float((luminance(self.radiance) * weights).sum() / (4 * np.pi))

    def onto(self, panorama: Float32Array, scale: float = 1.0) -> Float32Array:
        """Add the disc, times `scale`, to the panorama in place, and return it."""
        panorama[self.rows, self.columns] += self.radiance * np.float32(scale)
        return panorama


def sun_disc(
    direction: NDArray[np.float64],
    irradiance: NDArray[np.float64],
    radius_deg: float = 0.6,
    height: int = HEIGHT,
) -> SunDisc:
    """Return the disc of a sun whose light on a plane facing it is `irradiance` (3,), for a
    panorama of `height` rows.

    The disc is a few pixels wide, hence about twice the real one (0.27 degrees in radius): its
    reflection in paint and the edge of its shadow look right, and its light is exact.
    """
    narrow = 1 - np.cos(np.radians(radius_deg))
    # Beyond seven widths the disc is below a thousandth.
    reach = np.arccos(max(1 - 7 * narrow, -1.0))
    polar = np.arccos(np.clip(direction[2], -1, 1))
    first = max(int((polar - reach) * height / np.pi) - 1, 0)
    last = min(int((polar + reach) * height / np.pi) + 2, height)
    cosine = directions(height)[first:last] @ direction.astype(np.float32)
    rows, columns = np.nonzero(cosine > 1 - 7 * narrow)
    toward = cosine[rows, columns]
    disc = np.exp(-np.maximum(1 - toward, 0) / narrow)
    disc[disc < 1e-3] = 0
    rows += first
    total = float((disc * toward * solid_angles(height)[rows, 0]).sum())
    radiance = (disc / total)[:, None] * irradiance.astype(np.float32)
    return SunDisc(rows, columns, radiance.astype(np.float32), height)


def add_sun(
    panorama: Float32Array,
    direction: NDArray[np.float64],
    irradiance: NDArray[np.float64],
    radius_deg: float = 0.6,
) -> Float32Array:
    """Return the panorama with a sun as `sun_disc` makes it."""
    return sun_disc(direction, irradiance, radius_deg).onto(panorama.astype(np.float32))
