"""ONNX files say what PyTorch says, for every model and kind of loss."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clearcoat.errors import MissingDependencyError, TrainingError
from clearcoat.models import build_model
from clearcoat.training import export, find_loss
from tests.models.tiny import TINY

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")


@pytest.mark.parametrize(
    "name",
    # Both halves of the last one are exported by themselves.
    [pytest.param(n, marks=pytest.mark.slow) if n == "wnet on vgg19" else n for n in TINY],
)
def test_onnx_runtime_agrees_with_pytorch(name: str) -> None:
    torch.manual_seed(0)
    loss = find_loss("binary_dice" if name == "vgg19_unet" else "cross_entropy")
    model = build_model(TINY[name], loss.outputs(2))
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            # Statistics of a trained model, so that evaluation differs from training.
            part.running_mean.uniform_(-0.5, 0.5)  # type: ignore[union-attr]
            part.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]
    content = export.to_onnx(model, loss, 32, {})
    assert export.compare(content, model, loss, 32) < 1e-4
    # The comparison can fail: another model gives other probabilities.
    with torch.no_grad():
        next(iter(model.encoder_part.parameters())).mul_(1.5)
    assert export.compare(content, model, loss, 32) > 1e-4


def test_a_place_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "file" / "model.onnx"):
        with pytest.raises(TrainingError, match="folder"):
            export.export_onnx(tmp_path / "no run", place)


def test_without_the_packages_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "find_spec", lambda name: None if name == "onnxruntime" else 1)
    with pytest.raises(MissingDependencyError, match="exporting needs onnxruntime") as caught:
        export.require_onnx()
    assert "clearcoat[onnx]" in str(caught.value)
