"""From linear radiance to the 8-bit picture."""

from __future__ import annotations

import sys
from functools import lru_cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]


def denoise(radiance: Float32Array, albedo: Float32Array, normal: Float32Array) -> Float32Array:
    """Clean (H, W, 3) linear radiance with Open Image Denoise.

    The noise of neighbouring pixels must be independent: render with a box filter. The smaller
    of its networks takes half the time; see docs/decisions/0080-samples-and-denoiser.md.
    """
    clean: Float32Array = _denoiser().denoise(
        np.ascontiguousarray(radiance),
        albedo=np.ascontiguousarray(albedo),
        normal=np.ascontiguousarray(normal),
        hdr=True,
        quality="fast",
    )
    return clean


@lru_cache(maxsize=1)
def _denoiser() -> ModuleType:
    """Import the denoiser without PyTorch, which it takes where it finds it.

    Only arrays go to it from here, and the import would add seconds to the first image.
    """
    missing = object()
    torch = sys.modules.get("torch", missing)
    if torch is missing:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        import pyoidn
    finally:
        if torch is missing:
            del sys.modules["torch"]
    module: ModuleType = pyoidn
    return module


def develop(radiance: Float32Array, *, exposure_ev: float, tone_curve: str) -> NDArray[np.uint8]:
    """Return the (H, W, 3) sRGB picture of linear radiance.

    Radiance 1 is a white diffuser in the mean light of the scene, as an incident light meter
    would set it, so that white products look white and black ones black.
    """
    linear = np.maximum(radiance.astype(np.float32) * np.float32(2.0**exposure_ev), 0)
    return encode(tone(linear, tone_curve))


def tone(linear: Float32Array, curve: str) -> Float32Array:
    """Map (H, W, 3) linear light, white at 1, to what the picture shows of it."""
    return _filmic(linear) if curve == "filmic" else linear


def untone(shown: Float32Array, curve: str) -> Float32Array:
    """Return the linear light that `tone` maps to `shown` (0 to 1); inverse of `tone`."""
    if curve != "filmic":
        return shown
    # The fit is a quotient of two quadratics: one root of a quadratic equation is not negative.
    y = np.clip(shown, 0, 1)
    a, b, c = 2.51 - 2.43 * y, 0.03 - 0.59 * y, -0.14 * y
    light: Float32Array = ((np.sqrt(b * b - 4 * a * c) - b) / (2 * a) / 0.8).astype(np.float32)
    return np.maximum(light, 0)


def encode(linear: Float32Array) -> NDArray[np.uint8]:
    """Return the 8-bit sRGB values of linear ones (IEC 61966-2-1), clipped to 0 and 1."""
    linear = np.clip(linear, 0, 1)
    encoded = np.where(
        linear <= 0.0031308,
        linear * np.float32(12.92),
        np.float32(1.055) * np.power(linear, np.float32(1 / 2.4)) - np.float32(0.055),
    )
    picture: NDArray[np.uint8] = (encoded * 255 + 0.5).astype(np.uint8)
    return picture


def _filmic(x: Float32Array) -> Float32Array:
    """Roll off highlights by Narkowicz's fit of the ACES reference curve (2015)."""
    y = x * np.float32(0.8)
    curve: Float32Array = ((y * (2.51 * y + 0.03)) / (y * (2.43 * y + 0.59) + 0.14)).astype(
        np.float32
    )
    return curve
