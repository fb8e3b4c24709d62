"""Equirectangular panoramas as arrays: directions, look-ups, the sun, the ground they show.

A panorama is float32 (HEIGHT, WIDTH, 3), linear radiance, in the environment's frame with z
up. Row 0 looks up; the first column looks along +y and columns turn towards +x, which is the
layout of Mitsuba's `envmap` after turning its y axis up to z.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

Float32Array = NDArray[np.float32]

HEIGHT, WIDTH = 512, 1024


@lru_cache(maxsize=1)
def directions() -> Float32Array:
    """(H, W, 3): unit vector of every pixel's centre."""
    theta = (np.arange(HEIGHT) + 0.5) * np.pi / HEIGHT
    phi = (np.arange(WIDTH) + 0.5) * 2 * np.pi / WIDTH
    sin_theta = np.sin(theta)[:, None]
    grid = np.empty((HEIGHT, WIDTH, 3), np.float32)
    grid[..., 0] = sin_theta * np.sin(phi)
    grid[..., 1] = sin_theta * np.cos(phi)
    grid[..., 2] = np.cos(theta)[:, None]
    return grid


@lru_cache(maxsize=1)
def solid_angles() -> Float32Array:
    """(H, 1): steradians of a pixel in every row."""
    edges = np.cos(np.arange(HEIGHT + 1) * np.pi / HEIGHT)
    rows: Float32Array = ((edges[:-1] - edges[1:]) * 2 * np.pi / WIDTH).astype(np.float32)
    return rows[:, None]


def mean_radiance(panorama: Float32Array) -> float:
    """Mean luminance over the sphere."""
    return float((luminance(panorama) * solid_angles()).sum() / (4 * np.pi))


def ground_irradiance(panorama: Float32Array) -> NDArray[np.float64]:
    """(3,): irradiance on a horizontal plane that faces up."""
    cosine = np.maximum(directions()[..., 2], 0) * solid_angles()
    # Double precision for the sum of rows alone: a third of the time.
    rows = np.einsum("hwc,hw->hc", panorama, cosine)
    irradiance: NDArray[np.float64] = rows.sum(axis=0, dtype=np.float64)
    return irradiance


def luminance(rgb: Float32Array) -> Float32Array:
    """(…): Rec. 709 luminance of linear sRGB (…, 3)."""
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    result: Float32Array = rgb @ weights
    return result


def look_up(panorama: Float32Array, towards: Float32Array) -> Float32Array:
    """(…, 3): radiance from unit vectors (…, 3), interpolated."""
    theta = np.arccos(np.clip(towards[..., 2], -1, 1))
    phi = np.arctan2(towards[..., 0], towards[..., 1]) % (2 * np.pi)
    rows = theta * (HEIGHT / np.pi) - 0.5
    columns = phi * (WIDTH / (2 * np.pi)) - 0.5
    # Columns wrap around and rows do not, hence a margin instead of the library's `grid-wrap`.
    padded = np.concatenate([panorama[:, -1:], panorama, panorama[:, :1]], axis=1)
    where = np.stack([rows, columns + 1])
    return np.stack(
        [map_coordinates(padded[..., c], where, order=1, mode="nearest") for c in range(3)], axis=-1
    ).astype(np.float32)


def doubled(pixels: Float32Array) -> Float32Array:
    """(2 h, 2 w, c): (h, w, c) at twice the resolution, interpolated; columns go around."""
    near, far = np.float32(0.75), np.float32(0.25)
    above = np.concatenate([pixels[:1], pixels[:-1]])
    below = np.concatenate([pixels[1:], pixels[-1:]])
    rows = np.stack([near * pixels + far * above, near * pixels + far * below], axis=1)
    tall = rows.reshape(2 * len(pixels), *pixels.shape[1:])
    left, right = np.roll(tall, 1, axis=1), np.roll(tall, -1, axis=1)
    both = np.stack([near * tall + far * left, near * tall + far * right], axis=2)
    wide = both.reshape(len(tall), 2 * pixels.shape[1], *pixels.shape[2:])
    return wide.astype(np.float32, copy=False)


def add_sun(
    panorama: Float32Array,
    direction: NDArray[np.float64],
    irradiance: NDArray[np.float64],
    radius_deg: float = 0.6,
) -> Float32Array:
    """Return the panorama with a sun whose light on a plane facing it is `irradiance` (3,).

    The disc is a few pixels wide, hence about twice the real one (0.27 degrees in radius): its
    reflection in paint and the edge of its shadow look right, and its light is exact.
    """
    cosine = directions() @ direction.astype(np.float32)
    narrow = 1 - np.cos(np.radians(radius_deg))
    # Beyond seven widths the disc is below a thousandth.
    rows, columns = np.nonzero(cosine > 1 - 7 * narrow)
    toward = cosine[rows, columns]
    disc = np.exp(-np.maximum(1 - toward, 0) / narrow)
    disc[disc < 1e-3] = 0
    total = float((disc * toward * solid_angles()[rows, 0]).sum())
    lit = panorama.astype(np.float32)
    lit[rows, columns] += (disc / total)[:, None] * irradiance.astype(np.float32)
    return lit


def ground_albedo(
    panorama: Float32Array, place_m: Float32Array, *, eye_height_m: float
) -> Float32Array:
    """(…, 3): the albedo with which a flat ground shows what the panorama shows there.

    `place_m` (…, 2) are points of the ground in the panorama's frame, metres. Lit by the panorama
    itself, an unshadowed ground of this albedo has the panorama's own radiance, so that it goes
    over into the distance without a seam and takes the product's shadow.
    """
    x, y = place_m[..., 0], place_m[..., 1]
    towards = np.stack([x, y, np.full_like(x, -eye_height_m)], axis=-1)
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    radiance = look_up(panorama, towards)
    irradiance = np.maximum(ground_irradiance(panorama), 1e-6).astype(np.float32)
    albedo: Float32Array = np.clip(radiance * np.float32(np.pi) / irradiance, 0.0, 0.9)
    return albedo
