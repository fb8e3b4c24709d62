"""What the lens does to the light on its way to the sensor: vignetting, and blur."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from clearcoat.scene import CameraSample

Float32Array = NDArray[np.float32]


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
