"""A ground's pattern is sharp near by, and even where a pixel covers much of it."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.render import backend
from clearcoat.render.ground_pattern import Pattern, averages


def _eval(pattern: np.ndarray, u: np.ndarray, v: np.ndarray, texels: float) -> np.ndarray:
    mi = backend.load()
    place = mi.Point2f(u.astype(np.float32), v.astype(np.float32))
    return np.array(Pattern(pattern, mi).eval(place, mi.Float(texels), True))


def _noise(rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 1.5, (rows, columns)).astype(np.float32)


def test_a_pixel_of_a_texel_sees_the_pattern_itself() -> None:
    pattern = _noise(16, 16)
    at = (np.arange(16) + 0.5) / 16
    v, u = np.meshgrid(at, at, indexing="ij")
    assert _eval(pattern, u.ravel(), v.ravel(), 0.3) == pytest.approx(pattern.ravel(), abs=1e-4)


def test_a_pixel_of_four_texels_sees_the_mean_of_sixteen() -> None:
    pattern = _noise(32, 32)
    at = (np.arange(8) + 0.5) / 8
    v, u = np.meshgrid(at, at, indexing="ij")
    boxes = pattern.reshape(8, 4, 8, 4).mean(axis=(1, 3))
    assert _eval(pattern, u.ravel(), v.ravel(), 4.0) == pytest.approx(boxes.ravel(), abs=1e-4)


def test_a_pixel_of_the_whole_pattern_sees_its_mean() -> None:
    pattern = _noise(64, 64)
    seen = _eval(pattern, np.linspace(0, 3, 50), np.linspace(-2, 1, 50), 1e6)
    assert seen == pytest.approx(pattern.mean(), abs=1e-3)


def test_averages_keep_the_mean_and_lose_contrast_as_a_box_of_their_width_does() -> None:
    pattern = _noise(1024, 1024)
    stack = averages(pattern)
    assert stack.mean(axis=(1, 2)) == pytest.approx(pattern.mean(), abs=1e-4)
    for level in range(1, 5):
        side = 4 * 2**level
        count = pattern.shape[0] // side
        box = pattern.reshape(count, side, count, side).mean(axis=(1, 3))
        assert stack[level].std() == pytest.approx(box.std(), rel=0.2)


def test_a_pattern_that_four_does_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        averages(_noise(6, 8))
