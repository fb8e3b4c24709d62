"""Images that stay in memory from run to run: reading and resizing costs more than training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from clearcoat.dataset import Dataset
from clearcoat.training import ImageSet, join, pack


class ImageMemory:
    """Reads each record once per size; an object of this class is a `Pack`.

    A record that changes on disk afterwards is not noticed: one process, one state of the data.
    """

    def __init__(self) -> None:
        self._chunks: dict[tuple[Path, int], list[ImageSet]] = {}
        self._places: dict[tuple[Path, int], dict[int, tuple[int, int]]] = {}

    def __call__(self, dataset: Dataset, numbers: Sequence[int], size: int) -> ImageSet:
        """Return what `pack` does. Raises DatasetError as it does."""
        key = (dataset.path.resolve(), size)
        chunks = self._chunks.setdefault(key, [])
        places = self._places.setdefault(key, {})
        missing = [number for number in numbers if number not in places]
        if missing or not numbers:
            chunk = pack(dataset, missing, size)
            for row, number in enumerate(missing):
                places[number] = (len(chunks), row)
            chunks.append(chunk)
        return _gather(chunks, [places[number] for number in numbers])


def _gather(chunks: Sequence[ImageSet], places: Sequence[tuple[int, int]]) -> ImageSet:
    """Return the images at (chunk, row), in that order."""
    wanted: dict[int, list[int]] = {}
    for chunk, row in places:
        wanted.setdefault(chunk, []).append(row)
    together = join([_rows(chunks[chunk], rows) for chunk, rows in wanted.items()])
    if len(wanted) == 1:
        return together
    found = {
        place: position
        for position, place in enumerate(
            (chunk, row) for chunk, rows in wanted.items() for row in rows
        )
    }
    return _rows(together, [found[place] for place in places])


def _rows(images: ImageSet, rows: Sequence[int]) -> ImageSet:
    if rows == list(range(len(images))):
        return images
    order = torch.tensor(rows)
    return ImageSet(
        images.images[order],
        images.labels[order],
        images.sets,
        images.classes,
        tuple(images.names[row] for row in rows),
    )
