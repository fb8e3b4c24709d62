"""The gap in features: sets without variance."""

from __future__ import annotations

import numpy as np

from clearcoat.report.gap.features import reduced, separability


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
