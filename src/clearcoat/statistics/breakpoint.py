"""Where more stops helping (the paper's Fig. 4): is there such a point, and where?

Three answers that need each other. Whether there is a fall at all: is the last count worse than
any other (Dunnett 1955, one-sided, exact for so many looks)? Whether the scores first rise and
then fall: the two-lines test (Simonsohn 2018, doi 10.1177/2515245918805755). And where: the
best count, as a posterior that includes "none: still rising at the last count".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from clearcoat.statistics.intervals import LEVEL

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class TwoLines:
    """Two straight lines that meet nowhere in particular, before and after a point."""

    split: float
    """Position between the lines, in steps of the count's rank."""
    rise: float
    """Slope before it, per step."""
    fall: float
    """Slope after it, per step."""
    rise_p: float | None
    """One-sided p that the first slope is positive; None: cannot be said."""
    fall_p: float | None
    """One-sided p that the second slope is negative."""

    @property
    def p_value(self) -> float | None:
        """Of the claim that it rises and then falls: both must hold, so the greater."""
        if self.rise_p is None or self.fall_p is None:
            return None
        return max(self.rise_p, self.fall_p)


@dataclass(frozen=True)
class BreakPoint:
    """What is known of the count after which more images hurt."""

    counts: tuple[int, ...]
    probability: tuple[float, ...]
    """Posterior probability that this count is the best; the last one means *none seen*."""
    best: int
    """Count with the highest mean."""
    credible: tuple[int, ...]
    """Smallest set of counts that holds the level's probability, ascending."""
    level: float
    fall: float
    """How much lower the last count's mean is than the best count's."""
    fall_p: float
    """One-sided p that the last count is worse than some other, for all of them looked at."""
    two_lines: TwoLines | None
    """None for fewer than four counts: a line needs two."""

    @property
    def none_seen(self) -> float:
        """Probability that the scores still rise at the last count."""
        return self.probability[-1]

    def shown(self, alpha: float = 0.05) -> bool:
        """Whether it is shown that the scores fall before the last count."""
        return self.fall_p < alpha


def break_point(
    cells: Mapping[int, Sequence[float]],
    *,
    paired: bool = False,
    draws: int = 20000,
    seed: int = 0,
    level: float = LEVEL,
) -> BreakPoint | None:
    """Analyse one row: scores of the runs per count, 0 included.

    Paired: the i-th values of all counts belong together, and what they have in common counts as
    no error. None for fewer than three counts, where no count has two values, and where nothing
    spreads, which is no proof but a mistake.
    """
    counts = sorted(count for count, values in cells.items() if len(values))
    if len(counts) < 3 or max(len(cells[count]) for count in counts) < 2:
        return None
    values = [np.asarray(cells[count], dtype=np.float64) for count in counts]
    means = np.array([value.mean() for value in values])
    error, degrees = _pooled_error(values, paired=paired)
    # What rounding leaves of equal values would be infinitely significant.
    if error <= 4 * np.finfo(np.float64).eps * float(np.abs(np.concatenate(values)).max()):
        return None
    sizes = np.array([len(value) for value in values])
    random = np.random.default_rng(seed)
    # One common error for all cells: with three runs a cell's own is worth little.
    scale = np.sqrt(degrees / random.chisquare(degrees, size=(draws, 1)))
    noise = random.standard_normal((draws, len(counts))) * scale / np.sqrt(sizes)
    best = np.argmax(means + error * noise, axis=1)
    probability = np.bincount(best, minlength=len(counts)) / draws
    order = np.argsort(-probability, kind="stable")
    needed = int(np.searchsorted(np.cumsum(probability[order]), level)) + 1
    return BreakPoint(
        counts=tuple(counts),
        probability=tuple(float(p) for p in probability),
        best=counts[int(np.argmax(means))],
        credible=tuple(sorted(counts[place] for place in order[:needed])),
        level=level,
        fall=float(means.max() - means[-1]),
        fall_p=_dunnett(means, sizes, error, noise),
        two_lines=two_lines(values, paired=paired) if len(counts) >= 4 else None,
    )


def _dunnett(means: FloatArray, sizes: NDArray[np.int64], error: float, noise: FloatArray) -> float:
    """P-value that all counts are at most as good as the last, by simulated Student's t values."""
    widths = np.sqrt(1 / sizes[:-1] + 1 / sizes[-1])
    expected = ((noise[:, :-1] - noise[:, -1:]) / widths).max(axis=1)
    rise = float(((means[:-1] - means[-1]) / widths).max())
    return float((1 + np.sum(expected >= rise / error)) / (1 + len(expected)))


def two_lines(values: Sequence[FloatArray], *, paired: bool = False) -> TwoLines:
    """Test for a rise and a fall along ranks 0, 1, 2 …, one array of scores per rank.

    Ranks, because counts double: equal steps are what a reader of Fig. 4 sees. The split is set by
    Simonsohn's "Robin Hood" rule: in the flat part around the highest mean, further into the
    side of the stronger line. Raises ValueError for fewer than four ranks.
    """
    if len(values) < 4:
        raise ValueError(f"two lines need four counts or more, got {len(values)}")
    x = np.concatenate([np.full(len(value), rank, float) for rank, value in enumerate(values)])
    y = np.concatenate(_without_pairs(values) if paired else list(values))
    means = np.array([value.mean() for value in values])
    error, _ = _pooled_error(values, paired=paired)
    sizes = np.array([len(value) for value in values])
    top = int(np.argmax(means))
    flat = np.flatnonzero(means >= means[top] - error / math.sqrt(sizes[top]))
    flat = flat[(flat > 0) & (flat < len(values) - 1)]
    if not len(flat):
        flat = np.array([min(max(top, 1), len(values) - 2)])
    first = _lines(x, y, float(np.median(flat)))
    strengths = [0.5 if p is None else stats.norm.isf(max(p, 1e-12)) for p in first[2:]]
    weights = [max(0.05, float(strength)) for strength in strengths]
    # The stronger line gives room to the weaker one: the stronger the second, the later it begins.
    split = float(np.quantile(flat, weights[1] / (weights[0] + weights[1])))
    return TwoLines(split, *_lines(x, y, split))


def _lines(
    x: FloatArray, y: FloatArray, split: float
) -> tuple[float, float, float | None, float | None]:
    """Interrupted regression with HC3 errors: both slopes and their one-sided p-values."""
    results: list[tuple[float, float | None]] = []
    # Two regressions, so that the split belongs to both lines (Simonsohn's X1 and X2).
    for first in (True, False):
        after = x > split if first else x >= split
        design = np.column_stack(
            [
                np.ones_like(x),
                np.where(after, 0.0, x - split),
                np.where(after, x - split, 0.0),
                after.astype(float),
            ]
        )
        slope = 1 if first else 2
        results.append(_slope(design, y, slope, sign=1 if first else -1))
    (rise, rise_p), (fall, fall_p) = results
    return rise, fall, rise_p, fall_p


def _slope(design: FloatArray, y: FloatArray, column: int, sign: int) -> tuple[float, float | None]:
    inverse = np.linalg.pinv(design.T @ design)
    weights = inverse @ design.T @ y
    slope = float(weights[column])
    degrees = len(y) - int(np.linalg.matrix_rank(design))
    if degrees < 1 or not np.any(design[:, column]):
        return slope, None
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    residual = (y - design @ weights) / np.maximum(1e-9, 1 - leverage)
    # HC3 (MacKinnon & White 1985): cells differ in spread, and tests must not depend on it.
    variance = inverse @ (design.T * residual**2) @ design @ inverse
    error = math.sqrt(max(0.0, float(variance[column, column])))
    if error == 0:
        return slope, None
    return slope, float(stats.t.sf(sign * slope / error, degrees))


def _pooled_error(values: Sequence[FloatArray], *, paired: bool) -> tuple[float, float]:
    """Standard deviation of a single value around its cell, and its degrees of freedom."""
    adjusted = _without_pairs(values) if paired else list(values)
    squares = sum(float(((value - value.mean()) ** 2).sum()) for value in adjusted)
    degrees = sum(len(value) - 1 for value in adjusted)
    if paired:
        # One effect per pair was estimated as well.
        degrees -= max(0, max(len(value) for value in values) - 1)
    degrees = max(1, degrees)
    return math.sqrt(squares / degrees), float(degrees)


def _without_pairs(values: Sequence[FloatArray]) -> list[FloatArray]:
    """Take away from each value what its repeat has in common over the cells that have it."""
    most = max(len(value) for value in values)
    effects = np.zeros(most)
    for repeat in range(most):
        have = [value[repeat] - value.mean() for value in values if len(value) > repeat]
        effects[repeat] = np.mean(have)
    return [value - effects[: len(value)] + effects[: len(value)].mean() for value in values]
