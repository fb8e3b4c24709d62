"""Image files without labels, for self-training: every pixel is *ignored*."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clearcoat.dataset.labels import LabelRaster
from clearcoat.dataset.layout import MANIFEST, read_manifest
from clearcoat.dataset.photos import find_images, read_unlabelled
from clearcoat.dataset.record import Record
from clearcoat.dataset.store import Progress
from clearcoat.dataset.writer import DatasetWriter
from clearcoat.errors import DatasetError


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

    Raises DatasetError: a path is no image or damaged, or `out` holds something else, also other
    images or a part of these.
    """
    files = find_images(paths)
    listed = hashlib.sha256()
    for file in files:
        listed.update(file.name.encode() + b"\0" + hashlib.sha256(_bytes(file)).digest())
    fingerprint = f"images {listed.hexdigest()}"
    if (out / MANIFEST).is_file() and read_manifest(out).source.get("fingerprint") != fingerprint:
        raise DatasetError(
            "the folder holds a data set of other images",
            where=out,
            found=f"{len(files)} images that are not, or not all of, those it was made from",
            do="choose another folder; `clearcoat dataset merge` puts several into one",
        )
    source = {"kind": kind, "format": "images", "fingerprint": fingerprint}
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


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DatasetError(
            "cannot read the image", where=file, found=error.strerror or str(error)
        ) from error
