"""Smooth functions that surfaces and their borders are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Array = NDArray[np.float64]

_TABLE_STEP_M = 0.02


def smooth_max(a: Array, b: Array, width: float) -> Array:
    """Maximum of two fields, rounded (curvature-continuous) where they differ by under `width`.

    A right-angled edge of two distance fields gets a radius of about 0.57 `width`.
    """
    h = np.maximum(width - np.abs(a - b), 0.0) / width
    return np.maximum(a, b) + h * h * h * (width / 6.0)


def smooth_min(a: Array, b: Array, width: float) -> Array:
    """Minimum of two fields, filleted where they differ by under `width`."""
    return -smooth_max(-a, -b, width)


def meet(fields: Sequence[Array], width: float) -> Array:
    """Intersection of several regions (negative inside) with corners rounded by `width`."""
    region = fields[0]
    for field in fields[1:]:
        region = smooth_max(region, field, width)
    return region


def ramp(x: Array, start: float, end: float) -> Array:
    """From 0 at `start` to 1 at `end` with zero slope and curvature at both; either order."""
    t = np.clip((x - start) / (end - start), 0.0, 1.0)
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0)


def bump(x: Array, centre: float | Array, width: float) -> Array:
    """A bell of height 1 round `centre`."""
    return np.exp(-(((x - centre) / width) ** 2))


def ridge(d: Array, reach: float, softness: float) -> Array:
    """A crease of height 1 at d = 0 whose flanks are concave, as pressed into a door skin."""
    return np.exp(-(np.sqrt(d * d + softness * softness) - softness) / reach)


class Curve:
    """A curve y(x) through knots, smoothed so that it neither kinks nor overshoots."""

    def __init__(self, knots: Sequence[tuple[float, float]], blend_m: float) -> None:
        """Round the polyline through `knots` (ascending x, metres) over about `blend_m`."""
        # Takes half a second to import, which a product from a file can do without.
        from scipy.interpolate import CubicSpline

        xs = np.array([x for x, _ in knots])
        ys = np.array([y for _, y in knots])
        margin = 4.0 * blend_m
        self._low, self._high = xs[0] - margin, xs[-1] + margin
        count = int(np.ceil((self._high - self._low) / _TABLE_STEP_M)) + 1
        table_x = np.linspace(self._low, self._high, count)
        step = table_x[1] - table_x[0]
        # The ends run on along their slope, so that smoothing does not flatten them.
        table_y = np.interp(table_x, xs, ys)
        before, after = table_x < xs[0], table_x > xs[-1]
        table_y[before] += (table_x[before] - xs[0]) * (ys[1] - ys[0]) / (xs[1] - xs[0])
        table_y[after] += (table_x[after] - xs[-1]) * (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])
        table_y = gaussian_filter1d(table_y, blend_m / step, mode="nearest")
        self._step = step
        self._coefficients = CubicSpline(table_x, table_y).c

    def __call__(self, x: Array) -> Array:
        """Values at `x`; constant beyond the table."""
        # The knots are evenly spaced: no search, and a fraction of the time of a spline object.
        at = (np.clip(x, self._low, self._high) - self._low) / self._step
        piece = np.minimum(at.astype(np.int64), self._coefficients.shape[1] - 1)
        t = (at - piece) * self._step
        c3, c2, c1, c0 = self._coefficients.take(piece, axis=1)
        value: Array = ((c3 * t + c2) * t + c1) * t + c0
        return value
