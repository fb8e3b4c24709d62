"""A whole data set as two tensors, small enough to lie on the device.

As in `LabelRaster`, a pixel holds a position in a table of class sets: overlaps and *ignore*
cost nothing extra, and the number of classes has no limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clearcoat.dataset.labels import ClassSet, LabelRaster

IGNORE = 0
"""Position of *ignore* in every table: what lies outside an augmented image is zero."""
BACKGROUND = 1
"""Position of the empty class set in every table."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of one size with their labels."""

    images: Tensor
    """(N, 3, S, S), uint8."""
    labels: Tensor
    """(N, S, S), uint8 or int32: positions in `sets`."""
    sets: tuple[ClassSet | None, ...]
    """Class sets; `sets[IGNORE]` is None, `sets[BACKGROUND]` is empty."""
    classes: tuple[str, ...]
    names: tuple[str, ...]
    """One per image, for messages and tables."""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def device(self) -> torch.device:
        """Where the tensors lie."""
        return self.images.device

    def announce(self, numbers: NDArray[np.int64]) -> None:
        """Do nothing: all images are there."""

    def fetch(self, numbers: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """(B,) image numbers to (B, 3, S, S) uint8 images and (B, S, S) labels."""
        which = torch.from_numpy(numbers).to(self.device, non_blocking=True)
        return self.images[which], self.labels[which]

    def to(self, device: torch.device) -> ImageSet:
        """Return the same set with its tensors on `device`."""
        return ImageSet(
            self.images.to(device),
            self.labels.to(device),
            self.sets,
            self.classes,
            self.names,
        )

    def table(self) -> ClassTable:
        """Return the class sets as tensors beside the labels."""
        return class_table(self.sets, len(self.classes), self.device)


@dataclass(frozen=True, eq=False)
class Targets:
    """What a batch of logits is compared with."""

    members: Tensor
    """(N, C, H, W) float: 1 where the pixel belongs to the class."""
    counted: Tensor
    """(N, 1, H, W) float: 0 where the pixel is ignored."""


@dataclass(frozen=True, eq=False)
class ClassTable:
    """The table of class sets as tensors: (K, C) membership and (K,) counted, both float."""

    members: Tensor
    counted: Tensor

    def targets(self, labels: Tensor) -> Targets:
        """Look up (N, H, W) positions."""
        positions = labels.long()
        members = self.members[positions].permute(0, 3, 1, 2)
        return Targets(members=members, counted=self.counted[positions].unsqueeze(1))


def class_table(
    sets: Sequence[ClassSet | None], class_count: int, device: torch.device
) -> ClassTable:
    """Return a table of class sets as tensors on the device."""
    members = torch.zeros(len(sets), class_count)
    for position, numbers in enumerate(sets):
        for number in numbers or ():
            members[position, number] = 1.0
    counted = torch.tensor([s is not None for s in sets], dtype=torch.float32)
    return ClassTable(members.to(device), counted.to(device))


def image_set(
    images: Sequence[NDArray[np.uint8]],
    rasters: Sequence[LabelRaster],
    classes: Sequence[str],
    names: Sequence[str] = (),
) -> ImageSet:
    """Pack equally sized (S, S, 3) images and their rasters."""
    if not images:
        raise ValueError("image_set needs at least one image")
    table: dict[ClassSet | None, int] = {None: IGNORE, frozenset(): BACKGROUND}
    labels = np.empty((len(rasters), *rasters[0].shape), dtype=np.int32)
    for row, raster in enumerate(rasters):
        lookup = np.array([table.setdefault(s, len(table)) for s in raster.sets], np.int32)
        labels[row] = lookup[raster.index]
    stacked = np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))
    return ImageSet(
        images=torch.from_numpy(stacked),
        labels=narrow(torch.from_numpy(labels), len(table)),
        sets=tuple(table),
        classes=tuple(classes),
        names=tuple(names) or tuple(str(i) for i in range(len(images))),
    )


def join(parts: Sequence[ImageSet]) -> ImageSet:
    """Put sets of the same classes one after the other, over one common table."""
    first = parts[0]
    if any(part.classes != first.classes for part in parts):
        raise ValueError("image sets of different classes cannot be joined")
    if len(parts) == 1:
        return first
    table: dict[ClassSet | None, int] = {}
    labels = []
    for part in parts:
        lookup = torch.tensor([table.setdefault(s, len(table)) for s in part.sets])
        labels.append(lookup.to(part.labels.device, torch.int32)[part.labels.long()])
    return ImageSet(
        images=torch.cat([part.images for part in parts]),
        labels=narrow(torch.cat(labels), len(table)),
        sets=tuple(table),
        classes=first.classes,
        names=tuple(name for part in parts for name in part.names),
    )


def narrow(labels: Tensor, table_length: int) -> Tensor:
    """Return labels in as few bytes as a table of that length allows."""
    return labels.to(torch.uint8 if table_length <= 256 else torch.int32)
