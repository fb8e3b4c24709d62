"""Writing a data set: records appear whole, in any order, from any number of processes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from clearcoat.dataset.encoding import (
    encode_coverage,
    encode_depth,
    encode_image,
    encode_labels,
    encode_normals,
    encode_parts,
)
from clearcoat.dataset.files import (
    cannot_write,
    create_whole,
    is_temporary,
    remove_abandoned,
    write_whole,
)
from clearcoat.dataset.layout import (
    FOLDERS,
    MANIFEST,
    image_stem,
    read_manifest,
    record_path,
    stored_indices,
)
from clearcoat.dataset.objects import ObjectEntry
from clearcoat.dataset.record import BACKGROUND_NAMES, IGNORE, Manifest, Record
from clearcoat.errors import DatasetError

_ALWAYS = ("images", "labels", "parts", "depth", "records")


class DatasetWriter:
    """Adds records to a data set. Make one with `DatasetWriter.create`."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def create(
        cls,
        path: Path,
        classes: Sequence[str],
        source: Mapping[str, Any],
        parts: Sequence[str] = (),
        instances: Sequence[str] = (),
        objects: Sequence[ObjectEntry] = (),
    ) -> DatasetWriter:
        """Make the data set, or open it to go on where an earlier writer stopped.

        `source["fingerprint"]`, where given, says what the records are made from: writers of
        another fingerprint are refused. Other facts in `source` are kept from the first writer.

        Raises DatasetError when the folder holds something else, or another data set.
        """
        path = Path(path)
        check_class_names(classes)
        manifest = Manifest(
            classes=tuple(classes),
            parts=tuple(parts),
            instances=tuple(instances),
            objects=tuple(objects),
            source=dict(source),
        )
        there = make_place(path)
        text = json.dumps(
            manifest.model_dump(mode="json", by_alias=True), indent=1, allow_nan=False
        )
        if there or not create_whole(path / MANIFEST, text.encode()):
            existing = read_manifest(path)
            _check_same(path, existing, manifest)
            manifest = existing
        try:
            for name in _ALWAYS:
                (path / name).mkdir(exist_ok=True)
            for folder in (path, *(path / name for name in FOLDERS)):
                if folder.is_dir():
                    remove_abandoned(folder)
        except OSError as error:
            raise cannot_write(path, error) from error
        return cls(path, manifest)

    def has(self, index: int) -> bool:
        """Whether the record is there, whole."""
        return record_path(self.path, index).is_file()

    def missing(self, indices: Iterable[int]) -> tuple[int, ...]:
        """Return those of `indices` that have no record yet, in the order given."""
        present = set(stored_indices(self.path))
        return tuple(index for index in indices if index not in present)

    def write(self, record: Record) -> None:
        """Store a record, in place of an earlier one of the same index.

        Raises DatasetError when the file system refuses.
        """
        labels = record.labels.compact()
        _check_numbers(record, labels.sets, self.manifest)
        names = self.manifest.classes
        sets = [
            IGNORE if members is None else [names[number] for number in sorted(members)]
            for members in labels.sets
        ]
        target = record_path(self.path, record.index)
        # A record that is there says that its files are whole: it goes before they change.
        try:
            target.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(target, error) from error
        height, width = labels.shape
        document: dict[str, Any] = {"index": record.index, "width": width, "height": height}
        stem = image_stem(record.index)
        if record.original is None:
            document["image"] = self._store(f"images/{stem}.png", encode_image(record.image))
        else:
            name = f"images/{stem}{record.original.suffix}"
            document["image"] = self._store(name, record.original.data)
        document["labels"] = {
            **self._store(f"labels/{stem}.png", encode_labels(labels)),
            "sets": sets,
            "pixels": labels.pixel_counts().tolist(),
        }
        if record.parts is not None:
            document["parts"] = self._store(f"parts/{stem}.png", encode_parts(record.parts))
        if record.depth is not None:
            data, unit_m = encode_depth(record.depth)
            document["depth"] = {**self._store(f"depth/{stem}.png", data), "unit_m": unit_m}
        for name, ids in (("behind", record.behind), ("instances", record.instances)):
            if ids is not None:
                document[name] = self._store(f"{name}/{stem}.png", encode_parts(ids))
        if record.normals is not None:
            data = encode_normals(record.normals)
            document["normals"] = self._store(f"normals/{stem}.png", data)
        if record.coverage is not None and record.coverage.names:
            data = encode_coverage(record.coverage.share)
            document["coverage"] = {
                **self._store(f"coverage/{stem}.png", data),
                "classes": list(record.coverage.names),
            }
        if record.objects is not None:
            document["objects"] = [one.model_dump(mode="json") for one in record.objects]
        if record.part_pixels is not None:
            document["part_pixels"] = record.part_pixels
        if record.source_name is not None:
            document["source_name"] = record.source_name
        document["metadata"] = dict(record.metadata)
        write_whole(target, json.dumps(document, allow_nan=False).encode())

    def _store(self, name: str, data: bytes) -> dict[str, str]:
        try:
            (self.path / name).parent.mkdir(exist_ok=True)
        except OSError as error:
            raise cannot_write(self.path / name, error) from error
        write_whole(self.path / name, data)
        return {"file": name, "sha256": sha256(data).hexdigest()}


def make_place(path: Path) -> bool:
    """Make the folder of a data set where there is none; return whether it holds one.

    Raises DatasetError where it holds something else, or cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        strangers = sorted(entry.name for entry in path.iterdir() if not is_temporary(entry.name))
    except OSError as error:
        raise cannot_write(path, error) from error
    if strangers and MANIFEST not in strangers:
        raise DatasetError(
            "the folder is not empty and holds no data set",
            where=path,
            found=", ".join(strangers[:5]) + (", …" if len(strangers) > 5 else ""),
            expected=f"an empty folder, or a data set with its {MANIFEST}",
            do="choose another folder",
        )
    return MANIFEST in strangers


def check_class_names(classes: Sequence[str]) -> None:
    """Raise DatasetError unless the names can be those of a data set's classes."""
    repeated = sorted({name for name in classes if classes.count(name) > 1})
    # Not only what has a meaning here: a label file of another name for background loses the class.
    taken = BACKGROUND_NAMES | {IGNORE}
    reserved = sorted(taken.intersection(classes))
    if not classes or "" in classes or repeated or reserved:
        raise DatasetError(
            "these cannot be the classes of a data set",
            found=", ".join(map(repr, repeated or reserved or classes)) or "no class",
            expected="at least one class, names once each, none of them "
            + " or ".join(sorted(taken)),
            do="name the classes otherwise: background is a pixel without a class",
        )


def _check_same(path: Path, existing: Manifest, wanted: Manifest) -> None:
    mine, theirs = wanted.source.get("fingerprint"), existing.source.get("fingerprint")
    for differs, what, found, expected in (
        (
            existing.classes != wanted.classes,
            "other classes",
            ", ".join(existing.classes),
            ", ".join(wanted.classes),
        ),
        (
            existing.parts != wanted.parts,
            "other part names",
            f"{len(existing.parts)} names",
            f"{len(wanted.parts)} names",
        ),
        (
            existing.instances != wanted.instances or existing.objects != wanted.objects,
            "other instances or objects",
            f"{len(existing.instances)} instances, {len(existing.objects)} objects",
            f"{len(wanted.instances)} instances, {len(wanted.objects)} objects",
        ),
        (mine != theirs, "records made from something else", theirs, mine),
    ):
        if differs:
            raise DatasetError(
                f"the folder holds a data set with {what}",
                where=path,
                found=found,
                expected=expected,
                do="choose another folder, or remove this one to start afresh",
            )


def _check_numbers(
    record: Record, sets: Sequence[frozenset[int] | None], manifest: Manifest
) -> None:
    used = {number for members in sets for number in members or ()}
    if used and not 0 <= min(used) <= max(used) < len(manifest.classes):
        raise ValueError(
            f"record {record.index}: class numbers {sorted(used)}, "
            f"the data set has {len(manifest.classes)} classes"
        )
    for kind, raster, count in (
        ("part", record.parts, len(manifest.parts)),
        ("part", record.behind, len(manifest.parts)),
        ("instance", record.instances, len(manifest.instances)),
    ):
        if raster is not None and int(raster.max()) > count:
            raise ValueError(
                f"record {record.index}: {kind} id {int(raster.max())}, "
                f"the data set has {count} {kind} names"
            )
    beyond = [one.object for one in record.objects or () if one.object >= len(manifest.objects)]
    if beyond:
        raise ValueError(
            f"record {record.index}: object {beyond[0]}, "
            f"the data set has {len(manifest.objects)} objects"
        )
