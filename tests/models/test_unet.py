"""The paper's U-Net: sizes as in Table II, shapes, preprocessing, dropout."""

from __future__ import annotations

import pytest
import torch

from clearcoat.errors import UsageError
from clearcoat.models import UNetConfig, build_model, count_parameters

TINY = UNetConfig(filters=(4, 8, 16))


def test_parameter_counts_are_those_of_table_ii() -> None:
    model = build_model(UNetConfig(), class_count=8)
    count = count_parameters(model)
    assert (count.total, count.trainable) == (7_772_104, 7_766_216)
    encoder = count_parameters(model.encoder).total
    assert f"{encoder / 1e6:.2f}" == "4.72"
    assert f"{(count.total - encoder) / 1e6:.2f}" == "3.05"


def test_a_frozen_encoder_leaves_the_decoder_trainable() -> None:
    model = build_model(UNetConfig(), class_count=8)
    model.encoder.requires_grad_(False)
    assert f"{count_parameters(model).trainable / 1e6:.2f}" == "3.05"


@pytest.mark.parametrize("size", [(16, 16), (32, 48)])
def test_logits_have_the_size_of_the_image(size: tuple[int, int]) -> None:
    model = build_model(TINY, class_count=5)
    assert model(torch.zeros(2, 3, *size, dtype=torch.uint8)).shape == (2, 5, *size)


def test_bytes_and_unit_floats_mean_the_same_picture() -> None:
    model = build_model(TINY, class_count=2).eval()
    picture = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
    torch.testing.assert_close(model(picture), model(picture.float() / 255))


@pytest.mark.parametrize("place", ["bottleneck", "encoder", "decoder", "all", "none"])
def test_dropout_acts_in_training_only_and_where_it_is_placed(place: str) -> None:
    config = TINY.model_copy(update={"dropout_placement": place, "dropout": 0.5})
    model = build_model(config, class_count=2)
    picture = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.eval()
    assert torch.equal(model(picture), model(picture)) == (place == "none")
    model.eval()
    assert torch.equal(model(picture), model(picture))


def test_the_same_seed_builds_the_same_model() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(build_model(TINY, class_count=2).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_an_unknown_model_is_the_users_mistake() -> None:
    config = TINY.model_copy(update={"name": "unett"})
    with pytest.raises(UsageError, match="unett") as caught:
        build_model(config, class_count=2)
    assert "unet" in str(caught.value)
