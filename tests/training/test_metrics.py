"""Mean IoU against scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, jaccard_score

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


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 6))
def test_agrees_with_scikit_learns_confusion(seed: int, images: int, classes: int) -> None:
    """One class per pixel or none, ignored pixels, absent classes, images without any label."""
    random = torch.Generator().manual_seed(seed)
    shape = (images, 6, 5)
    used = int(torch.randint(1, classes + 1, (), generator=random))
    truth, found = (
        torch.where(
            torch.rand(images, 1, 1, generator=random) < 0.3,
            classes,
            torch.randint(0, used + 1, shape, generator=random),
        )
        for _ in range(2)
    )
    truth = torch.where(truth == used, classes, truth)
    found = torch.where(found == used, classes, found)
    counted = torch.rand(images, 1, 6, 5, generator=random) < 0.8
    counted[0] &= torch.rand((), generator=random) < 0.8
    members = torch.stack([truth == c for c in range(classes)], dim=1).float() * counted
    probabilities = torch.stack([found == c for c in range(classes)], dim=1).float()

    names = tuple(f"c{number}" for number in range(classes))
    counter = IoUCounter(names, torch.device("cpu"), detailed=True)
    counter.add(probabilities, Targets(members, counted.float()))
    score = counter.score()
    kept = counted[:, 0]
    labels = list(range(classes + 1))
    matrix = (
        confusion_matrix(truth[kept], found[kept], labels=labels)
        if kept.any()
        else np.zeros((classes + 1, classes + 1), int)
    )
    np.testing.assert_array_equal(score.confusion, matrix)
    both = np.diag(matrix)[:-1]
    either = (matrix.sum(axis=0) + matrix.sum(axis=1))[:-1] - both
    expected = tuple(int(b) / int(e) if e else None for b, e in zip(both, either, strict=True))
    assert score.iou == expected
    seen = [value for value in expected if value is not None]
    assert score.mean_iou == (sum(seen) / len(seen) if seen else None)
    for row in range(images):
        inside = counted[row, 0]
        for c in range(classes):
            one, other = truth[row][inside] == c, found[row][inside] == c
            shared, either = score.per_image[row]
            assert shared[c] == (one & other).sum() and either[c] == (one | other).sum()


def test_overlapping_classes_count_in_several_places_of_the_confusion() -> None:
    counter = IoUCounter(("a", "b"), torch.device("cpu"), detailed=True)
    truth = torch.tensor([1.0, 1.0]).view(1, 2, 1, 1)
    counter.add(torch.tensor([1.0, 0.0]).view(1, 2, 1, 1), Targets(truth, torch.ones(1, 1, 1, 1)))
    assert counter.score().confusion == ((1, 0, 0), (1, 0, 0), (0, 0, 0))


def test_details_are_in_the_json_and_boundaries_of_a_perfect_answer_agree() -> None:
    counter = IoUCounter(("a", "b"), torch.device("cpu"), detailed=True)
    truth = torch.zeros(2, 2, 8, 8)
    truth[0, 0, 2:6, 2:6] = 1
    counter.add(truth, Targets(truth, torch.ones(2, 1, 8, 8)))
    content = counter.score().as_json()
    assert content["per_class"]["a"]["boundary_f"] == 1.0
    assert content["per_class"]["b"]["boundary_f"] is None
    assert content["mean_boundary_f"] == 1.0
    assert content["confusion"] == {
        "names": ["a", "b", "background"],
        "pixels": [[16, 0, 0], [0, 0, 0], [0, 0, 112]],
    }
    assert json.loads(json.dumps(content)) == content
