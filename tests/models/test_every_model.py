"""What must hold for every model: shapes, gradients, learning, its config's way to disk."""

from __future__ import annotations

import copy

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch.nn import functional as F

from clearcoat.models import ModelConfig, UNetConfig, VGG19UNetConfig, WNetConfig, build_model
from clearcoat.models.wnet import outer_product

CONFIGS: TypeAdapter[ModelConfig] = TypeAdapter(ModelConfig)


@pytest.mark.parametrize("strides", [(2, 2), (1, 3)])
def test_logits_have_the_size_of_the_image(tiny: ModelConfig, strides: tuple[int, int]) -> None:
    model = build_model(tiny, 3)
    size = tuple(tiny.stride * count for count in strides)
    assert model(torch.zeros(2, 3, *size, dtype=torch.uint8)).shape == (2, 3, *size)


def test_every_weight_has_a_gradient(tiny: ModelConfig) -> None:
    model = build_model(tiny, 3)
    images = torch.rand(4, 3, 32, 32)
    F.cross_entropy(model(images), torch.randint(0, 3, (4, 32, 32))).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all(), name
        # The bias before a batch norm has none: the norm takes the mean away again.
        if weight.ndim > 1:
            assert weight.grad.abs().max() > 0, name


def test_one_batch_can_be_learnt_by_heart(tiny: ModelConfig) -> None:
    model = build_model(tiny, 2)
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    truth = torch.zeros(2, 32, 32, dtype=torch.long)
    truth[0, 4:14, 6:20] = 1
    truth[1, 16:28, 10:30] = 1
    # What marks the shape is its brightness, so that one batch holds all there is to learn.
    images = torch.where(truth[:, None] == 1, 128 + images // 2, images // 2)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        loss = F.cross_entropy(model(images), truth)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    found = model(images).argmax(dim=1) == 1
    overlap = (found & (truth == 1)).sum() / (found | (truth == 1)).sum()
    assert overlap > 0.95


def test_channels_last_changes_nothing_but_the_layout(tiny: ModelConfig) -> None:
    model = build_model(tiny, 3).eval()
    images = torch.rand(2, 3, 32, 32)
    expected = model(images)
    last = copy.deepcopy(model).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    found = last(images.contiguous(memory_format=torch.channels_last))
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_config_comes_back_from_json(tiny: ModelConfig) -> None:
    assert CONFIGS.validate_json(CONFIGS.dump_json(tiny)) == tiny


def test_a_config_without_a_name_is_a_unets() -> None:
    assert CONFIGS.validate_python({"filters": (4, 8)}) == UNetConfig(filters=(4, 8))
    assert set(UNetConfig().model_dump()) == {
        "name", "filters", "input_channels", "dropout", "dropout_placement",
        "batch_norm_momentum",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"name": "vgg19_unet", "filters": (4, 8)}, "needs 4 levels"),
        ({"name": "vgg19_unet", "encoder_filters": (4, 8)}, "needs 5 levels"),
        ({"name": "wnet", "filters": (4, 8)}, "as many as the first network has"),
        ({"name": "xnet"}, "xnet"),
        ({"name": "wnet", "first": {"name": "wnet"}}, "wnet"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        CONFIGS.validate_python(values)


def test_vgg19_is_laid_out_as_torchvision_lays_it_out() -> None:
    with torch.device("meta"):
        model = build_model(VGG19UNetConfig(), 8)
    shapes = {
        name: tuple(value.shape)
        for name, value in model.encoder_part.state_dict().items()
        if name.endswith("weight")
    }
    numbers = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
    widths = (3, *(64,) * 2, *(128,) * 2, *(256,) * 4, *(512,) * 8)
    assert shapes == {
        f"features.{number}.weight": (above, below, 3, 3)
        for number, below, above in zip(numbers, widths, widths[1:], strict=False)
    }


def test_the_second_network_sees_every_colour_times_every_class() -> None:
    image, chances = torch.rand(2, 3, 4, 5), torch.rand(2, 8, 4, 5)
    expected = torch.einsum("nchw,nkhw->nckhw", image, chances).flatten(1, 2)
    assert expected.shape[1] == 24
    torch.testing.assert_close(outer_product(image, chances), expected)


def test_a_wnets_map_is_what_its_activation_says() -> None:
    outputs = []
    for activation in ("softmax", "sigmoid"):
        torch.manual_seed(0)
        config = WNetConfig(
            first=UNetConfig(filters=(2, 2)), filters=(2, 2), map_activation=activation
        )
        outputs.append(build_model(config, 3).eval()(torch.ones(1, 3, 8, 8)))
    assert not torch.allclose(outputs[0], outputs[1])
