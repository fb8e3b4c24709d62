"""Table II of the paper, row by row."""

from __future__ import annotations

import pytest
import torch

from clearcoat.models import (
    ARCHITECTURES,
    UNetConfig,
    VGG19UNetConfig,
    WNetConfig,
    build_model,
    count_parameters,
)

# Model, variant, total, trainable: as printed in the paper, in millions, for 8 classes.
TABLE_II = [
    ("U-net", "", "7.77", "7.77"),
    ("U-net", "frozen encoder", "7.77", "3.05"),
    ("U-net", "VGG19 encoder", "23.86", "23.86"),
    ("U-net", "frozen VGG19 encoder", "23.86", "3.83"),
    ("W-net", "frozen 1st U-net", "10.11", "2.34"),
    ("W-net", "frozen VGG19 encoder", "26.59", "6.56"),
]


def test_all_counts_are_those_of_table_ii() -> None:
    found = []
    for row in ARCHITECTURES:
        count = row.count(8)
        printed = f"{count.total / 1e6:.2f}", f"{count.trainable / 1e6:.2f}"
        found.append((row.model, row.variant, *printed))
    assert found == TABLE_II


def test_the_plain_unet_has_exactly_as_many_as_keras_counts() -> None:
    count = ARCHITECTURES[0].count(8)
    assert (count.total, count.trainable) == (7_772_104, 7_766_216)


def test_vgg19s_convolutions_have_twenty_million_weights() -> None:
    with torch.device("meta"):
        model = build_model(VGG19UNetConfig(), 8)
    assert count_parameters(model.encoder_part).total == 20_024_384


@pytest.mark.parametrize(
    "config", [UNetConfig(), WNetConfig(), WNetConfig(first=VGG19UNetConfig())]
)
def test_counting_without_weights_gives_the_same_number(config: UNetConfig | WNetConfig) -> None:
    tiny = {"filters": (2, 2, 2, 2, 2)}
    if isinstance(config, WNetConfig):
        first = {"filters": (2, 2, 2, 2), "encoder_filters": (2, 2, 2, 2, 2)}
        tiny["first"] = (  # type: ignore[assignment]
            UNetConfig(filters=(2, 2, 2, 2, 2))
            if config.first.name == "unet"
            else VGG19UNetConfig.model_validate(first)
        )
    config = type(config).model_validate(tiny)
    with torch.device("meta"):
        hollow = build_model(config, 3)
    assert count_parameters(hollow) == count_parameters(build_model(config, 3))
