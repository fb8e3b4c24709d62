"""Measure by measure: how far renders are from photos, and what in the spec moves it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from clearcoat.report.gap.advice import advice, settled, widening
from clearcoat.report.gap.measures import (
    BINARY,
    CLASS_MEASURES,
    DECIMALS,
    LEAST,
    MEASURES,
    SHARE_DECIMALS,
    FloatArray,
    Measured,
)
from clearcoat.statistics import benjamini_hochberg

if TYPE_CHECKING:
    from clearcoat.report.gap.features import FeatureGap

ALPHA = 0.05
NOTABLE = 0.64
"""Probability that a render exceeds a photo (or the other way) from which a gap matters; it is
Cohen's "medium" effect of half a standard deviation."""
NOTABLE_H = 0.5
"""The same for two shares of images: Cohen's h (Cohen 1988, chapter 6)."""
COVERED = 0.9
"""Share of the photos that the renders' 5 to 95 % range holds if both are one population."""
TOO_NARROW = 0.75
"""Share of the photos below which that range is too narrow."""


@dataclass(frozen=True)
class Difference:
    """One measure in photos and renders."""

    measure: str
    """Name; of a class as `class: measure`."""
    meaning: str
    binary: bool
    """Whether a value is yes or no: medians are then shares, and ranges say nothing."""
    real_median: float
    real_range: tuple[float, float]
    """5th to 95th percentile."""
    synthetic_median: float
    synthetic_range: tuple[float, float]
    above: float
    """Probability that a render's value exceeds a photo's, ties half: 0.5 is no difference."""
    low: float
    """95 % interval of it (Newcombe 2006, doi 10.1002/sim.2324)."""
    high: float
    p_value: float | None
    """Two-sided, adjusted over all measures (Benjamini-Hochberg): that both are one population."""
    covered: float | None
    """Share of photos whose value lies within the renders' range; None of a binary measure."""
    narrow: bool = False
    """Whether that share is surely too small."""
    advice: str = ""
    """What to change in the spec; empty where nothing needs to be."""

    @property
    def size(self) -> float:
        """How far `above` is from a half, 0 to 0.5; of shares as of normal values."""
        if self.binary:
            return float(stats.norm.cdf(abs(self.cohens_h) / math.sqrt(2))) - 0.5
        return abs(self.above - 0.5)

    @property
    def cohens_h(self) -> float:
        """Distance of two shares, above 0 where that of the renders is the greater."""
        synthetic, real = (
            math.asin(math.sqrt(p)) for p in (self.synthetic_median, self.real_median)
        )
        return 2 * (synthetic - real)

    @property
    def large(self) -> bool:
        """Whether both look far enough apart to matter, sure or not."""
        return abs(self.cohens_h) >= NOTABLE_H if self.binary else self.size >= NOTABLE - 0.5

    @property
    def shifted(self) -> bool:
        """Whether one surely has more than the other, and enough to matter."""
        return self.p_value is not None and self.p_value < ALPHA and self.large

    @property
    def held(self) -> bool:
        """Whether the renders' range holds the photos: where they lie in it is no fault."""
        return self.covered is not None and self.covered >= COVERED

    @property
    def notable(self) -> bool:
        """Whether the spec is to be changed for it."""
        return self.narrow or (self.shifted and not self.held)


SMALLEST = 0.02
"""Quantile of the photos' masks below which a mask counts as a sliver."""
_ENOUGH_MASKS = 20
_MANY_SLIVERS = 0.10


@dataclass(frozen=True)
class Slivers:
    """A class whose masks on renders are often smaller than any that people draw."""

    name: str
    least_share: float
    """Of all that has a class: what 98 % of the photos' masks take and more."""
    below: float
    """Share of the renders' masks that take less."""


@dataclass(frozen=True)
class Gap:
    """All differences, the largest first."""

    real: Measured
    synthetic: Measured
    size: int
    differences: tuple[Difference, ...]
    slivers: tuple[Slivers, ...] = ()
    features: FeatureGap | None = None

    @property
    def notable(self) -> tuple[Difference, ...]:
        """Those to act upon, the largest first."""
        return tuple(d for d in self.differences if d.notable)


def compare_datasets(real: Measured, synthetic: Measured, size: int) -> Gap:
    """Compare every measure that both data sets have."""
    found = [
        _difference(name, meaning, real.images[name], synthetic.images[name])
        for name, meaning in MEASURES.items()
    ]
    for name in real.classes:
        if name not in synthetic.present:
            continue
        found.append(
            _difference(
                f"{name}: frequency",
                "Share of the images that show the class",
                real.present[name].astype(np.float64),
                synthetic.present[name].astype(np.float64),
            )
        )
        found += [
            _difference(f"{name}: {key}", meaning, real.of_class[name, key],
                        synthetic.of_class[name, key])
            for key, meaning in CLASS_MEASURES.items()
        ]  # fmt: skip
    kept = [pair for pair in found if pair is not None]
    adjusted = benjamini_hochberg([difference.p_value for difference, _ in kept])
    of_ranges = benjamini_hochberg([chance for _, chance in kept])
    final = [
        replace(
            difference,
            p_value=p,
            narrow=difference.narrow and chance is not None and chance < ALPHA,
        )
        for (difference, _), p, chance in zip(kept, adjusted, of_ranges, strict=True)
    ]
    shown_too_seldom = {d.measure for d in final if d.shifted and d.above < 0.5}
    rare = tuple(name for name in real.classes if f"{name}: frequency" in shown_too_seldom)
    agreed = settled({d.measure: d.above for d in final if d.shifted and not d.held})
    advised = [replace(d, advice=agreed.get(d.measure) or _advised(d, rare)) for d in final]
    ordered = tuple(sorted(advised, key=lambda d: -d.size))
    return Gap(real, synthetic, size, ordered, find_slivers(real, synthetic))


def _advised(difference: Difference, rare: tuple[str, ...]) -> str:
    if not difference.notable:
        return ""
    if difference.shifted and not difference.held:
        return advice(difference.measure, difference.above, rare)
    return widening(difference.measure)


def find_slivers(real: Measured, synthetic: Measured) -> tuple[Slivers, ...]:
    """Return the classes that renders label where people no longer would, most often so first."""
    found: list[Slivers] = []
    chances: list[float] = []
    for name in real.classes:
        drawn = real.of_class[name, "share"]
        rendered = synthetic.of_class.get((name, "share"), np.array([]))
        if len(drawn) < _ENOUGH_MASKS or len(rendered) < _ENOUGH_MASKS:
            continue
        rank = int(SMALLEST * (len(drawn) - 1)) + 1
        least = float(np.sort(drawn)[rank - 1])
        count = int((rendered < least).sum())
        found.append(Slivers(name, least, count / len(rendered)))
        # The smallest of few masks says little of the next ones: where both are one population,
        # so many of m values lie below the j-th of n (beta-binomial, whatever the distribution).
        chances.append(
            float(stats.betabinom.sf(count - 1, len(rendered), rank, len(drawn) + 1 - rank))
        )
    adjusted = benjamini_hochberg(chances)
    told = [
        one
        for one, p_value in zip(found, adjusted, strict=True)
        if p_value is not None and p_value < ALPHA and one.below >= _MANY_SLIVERS
    ]
    return tuple(sorted(told, key=lambda one: -one.below))


def _difference(
    name: str, meaning: str, real: FloatArray, synthetic: FloatArray
) -> tuple[Difference, float | None] | None:
    """Return the difference, and the chance that so few photos lie in the range of the renders.

    None where there are too few values. Neither chance is adjusted yet.
    """
    key = name.rpartition(": ")[2]
    # Rounding errors of images that are all alike would count as a difference of all pairs.
    a, b = (
        np.round(values[np.isfinite(values)], DECIMALS.get(key, SHARE_DECIMALS))
        for values in (real, synthetic)
    )
    if len(a) < LEAST or len(b) < LEAST:
        return None
    constant = float(np.ptp(np.concatenate([a, b]))) == 0
    if constant:
        above, p_value = 0.5, None
    else:
        test = stats.mannwhitneyu(b, a, alternative="two-sided", method="asymptotic")
        above, p_value = float(test.statistic) / (len(a) * len(b)), float(test.pvalue)
    low, high = _newcombe(above, len(b), len(a))
    ends = np.quantile(b, [0.05, 0.95])
    binary = key in BINARY
    # A share of images has no range: means stand in for medians.
    middle = np.mean if binary else np.median
    inside = int(((a >= ends[0]) & (a <= ends[1])).sum())
    difference = Difference(
        name,
        meaning,
        binary,
        float(middle(a)),
        (float(np.quantile(a, 0.05)), float(np.quantile(a, 0.95))),
        float(middle(b)),
        (float(ends[0]), float(ends[1])),
        above,
        low,
        high,
        p_value,
        None if binary else inside / len(a),
        not binary and _wilson_upper(inside, len(a)) < TOO_NARROW,
    )
    return difference, None if binary else _chance_inside(inside, len(a), len(b))


def _wilson_upper(count: int, total: int) -> float:
    """Upper end of the 95 % interval of a share (Wilson 1927, doi 10.2307/2276774)."""
    z = float(stats.norm.ppf(0.975))
    share = count / total
    error = z * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    return (share + z**2 / (2 * total) + error) / (1 + z**2 / total)


def _chance_inside(inside: int, photos: int, renders: int) -> float:
    """Chance of so few photos in the renders' 5 to 95 % range, both being one population.

    Between two order statistics lies a beta-distributed share, whatever the distribution: the
    range of few renders is itself uncertain, and is no reason to widen anything.
    """
    first, last = math.ceil(0.05 * (renders - 1)), math.floor(0.95 * (renders - 1))
    if last <= first:
        return 1.0
    steps = last - first
    return float(stats.betabinom.cdf(inside, photos, steps, renders + 1 - steps))


def _newcombe(area: float, m: int, n: int) -> tuple[float, float]:
    """95 % interval of P(X > Y) by Newcombe's method 5, which holds near 0 and 1 too."""
    return 1 - _upper(1 - area, m, n), _upper(area, m, n)


def _upper(area: float, m: int, n: int) -> float:
    """Bisect for the probability that would make what was seen just likely enough."""
    z = float(stats.norm.ppf(0.975))
    star = (m + n) / 2 - 1
    low, high = area, 1.0
    for _ in range(50):
        theta = (low + high) / 2
        bracket = 1 + star * (1 - theta) / (2 - theta) + star * theta / (1 + theta)
        error = math.sqrt(theta * (1 - theta) * bracket / (m * n))
        low, high = (theta, high) if theta - area < z * error else (low, theta)
    return (low + high) / 2
