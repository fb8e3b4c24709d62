"""What synthetic images are worth, in photos and in money."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clearcoat.statistics.curves import Band, curve_band
from clearcoat.statistics.intervals import LEVEL

Cells = Mapping[tuple[int, int], Sequence[float]]
"""Scores of the runs per (real, synthetic) count."""
READ_BEYOND = 2.0
"""How far beyond the largest count of photos a learning curve is read: to twice as many."""


@dataclass(frozen=True)
class Equivalent:
    """How many photos alone would score what a mix scores."""

    real: int
    synthetic: int
    score: float
    photos: float
    """Infinite where the curve of photos alone never gets there."""
    low: float
    high: float
    limit: float
    """Photos up to which the curve may be read: a number above it says *more than that*."""

    @property
    def extra(self) -> float:
        """Photos that the renders stand for."""
        return self.photos - self.real


@dataclass(frozen=True)
class ExchangeRate:
    """How many further renders do what one further photo does."""

    real: int
    from_synthetic: int
    to_synthetic: int
    renders_per_photo: float
    """Infinite where the further renders bring nothing."""
    low: float
    high: float


@dataclass(frozen=True)
class Purchase:
    """The cheapest way to a score, with and without renders."""

    score: float
    real: int
    synthetic: int
    cost: float
    photos_alone: float
    photos_alone_cost: float
    low: float
    high: float
    """Interval of the cost of photos alone; infinite where they never reach the score."""


class Worth:
    """Reads everything off one learning curve of photos alone, with its resampled curves."""

    def __init__(
        self, cells: Cells, *, draws: int = 400, seed: int = 0, level: float = LEVEL
    ) -> None:
        """Raises ValueError for fewer than two real counts without renders, or one run at each."""
        self.cells = {key: [*values] for key, values in cells.items() if len(values)}
        alone = {real: v for (real, s), v in self.cells.items() if real and not s}
        counts = [real for real, values in alone.items() for _ in values]
        self.band: Band = curve_band(
            counts,
            [value for values in alone.values() for value in values],
            draws=draws,
            seed=seed,
            level=level,
        )
        self.level = level
        self.limit = READ_BEYOND * max(alone)
        random = np.random.default_rng([seed, 1])
        pooled = _pooled_deviation(self.cells.values())
        self._means = {
            key: _posterior(np.asarray(values), pooled, draws, random)
            for key, values in self.cells.items()
        }

    def equivalent(self, real: int, synthetic: int) -> Equivalent:
        """Return the photos that a mix stands for. Raises KeyError for an absent cell."""
        values = self.cells[real, synthetic]
        score = float(np.mean(values))
        low, high = self._range(self._photos(real, synthetic))
        return Equivalent(
            real, synthetic, score, self.band.curve.count_for(score), low, high, self.limit
        )

    def exchange_rate(self, real: int, first: int, second: int) -> ExchangeRate:
        """Return what renders from `first` to `second` cost per photo that they stand for."""
        more = second - first
        photos = [
            self.band.curve.count_for(float(np.mean(self.cells[real, s]))) for s in (first, second)
        ]
        pairs = zip(self._photos(real, second), self._photos(real, first), strict=True)
        gained = [after - before for after, before in pairs]
        low, high = self._range([_rate(more, gain) for gain in gained])
        return ExchangeRate(real, first, second, _rate(more, photos[1] - photos[0]), low, high)

    def purchase(self, score: float, price_real: float, price_synthetic: float) -> Purchase | None:
        """Return the cheapest cell whose mean reaches a score; None where none does."""

        def cost(key: tuple[int, int]) -> float:
            return key[0] * price_real + key[1] * price_synthetic

        reached = [key for key, values in self.cells.items() if float(np.mean(values)) >= score]
        if not reached:
            return None
        best = min(reached, key=lambda key: (cost(key), key))
        alone = self.band.curve.count_for(score)
        low, high = self.band.range_of_count(score)
        return Purchase(
            score, *best, cost(best), alone, alone * price_real, low * price_real, high * price_real
        )

    def _photos(self, real: int, synthetic: int) -> list[float]:
        pairs = zip(self.band.draws, self._means[real, synthetic], strict=True)
        return [curve.count_for(float(mean)) for curve, mean in pairs]

    def _range(self, samples: Sequence[float]) -> tuple[float, float]:
        ordered = np.sort([math.inf if math.isnan(value) else value for value in samples])
        last, tail = len(ordered) - 1, (1 - self.level) / 2
        return (
            float(ordered[math.floor(tail * last)]),
            float(ordered[math.ceil((1 - tail) * last)]),
        )


@dataclass(frozen=True)
class Scaling:
    """How models trained on renders alone grow with their number, and where that ends."""

    band: Band
    counts: tuple[int, ...]
    """Renders in the cells, ascending."""
    now: float
    """Fitted score of the largest."""
    doubled: tuple[float, float, float]
    """Gain that twice as many renders would bring: estimate, low, high."""
    ceiling: tuple[float, float, float] | None
    """Score that more such renders never exceed, as estimate, low, high; infinite where it is
    open whether there is an end, None where none is in sight."""

    @property
    def largest(self) -> int:
        """Renders in the largest cell."""
        return self.counts[-1]


def synthetic_scaling(
    cells: Cells, *, draws: int = 400, seed: int = 0, level: float = LEVEL
) -> Scaling | None:
    """Analyse the cells without photos; None for fewer than two counts, or one run at each.

    The distance of the ceiling from what photos reach is what better renders, not more of them,
    could bring.
    """
    alone = {s: values for (real, s), values in cells.items() if s and not real and len(values)}
    if len(alone) < 2 or max(len(values) for values in alone.values()) < 2:
        return None
    counts = [count for count, values in alone.items() for _ in values]
    scores = [value for values in alone.values() for value in values]
    band = curve_band(counts, scores, draws=draws, seed=seed, level=level)
    largest = max(alone)
    here, there = (float(value) for value in band.curve.at([largest, 2 * largest]))
    gains = np.sort([float(np.diff(curve.at([largest, 2 * largest]))[0]) for curve in band.draws])
    tail = (1 - level) / 2
    low, high = np.quantile(gains, [tail, 1 - tail])
    limits, top = band.range_of_ceiling(), band.curve.ceiling
    return Scaling(
        band,
        tuple(sorted(alone)),
        here,
        (there - here, float(low), float(high)),
        None if limits is None or top is None or math.isinf(limits[0]) else (top, *limits),
    )


def _pooled_deviation(cells: Collection[Sequence[float]]) -> tuple[float, int]:
    """Standard deviation of runs within a cell, over all cells, and its degrees of freedom."""
    several = [np.asarray(values) for values in cells if len(values) > 1]
    degrees = sum(len(values) - 1 for values in several)
    squares = sum(float(values.var(ddof=0)) * len(values) for values in several)
    return math.sqrt(squares / degrees), degrees


def _posterior(
    values: np.ndarray, pooled: tuple[float, int], draws: int, random: np.random.Generator
) -> np.ndarray:
    """(draws,) plausible means of a cell: Student's t around the mean.

    A single value spreads as the runs of the other cells do.
    """
    deviation, degrees = pooled
    if len(values) > 1:
        deviation, degrees = float(values.std(ddof=1)), len(values) - 1
    noise: np.ndarray = random.standard_t(degrees, size=draws)
    return np.asarray(values.mean() + deviation / math.sqrt(len(values)) * noise)


def _rate(more: int, photos: float) -> float:
    return more / photos if photos > 0 and not math.isnan(photos) else math.inf
