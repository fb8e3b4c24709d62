"""An observer that writes TensorBoard's event files."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from clearcoat.errors import MissingDependencyError
from clearcoat.training.probe import Answer
from clearcoat.training.progress import Observer, Progress
from clearcoat.training.sampling import Phase

_CURVES = {
    "loss/training": "train_loss",
    "loss/validation": "validation_loss",
    "mean IoU/validation": "validation_mean_iou",
    "learning rate": "learning_rate",
    "images per second": "images_per_s",
}


class TensorBoard:
    """Passes everything on to another observer, and writes each evaluation as scalars.

    The horizontal axis counts images seen, so that phases follow each other. Raises
    MissingDependencyError without the extra `tensorboard`.
    """

    def __init__(self, folder: Path, inner: Observer) -> None:
        if find_spec("tensorboard") is None:
            raise MissingDependencyError(
                "--tensorboard needs the package tensorboard",
                do='pip install "clearcoat[tensorboard]"',
            )
        self.folder = folder
        self.inner = inner
        self._writer: Any = None

    def close(self) -> None:
        """Write what is still held back."""
        if self._writer is not None:
            self._writer.close()

    def on_packing(self, name: str, done: int, total: int) -> None:
        """Pass on."""
        self.inner.on_packing(name, done, total)

    def on_computing(self, answer: Answer) -> None:
        """Pass on."""
        self.inner.on_computing(answer)

    def on_phase(self, phase: Phase, number: int, count: int) -> None:
        """Pass on."""
        self.inner.on_phase(phase, number, count)

    def on_step(self, progress: Progress, phase: Phase) -> None:
        """Pass on."""
        self.inner.on_step(progress, phase)

    def on_evaluation(self, line: dict[str, Any]) -> None:
        """Write the scalars, and pass on."""
        if self._writer is None:
            from torch.utils.tensorboard.writer import SummaryWriter

            # What lies beyond the checkpoint that a run goes on from is thereby forgotten.
            self._writer = SummaryWriter(str(self.folder), purge_step=line["images_seen"])
        values = dict(line)
        if line["train_s"]:
            values["images_per_s"] = line["images_seen"] / line["train_s"]
        for title, key in _CURVES.items():
            if values.get(key) is not None:
                self._writer.add_scalar(
                    f"{line['phase']}/{title}", values[key], line["images_seen"]
                )
        self._writer.flush()
        self.inner.on_evaluation(line)
