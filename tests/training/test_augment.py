"""Augmentation: labels go where the pixels go, and the same seed draws the same."""

from __future__ import annotations

import pytest
import torch

from clearcoat.training import AUGMENTATIONS, Augmentation
from clearcoat.training.arrays import IGNORE
from clearcoat.training.augment import augment

SIZE = 32


def _batch(count: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """A white block on black; its label is 2, the black's is 1."""
    images = torch.zeros(count, 3, SIZE, SIZE, dtype=torch.uint8)
    labels = torch.ones(count, SIZE, SIZE, dtype=torch.uint8)
    images[:, :, 4:20, 6:14] = 255
    labels[:, 4:20, 6:14] = 2
    return images, labels


def _run(how: Augmentation, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return augment(*_batch(), how, torch.Generator().manual_seed(seed))


def test_the_papers_setting_only_flips() -> None:
    images, labels = _batch()
    flipped, flipped_labels = _run(AUGMENTATIONS["flip"])
    assert flipped.dtype == torch.uint8
    mirrored = (flipped != images).flatten(1).any(1)
    assert 0 < mirrored.sum() < len(images)
    for row, mirror in enumerate(mirrored):
        expected = (
            (images[row].flip(-1), labels[row].flip(-1)) if mirror else (images[row], labels[row])
        )
        assert torch.equal(flipped[row], expected[0])
        assert torch.equal(flipped_labels[row], expected[1])


def test_none_changes_nothing() -> None:
    images, labels = _batch()
    same, same_labels = _run(AUGMENTATIONS["none"])
    assert torch.equal(same, images)
    assert torch.equal(same_labels, labels)


def test_labels_move_with_the_pixels() -> None:
    how = Augmentation(scale=(0.6, 1.6), rotate_deg=30, shift=0.2)
    images, labels = _run(how)
    assert images.dtype == torch.float32
    assert set(labels.unique().tolist()) == {IGNORE, 1, 2}
    seen = labels != IGNORE
    agree = ((images[:, 0] > 0.5) == (labels == 2))[seen].float().mean()
    assert agree > 0.98


def test_colour_leaves_the_labels_alone_and_stays_in_range() -> None:
    images, labels = _run(AUGMENTATIONS["colour"].model_copy(update={"flip": False}))
    assert torch.equal(labels, _batch()[1])
    assert images.min() >= 0.0 and images.max() <= 1.0
    assert not torch.equal(images[0], images[1])


def test_no_blur_is_the_identity_on_the_sharp_half() -> None:
    how = Augmentation(flip=False, blur_px=2.0)
    images, _ = _run(how)
    original = _batch()[0].float() / 255
    sharp = torch.isclose(images, original, atol=1e-6).flatten(1).all(1)
    assert 0 < sharp.sum() < len(images)
    torch.testing.assert_close(images.mean(), original.mean(), atol=0.01, rtol=0)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_seed_draws_the_same(name: str) -> None:
    first, again, other = (_run(AUGMENTATIONS[name], seed) for seed in (5, 5, 6))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert torch.equal(first[0], other[0]) == (name == "none")
