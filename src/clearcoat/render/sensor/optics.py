"""What the lens does to the light on its way to the sensor: vignetting, blur, glare."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter

from clearcoat.scene import CameraSample

Float32Array = NDArray[np.float32]

_GLARE_SIGMAS = np.geomspace(1 / 256, 1 / 4, 7)
"""Widths of the Gaussians that make up the scattered light, as shares of the diagonal."""


def vignetting(
    camera: CameraSample,
    size: tuple[int, int],
    *,
    natural: bool,
    coefficients: tuple[float, ...] = (),
) -> Float32Array:
    """Return (H, W) relative illumination of a picture of `size` (width, height).

    `natural` is the cosine-to-the-fourth law of the angle between a pixel's ray and the optical
    axis, distortion included; the polynomial is in the radius, 1 in the corner of the picture.
    """
    width, height = size
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    share = np.ones((height, width))
    if natural:
        places = np.stack([x.ravel(), y.ravel()], axis=1)
        flat = camera.lens.undistort(camera.intrinsics.normalised(places))
        share = (1 / (1 + (flat**2).sum(axis=1)) ** 2).reshape(height, width)
    if coefficients:
        r2 = ((x - 0.5) * width) ** 2 + ((y - 0.5) * height) ** 2
        r2 /= (width**2 + height**2) / 4
        share = share * sum(
            (a * r2 ** (power + 1) for power, a in enumerate(coefficients)), np.ones_like(r2)
        )
    return np.maximum(share, 0).astype(np.float32)


def blur(image: Float32Array, sigma_px: float) -> Float32Array:
    """Spread every point of (H, W, C) light over a Gaussian; nothing is lost at the border."""
    if sigma_px <= 0:
        return image
    spread: Float32Array = gaussian_filter(
        image, (sigma_px, sigma_px, 0), mode="reflect", truncate=5.0
    )
    return spread


def glare(image: Float32Array, share: float) -> Float32Array:
    """Scatter a share of (H, W, C) light over the picture, as the surfaces of a lens do.

    The light of a point falls off with the square of the distance, so that each octave of distance
    has as much of it: a model between lenses, whose own falls differ. What would leave the picture
    comes back from its mirrored outside: nothing is lost, and a flat picture stays as it is.
    """
    if share <= 0:
        return image
    height, width = image.shape[:2]
    diagonal = np.hypot(height, width)
    # In the cosine transform a mirrored border is built in and a Gaussian is a factor.
    down, across = (np.arange(n) / (2 * n) for n in (height, width))
    squared = down[:, None] ** 2 + across[None, :] ** 2
    kept = np.mean(
        [np.exp(-2 * (np.pi * sigma * diagonal) ** 2 * squared) for sigma in _GLARE_SIGMAS], axis=0
    )
    spectrum = dctn(image, axes=(0, 1)) * (1 - share + share * kept)[..., None]
    # A transform there and back leaves dark pixels a rounding error below nothing.
    light: Float32Array = np.maximum(idctn(spectrum, axes=(0, 1)), 0).astype(np.float32)
    return light
