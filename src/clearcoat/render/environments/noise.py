"""Fractal noise that repeats, made once per process and looked up at offsets drawn per image."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

SIZE = 512


@lru_cache(maxsize=16)
def tile(number: int, slope: float) -> Float32Array:
    """(SIZE, SIZE): noise of mean 0 and standard deviation 1 whose power falls as f^(-2 slope)."""
    rng = np.random.default_rng([number, round(slope * 1000)])
    spectrum = np.hypot(np.fft.rfftfreq(SIZE)[None, :], np.fft.fftfreq(SIZE)[:, None])
    spectrum[0, 0] = np.inf
    phase = np.exp(2j * np.pi * rng.random(spectrum.shape))
    made = np.fft.irfft2(spectrum**-slope * phase, (SIZE, SIZE))
    noise: Float32Array = ((made - made.mean()) / made.std()).astype(np.float32)
    return noise


def look(noise: Float32Array, x: NDArray[Any], y: NDArray[Any]) -> Float32Array:
    """Noise at points given in tiles, so that it repeats with period 1: interpolated."""
    # The remainder by 1 to the last bit, in a fraction of its time.
    u = (x - np.floor(x)) * SIZE
    v = (y - np.floor(y)) * SIZE
    left, top = np.floor(u), np.floor(v)
    column, row = left.astype(np.int32) & (SIZE - 1), top.astype(np.int32) & (SIZE - 1)
    right, below = (column + 1) & (SIZE - 1), ((row + 1) & (SIZE - 1)) * SIZE
    row *= SIZE
    du, dv = (u - left).astype(np.float32), (v - top).astype(np.float32)
    flat = noise.ravel()
    above = flat.take(row + column) * (1 - du) + flat.take(row + right) * du
    under = flat.take(below + column) * (1 - du) + flat.take(below + right) * du
    result: Float32Array = (above * (1 - dv) + under * dv).astype(np.float32)
    return result


def outline(rng: np.random.Generator, width: int, waves: tuple[int, int]) -> Float32Array:
    """(width,): a periodic random line of mean 0 and standard deviation 1.

    `waves` are the least and greatest number of waves around the circle; fine ones are weaker.
    """
    number = np.arange(waves[0], waves[1] + 1)
    phase = rng.uniform(0, 2 * np.pi, len(number))
    amplitude = rng.normal(size=len(number)) / np.sqrt(number)
    spectrum = np.zeros(width // 2 + 1, complex)
    spectrum[number] = amplitude * np.exp(1j * phase)
    line = np.fft.irfft(spectrum, width)
    scaled: Float32Array = (line / max(float(line.std()), 1e-12)).astype(np.float32)
    return scaled


def smooth_step(low: float, high: float, value: NDArray[Any]) -> Float32Array:
    """0 below `low`, 1 above `high`, smooth between."""
    share = np.clip((value - low) / (high - low), 0, 1)
    result: Float32Array = (share * share * (3 - 2 * share)).astype(np.float32)
    return result
