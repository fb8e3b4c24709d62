"""Put several data sets of the same classes into one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clearcoat.dataset.record import EncodedImage, Record
from clearcoat.dataset.store import Dataset, Progress
from clearcoat.dataset.writer import DatasetWriter
from clearcoat.errors import DatasetError


def merge_datasets(datasets: Sequence[Dataset], out: Path, progress: Progress | None = None) -> int:
    """Write the records of all data sets, one after the other, and return how many were new.

    Image files are copied byte for byte. Part ids are renumbered, since each data set has parts
    of its own. Run again after an interruption, it goes on.

    Raises:
        DatasetError: the data sets differ in their classes, or `out` holds something else.
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
    )
    total, number, part_offset, written = sum(len(d) for d in datasets), 0, 0, 0
    for dataset in datasets:
        for index in dataset.indices:
            if not writer.has(number):
                writer.write(_moved(dataset, index, number, part_offset))
                written += 1
            number += 1
            if progress is not None:
                progress(number, total)
        part_offset += len(dataset.part_names)
    return written


def _moved(dataset: Dataset, index: int, number: int, part_offset: int) -> Record:
    info = dataset.record_info(index)
    parts = dataset.parts(index)
    if parts is not None:
        parts = np.where(parts > 0, parts + np.uint16(part_offset), 0).astype(np.uint16)
    return Record(
        index=number,
        image=dataset.image(index),
        labels=dataset.labels(index),
        parts=parts,
        depth=dataset.depth(index),
        metadata={**info.metadata, "merged_from": {"dataset": dataset.path.name, "index": index}},
        source_name=info.source_name,
        original=EncodedImage(
            dataset.read_bytes(info.image), ".jpg" if info.image.file.endswith(".jpg") else ".png"
        ),
    )


def _fingerprint(datasets: Sequence[Dataset]) -> list[Any]:
    return [dataset.digest() for dataset in datasets]
