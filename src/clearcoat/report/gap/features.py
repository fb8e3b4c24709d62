"""The gap as a trained encoder sees it: are photos and renders one cloud of points, or two?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clearcoat.dataset import Dataset
from clearcoat.dataset.subsets import permuted
from clearcoat.training import load_model, pack

FloatArray = NDArray[np.float64]
_KEPT = 16
"""Directions that features are reduced to: more cannot be told from so few images."""
_ROUNDING = 1e-6
_FOLDS = 5
_BATCH = 32
FARTHEST = 8


@dataclass(frozen=True)
class FeatureGap:
    """Photos and renders in the space of an encoder's deepest map, averaged over the image."""

    run: str
    separability: float
    """Probability that a linear classifier, tried on images it has not seen, ranks a render above
    a photo: 0.5 is one cloud, 1 is two."""
    low: float
    """95 % interval of it, from resampled images."""
    high: float
    distance: float | None
    """Fréchet distance (doi 10.48550/arXiv.1706.08500) in the reduced space; None where one set
    has fewer than two images."""
    by_chance: float | None
    """What no gap at all would give: the median where the same images are dealt at random into
    two sets of these sizes."""
    farthest: tuple[tuple[int, float], ...]
    """Photos least like any render: record, and the distance to the nearest one over the
    photos' median."""


def compare_features(
    run: Path,
    real: Dataset,
    synthetic: Dataset,
    numbers: tuple[Sequence[int], Sequence[int]],
    device: str = "cpu",
) -> FeatureGap:
    """Compare records (of photos, of renders) by the encoder of a finished run.

    Raises RunError where there is no run, DatasetError for a damaged record.
    """
    a, b = (
        encode(run, dataset, chosen, device)
        for dataset, chosen in zip((real, synthetic), numbers, strict=True)
    )
    a, b = reduced(a, b)
    area, low, high = separability(a, b)
    nearest = np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=2)).min(axis=1)
    far = np.argsort(-nearest, kind="stable")[:FARTHEST]
    middle = float(np.median(nearest)) or 1.0
    return FeatureGap(
        run=str(run),
        separability=area,
        low=low,
        high=high,
        distance=frechet(a, b),
        by_chance=by_chance(a, b),
        farthest=tuple((int(numbers[0][row]), float(nearest[row] / middle)) for row in far),
    )


def encode(run: Path, dataset: Dataset, numbers: Sequence[int], device: str) -> FloatArray:
    """(N, C) mean over the image of the deepest map of the encoder."""
    model, config, _ = load_model(run, device)
    images = pack(dataset, numbers, config.size).images
    caught: list[Tensor] = []

    def catch(_: object, __: object, output: Tensor | list[Tensor]) -> None:
        deepest = output if isinstance(output, Tensor) else output[-1]
        caught.append(deepest.float().mean(dim=(2, 3)).cpu())

    handle = model.encoder_part.register_forward_hook(catch)
    try:
        where = next(model.parameters()).device
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                model(images[start : start + _BATCH].to(where))
    finally:
        handle.remove()
    return np.asarray(torch.cat(caught).numpy(), dtype=np.float64)


def reduced(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both in the leading directions of all together, each scaled to unit variance."""
    # Equal weight to both: renders are many, and would choose the directions alone.
    weights = np.concatenate([np.full(len(a), 0.5 / len(a)), np.full(len(b), 0.5 / len(b))])
    together = np.concatenate([a, b])
    centred = together - weights @ together
    kept = min(_KEPT, together.shape[1], max(1, min(len(a), len(b)) // 4))
    _, scale, directions = np.linalg.svd(centred * np.sqrt(weights)[:, None], full_matrices=False)
    # Features are of single precision: what varies by less is rounding, and both are one point.
    used = scale[:kept] > _ROUNDING * float(np.abs(together).max(initial=0))
    points = centred @ directions[:kept][used].T / scale[:kept][used]
    return points[: len(a)], points[len(a) :]


def by_chance(a: FloatArray, b: FloatArray, *, draws: int = 50, seed: int = 0) -> float | None:
    """Median Fréchet distance of both mixed and dealt again, to sets of the same sizes.

    Of the same sizes, since the distance is biased upwards, the more the fewer the points.
    """
    together = np.concatenate([a, b])
    random = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        order = random.permutation(len(together))
        distance = frechet(together[order[: len(a)]], together[order[len(a) :]])
        if distance is None:
            return None
        found.append(distance)
    return float(np.median(found))


def frechet(a: FloatArray, b: FloatArray) -> float | None:
    """Fréchet distance between the normal distributions with the same moments.

    None with fewer than two points on a side, which have no spread.
    """
    if min(len(a), len(b)) < 2:
        return None
    if a.shape[1] == 0:
        return 0.0
    first, second = (np.atleast_2d(np.cov(points, rowvar=False)) for points in (a, b))
    # The trace of the root of a product is the sum of the roots of its eigenvalues.
    eigenvalues = np.linalg.eigvals(first @ second).real
    mixed = float(np.sqrt(np.maximum(eigenvalues, 0)).sum())
    shift = float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum())
    return math.sqrt(max(0.0, shift + float(np.trace(first) + np.trace(second)) - 2 * mixed))


def separability(
    a: FloatArray, b: FloatArray, *, draws: int = 400, seed: int = 0
) -> tuple[float, float, float]:
    """Cross-validated area under the curve of Fisher's linear discriminant, with 95 % interval."""
    scores = [np.empty(len(points)) for points in (a, b)]
    folds = [np.array(permuted(range(len(points)), "holdout", seed)) % _FOLDS for points in (a, b)]
    for fold in range(_FOLDS):
        inside = [points[where != fold] for points, where in zip((a, b), folds, strict=True)]
        pooled = sum(
            (np.atleast_2d(np.cov(points, rowvar=False)) for points in inside),
            np.zeros((a.shape[1], a.shape[1])),
        )
        axis = inside[1].mean(axis=0) - inside[0].mean(axis=0)
        variance = float(np.trace(pooled)) / max(1, len(pooled))
        # Where neither set varies, the line between their points is all there is.
        if variance > _ROUNDING**2:
            axis = np.linalg.solve(pooled + 0.1 * variance * np.eye(len(pooled)), axis)
        for score, points, where in zip(scores, (a, b), folds, strict=True):
            score[where == fold] = points[where == fold] @ axis
    random = np.random.default_rng(seed)
    samples = [
        _area(random.choice(scores[0], len(a)), random.choice(scores[1], len(b)))
        for _ in range(draws)
    ]
    low, high = np.quantile(samples, [0.025, 0.975])
    return _area(*scores), float(low), float(high)


def _area(a: FloatArray, b: FloatArray) -> float:
    """P(b > a), ties half."""
    ordered = np.sort(a)
    below = np.searchsorted(ordered, b, "left") + np.searchsorted(ordered, b, "right")
    return float(below.mean() / (2 * len(a)))
