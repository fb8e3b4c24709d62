"""A trained model as one ONNX file, checked against PyTorch before it is written."""

from __future__ import annotations

import json
import logging
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from clearcoat.dataset.files import write_whole
from clearcoat.errors import MissingDependencyError, TrainingError
from clearcoat.models import SegmentationModel
from clearcoat.training.folder import CONFIG, finished_run
from clearcoat.training.losses import Loss, find_loss
from clearcoat.training.metrics import THRESHOLD
from clearcoat.training.run import load_model

INPUT, OUTPUT = "images", "probabilities"
FIT = "aspect kept, centred on a black square; reduced by the mean of areas, enlarged linearly"
"""How an image becomes the model's square, for programs that have the file alone."""
_NEEDED = ("onnx", "onnxscript", "onnxruntime")
_TOLERANCE = 1e-3
"""Greatest difference of a probability; fp32 in another order of sums differs by some 1e-6."""


class _Whole(nn.Module):
    """Bytes in, probabilities out: preprocessing and the loss's activation included."""

    def __init__(self, model: SegmentationModel, loss: Loss) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, images: Tensor) -> Tensor:
        return self.loss.probabilities(self.model(images))


def export_onnx(run: Path, out: Path) -> dict[str, Any]:
    """Write the model of a finished run to `out` and return what the file is.

    The graph takes `images`, (N, 3, S, S) uint8 sRGB, and gives `probabilities`, (N, C, S, S)
    float32; N is free. Class names, size, how an image is fitted into it, and the threshold stand
    in the file's metadata. Raises
    RunError for anything but a finished run, MissingDependencyError without the extra `onnx`,
    TrainingError where ONNX Runtime does not agree with PyTorch or the file cannot be written.
    """
    require_onnx()
    if out.is_dir():
        raise TrainingError("a folder has the name of the file", where=out, do="add a file name")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            "cannot make the file's folder", where=out.parent, found=error.strerror
        ) from error
    model, config, classes = load_model(run)
    loss = find_loss(config.loss)
    facts = {
        "classes": list(classes),
        "size": config.size,
        "fit": FIT,
        "threshold": THRESHOLD,
        "run_id": finished_run(run).read_json(CONFIG)["run_id"],
    }
    content = to_onnx(model, loss, config.size, facts)
    difference = compare(content, model, loss, config.size)
    if not difference <= _TOLERANCE:
        raise TrainingError(
            "ONNX Runtime gives other probabilities than PyTorch",
            where=run,
            found=f"a difference of {difference:.2g}",
            expected=f"at most {_TOLERANCE:.2g}",
            do="report this with the versions of torch, onnx and onnxruntime; nothing was written",
        )
    write_whole(out, content)
    return {
        **facts,
        "file": str(out),
        "bytes": len(content),
        "input": {"name": INPUT, "shape": ["N", 3, config.size, config.size], "type": "uint8"},
        "output": {
            "name": OUTPUT,
            "shape": ["N", len(classes), config.size, config.size],
            "type": "float32",
        },
        "greatest_difference": difference,
    }


def to_onnx(model: SegmentationModel, loss: Loss, size: int, facts: dict[str, Any]) -> bytes:
    """Return the model as the bytes of an ONNX file, with `facts` as JSON in its metadata."""
    whole = _Whole(model, loss).eval()
    # Two images, since a batch of one would be taken for a constant.
    sample = torch.zeros(2, 3, size, size, dtype=torch.uint8)
    device = next(model.parameters()).device
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.inference_mode(mode=False), torch.no_grad():
            warnings.simplefilter("ignore")
            program: Any = torch.onnx.export(
                whole,
                (sample.to(device),),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim("N")},),
                dynamo=True,
                verbose=False,
            )
    finally:
        logger.setLevel(level)
    proto = program.model_proto
    for name, value in {"clearcoat": facts}.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = name, json.dumps(value)
    result: bytes = proto.SerializeToString()
    return result


def compare(content: bytes, model: SegmentationModel, loss: Loss, size: int) -> float:
    """Return the greatest difference between ONNX Runtime and PyTorch on random images."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    model = model.cpu().eval()
    worst = 0.0
    for count in (1, 3):
        images = random.integers(0, 256, (count, 3, size, size), dtype=np.uint8)
        (found,) = session.run([OUTPUT], {INPUT: images})
        with torch.inference_mode():
            expected = loss.probabilities(model(torch.from_numpy(images))).numpy()
        worst = max(worst, float(np.abs(found - expected).max()))
    return worst


def require_onnx() -> None:
    """Raise MissingDependencyError unless all packages of the extra `onnx` are there."""
    absent = [name for name in _NEEDED if find_spec(name) is None]
    if absent:
        raise MissingDependencyError(
            f"exporting needs {' and '.join(absent)}", do='pip install "clearcoat[onnx]"'
        )
