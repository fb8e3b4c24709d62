"""Mean IoU against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import jaccard_score

from clearcoat.training import IoUCounter
from clearcoat.training.arrays import Targets

CLASSES = ("a", "b", "c", "never")


def _case(seed: int) -> tuple[torch.Tensor, Targets]:
    random = torch.Generator().manual_seed(seed)
    probabilities = torch.rand(5, 4, 9, 7, generator=random)
    counted = (torch.rand(5, 1, 9, 7, generator=random) < 0.8).float()
    members = (torch.rand(5, 4, 9, 7, generator=random) < 0.4).float() * counted
    probabilities[:, 3], members[:, 3] = 0.0, 0.0
    return probabilities, Targets(members, counted)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_scikit_learn(seed: int) -> None:
    probabilities, targets = _case(seed)
    counter = IoUCounter(CLASSES, torch.device("cpu"))
    for row in (slice(0, 2), slice(2, 5)):
        counter.add(probabilities[row], Targets(targets.members[row], targets.counted[row]))
    score = counter.score()
    kept = targets.counted[:, 0].numpy() > 0
    truth = targets.members.permute(0, 2, 3, 1).numpy()[kept].astype(int)
    predicted = (probabilities.permute(0, 2, 3, 1).numpy()[kept] >= 0.5).astype(int)
    expected = jaccard_score(truth[:, :3], predicted[:, :3], average=None)
    np.testing.assert_allclose(score.iou[:3], expected, rtol=1e-12)
    assert score.mean_iou == pytest.approx(expected.mean())
    per_image = [
        jaccard_score(
            targets.members[i].permute(1, 2, 0).numpy()[kept[i]].astype(int)[:, :3],
            (probabilities[i].permute(1, 2, 0).numpy()[kept[i]] >= 0.5).astype(int)[:, :3],
            average="macro",
        )
        for i in range(5)
    ]
    assert score.per_image_mean_iou == pytest.approx(np.mean(per_image), rel=1e-6)
    assert score.image_count == 5
    counts = np.array(score.per_image)
    assert counts.shape == (5, 2, 4)
    np.testing.assert_array_equal(counts.sum(axis=0), [score.intersection, score.union])


def test_a_class_that_nothing_shows_or_predicts_does_not_count() -> None:
    probabilities, targets = _case(0)
    counter = IoUCounter(CLASSES, torch.device("cpu"))
    counter.add(probabilities, targets)
    score = counter.score()
    assert score.iou[3] is None
    assert score.absent == ("never",)
    assert score.as_json()["per_class"]["never"]["iou"] is None


def test_a_class_only_predicted_counts_as_zero() -> None:
    counter = IoUCounter(("a",), torch.device("cpu"))
    counter.add(torch.ones(1, 1, 2, 2), Targets(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)))
    assert counter.score().mean_iou == 0.0


def test_half_a_probability_is_enough() -> None:
    counter = IoUCounter(("a",), torch.device("cpu"))
    one = torch.ones(1, 1, 1, 1)
    counter.add(0.5 * one, Targets(one, one))
    assert counter.score().mean_iou == 1.0


def test_nothing_counted_has_no_mean() -> None:
    score = IoUCounter(("a",), torch.device("cpu")).score()
    assert score.mean_iou is None
    assert score.per_image_mean_iou is None
