"""A ground's fine pattern as far as a pixel resolves it: sharp near the camera, even far away.

A pixel far away covers hundreds of grains. A light path sees one of them, and so does each sample
of the denoiser's albedo: what should be an even grey is noise that the denoiser keeps for detail.
So the pattern is averaged beforehand over what a pixel covers (Williams, Pyramidal Parametrics,
1983, doi 10.1145/964967.801126). See docs/decisions/0082-patterns-as-pixels-see-them.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

_FIRST, _LEVELS = 2, 8
"""The stack begins with means over 2^2 texels; the last level is a single mean."""


def averages(pattern: Float32Array) -> Float32Array:
    """(LEVELS, m / 4, m / 4): the pattern (m, m), averaged over 4, 8, 16 … texels; it repeats.

    Raises ValueError where m is no multiple of 4.
    """
    side = 2**_FIRST
    if pattern.shape[0] % side or pattern.shape[1] % side:
        raise ValueError(f"the sides of a pattern are multiples of {side}, not {pattern.shape}")
    rows, columns = (n // side for n in pattern.shape)
    first = pattern.reshape(rows, side, columns, side).mean(axis=(1, 3))
    spectrum = np.fft.rfft2(first)
    square = np.fft.rfftfreq(columns)[None, :] ** 2 + np.fft.fftfreq(rows)[:, None] ** 2
    stack = np.full((_LEVELS, rows, columns), pattern.mean(), np.float32)
    stack[0] = first
    for level in range(1, _LEVELS - 1):
        # A Gaussian of a box's variance; the first level has been averaged over one already.
        variance = (4.0**level - 1) / 12
        soft = np.exp(-2 * np.pi**2 * variance * square)
        stack[level] = np.fft.irfft2(spectrum * soft, (rows, columns))
    return stack


class Pattern:
    """One pattern in the renderer; `eval` is called while Dr.Jit records."""

    def __init__(self, pattern: Float32Array, mi: Any) -> None:
        import drjit

        self.mi, self.dr = mi, drjit
        self.source = pattern
        wrap = drjit.WrapMode.Repeat
        texels = mi.TensorXf(np.ascontiguousarray(pattern[..., None]))
        self._sharp = mi.Texture2f(texels, wrap_mode=wrap)
        stack = mi.TensorXf(np.ascontiguousarray(averages(pattern)[..., None]))
        self._soft = mi.Texture3f(stack, wrap_mode=wrap)

    def eval(self, place: Any, texels: Any, active: Any) -> Any:
        """Return the pattern at `place` (in periods), averaged over a width of `texels`."""
        dr: Any = self.dr
        level = dr.log2(dr.maximum(texels, 1))
        # What weighs nothing is not looked up, and then is 0.
        sharp = self._sharp.eval(place, (level < _FIRST) & active)[0]
        depth = dr.clip(level - _FIRST, 0, _LEVELS - 1)
        # The stack repeats along its depth as well: no look-up goes beyond a level's middle.
        where = self.mi.Point3f(place.x, place.y, (depth + 0.5) / _LEVELS)
        soft = self._soft.eval(where, (level > 0) & active)[0]
        return dr.lerp(sharp, soft, dr.clip(level / _FIRST, 0, 1))
