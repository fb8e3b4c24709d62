"""The probe answers with something that can be run, and answers the same again."""

from __future__ import annotations

import torch

from clearcoat.models import UNetConfig, build_model
from clearcoat.training.precision import autocast, choose_precision


def test_the_probe_is_repeatable_and_leaves_the_model_alone() -> None:
    model = build_model(UNetConfig(filters=(4, 8)), class_count=2)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    images = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    chosen = choose_precision(model, images)
    assert chosen in ("fp32", "bf16")
    assert choose_precision(model, images) == chosen
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    with autocast(torch.device("cpu"), "bf16"):
        assert model(images).dtype == torch.bfloat16
