"""The hierarchical bootstrap: what it estimates, and that it covers what it says."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.statistics import (
    ScoredRun,
    class_iou_difference,
    gain_difference,
    mean_iou_difference,
    mean_iou_interval,
)


def _study(
    random: np.random.Generator, runs: int, images: int, run_sd: float, image_sd: float,
    mean: float = 0.5, hard: np.ndarray | None = None,
) -> list[ScoredRun]:  # fmt: skip
    """Runs on the same images; an image is hard for all of them, a run is good at all."""
    if hard is None:
        hard = image_sd * random.standard_normal(images)
    scored = []
    for skill in run_sd * random.standard_normal(runs):
        ious = np.clip(mean + skill + hard + 0.02 * random.standard_normal(images), 0, 1)
        shared = np.round(1000 * ious)
        scored.append(ScoredRun("a", np.stack([shared, np.full(images, 1000.0)], 1)[:, :, None]))
    return scored


def test_the_estimate_is_the_score_of_all_images() -> None:
    counts = np.array([[[5, 0], [10, 0]], [[1, 3], [10, 4]]], dtype=float)
    found = mean_iou_interval([ScoredRun("a", counts)])
    assert found.estimate == pytest.approx((6 / 20 + 3 / 4) / 2)


def test_more_images_narrow_it_and_more_runs_too() -> None:
    random = np.random.default_rng(0)

    def width(runs: int, images: int) -> float:
        found = mean_iou_interval(_study(random, runs, images, 0.03, 0.15))
        assert found.low is not None and found.high is not None
        return found.high - found.low

    assert width(5, 400) < width(5, 25)
    assert width(20, 400) < width(3, 400)


def test_images_that_are_hard_for_both_cancel_in_the_difference() -> None:
    random = np.random.default_rng(1)
    hard = 0.2 * random.standard_normal(40)
    a = _study(random, 5, 40, 0.01, 0, 0.55, hard)
    b = _study(random, 5, 40, 0.01, 0, 0.50, hard)
    alone, difference = mean_iou_interval(a), mean_iou_difference(a, b)
    assert None not in (alone.half_width, difference.half_width)
    assert (difference.half_width or 1) < 0.5 * (alone.half_width or 0)
    assert difference.low is not None and difference.low > 0


def test_pairs_are_drawn_together() -> None:
    random = np.random.default_rng(2)
    hard = 0.05 * random.standard_normal(40)
    b = _study(random, 6, 40, 0.10, 0, 0.4, hard)
    a = [ScoredRun(run.images, run.counts + np.array([[[50.0], [0.0]]])) for run in b]
    paired, unpaired = mean_iou_difference(a, b, paired=True), mean_iou_difference(a, b)
    assert (paired.half_width or 1) < 0.2 * (unpaired.half_width or 0)
    with pytest.raises(ValueError, match="pairs"):
        mean_iou_difference(a[:2], b, paired=True)


def test_it_is_repeatable_and_refuses_nonsense() -> None:
    runs = _study(np.random.default_rng(3), 3, 10, 0.02, 0.1)
    assert mean_iou_interval(runs, seed=4) == mean_iou_interval(runs, seed=4)
    with pytest.raises(ValueError, match="one run"):
        mean_iou_interval([])
    with pytest.raises(ValueError, match="different numbers"):
        mean_iou_interval([runs[0], ScoredRun("a", np.ones((3, 2, 1)))])
    with pytest.raises(ValueError, match="images, 2, classes"):
        ScoredRun("a", np.ones((3, 3, 1)))


def test_one_run_has_no_interval() -> None:
    [one], several = (_study(np.random.default_rng(5), n, 10, 0.02, 0.1) for n in (1, 3))
    assert mean_iou_interval([one]).low is None
    for found in (
        mean_iou_difference([one], several),
        class_iou_difference([one], several, 0),
        gain_difference(([one], [one]), ([one], [one]), paired=True),
    ):
        assert found.low is None and found.high is None and found.count == 1


def coverage(studies: int, runs: int, seed: int = 0) -> float:
    random = np.random.default_rng(seed)
    held = 0
    for _ in range(studies):
        found = mean_iou_interval(_study(random, runs, 40, 0.02, 0.1), draws=400)
        assert found.low is not None and found.high is not None
        held += found.low <= 0.5 <= found.high
    return held / studies


def test_it_covers_the_truth_about_other_images() -> None:
    assert 0.87 < coverage(120, 7) <= 1.0


def test_three_models_that_differ_much_show_no_gain_by_chance() -> None:
    """Resampled, they excluded 0 in 15 of 100 studies."""
    random = np.random.default_rng(9)
    shown = 0
    for seed in range(120):
        hard = 0.1 * random.standard_normal(40)
        a, b = (_study(random, 3, 40, 0.03, 0, 0.5, hard) for _ in range(2))
        found = mean_iou_difference(a, b, draws=300, seed=seed, paired=True)
        assert found.low is not None and found.high is not None
        shown += not found.low <= 0 <= found.high
    assert shown <= 11


def test_a_gain_that_luck_chose_shrinks_and_one_that_is_real_does_not() -> None:
    random = np.random.default_rng(7)
    tests, apart = 0.1 * random.standard_normal(60), 0.1 * random.standard_normal(60)

    def sides(gain: float, hard: np.ndarray, images: str) -> tuple[list[ScoredRun], ...]:
        """Six models that the images agree on but for their noise, and their baselines."""
        found = []
        for mean in (0.5 + gain, 0.5):
            side = np.random.default_rng(0)
            runs = _study(side, 6, 60, 0.02, 0, mean, hard)
            found.append([ScoredRun(images, run.counts) for run in runs])
        return tuple(found)

    real = gain_difference(sides(0.1, tests, "tests"), sides(0.1, apart, "apart"), paired=True)
    assert real.estimate == pytest.approx(0, abs=0.01)
    assert real.low is not None and real.high is not None and real.low < 0 < real.high
    lucky = gain_difference(sides(0.1, tests, "tests"), sides(0.04, apart, "apart"), paired=True)
    assert lucky.estimate == pytest.approx(0.06, abs=0.01)
    assert lucky.low is not None and lucky.low > 0.03
    unpaired = gain_difference(sides(0.1, tests, "tests"), sides(0.04, apart, "apart"))
    assert unpaired.estimate == pytest.approx(lucky.estimate)
    # Models cancel against themselves on the other images, paired with their baselines or not.
    assert (unpaired.half_width or 1) < 0.03


def test_sides_of_the_same_models_have_the_same_number() -> None:
    runs = _study(np.random.default_rng(0), 3, 10, 0.01, 0.01)
    with pytest.raises(ValueError, match="different numbers"):
        gain_difference((runs, runs), (runs[:2], runs))


def test_one_class_is_compared_by_its_own_pixels() -> None:
    random = np.random.default_rng(8)
    rare = random.random(30) < 0.4
    sides = []
    for lead in (0.2, 0.0):
        runs = []
        for _ in range(4):
            union = np.stack([np.full(30, 500.0), 100.0 * rare], axis=1)
            share = np.array([0.5, 0.3 + lead]) + 0.02 * random.standard_normal((30, 2))
            runs.append(ScoredRun("a", np.stack([union * share, union], axis=1)))
        sides.append(runs)
    found = class_iou_difference(*sides, 1)
    whole = [np.mean([r.counts[:, 0, 1].sum() / r.counts[:, 1, 1].sum() for r in s]) for s in sides]
    assert found.estimate == pytest.approx(whole[0] - whole[1])
    assert found.low is not None and found.high is not None
    assert 0.15 < found.low < found.high < 0.25
    other = class_iou_difference(*sides, 0)
    assert other.low is not None and other.high is not None and other.low < 0 < other.high


def test_a_class_that_hardly_any_image_shows_has_no_interval() -> None:
    counts = np.zeros((40, 2, 2))
    counts[:, 1, 0] = 10
    with pytest.raises(ValueError, match="no image shows"):
        class_iou_difference([ScoredRun("a", counts)], [ScoredRun("a", counts)], 1)
    # In one image of one split of 40: most draws of two such splits miss it in one of them.
    counts[3, :, 1] = 5
    sides = [[ScoredRun("a", counts), ScoredRun("b", counts)]] * 2
    found = class_iou_difference(*sides, 1)
    assert found.estimate == 0 and found.low is None
