"""Predictions of a run on a few test images, small enough to keep when the weights are not."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from clearcoat.dataset import Dataset
from clearcoat.dataset.files import write_whole
from clearcoat.errors import RunError
from clearcoat.training import find_loss, load_model, pack
from clearcoat.training.metrics import THRESHOLD

PICTURES = "pictures"


@dataclass(frozen=True, eq=False)
class Depicted:
    """Images, truth and predictions at the size at which the model works."""

    names: tuple[str, ...]
    classes: tuple[str, ...]
    images: NDArray[np.uint8]
    """(N, S, S, 3), sRGB."""
    truth: NDArray[np.bool_]
    """(N, C, S, S)."""
    ignored: NDArray[np.bool_]
    """(N, S, S): pixels without known truth."""
    predicted: NDArray[np.bool_]
    """(N, C, S, S)."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Records of the images, which stay where the data set's folder gets another name."""
        return tuple(int(name.rpartition("/")[2]) for name in self.names)

    def showing(self, numbers: Sequence[int]) -> Depicted:
        """Return these of its images alone."""
        chosen = [self.numbers.index(number) for number in numbers]
        return replace(
            self,
            names=tuple(self.names[index] for index in chosen),
            images=self.images[chosen],
            truth=self.truth[chosen],
            ignored=self.ignored[chosen],
            predicted=self.predicted[chosen],
        )


def depict(run: Path, test: Dataset, chosen: Sequence[int], file: Path) -> None:
    """Write what a finished run predicts on test images."""
    model, config, classes = load_model(run)
    images = pack(test, chosen, config.size)
    targets = images.table().targets(images.labels)
    with torch.inference_mode():
        logits = model(images.images)
        predicted = find_loss(config.loss).probabilities(logits) >= THRESHOLD
    write_depicted(
        file,
        Depicted(
            names=tuple(images.names),
            classes=tuple(classes),
            images=images.images.permute(0, 2, 3, 1).numpy(),
            truth=targets.members.bool().numpy(),
            ignored=(targets.counted[:, 0] == 0).numpy(),
            predicted=predicted.numpy(),
        ),
    )


def write_depicted(file: Path, depicted: Depicted) -> None:
    """Write predictions for `read_depicted`."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **vars(depicted))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, buffer.getvalue())


def read_depicted(file: Path) -> Depicted:
    """Read what `depict` wrote. Raises RunError where the file is damaged."""
    try:
        # Of a damaged file that it opened itself numpy leaves the handle open.
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as content:
            depicted = Depicted(
                tuple(str(name) for name in content["names"]),
                tuple(str(name) for name in content["classes"]),
                *(content[key] for key in ("images", "truth", "ignored", "predicted")),
            )
            # Which fails where the arrays are shorter than the list of names.
            return depicted.showing(depicted.numbers)
    except Exception as error:  # numpy and zipfile raise anything from EOFError to BadZipFile
        raise RunError(
            "a file of predictions is damaged",
            where=file,
            found=str(error),
            do="remove it; the report then leaves it out",
        ) from error


def telling_images(test: Dataset, count: int) -> list[int]:
    """Return the records that show most classes, in ascending order; of equals the first."""

    def classes_of(index: int) -> int:
        info = test.record_info(index)
        pairs = zip(test.class_sets(info), info.labels.pixels, strict=True)
        return len(
            {number for members, pixels in pairs if members and pixels for number in members}
        )

    ranked = sorted(test.indices, key=lambda index: (-classes_of(index), index))
    return sorted(ranked[:count])
