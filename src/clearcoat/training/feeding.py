"""Batches on the device: out of tensors that lie there, or streamed from mapped packs.

Both give the same bits. A streamed set reads the batch that comes next while the device is busy
with the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clearcoat.dataset.labels import ClassSet
from clearcoat.training.arrays import ClassTable, ImageSet, class_table, join, narrow
from clearcoat.training.packing import PackedDataset

Residence = Literal["auto", "device", "stream"]
_SHARE = 0.5
"""Of the memory that is free, what images may take; weights and activations need the rest."""


class Images(Protocol):
    """What training and scoring need of a set of images."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their numbers."""

    @property
    def sets(self) -> tuple[ClassSet | None, ...]:
        """The table of class sets that labels point into."""

    @property
    def names(self) -> tuple[str, ...]:
        """One per image, for messages and tables."""

    @property
    def device(self) -> torch.device:
        """Where batches are."""

    def __len__(self) -> int: ...

    def table(self) -> ClassTable:
        """Return the class sets as tensors on the device."""

    def announce(self, numbers: NDArray[np.int64]) -> None:
        """Hear which images will be asked for next."""

    def fetch(self, numbers: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """(B,) image numbers to (B, 3, S, S) uint8 and (B, S, S) labels on the device."""


class StreamedSet:
    """Rows of packs, in the order given, read when they are asked for."""

    def __init__(
        self, parts: Sequence[tuple[PackedDataset, NDArray[np.int64]]], device: torch.device
    ):
        table: dict[ClassSet | None, int] = {}
        self.device = device
        self.classes = parts[0][0].classes
        self._packs = [pack for pack, _ in parts]
        self._lookups = [
            torch.tensor([table.setdefault(s, len(table)) for s in pack.sets], dtype=torch.int32)
            for pack in self._packs
        ]
        self.sets = tuple(table)
        self._lookups = [narrow(lookup, len(table)) for lookup in self._lookups]
        self._part = np.concatenate([np.full(len(rows), i) for i, (_, rows) in enumerate(parts)])
        self._row = np.concatenate([rows for _, rows in parts])
        self._images = [torch.from_numpy(pack.images) for pack in self._packs]
        self._labels = [torch.from_numpy(pack.labels) for pack in self._packs]
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        self._coming: tuple[bytes, Future[tuple[Tensor, Tensor]]] | None = None
        self.names = tuple(
            f"{self._packs[part].name}/{self._packs[part].indices[row]}"
            for part, row in zip(self._part.tolist(), self._row.tolist(), strict=True)
        )

    def __len__(self) -> int:
        return len(self._row)

    def table(self) -> ClassTable:
        """Return the class sets as tensors on the device."""
        return class_table(self.sets, len(self.classes), self.device)

    def announce(self, numbers: NDArray[np.int64]) -> None:
        """Begin to read a batch."""
        self._coming = (numbers.tobytes(), self._reader.submit(self._read, numbers))

    def fetch(self, numbers: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return a batch; without waiting, where it was announced in time."""
        coming, self._coming = self._coming, None
        if coming is not None and coming[0] == numbers.tobytes():
            images, labels = coming[1].result()
        else:
            images, labels = self._read(numbers)
        return (
            images.to(self.device, non_blocking=True),
            labels.to(self.device, non_blocking=True),
        )

    def _read(self, numbers: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        pinned = self.device.type == "cuda"
        size = self._images[0].shape[-1]
        images = torch.empty(len(numbers), 3, size, size, dtype=torch.uint8, pin_memory=pinned)
        labels = torch.empty(
            len(numbers), size, size, dtype=self._lookups[0].dtype, pin_memory=pinned
        )
        for part, pack in enumerate(self._packs):
            places = np.flatnonzero(self._part[numbers] == part)
            if not len(places):
                continue
            rows = self._row[numbers[places]]
            pack.check(rows)
            where, which = torch.from_numpy(places), torch.from_numpy(rows)
            images[where] = self._images[part][which]
            labels[where] = self._lookups[part][self._labels[part][which].long()]
        return images, labels


def feed(
    parts: Sequence[tuple[PackedDataset, NDArray[np.int64]]],
    device: torch.device,
    residence: Residence = "auto",
) -> ImageSet | StreamedSet:
    """Return rows of packs, one pack after the other, on the device where they fit.

    `auto` lets them take half of the free memory. Raises TrainingError for a damaged row.
    """
    if residence == "stream" or (residence == "auto" and not _fits(parts, device)):
        return StreamedSet(parts, device)
    return join([_resident(pack, rows) for pack, rows in parts]).to(device)


def _resident(pack: PackedDataset, rows: NDArray[np.int64]) -> ImageSet:
    pack.check(rows)
    which = torch.from_numpy(rows)
    return ImageSet(
        images=torch.from_numpy(pack.images)[which],
        labels=torch.from_numpy(pack.labels)[which],
        sets=pack.sets,
        classes=pack.classes,
        names=tuple(f"{pack.name}/{pack.indices[row]}" for row in rows.tolist()),
    )


def _fits(parts: Sequence[tuple[PackedDataset, NDArray[np.int64]]], device: torch.device) -> bool:
    needed = sum(
        len(rows) * (pack.images[0].nbytes + pack.labels[0].nbytes) for pack, rows in parts
    )
    free = free_memory_bytes(device)
    return free is None or needed <= _SHARE * free


def free_memory_bytes(device: torch.device) -> int | None:
    """Return the memory that is free on the device; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None
