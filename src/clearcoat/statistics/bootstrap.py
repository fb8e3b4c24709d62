"""The hierarchical bootstrap: models vary with their seed, and the test images are a sample too.

A t interval over runs answers "what would other seeds give on these images"; this one answers
"what would other seeds give on other images of the same kind". Images are drawn again; runs, of
which there are few, spread as Student's t says: three of them resampled have ten different means,
whose percentiles end at the outermost run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcoat.statistics.intervals import LEVEL, Interval

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScoredRun:
    """What a run got right, image by image."""

    images: Hashable
    """Which set of images: runs with the same one saw the same images in the same order."""
    counts: FloatArray
    """(images, 2, classes): pixels of intersection and of union."""

    def __post_init__(self) -> None:
        if self.counts.ndim != 3 or self.counts.shape[1] != 2 or not self.counts.shape[0]:
            raise ValueError(f"counts: expected (images, 2, classes), got {self.counts.shape}")

    @property
    def mean_iou(self) -> float:
        """Over all images, every class that occurs alike."""
        return float(_mean_iou(np.ones((1, len(self.counts))), self.counts)[0])


Scored = ScoredRun | Sequence[ScoredRun]
"""A run, or several that share some of their chance and therefore count as one, at their mean."""


def mean_iou_interval(
    runs: Sequence[Scored], *, draws: int = 2000, seed: int = 0, level: float = LEVEL
) -> Interval:
    """Return the mean over runs of mean IoU, with a percentile interval over runs and images.

    One run has no interval, since images tell nothing of what other seeds would give; this
    holds for one run on a side of all the differences here, too. Raises ValueError without runs.
    """
    samples, estimate = _sample([runs], draws, seed)
    return _interval(samples[0], estimate[0], len(runs), level)


def mean_iou_difference(
    a: Sequence[Scored],
    b: Sequence[Scored],
    *,
    draws: int = 2000,
    seed: int = 0,
    level: float = LEVEL,
    paired: bool = False,
) -> Interval:
    """Return mean(a) - mean(b) in mean IoU; both sides see the same resampled images.

    Paired: run a[i] belongs to b[i], and both are drawn together.
    Raises ValueError without runs, and for pairs of unequal number.
    """
    if paired and len(a) != len(b):
        raise ValueError(f"pairs: {len(a)} runs against {len(b)}")
    samples, estimate = _sample([a, b], draws, seed, groups=[0, 0] if paired else None)
    count = min(len(a), len(b))
    return _interval(samples[0] - samples[1], estimate[0] - estimate[1], count, level)


def class_iou_difference(
    a: Sequence[Scored],
    b: Sequence[Scored],
    number: int,
    *,
    draws: int = 2000,
    seed: int = 0,
    level: float = LEVEL,
    paired: bool = False,
) -> Interval:
    """Return mean(a) - mean(b) in the IoU of one class, as `mean_iou_difference` does.

    Draws of images in which neither truth nor a prediction shows the class say nothing and are
    left out; no interval where they are most. Raises ValueError where no image shows it.
    """

    def measure(weights: FloatArray, counts: FloatArray) -> FloatArray:
        shared, either = (weights @ counts[:, :, number]).T
        nothing = np.full_like(shared, np.nan)
        return np.asarray(np.divide(shared, either, out=nothing, where=either > 0))

    groups = [0, 0] if paired else None
    samples, estimate = _sample([a, b], draws, seed, groups=groups, measure=measure)
    difference = estimate[0] - estimate[1]
    if math.isnan(difference):
        raise ValueError(f"no image shows class {number}")
    told = samples[0] - samples[1]
    told = told[~np.isnan(told)]
    count = min(len(a), len(b))
    if len(told) < draws / 2:
        return Interval(difference, None, None, level, count)
    return _interval(told, difference, count, level)


def gain_difference(
    first: tuple[Sequence[Scored], Sequence[Scored]],
    second: tuple[Sequence[Scored], Sequence[Scored]],
    *,
    draws: int = 2000,
    seed: int = 0,
    level: float = LEVEL,
    paired: bool = False,
) -> Interval:
    """Return by how much a gain in mean IoU is larger on the `first` images than on the `second`.

    Each is (models, baselines): the same models on two sets of images, so that a model is drawn
    for both at once and each set of images by itself. Paired: model i belongs to baseline i.
    Raises ValueError without runs, and for sides of unequal number that belong together.
    """
    sides = [*first, *second]
    groups = [0, 0, 0, 0] if paired else [0, 1, 0, 1]
    for number in set(groups):
        counts = {len(side) for side, group in zip(sides, groups, strict=True) if group == number}
        if len(counts) > 1:
            raise ValueError(f"the same models have different numbers of runs: {sorted(counts)}")
    (a, b, c, d), (w, x, y, z) = _sample(sides, draws, seed, groups=groups)
    count = min(len(side) for side in sides)
    return _interval((a - b) - (c - d), (w - x) - (y - z), count, level)


def _mean_iou(weights: FloatArray, counts: FloatArray) -> FloatArray:
    """(draws, images) weights and (images, 2, classes) counts to (draws,) mean IoU."""
    images, _, classes = counts.shape
    sums = (weights @ counts.reshape(images, 2 * classes)).reshape(-1, 2, classes)
    shared, either = sums[:, 0], sums[:, 1]
    occurs = either > 0
    ratio = np.divide(shared, either, out=np.zeros_like(shared), where=occurs)
    return np.asarray(ratio.sum(axis=1) / np.maximum(1, occurs.sum(axis=1)))


def _sample(
    sides: Sequence[Sequence[Scored]],
    draws: int,
    seed: int,
    *,
    groups: Sequence[int] | None = None,
    measure: Callable[[FloatArray, FloatArray], FloatArray] = _mean_iou,
) -> tuple[list[FloatArray], list[float]]:
    """Per side (draws,) resampled means and the mean itself; sides of a group share their luck.

    Without groups each side has its own.
    """
    if not all(sides):
        raise ValueError("a bootstrap needs one run or more on each side")
    random = np.random.default_rng(seed)
    weights: dict[Hashable, FloatArray] = {}
    for run in (run for side in sides for one in side for run in _runs(one)):
        count = len(run.counts)
        if run.images not in weights:
            shares = np.full(count, 1 / count)
            weights[run.images] = random.multinomial(count, shares, size=draws).astype(float)
        elif weights[run.images].shape[1] != count:
            raise ValueError(f"runs on the images {run.images!r} have different numbers of them")
    samples, estimates = [], []
    luck: dict[int, FloatArray] = {}
    for side, group in zip(sides, groups or range(len(sides)), strict=True):
        scores = np.stack(
            [
                np.mean([measure(weights[r.images], r.counts) for r in _runs(one)], axis=0)
                for one in side
            ]
        )
        centre = scores.mean(axis=0)
        if group not in luck:
            luck[group] = _luck(len(side), draws, random)
        # In each draw of images the runs differ as they do on these.
        samples.append(centre + np.einsum("dr,rd->d", luck[group], scores - centre))
        ones = [
            np.mean([measure(np.ones((1, len(r.counts))), r.counts)[0] for r in _runs(one)])
            for one in side
        ]
        estimates.append(float(np.mean(ones)))
    return samples, estimates


def _luck(count: int, draws: int, random: np.random.Generator) -> FloatArray:
    """(draws, runs) weights of runs' deviations that make Student's t of their mean.

    The same weights on both sides of a difference make that of the difference of pairs.
    """
    if count < 2:
        return np.zeros((draws, count))
    heavy = np.sqrt((count - 1) / random.chisquare(count - 1, size=(draws, 1)))
    normal = random.standard_normal((draws, count))
    return np.asarray(heavy * normal / math.sqrt(count * (count - 1)))


def _runs(one: Scored) -> Sequence[ScoredRun]:
    return [one] if isinstance(one, ScoredRun) else one


def _interval(samples: FloatArray, estimate: float, count: int, level: float) -> Interval:
    if count < 2:
        return Interval(estimate, None, None, level, count)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(samples, [tail, 100 - tail])
    return Interval(estimate, float(low), float(high), level, count)
