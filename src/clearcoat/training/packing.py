"""A data set decoded and resized once, as two flat files that can be mapped into memory.

pack.json     what is packed, at which size, the table of class sets, the pack's digest
images.u8     (N, 3, S, S) uint8
labels.u8     (N, S, S) positions in the table of class sets; labels.i32 beyond 256 of them
rows.u64      a checksum per image and its labels, checked when a row is first read

Runs of a study share a pack: it is keyed by the data set's digest and the size. It appears whole,
since it is written beside its place and renamed. `pack_cache` bounds how much all of them take.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from clearcoat.dataset import Dataset, LabelRaster
from clearcoat.dataset.labels import ClassSet
from clearcoat.dataset.resize import resize_image, resize_labels
from clearcoat.errors import DatasetError, TrainingError
from clearcoat.training.cache import VARIABLE, cache_folder
from clearcoat.training.pack_cache import Hold, hold, limit_bytes, prune

_VERSION = 1
_READ_AHEAD = 64
_HEADER, _IMAGES, _ROWS = "pack.json", "images.u8", "rows.u64"
_NARROW, _WIDE = "labels.u8", "labels.i32"

Told = Callable[[int, int], None]
"""Is called with (images packed, images in all)."""


@dataclass(frozen=True, eq=False)
class PackedDataset:
    """A packed data set; rows stand in the order of `indices`."""

    path: Path
    name: str
    """Of the data set, for messages."""
    images: NDArray[np.uint8]
    """(N, 3, S, S), mapped."""
    labels: NDArray[np.uint8] | NDArray[np.int32]
    """(N, S, S), mapped: positions in `sets`."""
    sets: tuple[ClassSet | None, ...]
    classes: tuple[str, ...]
    indices: tuple[int, ...]
    """Record number of each row."""
    digest: str
    """Of everything in the pack."""
    checksums: NDArray[np.uint64]
    _hold: Hold | None = field(default=None, repr=False)
    """Keeps other processes from pruning it."""
    _checked: set[int] = field(default_factory=set, repr=False)

    def rows(self, numbers: Sequence[int]) -> NDArray[np.int64]:
        """Return the rows of record numbers, which must be there."""
        place = {number: row for row, number in enumerate(self.indices)}
        return np.array([place[number] for number in numbers], np.int64)

    def check(self, rows: NDArray[np.int64]) -> None:
        """Raise TrainingError where the bytes of a row are not those that were packed."""
        for row in rows.tolist():
            if row in self._checked:
                continue
            if _checksum(self.images[row], self.labels[row]) != self.checksums[row]:
                raise _damaged(self.path, f"other bytes than were packed in row {row}")
            self._checked.add(row)


def pack_dataset(
    dataset: Dataset, size: int, *, digest: str | None = None, told: Told | None = None
) -> PackedDataset:
    """Return the pack of `dataset` at (size, size), making it where there is none.

    `digest` is the data set's own, where it is known already. Raises DatasetError for a damaged
    record, and TrainingError where the cache cannot be written or a pack in it is damaged.
    """
    digest = dataset.digest() if digest is None else digest
    key = sha256(f"{_VERSION} {digest} {size}".encode()).hexdigest()[:24]
    path = cache_folder() / "packs" / key
    limit = limit_bytes()
    while True:
        made = not (path / _HEADER).is_file()
        if made:
            if not len(dataset):
                raise DatasetError("the data set is empty", where=dataset.path)
            _make(dataset, size, digest, path, told)
        try:
            held = hold(path)
        except OSError as error:
            raise _cannot_keep(path, error) from error
        # None: pruned by another process since we looked.
        if held is not None:
            break
    if made:
        prune(path.parent, limit)
    return _open(path, dataset.path.name, held)


def _make(dataset: Dataset, size: int, digest: str, path: Path, told: Told | None) -> None:
    building = path.with_name(f".writing-{socket.gethostname()}-{os.getpid()}-{uuid4().hex}")
    try:
        building.mkdir(parents=True)
        header = _write(dataset, size, building, told)
        header |= {"version": _VERSION, "dataset": digest, "size": size}
        (building / _HEADER).write_text(json.dumps(header))
        try:
            building.rename(path)
        except OSError:
            # Another process has made the same pack meanwhile; its bytes are the same.
            if not (path / _HEADER).is_file():
                raise
    except OSError as error:
        raise _cannot_keep(path, error) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _write(dataset: Dataset, size: int, folder: Path, told: Told | None) -> dict[str, Any]:
    table: dict[ClassSet | None, int] = {None: 0, frozenset(): 1}
    checksums: list[int] = []
    total = len(dataset)
    # Ordinary writes, not a map: a full disk is then an error and not a dead process.
    with (folder / _IMAGES).open("wb") as images, (folder / _WIDE).open("wb") as labels:
        for image, raster in _read(dataset, size):
            planes = np.ascontiguousarray(image.transpose(2, 0, 1))
            lookup = np.array([table.setdefault(s, len(table)) for s in raster.sets], np.int32)
            positions = lookup[raster.index]
            images.write(planes.tobytes())
            labels.write(positions.tobytes())
            checksums.append(_checksum(planes, positions))
            if told is not None:
                told(len(checksums), total)
    if len(table) <= 256:
        _narrow(folder, size * size)
    rows = np.array(checksums, np.uint64)
    rows.tofile(folder / _ROWS)
    facts = {
        "classes": list(dataset.classes),
        "indices": list(dataset.indices),
        "sets": [None if s is None else sorted(s) for s in table],
    }
    return facts | {"digest": sha256(json.dumps(facts).encode() + rows.tobytes()).hexdigest()}


def _narrow(folder: Path, pixels: int) -> None:
    """Rewrite the labels with one byte per pixel; how many are needed is known at the end only."""
    with (folder / _WIDE).open("rb") as wide, (folder / _NARROW).open("wb") as narrow:
        while piece := wide.read(4 * pixels):
            narrow.write(np.frombuffer(piece, np.int32).astype(np.uint8).tobytes())
    (folder / _WIDE).unlink()


def _read(dataset: Dataset, size: int) -> Iterator[tuple[NDArray[np.uint8], LabelRaster]]:
    def read(number: int) -> tuple[NDArray[np.uint8], LabelRaster]:
        image, labels = dataset.image(number), dataset.labels(number)
        return resize_image(image, size), resize_labels(labels, size)

    # In pieces: `map` would otherwise hold as many decoded images as it is ahead.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as readers:
        for start in range(0, len(dataset), _READ_AHEAD):
            yield from readers.map(read, dataset.indices[start : start + _READ_AHEAD])


def _open(path: Path, name: str, held: Hold) -> PackedDataset:
    try:
        header = json.loads((path / _HEADER).read_text())
        indices, size = tuple(header["indices"]), int(header["size"])
        shape = (len(indices), size, size)
        wide = (path / _WIDE).is_file()
        # Copy on write, never written to: torch warns of arrays that it could not write.
        images = np.memmap(path / _IMAGES, np.uint8, "c", shape=(shape[0], 3, size, size))
        labels: NDArray[Any] = np.memmap(
            path / (_WIDE if wide else _NARROW), np.int32 if wide else np.uint8, "c", shape=shape
        )
        checksums = np.fromfile(path / _ROWS, np.uint64)
        if len(checksums) != len(indices):
            raise ValueError(f"{len(checksums)} checksums for {len(indices)} images")
        sets = tuple(None if s is None else frozenset(s) for s in header["sets"])
        return PackedDataset(
            path=path,
            name=name,
            images=images,
            labels=labels,
            sets=sets,
            classes=tuple(header["classes"]),
            indices=indices,
            digest=header["digest"],
            checksums=checksums,
            _hold=held,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, str(error)) from error


def _checksum(image: NDArray[np.uint8], labels: NDArray[Any]) -> int:
    digest = blake2b(np.ascontiguousarray(image).data, digest_size=8)
    digest.update(labels.astype(np.int32).tobytes())
    return int.from_bytes(digest.digest(), "little")


def _cannot_keep(path: Path, error: OSError) -> TrainingError:
    return TrainingError(
        "cannot keep the packed data set",
        where=path.parent,
        found=error.strerror or str(error),
        do=f"make room, or set {VARIABLE} to a folder with room and write permission",
    )


def _damaged(path: Path, found: str) -> TrainingError:
    return TrainingError(
        "a packed data set is damaged",
        where=path,
        found=found,
        do="remove this folder: the next run packs the data set again",
    )
