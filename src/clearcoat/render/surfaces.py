"""Floors: the mean colour of a surface, and a fine pattern that repeats every few metres.

A floor's albedo is a coarse map of the whole ground times a fine pattern of mean 1, so that a
close camera sees grains and joints and a far one no repetition.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from clearcoat.render.environments.noise import look, smooth_step, tile
from clearcoat.render.ground import positions
from clearcoat.scene import BackdropSample

Float32Array = NDArray[np.float32]

TEXELS = 1024
_STAINS_M = 40.0
"""After so many metres the stains of a floor repeat."""

_TONES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "asphalt": ((1.0, 1.0, 1.03), (1.03, 1.0, 0.96), (0.98, 1.0, 1.04)),
    "concrete": ((1.04, 1.0, 0.94), (1.0, 1.0, 1.0), (0.97, 1.0, 1.0)),
    "gravel": ((1.12, 1.0, 0.82), (1.03, 1.0, 0.95)),
    "grass": ((0.80, 1.22, 0.40), (0.95, 1.15, 0.45), (1.15, 1.05, 0.55)),
    "paving": ((1.12, 0.98, 0.86), (1.0, 1.0, 0.98), (1.3, 0.9, 0.7)),
    "tiles": ((1.05, 1.0, 0.93), (1.0, 1.0, 1.0)),
    "epoxy": ((0.97, 1.0, 1.03), (0.9, 1.05, 0.95), (0.85, 1.0, 1.2), (1.0, 1.0, 1.0)),
    "seamless": ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (1.04, 1.0, 0.96), (0.9, 1.0, 1.1)),
}


@dataclass(frozen=True, eq=False)
class Surface:
    """A floor's pattern."""

    pattern: Float32Array
    """(TEXELS, TEXELS): albedo as a multiple of the mean; repeats at its edges."""
    period_m: float
    """Width of the pattern."""
    unevenness: float
    """Standard deviation of the coarse map, as a share: stains, wear, puddles that dried."""


def mean_albedo(sample: BackdropSample) -> Float32Array:
    """(3,): mean diffuse reflectance of a sample's floor."""
    rng = np.random.default_rng([sample.variation, 1])
    tones = _TONES[sample.surface]
    tone = np.array(tones[rng.integers(len(tones))]) * (1 + 0.02 * rng.standard_normal(3))
    color: Float32Array = np.clip(sample.albedo * tone, 0.005, 0.9).astype(np.float32)
    return color


@lru_cache(maxsize=16)
def surface(kind: str) -> Surface:
    """Return the pattern of one kind of floor; made once per process."""
    return {
        "asphalt": _asphalt,
        "concrete": _concrete,
        "gravel": _gravel,
        "grass": _grass,
        "paving": _paving,
        "tiles": _tiles,
        "epoxy": _epoxy,
        "seamless": _seamless,
    }[kind]()


def _noise(number: int, slope: float) -> Float32Array:
    """(TEXELS, TEXELS) noise that repeats, mean 0, standard deviation 1."""
    rng = np.random.default_rng([number, round(slope * 1000), TEXELS])
    spectrum = np.hypot(np.fft.rfftfreq(TEXELS)[None, :], np.fft.fftfreq(TEXELS)[:, None])
    spectrum[0, 0] = np.inf
    made = np.fft.irfft2(
        spectrum**-slope * np.exp(2j * np.pi * rng.random(spectrum.shape)), (TEXELS, TEXELS)
    )
    noise: Float32Array = ((made - made.mean()) / made.std()).astype(np.float32)
    return noise


def _made(pattern: Float32Array, period_m: float, unevenness: float) -> Surface:
    positive = np.maximum(pattern, 0.05)
    return Surface(
        (positive / positive.mean()).astype(np.float32), period_m=period_m, unevenness=unevenness
    )


def _stones(number: int, size: float) -> Float32Array:
    """Grains of about `size` texels, light and dark: noise with only waves of that length."""
    rng = np.random.default_rng([number, round(size * 10)])
    white = rng.standard_normal((TEXELS, TEXELS))
    band = gaussian_filter(white, size * 0.35, mode="wrap") - gaussian_filter(
        white, size * 0.8, mode="wrap"
    )
    grains: Float32Array = (band / band.std()).astype(np.float32)
    return grains


def _asphalt() -> Surface:
    grains = 0.20 * _stones(1, 3) + 0.10 * _stones(2, 7)
    cracks = smooth_step(0.02, 0.10, np.abs(_noise(3, 1.35) + 0.5 * _noise(4, 1.0)))
    wear = 0.10 * _noise(5, 1.5)
    return _made((1 + grains + wear) * (0.55 + 0.45 * cracks), 6.0, 0.10)


def _concrete() -> Surface:
    base = 1 + 0.07 * _noise(6, 1.2) + 0.03 * _stones(7, 4)
    pores = 1 - 0.35 * (_stones(8, 5) > 3.0)
    return _made(base * pores * _joints(1, 1, 3.0), 5.0, 0.08)


def _gravel() -> Surface:
    return _made(1 + 0.38 * _stones(9, 9) + 0.22 * _stones(10, 4), 4.0, 0.12)


def _grass() -> Surface:
    rng = np.random.default_rng(11)
    white = rng.standard_normal((TEXELS, TEXELS))
    blades = gaussian_filter(white, (2.6, 0.8), mode="wrap") + gaussian_filter(
        white.T, (0.8, 2.2), mode="wrap"
    )
    blades = blades / blades.std()
    return _made(1 + 0.34 * blades.astype(np.float32) + 0.07 * _noise(12, 1.0), 5.0, 0.16)


def _paving() -> Surface:
    stones, tone = _bricks(10, 20)
    return _made((1 + 0.06 * _stones(13, 4) + 0.05 * _noise(14, 1.1)) * tone * stones, 2.0, 0.08)


def _tiles() -> Surface:
    rng = np.random.default_rng(15)
    tone = np.kron(1 + 0.03 * rng.standard_normal((8, 8)), np.ones((TEXELS // 8, TEXELS // 8)))
    return _made(
        tone.astype(np.float32) * _joints(8, 8, 3.0) * (1 + 0.02 * _noise(16, 1.2)), 4.0, 0.03
    )


def _epoxy() -> Surface:
    scuffs = 1 - 0.10 * smooth_step(1.6, 2.4, _noise(17, 1.1)) + 0.03 * _noise(18, 1.4)
    return _made(scuffs * (1 + 0.02 * _stones(19, 4)), 8.0, 0.05)


def _seamless() -> Surface:
    return _made(1 + 0.004 * _noise(20, 1.2), 8.0, 0.0)


def _joints(across: int, along: int, width: float) -> Float32Array:
    """Dark lines of `width` texels between slabs, with the unevenness of a trowel."""
    place = np.arange(TEXELS)
    lines = []
    for count in (across, along):
        step = TEXELS / count
        away = np.minimum(place % step, step - place % step)
        lines.append(smooth_step(width * 0.4, width, away))
    joint: Float32Array = (0.45 + 0.55 * np.minimum(lines[0][:, None], lines[1][None, :])).astype(
        np.float32
    )
    return joint


def _bricks(across: int, along: int) -> tuple[Float32Array, Float32Array]:
    """Joints of stones laid in a stretcher bond, and a tone per stone."""
    rng = np.random.default_rng(21)
    row = np.arange(TEXELS) * along // TEXELS
    tall, wide = TEXELS / along, TEXELS / across
    x = (np.arange(TEXELS)[None, :] + (row[:, None] % 2) * wide / 2) % TEXELS
    u, v = x % wide, (np.arange(TEXELS) % tall)[:, None]
    edge = np.minimum(np.minimum(u, wide - u), np.minimum(v, tall - v))
    joints = 0.5 + 0.5 * smooth_step(0.8, 3.2, edge)
    tones = (1 + 0.12 * rng.standard_normal((along, across))).astype(np.float32)
    column = np.minimum((x // wide).astype(np.int64), across - 1)
    return joints, tones[row[:, None], column]


def coarse_map(sample: BackdropSample, size: int) -> Float32Array:
    """(size, size, 3): albedo of the whole ground without its fine pattern."""
    rng = np.random.default_rng(sample.variation)
    noise, (right, ahead) = tile(int(rng.integers(4)), 1.3), rng.random(2)
    # By metres: the map's texels are narrow near the axes, and noise by texel would be streaks.
    metres = positions(size) / _STAINS_M
    stain = look(noise, metres[None, :] + right, metres[:, None] + ahead)
    uneven = surface(sample.surface).unevenness
    tone = np.clip(1 + uneven * stain, 0.3, 1.7)
    albedo: Float32Array = np.clip(mean_albedo(sample) * tone[..., None], 0.004, 0.9).astype(
        np.float32
    )
    return albedo
