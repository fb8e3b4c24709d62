"""Equirectangular panoramas as arrays: directions, look-ups, the sun, the ground they show.

A panorama is float32 (HEIGHT, WIDTH, 3), or half as high and wide where speed is worth more;
linear radiance, in the environment's frame with z up. Row 0 looks up; the first column looks
along +y and columns turn towards +x, which is the layout of Mitsuba's `envmap` after turning its
y axis up to z.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

HEIGHT, WIDTH = 512, 1024
COARSE_HEIGHT = HEIGHT // 2


@lru_cache(maxsize=2)
def directions(height: int = HEIGHT) -> Float32Array:
    """(height, 2 height, 3): unit vector of every pixel's centre."""
    width = 2 * height
    theta = (np.arange(height) + 0.5) * np.pi / height
    phi = (np.arange(width) + 0.5) * 2 * np.pi / width
    sin_theta = np.sin(theta)[:, None]
    grid = np.empty((height, width, 3), np.float32)
    grid[..., 0] = sin_theta * np.sin(phi)
    grid[..., 1] = sin_theta * np.cos(phi)
    grid[..., 2] = np.cos(theta)[:, None]
    return grid


@lru_cache(maxsize=2)
def solid_angles(height: int = HEIGHT) -> Float32Array:
    """(height, 1): steradians of a pixel in every row."""
    edges = np.cos(np.arange(height + 1) * np.pi / height)
    rows: Float32Array = ((edges[:-1] - edges[1:]) * np.pi / height).astype(np.float32)
    return rows[:, None]


def mean_radiance(panorama: Float32Array) -> float:
    """Mean luminance over the sphere."""
    return float((luminance(panorama) * solid_angles(len(panorama))).sum() / (4 * np.pi))


def ground_irradiance(panorama: Float32Array) -> NDArray[np.float64]:
    """(3,): irradiance on a horizontal plane that faces up."""
    cosine = _cosine_weights(len(panorama))
    # Double precision for the sum of rows alone: a third of the time.
    rows = np.einsum("hwc,hw->hc", panorama[: len(cosine)], cosine)
    irradiance: NDArray[np.float64] = rows.sum(axis=0, dtype=np.float64)
    return irradiance


@lru_cache(maxsize=2)
def _cosine_weights(height: int) -> Float32Array:
    """(height / 2, 2 height): what a pixel above the horizon adds to the ground's irradiance."""
    upper = slice(height // 2)
    return np.maximum(directions(height)[upper, :, 2], 0) * solid_angles(height)[upper]


def luminance(rgb: Float32Array) -> Float32Array:
    """(…): Rec. 709 luminance of linear sRGB (…, 3)."""
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    result: Float32Array = rgb @ weights
    return result


def look_up(panorama: Float32Array, towards: Float32Array, mi: Any) -> Float32Array:
    """(…, 3): radiance from directions (…, 3) of any length, interpolated."""
    import drjit as dr

    ways = mi.Vector3f(np.ascontiguousarray(towards.reshape(-1, 3).T))
    seen = np.array(dr.ravel(_look_up(panorama, ways, mi)), np.float32)
    return seen.reshape(towards.shape)


def _look_up(panorama: Float32Array, towards: Any, mi: Any) -> Any:
    """As `look_up`, in Dr.Jit's arrays: a fifth of the time that NumPy and SciPy take."""
    import drjit

    # Dr.Jit's annotations describe arrays more generally than this module uses them.
    dr: Any = drjit
    height, width, _ = panorama.shape
    theta = dr.atan2(dr.hypot(towards.x, towards.y), towards.z)
    row = dr.clip(theta * (height / np.pi) - 0.5, 0, height - 1)
    column = dr.atan2(towards.x, towards.y) * (width / (2 * np.pi)) - 0.5
    above = mi.Int32(dr.minimum(dr.floor(row), height - 2))
    left = mi.Int32(dr.floor(column))
    down, right = row - above, column - left
    pixels = mi.Float(panorama.ravel())

    def pixel(row: Any, column: Any) -> Any:
        # Columns go around.
        return dr.gather(mi.Color3f, pixels, mi.UInt32(row * width + (column & (width - 1))))

    upper = dr.lerp(pixel(above, left), pixel(above, left + 1), right)
    lower = dr.lerp(pixel(above + 1, left), pixel(above + 1, left + 1), right)
    return dr.lerp(upper, lower, down)


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


def halved(panorama: Float32Array) -> Float32Array:
    """(H / 2, W / 2, 3): the means of two by two pixels."""
    height, width, _ = panorama.shape
    blocks = panorama.reshape(height // 2, 2, width // 2, 2, 3)
    means: Float32Array = blocks.mean(axis=(1, 3), dtype=np.float32)
    return means


def ground_albedo(
    panorama: Float32Array, place_m: Float32Array, mi: Any, *, eye_height_m: float
) -> Float32Array:
    """(…, 3): the albedo with which a flat ground shows what the panorama shows there.

    `place_m` (…, 2) are points of the ground in the panorama's frame, metres. Lit by the panorama
    itself, an unshadowed ground of this albedo has the panorama's own radiance, so that it goes
    over into the distance without a seam and takes the product's shadow.
    """
    import drjit

    dr: Any = drjit
    place = mi.Point2f(np.ascontiguousarray(place_m.reshape(-1, 2).T))
    irradiance = np.maximum(ground_irradiance(panorama), 1e-6)
    per_radiance = mi.Color3f(*(float(v) for v in np.pi / irradiance))
    height = mi.Float(-eye_height_m)
    # As literals they would make a kernel of their own for every picture.
    dr.make_opaque(per_radiance, height)
    seen = _look_up(panorama, mi.Vector3f(place.x, place.y, height), mi)
    albedo = np.array(dr.ravel(dr.clip(seen * per_radiance, 0.0, 0.9)), np.float32)
    return albedo.reshape(*place_m.shape[:-1], 3)
