"""Measure by measure: how far renders are from photos, and what in the spec moves it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from clearcoat.report.gap.advice import advice
from clearcoat.report.gap.measures import CLASS_MEASURES, LEAST, MEASURES, FloatArray, Measured
from clearcoat.statistics import benjamini_hochberg

if TYPE_CHECKING:
    from clearcoat.report.gap.features import FeatureGap

ALPHA = 0.05
NOTABLE = 0.64
"""Probability that a render exceeds a photo (or the other way) from which a gap matters; it is
Cohen's "medium" effect of half a standard deviation."""


@dataclass(frozen=True)
class Difference:
    """One measure in photos and renders."""

    measure: str
    """Name; of a class as `class: measure`."""
    meaning: str
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
    covered: float
    """Share of photos whose value lies within the renders' range."""
    advice: str = ""
    """What to change in the spec; empty where nothing needs to be."""

    @property
    def size(self) -> float:
        """How far `above` is from a half, 0 to 0.5."""
        return abs(self.above - 0.5)

    @property
    def notable(self) -> bool:
        """Whether the gap is sure and large enough to act upon."""
        return self.p_value is not None and self.p_value < ALPHA and self.size >= NOTABLE - 0.5


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
    kept = [difference for difference in found if difference is not None]
    adjusted = benjamini_hochberg([difference.p_value for difference in kept])
    final = [replace(difference, p_value=p) for difference, p in zip(kept, adjusted, strict=True)]
    advised = [replace(d, advice=advice(d.measure, d.above) if d.notable else "") for d in final]
    ordered = tuple(sorted(advised, key=lambda d: -d.size))
    return Gap(real, synthetic, size, ordered, find_slivers(real, synthetic))


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
) -> Difference | None:
    a, b = real[np.isfinite(real)], synthetic[np.isfinite(synthetic)]
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
    # A share of images has no range: means stand in for medians.
    middle = np.mean if set(np.unique(np.concatenate([a, b]))) <= {0.0, 1.0} else np.median
    return Difference(
        name,
        meaning,
        float(middle(a)),
        (float(np.quantile(a, 0.05)), float(np.quantile(a, 0.95))),
        float(middle(b)),
        (float(ends[0]), float(ends[1])),
        above,
        low,
        high,
        p_value,
        float(((a >= ends[0]) & (a <= ends[1])).mean()),
    )


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
