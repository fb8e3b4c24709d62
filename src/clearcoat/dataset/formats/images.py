"""Image files without labels, for self-training: every pixel is *ignored*."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clearcoat.dataset.labels import LabelRaster
from clearcoat.dataset.photos import find_images, read_unlabelled
from clearcoat.dataset.record import Record
from clearcoat.dataset.store import Progress
from clearcoat.dataset.writer import DatasetWriter


def import_images(
    paths: Sequence[Path],
    out: Path,
    classes: Sequence[str],
    *,
    kind: str = "real",
    progress: Progress | None = None,
) -> tuple[int, int]:
    """Bring image files, and those in folders, into a data set in which nothing is labelled.

    A record's index is the file's position, folders in order of name. Return how many images
    were written now, and how many there are.

    Raises DatasetError: a path is no image or damaged, or `out` holds something else, also the
    images of another list of files.
    """
    files = find_images(paths)
    listed = hashlib.sha256("\n".join(file.name for file in files).encode()).hexdigest()
    source = {"kind": kind, "format": "images", "fingerprint": f"images {listed}"}
    writer = DatasetWriter.create(out, classes, source)
    todo = writer.missing(range(len(files)))
    for done, index in enumerate(todo, start=1):
        pixels, original = read_unlabelled(files[index])
        unknown = LabelRaster(np.zeros(pixels.shape[:2], np.uint16), (None,))
        writer.write(
            Record(
                index=index,
                image=pixels,
                labels=unknown,
                source_name=files[index].name,
                original=original,
            )
        )
        if progress is not None:
            progress(done, len(todo))
    return len(todo), len(files)
