"""Learning curves: planted ones are found again, within bands that cover them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clearcoat.statistics import Curve, curve_band, fit_curve

COUNTS = [16, 32, 64, 128, 256, 512]
TRUE = Curve("power", 0.7, 1.2, 0.4, 0.0)


def _runs(
    curve: Curve, seed: int, runs: int = 5, spread: float = 0.01
) -> tuple[list[float], list[float]]:
    counts = np.repeat(COUNTS, runs).astype(float)
    noise = spread * np.random.default_rng(seed).standard_normal(len(counts))
    return list(counts), list(curve.at(counts) + noise)


@pytest.mark.parametrize("curve", [TRUE, Curve("logarithm", 0.1, 0.08, 0.0, 0.0)])
def test_exact_values_give_the_curve_back(curve: Curve) -> None:
    counts, values = _runs(curve, 0, spread=0.0)
    found = fit_curve(counts, values)
    assert found.shape == curve.shape
    np.testing.assert_allclose((found.a, found.b, found.c), (curve.a, curve.b, curve.c), rtol=0.03)


@pytest.mark.parametrize("curve", [TRUE, Curve("logarithm", 0.1, 0.08, 0.0, 0.0)])
def test_the_number_for_a_score_undoes_the_curve(curve: Curve) -> None:
    for count in (20.0, 100.0, 1000.0):
        assert curve.count_for(float(curve.at([count])[0])) == pytest.approx(count)
    assert TRUE.count_for(0.71) == math.inf
    flat = Curve("logarithm", 0.5, 0.0, 0.0, 0.0)
    assert flat.count_for(0.6) == math.inf and flat.count_for(0.4) == 1.0


def test_what_falls_is_shown_flat() -> None:
    found = fit_curve([16, 32, 64] * 2, [0.5, 0.4, 0.3] * 2)
    assert found.b == 0
    assert float(found.at([1000])[0]) == pytest.approx(0.4)


def test_bands_cover_the_planted_curve() -> None:
    held = []
    for seed in range(25):
        band = curve_band(*_runs(TRUE, seed), shape="power", draws=120, seed=seed)
        low, high = band.range_at(COUNTS)
        held.append((low <= TRUE.at(COUNTS)) & (TRUE.at(COUNTS) <= high))
        ceiling = band.range_of_ceiling()
        assert ceiling is not None and ceiling[0] <= ceiling[1]
    assert 0.85 < np.mean(held) <= 1.0


def test_bands_cover_although_few_runs_choose_the_wrong_shape() -> None:
    bent = Curve("power", 0.9, 0.9, 0.15, 0.0)
    held, shapes = [], set()
    for seed in range(40):
        band = curve_band(*_runs(bent, seed, runs=6, spread=0.015), draws=100, seed=seed)
        low, high = band.range_at([1024])
        held.append(low[0] <= bent.at([1024])[0] <= high[0])
        shapes.add(band.curve.shape)
        top, ends = band.curve.ceiling, band.range_of_ceiling()
        assert (ends is None) == (top is None)
        assert ends is None or top is None or ends[0] <= top <= ends[1]
    assert len(shapes) == 2
    assert np.mean(held) > 0.85


def test_single_runs_do_not_narrow_the_band() -> None:
    counts, values = _runs(TRUE, 3, runs=3, spread=0.02)
    single = [2 * count for count in COUNTS]
    mixed = [*values, *TRUE.at(single)]
    widths = []
    for n, y in ((counts, values), ([*counts, *single], mixed)):
        low, high = curve_band(n, y, shape="power", draws=400).range_at([8])
        widths.append(float((high - low)[0]))
    # Counts of one run each have no residuals of their own, and add none of zero to the pool.
    assert widths[1] > 0.7 * widths[0]
    with pytest.raises(ValueError, match="two runs"):
        curve_band(single, list(TRUE.at(single)))


def test_more_runs_narrow_the_band() -> None:
    def width(runs: int) -> float:
        low, high = curve_band(*_runs(TRUE, 1, runs), shape="power", draws=100).range_at([256])
        return float((high - low)[0])

    assert width(20) < width(3)


@pytest.mark.parametrize("runs", [3, 6])
def test_bands_cover_where_repeats_move_the_whole_curve(runs: int) -> None:
    """A paired design: a repeat has the same photos and test images at every count."""
    labels = [(repeat,) for _ in COUNTS for repeat in range(runs)]
    held: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(60):
        counts, values = _runs(TRUE, seed, runs, spread=0.01)
        luck = 0.02 * np.random.default_rng([seed, 1]).standard_normal(runs)
        values = list(values + np.tile(luck, len(COUNTS)))
        for told in held:
            band = curve_band(counts, values, repeats=labels if told else None, draws=100)
            low, high = band.range_at([64, 256])
            held[told].append(
                float(np.mean((low <= TRUE.at([64, 256])) & (TRUE.at([64, 256]) <= high)))
            )
    assert np.mean(held[True]) > 0.88
    # Run by run, the luck of a repeat would seem to be as many chances as there are counts.
    assert np.mean(held[False]) < 0.85


@pytest.mark.parametrize("runs", [2, 3])
def test_what_twice_as_many_images_bring_is_covered(runs: int) -> None:
    """Of three counts with two runs each a power law must not be ruled out beforehand."""
    true, counts = Curve("power", 0.739, 1.437, 0.361, 0.0), [16, 64, 256]
    labels = [(repeat,) for _ in counts for repeat in range(runs)]
    gain, held = float(np.diff(true.at([256, 512]))[0]), []
    for seed in range(40):
        random = np.random.default_rng(seed)
        luck = 0.025 * random.standard_normal(runs)
        noise = 0.012 * random.standard_normal((len(counts), runs))
        values = (true.at(counts)[:, None] + luck + noise).ravel().tolist()
        band = curve_band(np.repeat(counts, runs).tolist(), values, repeats=labels, draws=150)
        rises = [float(np.diff(curve.at([256, 512]))[0]) for curve in band.draws]
        low, high = np.quantile(rises, [0.025, 0.975])
        held.append(low <= gain <= high)
    # With the correction for few points in 11 %.
    assert np.mean(held) > 0.8


def test_repeats_that_no_two_counts_share_are_single_runs() -> None:
    counts, values = _runs(TRUE, 0, 3)
    labels = [(number,) for number in range(len(counts))]
    apart = curve_band(counts, values, repeats=labels, draws=20)
    assert apart.shared is None
    np.testing.assert_array_equal(
        apart.range_at([64]), curve_band(counts, values, draws=20).range_at([64])
    )
    alike = curve_band(counts, values, repeats=[(0,)] * len(counts), draws=20)
    assert alike.shared is None


def test_too_little_to_fit() -> None:
    with pytest.raises(ValueError, match="two different"):
        fit_curve([16, 16], [0.1, 0.2])
    with pytest.raises(ValueError, match="three different"):
        fit_curve([16, 32], [0.1, 0.2], "power")
    with pytest.raises(ValueError, match="1 or more"):
        fit_curve([0, 32], [0.1, 0.2])
    assert fit_curve([16, 32], [0.1, 0.2]).shape == "logarithm"
