"""Learning curves: score against number of images, with bands, and how far one may read them.

Two shapes are tried. A power law, a - b·n^-c, levels off at its ceiling `a`; it fits learning
curves of most tasks (Hestness et al. 2017, arXiv 1712.00409; Mahmood et al. 2022, doi
10.1109/CVPR52688.2022.00037). A logarithm, a + b·ln n, does not level off within the data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clearcoat.statistics.intervals import LEVEL
from clearcoat.statistics.repeats import Labels, SharedEffects, shared_effects

FloatArray = NDArray[np.float64]
Shape = Literal["power", "logarithm"]
_EXPONENTS = np.geomspace(0.05, 3.0, 160)


@dataclass(frozen=True)
class Curve:
    """A fitted learning curve."""

    shape: Shape
    a: float
    b: float
    c: float
    """Exponent of the power law; 0 for the logarithm."""
    aic: float
    """Akaike's criterion: lower is better."""

    def at(self, counts: FloatArray | Sequence[float]) -> FloatArray:
        """Score at counts of images above 0."""
        n = np.asarray(counts, dtype=np.float64)
        if self.shape == "power":
            return np.asarray(self.a - self.b * n**-self.c)
        return np.asarray(self.a + self.b * np.log(n))

    @property
    def ceiling(self) -> float | None:
        """Score that more images of this kind never exceed; None where the fit shows none."""
        return self.a if self.shape == "power" else None

    def count_for(self, score: float) -> float:
        """Images that reach a score; infinite where the curve never does."""
        if self.b <= 0:
            return math.inf if score > self.a else 1.0
        if self.shape == "logarithm":
            exponent = (score - self.a) / self.b
            return math.exp(exponent) if exponent < 700 else math.inf
        if score >= self.a:
            return math.inf
        logarithm = math.log(self.b / (self.a - score)) / self.c
        return math.exp(logarithm) if logarithm < 700 else math.inf


@dataclass(frozen=True, eq=False)
class Band:
    """A curve, and where it may lie."""

    curve: Curve
    draws: tuple[Curve, ...]
    """Refitted curves of resampled runs."""
    level: float
    shared: SharedEffects | None = None
    """What the repeats of a paired design have in common over the counts, in the same draws."""

    def range_at(self, counts: FloatArray | Sequence[float]) -> tuple[FloatArray, FloatArray]:
        """Return the lower and the upper bound at these counts."""
        return _bounds(np.stack([curve.at(counts) for curve in self.draws]), self.level)

    def range_of_count(self, score: float) -> tuple[float, float]:
        """Return the interval of the number of images that reach a score; may be infinite."""
        counts = np.sort([curve.count_for(score) for curve in self.draws])
        return _order_statistics(counts, self.level)

    def range_of_ceiling(self) -> tuple[float, float] | None:
        """Return the interval of the ceiling; None where the chosen shape has none.

        It has no upper end where too many of the resampled curves show no ceiling.
        """
        if self.curve.ceiling is None:
            return None
        ceilings = (curve.ceiling for curve in self.draws)
        ordered = np.sort([math.inf if value is None else value for value in ceilings])
        return _order_statistics(ordered, self.level)


def fit_curve(
    counts: Sequence[float], values: Sequence[float], shape: Shape | None = None
) -> Curve:
    """Fit by least squares over all runs; the shape with the lower AIC unless one is named.

    Slopes are held at 0 or above: a curve that falls is no learning curve, and shows as flat.
    Raises ValueError for fewer than two different counts (three for the power law) or one
    below 1.
    """
    n, y = _data(counts, values)
    fits = (_FITS[name](n, y[None])[0] for name in _shapes(n, shape))
    return min(fits, key=lambda curve: curve.aic)


def curve_band(
    counts: Sequence[float],
    values: Sequence[float],
    *,
    shape: Shape | None = None,
    repeats: Labels | None = None,
    draws: int = 400,
    seed: int = 0,
    level: float = LEVEL,
) -> Band:
    """Fit a curve, and refit it to runs resampled within each count.

    Each refit takes the shape with the lower AIC unless one is named: with the shape of the
    first fit for all, a band of 95 % held the truth in as little as 63 % of simulated studies
    where it is read beyond the counts, since few runs often choose the wrong one. Resampled are
    the residuals around each count's mean, scaled for their number and, as they are few, drawn
    out as Student's t is; pooled over all counts for those that have fewer than five runs.

    `repeats`: in a paired design the repeats that each value is of, mostly one. Photos and test
    images of a repeat are the same at every count, so its luck moves the whole curve: it is drawn
    once for all counts, only what is left of the residuals run by run, and the shape is chosen by
    what is left alone. Raises ValueError as
    `fit_curve` does, and where no count has two runs, since nothing tells their spread then.
    """
    n, y = _data(counts, values)
    random = np.random.default_rng(seed)
    places = [np.flatnonzero(n == count) for count in np.unique(n)]
    several = [where for where in places if len(where) > 1]
    if not several:
        raise ValueError("a band needs two runs or more at some count")
    shared = None if repeats is None else shared_effects(n, y, repeats, draws, random)
    if shared is None or repeats is None:
        own, residuals, degrees = y, _residuals(y, places), len(y) - len(places)
        luck = np.zeros((draws, len(y)))
    else:
        own, residuals, degrees = y - shared.of(repeats), shared.rest, shared.degrees
        luck = shared.drawn(repeats)
    pool = np.concatenate([residuals[where] for where in several])
    heavy = np.sqrt(degrees / random.chisquare(degrees, size=(draws, 1)))
    again = np.empty((draws, len(y)))
    for where in places:
        single = residuals[where] if len(where) >= 5 else pool
        again[:, where] = own[where].mean() + heavy * random.choice(single, (draws, len(where)))
    shapes = _shapes(n, shape)
    by_shape = np.array([[curve.aic for curve in _FITS[name](n, again)] for name in shapes])
    refits = [_FITS[name](n, again + luck) for name in shapes]
    chosen = tuple(refits[place][row] for row, place in enumerate(by_shape.argmin(axis=0)))
    return Band(fit_curve(counts, own.tolist(), shape), chosen, level, shared)


def _shapes(n: FloatArray, shape: Shape | None) -> tuple[Shape, ...]:
    """Shapes to choose from: the one that is named, else those that so many counts determine."""
    different = len(np.unique(n))
    if shape == "power" and different < 3:
        raise ValueError(f"a power law needs three different counts, got {different}")
    if shape is not None:
        return (shape,)
    return ("logarithm", "power") if different >= 3 else ("logarithm",)


def _residuals(y: FloatArray, places: Sequence[NDArray[np.int64]]) -> FloatArray:
    residuals = np.zeros_like(y)
    for where in places:
        if len(where) > 1:
            scale = math.sqrt(len(where) / (len(where) - 1))
            residuals[where] = scale * (y[where] - y[where].mean())
    return residuals


def _power(n: FloatArray, y: FloatArray) -> list[Curve]:
    """Fit each row of (fits, runs): the best of a fine grid of exponents, which is exact enough."""
    best: list[FloatArray] = []
    for exponent in _EXPONENTS:
        best.append(np.stack(_line(n**-exponent, y, sign=-1)))
    intercepts, slopes, squares = np.stack(best, axis=1)
    place = np.argmin(squares, axis=0)
    rows = np.arange(len(y))
    return [
        Curve("power", float(a), float(-b), float(_EXPONENTS[p]), _aic(float(s), len(n), 3))
        for a, b, s, p in zip(
            intercepts[place, rows], slopes[place, rows], squares[place, rows], place, strict=True
        )
    ]


def _logarithm(n: FloatArray, y: FloatArray) -> list[Curve]:
    return [
        Curve("logarithm", float(a), float(b), 0.0, _aic(float(s), len(n), 2))
        for a, b, s in zip(*_line(np.log(n), y, sign=1), strict=True)
    ]


_FITS = {"power": _power, "logarithm": _logarithm}


def _line(x: FloatArray, y: FloatArray, sign: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Per row of y its intercept, slope (0 where its sign would be the other one), and error."""
    centred = x - x.mean()
    means = y.mean(axis=1)
    slope = y @ centred / (centred @ centred)
    slope = np.where(slope * sign < 0, 0.0, slope)
    intercept = means - slope * x.mean()
    residual = y - intercept[:, None] - slope[:, None] * x
    return intercept, slope, (residual**2).sum(axis=1)


def _aic(squares: float, count: int, parameters: int) -> float:
    # Not with the correction for few points: it forbids the power law to three counts with two
    # runs each, whatever they show.
    # A perfect fit of made-up numbers would be infinitely good.
    return count * math.log(max(squares / count, 1e-12)) + 2 * (parameters + 1)


def _data(counts: Sequence[float], values: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    n, y = np.asarray(counts, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if n.shape != y.shape or n.ndim != 1:
        raise ValueError(f"counts and values: one of each per run, got {n.shape} and {y.shape}")
    if not len(n) or n.min() < 1 or not np.isfinite(y).all():
        raise ValueError("a learning curve needs counts of 1 or more, and finite values")
    if len(np.unique(n)) < 2:
        raise ValueError("a learning curve needs two different counts or more")
    return n, y


def _bounds(samples: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(samples, [tail, 100 - tail], axis=0)
    return low, high


def _order_statistics(ordered: FloatArray, level: float) -> tuple[float, float]:
    # Not np.percentile: between two infinite values it gives nan.
    last = len(ordered) - 1
    tail = (1 - level) / 2
    return float(ordered[math.floor(tail * last)]), float(ordered[math.ceil((1 - tail) * last)])
