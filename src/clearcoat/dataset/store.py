"""Reading a data set."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from clearcoat.dataset.encoding import (
    UNREADABLE,
    decode_coverage,
    decode_depth,
    decode_ids,
    decode_normals,
    decode_rgb,
    why_unreadable,
)
from clearcoat.dataset.labels import ClassSet, LabelRaster
from clearcoat.dataset.layout import first_fault, read_manifest, record_path, stored_indices
from clearcoat.dataset.objects import ObjectEntry
from clearcoat.dataset.record import IGNORE, Coverage, FileEntry, Manifest, RecordInfo
from clearcoat.errors import DatasetError, did_you_mean

Pixels = TypeVar("Pixels", bound=np.generic)
Progress = Callable[[int, int], None]
"""Called with (done, total) as a long task goes on."""


class Dataset:
    """A data set on disk: the records that were whole when it was opened.

    Every reading method raises DatasetError, naming the file, where a record is damaged.
    """

    def __init__(self, path: Path, manifest: Manifest, indices: tuple[int, ...]) -> None:
        self.path = path
        self.manifest = manifest
        self.indices = indices
        self._known = frozenset(indices)
        self._numbers = {name: number for number, name in enumerate(manifest.classes)}

    @classmethod
    def open(cls, path: Path) -> Dataset:
        """Open the data set in `path`; raises DatasetError where there is none."""
        path = Path(path)
        return cls(path, read_manifest(path), stored_indices(path))

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their numbers."""
        return self.manifest.classes

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts: id i is the (i - 1)-th."""
        return self.manifest.parts

    @property
    def instance_names(self) -> tuple[str, ...]:
        """Names of the instances: id i is the (i - 1)-th."""
        return self.manifest.instances

    @property
    def objects(self) -> tuple[ObjectEntry, ...]:
        """What records count as single objects."""
        return self.manifest.objects

    @property
    def source(self) -> dict[str, Any]:
        """What the manifest says of the data set's origin."""
        return self.manifest.source

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def images_also_in(self, other: Dataset) -> int:
        """Return how many images are the same, byte for byte, as one of another data set."""
        known = {other.record_info(index).image.sha256 for index in other.indices}
        return sum(self.record_info(index).image.sha256 in known for index in self.indices)

    def subset(self, indices: Collection[int]) -> Dataset:
        """Return the same data set as if it held these records only, in ascending order.

        Its digest is that of these records. Raises DatasetError for a record that is not there.
        """
        for index in indices:
            if index not in self._known:
                raise self._no_record(index)
        return Dataset(self.path, self.manifest, tuple(sorted(set(indices))))

    def record_info(self, index: int) -> RecordInfo:
        """Return what a record's JSON file says."""
        if index not in self._known:
            raise self._no_record(index)
        file = record_path(self.path, index)
        try:
            info = RecordInfo.model_validate(json.loads(file.read_bytes()))
        except ValidationError as error:
            raise damaged(file, first_fault(error)) from error
        except (OSError, ValueError) as error:
            raise damaged(file, str(error)) from error
        if info.index != index:
            raise damaged(file, f"index {info.index}")
        if len(info.labels.sets) != len(info.labels.pixels):
            raise damaged(file, "labels.sets and labels.pixels differ in length")
        return info

    def image(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, sRGB."""
        info = self.record_info(index)
        return self._decode(info, info.image, decode_rgb)

    def labels(self, index: int) -> LabelRaster:
        """Return the class sets per pixel."""
        info = self.record_info(index)
        values = self._decode(info, info.labels, decode_ids)
        try:
            return LabelRaster(index=values, sets=self.class_sets(info))
        except ValueError as error:
            raise damaged(self.path / info.labels.file, str(error)) from error

    def parts(self, index: int) -> NDArray[np.uint16] | None:
        """(H, W) uint16 part ids, 0 for nothing; None where the record has none."""
        info = self.record_info(index)
        return None if info.parts is None else self._decode(info, info.parts, decode_ids)

    def depth(self, index: int) -> NDArray[np.float32] | None:
        """(H, W) float32 metres, infinite for nothing; None where the record has none."""
        info = self.record_info(index)
        if info.depth is None:
            return None
        return decode_depth(self._decode(info, info.depth, decode_ids), info.depth.unit_m)

    def behind(self, index: int) -> NDArray[np.uint16] | None:
        """(H, W) uint16 part ids seen through panes; None where the record has none."""
        info = self.record_info(index)
        return None if info.behind is None else self._decode(info, info.behind, decode_ids)

    def instances(self, index: int) -> NDArray[np.uint16] | None:
        """(H, W) uint16 instance ids, 0 for nothing; None where the record has none."""
        info = self.record_info(index)
        return None if info.instances is None else self._decode(info, info.instances, decode_ids)

    def normals(self, index: int) -> NDArray[np.float32] | None:
        """(H, W, 3) float32 unit normals, camera frame; None where the record has none."""
        info = self.record_info(index)
        return None if info.normals is None else self._decode(info, info.normals, decode_normals)

    def coverage(self, index: int) -> Coverage | None:
        """Return the shares of pixels that classes cover; None where the record has none."""
        info = self.record_info(index)
        entry = info.coverage
        if entry is None:
            return None
        share = self._decode(info, entry, partial(decode_coverage, height=info.height))
        unknown = [name for name in entry.classes if name not in (*self.classes, IGNORE)]
        if unknown or len(set(entry.classes)) != share.shape[2]:
            raise damaged(
                self.path / entry.file,
                f"{share.shape[2]} planes, for the classes {', '.join(entry.classes)}",
            )
        return Coverage(entry.classes, share)

    def object_masks(self, index: int) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """Yield the objects that a record shows, by number, each with its (H, W) mask.

        Nothing where the record has no objects or no part ids.
        """
        info = self.record_info(index)
        if not info.objects or info.parts is None:
            return
        rasters = {False: self.parts(index), True: self.behind(index)}
        labels = self.labels(index)
        for shown in info.objects:
            if shown.object >= len(self.objects):
                raise damaged(record_path(self.path, index), f"object {shown.object}")
            entry = self.objects[shown.object]
            raster = rasters[entry.through_glass and rasters[True] is not None]
            if not shown.pixels or raster is None:
                continue
            table = np.zeros(len(self.part_names) + 1, dtype=np.bool_)
            table[list(entry.parts)] = True
            yield shown.object, table[raster] & labels.mask(self._numbers[entry.class_name])

    def class_sets(self, info: RecordInfo) -> tuple[ClassSet | None, ...]:
        """Return a record's table of class sets, in class numbers."""
        sets: list[ClassSet | None] = []
        for names in info.labels.sets:
            if names == IGNORE:
                sets.append(None)
                continue
            unknown = [name for name in names if name not in self._numbers]
            if unknown:
                raise damaged(
                    record_path(self.path, info.index),
                    f"class {unknown[0]!r}, which the data set does not have: "
                    + did_you_mean(unknown[0], self.classes),
                )
            sets.append(frozenset(self._numbers[name] for name in names))
        return tuple(sets)

    def digest(self) -> str:
        """Return a hex digest of classes, images and labels: equal content, equal digest.

        Computed from the JSON files alone; metadata and source do not count.
        """
        digest = sha256(json.dumps(self.classes).encode())
        for index in self.indices:
            info = self.record_info(index)
            facts = [index, [entry.sha256 for entry in info.files], info.labels.sets]
            digest.update(json.dumps(facts).encode())
        return digest.hexdigest()

    def read_bytes(self, entry: FileEntry) -> bytes:
        """Return a file's bytes once their digest has been checked."""
        file = self.path / entry.file
        try:
            data = file.read_bytes()
        except OSError as error:
            raise damaged(file, error.strerror or str(error)) from error
        if sha256(data).hexdigest() != entry.sha256:
            raise damaged(file, "bytes whose SHA-256 is not the one that the record states")
        return data

    def _no_record(self, index: int) -> DatasetError:
        return DatasetError(
            f"the data set has no record {index}",
            where=self.path,
            found=f"{len(self)} records",
            do="see `clearcoat dataset stats` for what it holds",
        )

    def _decode(
        self, info: RecordInfo, entry: FileEntry, decode: Callable[[bytes], NDArray[Pixels]]
    ) -> NDArray[Pixels]:
        data = self.read_bytes(entry)
        try:
            array = decode(data)
        except UNREADABLE as error:
            raise damaged(self.path / entry.file, why_unreadable(error)) from error
        if array.shape[:2] != (info.height, info.width):
            raise damaged(
                self.path / entry.file,
                f"{array.shape[1]} × {array.shape[0]} pixels, "
                f"the record says {info.width} × {info.height}",
            )
        return array


def damaged(file: Path, found: str) -> DatasetError:
    """Return the error for a file of a record that cannot be used."""
    return DatasetError(
        "a record of the data set is damaged",
        where=file,
        found=found,
        do="remove the record's file in records/ and run the command that made the data set again",
    )
