"""What is under and behind the product: textures of the ground, plain colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from clearcoat.render.panorama import ground_texture
from clearcoat.scene import SceneSample

Float32Array = NDArray[np.float32]

GROUND_HALF_WIDTH_M = 25.0
GROUND_TEXELS = 512
# HDR panoramas are shot at about a standing person's eye height.
_EYE_HEIGHT_M = 1.6


def ground(panorama: Float32Array, sample: SceneSample) -> tuple[Float32Array, float]:
    """Return albedo (GROUND_TEXELS, GROUND_TEXELS, 3) and roughness of the ground of a sample."""
    backdrop = sample.backdrop
    if backdrop.mode == "surface":
        return _floor(backdrop.albedo, backdrop.variation), max(backdrop.roughness, 0.05)
    texture = ground_texture(
        panorama,
        half_width_m=GROUND_HALF_WIDTH_M,
        eye_height_m=_EYE_HEIGHT_M,
        size=GROUND_TEXELS,
    )
    return _turn(texture, np.array(sample.environment.rotation)), 0.7


def plain_color(sample: SceneSample) -> Float32Array:
    """One backdrop colour: mostly white or black as in cut-outs, sometimes a tint."""
    rng = np.random.default_rng(sample.backdrop.variation)
    kind = rng.random()
    if kind < 0.5:
        return np.full(3, rng.uniform(0.9, 4.0), np.float32)
    if kind < 0.75:
        return np.full(3, rng.uniform(0.0, 0.05), np.float32)
    return rng.uniform(0.02, 1.0, 3).astype(np.float32)


def _turn(texture: Float32Array, rotation: NDArray[np.float64]) -> Float32Array:
    """Turn a ground texture about the vertical axis like the environment it shows."""
    size = len(texture)
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(axis, axis)
    # Position in the environment's frame of every texel of the world.
    turned = np.stack([x, y], axis=-1) @ rotation[:2, :2]
    place = np.clip(((turned + 1) / 2 * size).astype(np.int64), 0, size - 1)
    result: Float32Array = texture[place[..., 1], place[..., 0]]
    return result


def _floor(albedo: float, variation: int) -> Float32Array:
    """Draw a plain floor: one albedo with the unevenness of asphalt or concrete."""
    rng = np.random.default_rng(variation)
    size = GROUND_TEXELS
    grain = rng.standard_normal((size, size)) * 0.06
    for blur, weight in ((2.0, 0.3), (12.0, 2.0), (40.0, 4.0)):
        grain += gaussian_filter(rng.standard_normal((size, size)), blur, mode="wrap") * weight
    tone = 1 + 0.06 * rng.standard_normal(3)
    texture = np.clip(albedo * tone * np.exp(0.6 * grain)[..., None], 0.01, 0.9)
    return texture.astype(np.float32)
