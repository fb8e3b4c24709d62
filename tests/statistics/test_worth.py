"""What renders are worth, where the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clearcoat.statistics import Curve, Worth, synthetic_scaling

PHOTOS = Curve("power", 0.75, 1.5, 0.45, 0.0)
REAL, SYNTHETIC = (16, 32, 64, 128, 256), (0, 64, 256, 1024)
# Planted: so many renders do what one photo does.
PER_PHOTO = 20


def _grid(seed: int, spread: float = 0.004, runs: int = 5) -> dict[tuple[int, int], list[float]]:
    random = np.random.default_rng(seed)
    return {
        (real, synthetic): [
            float(PHOTOS.at([real + synthetic / PER_PHOTO])[0] + spread * noise)
            for noise in random.standard_normal(runs)
        ]
        for real in REAL
        for synthetic in SYNTHETIC
    }


def test_exact_scores_give_the_planted_worth() -> None:
    worth = Worth(_grid(0, spread=0.0), draws=20)
    for real, synthetic in ((16, 64), (32, 256), (64, 1024)):
        found = worth.equivalent(real, synthetic)
        assert found.photos == pytest.approx(real + synthetic / PER_PHOTO, rel=0.01)
        assert found.extra == pytest.approx(synthetic / PER_PHOTO, rel=0.05)
    rate = worth.exchange_rate(32, 64, 256)
    assert rate.renders_per_photo == pytest.approx(PER_PHOTO, rel=0.05)


def test_intervals_cover_the_planted_worth() -> None:
    equivalents = [
        Worth(_grid(seed), draws=100, seed=seed).equivalent(32, 256) for seed in range(25)
    ]
    true = 32 + 256 / PER_PHOTO
    assert np.mean([found.low <= true <= found.high for found in equivalents]) > 0.85


def test_the_luck_of_a_repeat_is_no_error_of_the_worth() -> None:
    """Curve and mix of a paired design have the same photos and test images."""
    held, narrower = [], []
    repeats = {(real, s): [(0,), (1,), (2,)] for real in REAL for s in SYNTHETIC}
    for seed in range(40):
        luck = 0.03 * np.random.default_rng([seed, 1]).standard_normal(3)
        cells = {key: [*(values + luck)] for key, values in _grid(seed, runs=3).items()}
        found = Worth(cells, repeats=repeats, draws=100).equivalent(32, 256)
        apart = Worth(cells, draws=100).equivalent(32, 256)
        held.append(found.low <= 32 + 256 / PER_PHOTO <= found.high)
        narrower.append((found.high - found.low) < 0.7 * (apart.high - apart.low))
    assert np.mean(held) > 0.88
    assert np.mean(narrower) > 0.8


def test_repeats_of_one_start_count_as_one_in_a_paired_worth() -> None:
    cells = _grid(0, runs=4)
    repeats: dict[tuple[int, int], list[tuple[int, ...]]] = {
        key: [(0,), (1,), (2,), (3,)] for key in cells
    }
    cells[32, 256] = [float(np.mean(cells[32, 256][::2])), float(np.mean(cells[32, 256][1::2]))]
    repeats[32, 256] = [(0, 2), (1, 3)]
    found = Worth(cells, repeats=repeats).equivalent(32, 256)
    assert found.low < 32 + 256 / PER_PHOTO < found.high


def test_renders_alone_are_read_as_a_paired_design() -> None:
    cells = _renders_only(Curve("logarithm", 0.0, 0.05, 0.0, 0.0), 0)
    luck = 0.03 * np.random.default_rng(1).standard_normal(6)
    moved = {key: [*(np.asarray(values) + luck)] for key, values in cells.items()}
    repeats = {key: [(number,) for number in range(6)] for key in cells}
    told, apart = synthetic_scaling(moved, repeats=repeats), synthetic_scaling(moved)
    assert told is not None and apart is not None
    assert told.doubled[2] - told.doubled[1] < 0.6 * (apart.doubled[2] - apart.doubled[1])


def test_a_mix_of_one_run_is_as_uncertain_as_the_others() -> None:
    cells = _grid(0)
    cells[32, 256] = cells[32, 256][:1]
    found = Worth(cells, draws=200).equivalent(32, 256)
    several = Worth(_grid(0), draws=200).equivalent(32, 256)
    assert found.high - found.low > 1.5 * (several.high - several.low)


def test_beyond_the_curve_there_is_no_number() -> None:
    cells = _grid(0, spread=0.001)
    cells[256, 1024] = [0.9, 0.901, 0.899]
    found = Worth(cells, draws=50).equivalent(256, 1024)
    assert found.photos == math.inf and found.high == math.inf
    assert found.limit == 512


def test_renders_that_bring_nothing_have_no_exchange_rate() -> None:
    cells = {key: PHOTOS.at([key[0]] * 3).tolist() for key in _grid(0)}
    assert Worth(cells, draws=10).exchange_rate(32, 0, 64).renders_per_photo == math.inf


def test_the_cheapest_way_follows_the_prices() -> None:
    worth = Worth(_grid(0, spread=0.0005), draws=50)
    cheap_renders = worth.saving(16, 1024, 10.0, 0.01)
    assert cheap_renders.cost == pytest.approx(170.24)
    # 1,024 renders do what 51 photos do.
    assert cheap_renders.alone == pytest.approx(10 * 67, rel=0.1)
    assert cheap_renders.low <= 670 <= cheap_renders.high
    assert 0 < cheap_renders.least < cheap_renders.alone - cheap_renders.cost
    assert worth.saving(16, 1024, 10.0, 0.01, looks=20).least < cheap_renders.least
    assert worth.saving(16, 1024, 1.0, 100.0).least < 0


def test_scores_beyond_the_curve_have_no_exchange_rate() -> None:
    cells = _grid(0, spread=0.001)
    cells[256, 1024] = [0.9, 0.901, 0.899]
    assert math.isnan(Worth(cells, draws=50).exchange_rate(256, 256, 1024).renders_per_photo)
    # Near the end of what can be read, no interval says that renders are free.
    cells[256, 1024] = [float(PHOTOS.at([420])[0]) + shift for shift in (-0.01, 0.0, 0.01)]
    rate = Worth(cells, draws=200).exchange_rate(256, 256, 1024)
    assert rate.low <= rate.renders_per_photo <= rate.high
    assert rate.renders_per_photo > 2


def test_renders_that_hurt_have_no_exchange_rate_below_the_curve() -> None:
    cells = _grid(0, spread=0.001)
    # Scores that photos alone have with 2 and 4 photos, if their curve held there.
    for synthetic, photos in ((64, 2), (256, 4)):
        cells[16, synthetic] = PHOTOS.at([photos] * 3).tolist()
    assert math.isnan(Worth(cells, draws=50).exchange_rate(16, 64, 256).renders_per_photo)


def test_nothing_is_read_beyond_the_photos_where_repeats_are_no_more_than_chance() -> None:
    cells = {key: values[:1] for key, values in _grid(0).items()}
    cells[16, 0] = _grid(0)[16, 0][:2]
    repeats = {key: [(n,) for n in range(len(values))] for key, values in cells.items()}
    alone, paired = Worth(cells, draws=20), Worth(cells, repeats=repeats, draws=20)
    assert paired.band.shared is None
    assert (alone.limit, paired.limit) == (512, 256)


def test_a_ceiling_is_no_score_that_cannot_be() -> None:
    seen = set()
    for seed in range(30):
        rising = _renders_only(Curve("power", 1.3, 1.4, 0.09, 0.0), seed)
        found = synthetic_scaling(rising, draws=60)
        assert found is not None
        seen.add(found.band.curve.shape)
        if found.ceiling is not None:
            top, low, high = found.ceiling
            assert low <= top < 1 and (high < 1 or math.isinf(high))
    assert "power" in seen


def _renders_only(curve: Curve, seed: int) -> dict[tuple[int, int], list[float]]:
    random = np.random.default_rng(seed)
    return {
        (0, count): [float(v) for v in curve.at([count] * 6) + 0.004 * random.standard_normal(6)]
        for count in (64, 256, 1024, 4096)
    }


def test_a_ceiling_tells_better_renders_from_more() -> None:
    flat = synthetic_scaling(_renders_only(Curve("power", 0.30, 1.0, 0.6, 0.0), 0))
    assert flat is not None and flat.ceiling is not None
    assert flat.largest == 4096
    assert flat.ceiling[1] <= 0.30 <= flat.ceiling[2]
    assert 0 <= flat.doubled[0] < 0.01
    rising = synthetic_scaling(_renders_only(Curve("logarithm", 0.0, 0.05, 0.0, 0.0), 0))
    assert rising is not None
    assert rising.doubled[0] == pytest.approx(0.05 * math.log(2), rel=0.25)
    assert rising.ceiling is None or rising.ceiling[0] > 0.5
    assert synthetic_scaling({(0, 64): [0.1, 0.2]}) is None


def test_a_ceiling_that_may_be_none_has_no_upper_end() -> None:
    bent = Curve("power", 0.5, 0.3, 0.15, 0.0)
    found = [synthetic_scaling(_renders_only(bent, seed), draws=100) for seed in range(6)]
    ceilings = [one.ceiling for one in found if one is not None and one.ceiling is not None]
    assert any(math.isinf(above) for _, _, above in ceilings)
    assert all(bottom <= top < math.inf for top, bottom, _ in ceilings)


def test_too_little_to_tell() -> None:
    two = {(16, 0): [0.4, 0.41], (256, 0): [0.5, 0.51], (16, 64): [0.5, 0.6]}
    with pytest.raises(ValueError, match="3 counts of photos, got 2"):
        # Two bend no curve: nothing tells what lies between them.
        Worth(two)
    with pytest.raises(ValueError, match="two runs"):
        Worth({(16, 0): [0.4], (32, 0): [0.45], (64, 0): [0.5], (16, 64): [0.5, 0.6]})
    assert synthetic_scaling({(0, 64): [0.1], (0, 256): [0.2]}) is None


def test_of_many_mixes_that_bring_nothing_none_is_sold() -> None:
    """Each is looked at, so that the best of a hundred must pass a bound for a hundred."""
    counts = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
    renders = (0, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
    claimed = 0
    for seed in range(12):
        random = np.random.default_rng(seed)
        cells = {
            (real, synthetic): 0.72 - 1.9 * real**-0.55 + 0.02 * random.standard_normal(5)
            for real in counts
            for synthetic in renders
        }
        best = Worth(cells, seed=seed).best_saving(4.0, 0.0)
        assert best is not None and best[1] == 100
        claimed += best[0].least > 0
    # As if each were the only one, 8 of these 12 claim a saving.
    assert claimed <= 1


def test_photos_that_cost_less_and_score_as_much_leave_nothing_to_save() -> None:
    random = np.random.default_rng(0)
    cells = {
        (real, synthetic): 0.4 + 0.012 * random.standard_normal(5)
        for real in (16, 64, 256)
        for synthetic in (0, 1024)
    }
    cells[64, 1024] = cells[64, 0] + 0.004
    saved = Worth(cells).saving(64, 1024, 4.0, 0.02, margin=0.01)
    assert saved.as_good in (16, 64) and saved.least <= 0
