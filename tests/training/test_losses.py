"""Losses against PyTorch's own, overlaps, and pixels that must not count."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from clearcoat.errors import UsageError
from clearcoat.training import LOSSES, find_loss
from clearcoat.training.arrays import Targets


def _targets(seed: int = 0, *, overlap: bool = True, classes: int = 3) -> Targets:
    generator = torch.Generator().manual_seed(seed)
    if overlap:
        members = (torch.rand(2, classes, 8, 8, generator=generator) < 0.3).float()
    else:
        number = torch.randint(0, classes + 1, (2, 8, 8), generator=generator)
        members = F.one_hot(number, classes + 1).permute(0, 3, 1, 2)[:, :-1].float()
    counted = (torch.rand(2, 1, 8, 8, generator=generator) < 0.7).float()
    return Targets(members * counted, counted)


def _logits(name: str, seed: int = 1) -> torch.Tensor:
    shape = (2, LOSSES[name].outputs(3), 8, 8)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_softmax_agrees_with_torch_where_classes_do_not_overlap() -> None:
    targets, logits = _targets(overlap=False), _logits("cross_entropy")
    number = torch.where(targets.members.any(1), targets.members.argmax(1), 3)
    number = torch.where(targets.counted[:, 0] > 0, number, -100)
    torch.testing.assert_close(
        LOSSES["cross_entropy"](logits, targets), F.cross_entropy(logits, number)
    )


def test_softmax_splits_a_pixel_between_its_classes() -> None:
    targets = Targets(torch.tensor([1.0, 1.0, 0.0]).view(1, 3, 1, 1), torch.ones(1, 1, 1, 1))
    logits = torch.tensor([20.0, 20.0, -20.0, -20.0]).view(1, 4, 1, 1)
    assert LOSSES["cross_entropy"](logits, targets).item() == pytest.approx(0.6931, abs=1e-4)


def test_binary_agrees_with_torch() -> None:
    targets, logits = _targets(), _logits("binary_cross_entropy")
    kept = targets.counted.expand_as(logits) > 0
    expected = F.binary_cross_entropy_with_logits(logits[kept], targets.members[kept])
    torch.testing.assert_close(LOSSES["binary_cross_entropy"](logits, targets), expected)


@pytest.mark.parametrize("name", LOSSES)
def test_ignored_pixels_change_neither_loss_nor_gradient(name: str) -> None:
    targets, logits = _targets(), _logits(name)
    elsewhere = torch.where(targets.counted > 0, logits, logits + 7.0).requires_grad_()
    loss = LOSSES[name](elsewhere, targets)
    torch.testing.assert_close(loss, LOSSES[name](logits, targets))
    loss.backward()
    assert elsewhere.grad is not None
    assert not elsewhere.grad[(targets.counted == 0).expand_as(logits)].any()


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_of_nothing_but_ignored_pixels_costs_nothing(name: str) -> None:
    targets = Targets(torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 4))
    assert LOSSES[name](_logits(name)[:1, :, :4, :4], targets).item() == 0.0


@pytest.mark.parametrize("name", LOSSES)
def test_the_right_answer_costs_least_and_is_found_at_the_threshold(name: str) -> None:
    targets = _targets(overlap=False)
    sure = targets.members * 40 - 20
    if LOSSES[name].extra_outputs:
        sure = torch.cat([sure, (targets.members.sum(1, keepdim=True) == 0) * 40.0 - 20], dim=1)
    assert LOSSES[name](sure, targets).item() < 1e-3
    found = (LOSSES[name].probabilities(sure) >= 0.5) & (targets.counted > 0)
    assert torch.equal(found, targets.members > 0)


def test_weighted_softmax_agrees_with_torch() -> None:
    targets, logits = _targets(overlap=False), _logits("cross_entropy")
    number = torch.where(targets.members.any(1), targets.members.argmax(1), 3)
    number = torch.where(targets.counted[:, 0] > 0, number, -100)
    weights = torch.tensor([0.5, 3.0, 1.5])
    expected = F.cross_entropy(logits, number, torch.cat([weights, torch.ones(1)]))
    found = LOSSES["cross_entropy"].weighted(weights)(logits, targets)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", LOSSES)
def test_equal_weights_are_no_weights(name: str) -> None:
    targets, logits = _targets(), _logits(name)
    weighted = LOSSES[name].weighted(torch.ones(3))
    torch.testing.assert_close(weighted(logits, targets), LOSSES[name](logits, targets))


@pytest.mark.parametrize("name", LOSSES)
def test_a_greater_weight_makes_a_classs_errors_cost_more(name: str) -> None:
    targets = _targets(overlap=False)
    wrong = targets.members * 8 - 4
    # Class 1 is never found, all else always.
    wrong[:, 1] = -4
    if LOSSES[name].extra_outputs:
        background = (targets.members.sum(1, keepdim=True) == 0) * 8.0 - 4
        wrong = torch.cat([wrong, background], dim=1)
    plain = LOSSES[name](wrong, targets)
    heavy = LOSSES[name].weighted(torch.tensor([1.0, 9.0, 1.0]))(wrong, targets)
    assert heavy > plain


@pytest.mark.parametrize("name", ["dice", "binary_dice"])
def test_dice_alone_is_what_it_adds_to_cross_entropy(name: str) -> None:
    targets, logits = _targets(), _logits(name)
    cross = {"dice": "cross_entropy", "binary_dice": "binary_cross_entropy"}[name]
    both = LOSSES[f"{cross}_dice"](logits, targets)
    torch.testing.assert_close(LOSSES[name](logits, targets) + LOSSES[cross](logits, targets), both)


def test_an_unknown_loss_is_the_users_mistake() -> None:
    with pytest.raises(UsageError, match="cross_entrpy") as caught:
        find_loss("cross_entrpy")
    assert "did you mean 'cross_entropy'" in str(caught.value)
