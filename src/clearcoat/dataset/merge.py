"""Put several data sets of the same classes into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.dataset.objects import ObjectEntry
from clearcoat.dataset.record import EncodedImage, Record
from clearcoat.dataset.store import Dataset, Progress
from clearcoat.dataset.writer import DatasetWriter
from clearcoat.errors import DatasetError

_MOST_IDS = 65_535
"""Names of parts, or of instances, that pixels of 16 bits can tell apart; 0 is nothing."""


def merge_datasets(datasets: Sequence[Dataset], out: Path, progress: Progress | None = None) -> int:
    """Write the records of all data sets, one after the other, and return how many were new.

    Image files are copied byte for byte. Parts, instances and objects are renumbered, since each
    data set has its own. Run again after an interruption, it goes on.

    Raises:
        DatasetError: the data sets differ in their classes, have more parts or instances than a
            pixel can tell apart, or `out` holds something else.
    """
    first = datasets[0]
    for other in datasets[1:]:
        if other.classes != first.classes:
            raise DatasetError(
                "the data sets differ in their classes",
                where=other.path,
                found=", ".join(other.classes),
                expected=", ".join(first.classes) + f" (as in {first.path})",
                do="render or import them with the same list of classes, in the same order",
            )
    _require_room(datasets)
    kinds = sorted({str(dataset.source.get("kind", "unknown")) for dataset in datasets})
    writer = DatasetWriter.create(
        out,
        first.classes,
        {
            "kind": kinds[0] if len(kinds) == 1 else "mixed",
            "fingerprint": _fingerprint(datasets),
            "merged": [{"name": d.path.name, "images": len(d), **d.source} for d in datasets],
        },
        parts=[f"{d.path.name}/{name}" for d in datasets for name in d.part_names],
        instances=[f"{d.path.name}/{name}" for d in datasets for name in d.instance_names],
        objects=_objects(datasets),
    )
    total, number, offsets, written = sum(len(d) for d in datasets), 0, _Offsets(0, 0, 0), 0
    for dataset in datasets:
        for index in dataset.indices:
            if not writer.has(number):
                writer.write(_moved(dataset, index, number, offsets))
                written += 1
            number += 1
            if progress is not None:
                progress(number, total)
        offsets = offsets.after(dataset)
    return written


@dataclass(frozen=True)
class _Offsets:
    """How many parts, instances and objects the data sets before this one have."""

    parts: int
    instances: int
    objects: int

    def after(self, dataset: Dataset) -> _Offsets:
        return _Offsets(
            self.parts + len(dataset.part_names),
            self.instances + len(dataset.instance_names),
            self.objects + len(dataset.objects),
        )


def _objects(datasets: Sequence[Dataset]) -> list[ObjectEntry]:
    objects, offsets = [], _Offsets(0, 0, 0)
    for dataset in datasets:
        for entry in dataset.objects:
            parts = tuple(part + offsets.parts for part in entry.parts)
            objects.append(entry.model_copy(update={"parts": parts}))
        offsets = offsets.after(dataset)
    return objects


def _require_room(datasets: Sequence[Dataset]) -> None:
    """Raise DatasetError where the names are more than a pixel of 16 bits can tell apart."""
    for what, count in (
        ("parts", sum(len(dataset.part_names) for dataset in datasets)),
        ("instances", sum(len(dataset.instance_names) for dataset in datasets)),
    ):
        if count > _MOST_IDS:
            raise DatasetError(
                f"the data sets have too many {what} for one",
                found=f"{count:,} names",
                expected=f"{_MOST_IDS:,} at most",
                do=f"merge fewer, or render them without {what!r} in `labels.write`",
            )


def _shifted(ids: NDArray[np.uint16] | None, offset: int) -> NDArray[np.uint16] | None:
    if ids is None:
        return None
    return np.where(ids > 0, ids + np.uint16(offset), 0).astype(np.uint16)


def _moved(dataset: Dataset, index: int, number: int, offsets: _Offsets) -> Record:
    info = dataset.record_info(index)
    objects, parts = info.objects, info.part_pixels
    if objects is not None:
        objects = tuple(
            one.model_copy(update={"object": one.object + offsets.objects}) for one in objects
        )
    if parts is not None:
        parts = tuple(one._replace(part=one.part + offsets.parts) for one in parts)
    return Record(
        index=number,
        image=dataset.image(index),
        labels=dataset.labels(index),
        parts=_shifted(dataset.parts(index), offsets.parts),
        depth=dataset.depth(index),
        behind=_shifted(dataset.behind(index), offsets.parts),
        instances=_shifted(dataset.instances(index), offsets.instances),
        normals=dataset.normals(index),
        coverage=dataset.coverage(index),
        objects=objects,
        part_pixels=parts,
        metadata={**info.metadata, "merged_from": {"dataset": dataset.path.name, "index": index}},
        source_name=info.source_name,
        original=EncodedImage(
            dataset.read_bytes(info.image), ".jpg" if info.image.file.endswith(".jpg") else ".png"
        ),
    )


def _fingerprint(datasets: Sequence[Dataset]) -> list[Any]:
    return [dataset.digest() for dataset in datasets]
