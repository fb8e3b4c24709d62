"""The gap in features: sets without variance, and what chance alone gives."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.report.gap.features import by_chance, frechet, reduced, separability


def test_two_points_are_told_apart_and_one_is_not() -> None:
    # What an encoder makes of images that are all alike, as on a grey test set.
    one, other = np.full((20, 4), 0.3), np.full((30, 4), 0.7)
    assert separability(*reduced(one, other)) == (1.0, 1.0, 1.0)
    # Single precision: the same value does not come out the same in every batch.
    noise = 1e-8 * np.random.default_rng(0).standard_normal((30, 4))
    for points in (np.full((30, 4), 0.3), 0.3 + noise, np.zeros((30, 4))):
        a, b = reduced(one if points.any() else 0 * one, points)
        assert a.shape[1] == b.shape[1] == 0
        assert separability(a, b) == (0.5, 0.5, 0.5)


def test_chance_gives_the_distance_of_sets_of_the_same_sizes() -> None:
    random = np.random.default_rng(0)
    distances, expected = [], []
    for _ in range(12):
        a, b = random.standard_normal((20, 5)), random.standard_normal((100, 5))
        distances.append(frechet(a, b))
        expected.append(by_chance(a, b))
    # Two halves of the 20 would be some 1.7 times as far apart.
    assert np.median(expected) == pytest.approx(np.median(distances), rel=0.15)
    assert frechet(a[:1], b) is None and by_chance(a, b[:1]) is None
    assert by_chance(a, b + 3) < 0.5 * frechet(a, b + 3)
