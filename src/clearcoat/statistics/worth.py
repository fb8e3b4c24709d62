"""What synthetic images are worth, in photos and in money."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clearcoat.statistics.curves import Band, curve_band
from clearcoat.statistics.intervals import LEVEL
from clearcoat.statistics.repeats import Labels

Cells = Mapping[tuple[int, int], Sequence[float]]
"""Scores of the runs per (real, synthetic) count."""
Repeats = Mapping[tuple[int, int], Labels]
"""Per cell the repeats that each of its scores is of, in a paired design."""
_BEYOND = 5
"""Draws that are to lie beyond either end of an interval."""
READ_BEYOND = 2.0
"""How far beyond the largest count of photos a learning curve is read: to twice as many."""
LEAST_COUNTS = 3
"""Counts of photos alone that it takes to read from their curve what lies between them."""
_BEST_SCORE = 1.0
"""Of IoU, and of everything that a learning curve here is of."""


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
    """Infinite where the further renders bring nothing; not a number where one of both scores
    lies beyond what the curve of photos alone can be read for."""
    low: float
    high: float


@dataclass(frozen=True)
class Saving:
    """What a mix costs, and what as good a score costs with photos alone."""

    mix: Equivalent
    cost: float
    """Of the mix."""
    alone: float
    """Of photos alone; what lies beyond the readable part of their curve counts as its end."""
    low: float
    high: float
    """Interval of `alone`, likewise."""
    least: float
    """Lower end of what the mix saves, for as many looks as were asked for."""
    as_good: int | None = None
    """The fewest photos alone that were seen to score as much, within the margin, and cost no
    more: then nothing is saved, whatever their curve says."""


class Worth:
    """Reads everything off one learning curve of photos alone, with its resampled curves."""

    def __init__(
        self,
        cells: Cells,
        *,
        repeats: Repeats | None = None,
        draws: int = 400,
        seed: int = 0,
        level: float = LEVEL,
    ) -> None:
        """Raises ValueError for fewer than three real counts without renders, or one run at each.

        Two counts bend no curve: of mixes worth 64 photos, between counts of 16 and 256, not one
        interval in 40 simulated studies held that, and all 40 told of a saving where there was a
        loss.
        `repeats`: of a paired design. What a repeat has in common over cells, mixes among them,
        moves the curve and the mix alike, and is no error of what the mix is worth.
        """
        self.cells = {key: [*values] for key, values in cells.items() if len(values)}
        self._repeats = repeats or {}
        alone = {real: v for (real, s), v in self.cells.items() if real and not s}
        if len(alone) < LEAST_COUNTS:
            raise ValueError(f"worth needs {LEAST_COUNTS} counts of photos, got {len(alone)}")
        counts = [real for real, values in alone.items() for _ in values]
        self.band: Band = curve_band(
            counts,
            [value for values in alone.values() for value in values],
            repeats=None if repeats is None else _labels(repeats, ((real, 0) for real in alone)),
            draws=draws,
            seed=seed,
            level=level,
        )
        self.level = level
        # Where the repeats of a paired design cannot be told from chance, nothing tells how far
        # the curve may be off beyond what was measured.
        unknown = repeats is not None and self.band.shared is None
        self.limit = max(alone) * (1.0 if unknown else READ_BEYOND)
        self.fewest = min(alone)
        """Photos below which their curve is a guess."""
        self._seed = seed
        random = np.random.default_rng([seed, 1])
        self._pooled = _pooled_deviation(self._own(key) for key in self.cells)
        self._means = {key: self._drawn_means(key, draws, random) for key in self.cells}

    def equivalent(self, real: int, synthetic: int, *, looks: int = 1) -> Equivalent:
        """Return the photos that a mix stands for. Raises KeyError for an absent cell.

        `looks`: of how many mixes it is the best (Bonferroni).
        """
        values = self.cells[real, synthetic]
        score = float(np.mean(values))
        low, high = self._range_of(real, synthetic, looks)
        return Equivalent(
            real, synthetic, score, self.band.curve.count_for(score), low, high, self.limit
        )

    def exchange_rate(self, real: int, first: int, second: int) -> ExchangeRate:
        """Return what renders from `first` to `second` cost per photo that they stand for."""
        more = second - first
        # With slack: the mean of the fewest photos alone may lie a little below their curve.
        fewest = self.fewest / READ_BEYOND
        before, after = (
            self.band.curve.count_for(float(np.mean(self.cells[real, s]))) for s in (first, second)
        )
        if max(before, after) > self.limit or min(before, after) < fewest:
            return ExchangeRate(real, first, second, math.nan, math.nan, math.nan)
        pairs = [*zip(self._photos(real, first), self._photos(real, second), strict=True)]
        # A mix that photos reach beyond the end of their curve, or never, gains so many at least.
        read = [(np.clip(a, fewest, self.limit), np.clip(b, fewest, self.limit)) for a, b in pairs]
        most = [_rate(more, b - a) for a, b in read]
        least = [0.0 if b > self.limit else rate for (_, b), rate in zip(pairs, most, strict=True)]
        low, high = self._range(least)[0], self._range(most)[1]
        return ExchangeRate(real, first, second, _rate(more, after - before), low, high)

    def saving(
        self,
        real: int,
        synthetic: int,
        price_real: float,
        price_synthetic: float,
        *,
        looks: int = 1,
        margin: float = 0.0,
    ) -> Saving:
        """Return what a mix costs against photos alone that score as much.

        `looks`: how many mixes are looked at, of which the best is to be told of (Bonferroni).
        `margin`: scores that differ by no more count as alike.
        """
        mix = self.equivalent(real, synthetic)
        cost = real * price_real + synthetic * price_synthetic
        alone, low, high = (
            price_real * min(photos, self.limit) for photos in (mix.photos, mix.low, mix.high)
        )
        least = low - cost
        if least > 0 and looks > 1:
            fewest, _ = self._range_of(real, synthetic, looks)
            least = price_real * min(fewest, self.limit) - cost
        # Where photos have reached their end, any chance lead is worth more than all of them.
        as_good = min(
            (
                photos
                for (photos, renders), values in self.cells.items()
                if not renders
                and photos * price_real <= cost
                and float(np.mean(values)) >= mix.score - margin
            ),
            default=None,
        )
        if as_good is not None:
            least = min(least, as_good * price_real - cost)
        return Saving(mix, cost, alone, low, high, least, as_good)

    def best_saving(
        self, price_real: float, price_synthetic: float, *, margin: float = 0.0
    ) -> tuple[Saving, int] | None:
        """Return the mix that is sure to save most, and of how many it was chosen.

        Where none is sure to, the one with the greatest estimate; None without a mix that scores
        what the fewest photos studied do.
        """
        mixes = [key for key in self.cells if key[1]]
        found = [
            self.saving(*key, price_real, price_synthetic, looks=len(mixes), margin=margin)
            for key in mixes
        ]
        read = [one for one in found if one.mix.photos >= self.fewest]
        if not read:
            return None
        best = max(read, key=lambda one: (max(0.0, one.least), one.alone - one.cost))
        return best, len(mixes)

    def _photos(self, real: int, synthetic: int) -> list[float]:
        pairs = zip(self.band.draws, self._means[real, synthetic], strict=True)
        return [curve.count_for(float(mean)) for curve, mean in pairs]

    def _own(self, key: tuple[int, int]) -> np.ndarray:
        """(scores,) of a cell, less what the repeats have in common with other cells."""
        values = np.asarray(self.cells[key], dtype=np.float64)
        shared = self.band.shared
        return values if shared is None else values - shared.of(self._repeats[key])

    def _drawn_means(
        self, key: tuple[int, int], draws: int, random: np.random.Generator
    ) -> np.ndarray:
        """(draws,) plausible means of a cell, each for the curve of the same draw."""
        noise = _posterior(self._own(key), self._pooled, draws, random) - self._own(key).mean()
        means = np.mean(self.cells[key]) + noise
        if self.band.shared is None:
            return np.asarray(means)
        common = self.band.shared.drawn(self._repeats[key]).mean(axis=1)
        return np.asarray(means + np.resize(common, draws))

    def _range_of(self, real: int, synthetic: int, looks: int) -> tuple[float, float]:
        """Interval of the photos that a mix stands for, at the level that so many looks leave."""
        if looks == 1:
            return self._range(self._photos(real, synthetic))
        level = 1 - (1 - self.level) / looks
        # Of few draws it would end at the extreme one, whatever the level.
        draws = math.ceil(2 * _BEYOND / (1 - level))
        random = np.random.default_rng([self._seed, 2, real, synthetic])
        means = self._drawn_means((real, synthetic), draws, random)
        pairs = zip(itertools.cycle(self.band.draws), means.tolist(), strict=False)
        return self._range([curve.count_for(mean) for curve, mean in pairs], level)

    def _range(self, samples: Sequence[float], level: float | None = None) -> tuple[float, float]:
        ordered = np.sort([math.inf if math.isnan(value) else value for value in samples])
        last, tail = len(ordered) - 1, (1 - (level or self.level)) / 2
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
    open whether there is an end below the best score there can be, None where none is in sight."""

    @property
    def largest(self) -> int:
        """Renders in the largest cell."""
        return self.counts[-1]


def synthetic_scaling(
    cells: Cells,
    *,
    repeats: Repeats | None = None,
    draws: int = 400,
    seed: int = 0,
    level: float = LEVEL,
) -> Scaling | None:
    """Analyse the cells without photos; None for fewer than two counts, or one run at each.

    The distance of the ceiling from what photos reach is what better renders, not more of them,
    could bring. `repeats`: of a paired design, as in `curve_band`.
    """
    alone = {s: values for (real, s), values in cells.items() if s and not real and len(values)}
    if len(alone) < 2 or max(len(values) for values in alone.values()) < 2:
        return None
    counts = [count for count, values in alone.items() for _ in values]
    scores = [value for values in alone.values() for value in values]
    labels = None if repeats is None else _labels(repeats, ((0, count) for count in alone))
    band = curve_band(counts, scores, repeats=labels, draws=draws, seed=seed, level=level)
    largest = max(alone)
    here, there = (float(value) for value in band.curve.at([largest, 2 * largest]))
    gains = np.sort([float(np.diff(curve.at([largest, 2 * largest]))[0]) for curve in band.draws])
    tail = (1 - level) / 2
    low, high = np.quantile(gains, [tail, 1 - tail])
    return Scaling(
        band,
        tuple(sorted(alone)),
        here,
        (there - here, float(low), float(high)),
        _ceiling(band),
    )


def _ceiling(band: Band) -> tuple[float, float, float] | None:
    limits, top = band.range_of_ceiling(), band.curve.ceiling
    if limits is None or top is None or max(top, limits[0]) >= _BEST_SCORE:
        return None
    low, high = limits
    return top, low, high if high < _BEST_SCORE else math.inf


def _labels(repeats: Repeats, keys: Iterable[tuple[int, int]]) -> list[Sequence[int]]:
    return [label for key in keys for label in repeats[key]]


def _pooled_deviation(cells: Iterable[np.ndarray]) -> tuple[float, int]:
    """Standard deviation of runs within a cell, over all cells, and its degrees of freedom."""
    several = [values for values in cells if len(values) > 1]
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
