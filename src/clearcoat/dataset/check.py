"""Whether a data set is what its records say, and whether it looks fit for training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clearcoat.dataset.files import is_temporary
from clearcoat.dataset.labels import LabelRaster
from clearcoat.dataset.layout import FOLDERS, record_path
from clearcoat.dataset.quality import Frequency, boundary_agreement, compare_frequencies
from clearcoat.dataset.record import RecordInfo
from clearcoat.dataset.statistics import dataset_statistics
from clearcoat.dataset.store import Dataset, Progress, damaged
from clearcoat.errors import DatasetError

SLIVER_PIXELS = 4
LEAST_AGREEMENT = 0.9
"""Boundary agreement below which labels are doubtful: 1 is chance."""
_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=np.int8)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or odd."""

    where: str
    what: str


@dataclass(frozen=True)
class CheckReport:
    """What a check found. Errors make the data set unusable; warnings are for a person to judge."""

    path: str
    records: int
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    boundary_agreement: float | None = None
    """Median over the images: gradient of the picture along the labels' boundaries, over that
    beside them; None where no image has boundaries enough."""
    frequencies: tuple[Frequency, ...] = ()
    """Classes here and in the data set compared with."""

    @property
    def clean(self) -> bool:
        """Whether there is no error."""
        return not self.errors


@dataclass
class _Slivers:
    components: int = 0
    images: list[int] = field(default_factory=list)


def check_dataset(
    dataset: Dataset,
    *,
    sliver_pixels: int = SLIVER_PIXELS,
    against: Dataset | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Read every file of a data set and compare it with its record.

    Errors: damaged or missing files, sizes or pixel counts that differ from the record,
    unknown classes. Warnings: files of no record, classes that never occur, connected pieces
    of a class (8 neighbours) below `sliver_pixels` pixels, a data set that is empty or without any
    label, labels that end where the image shows no edge, and, with `against`, classes that occur
    more or less often than in that data set.
    `progress` is called with (done, total) after every record.
    """
    errors: list[Finding] = []
    warnings: list[Finding] = []
    referenced: set[str] = set()
    seen = np.zeros(len(dataset.classes), dtype=np.bool_)
    slivers = {name: _Slivers() for name in dataset.classes}
    fits: dict[int, float] = {}
    labelled = False
    for done, index in enumerate(dataset.indices, start=1):
        referenced.add(record_path(Path(), index).as_posix())
        try:
            info = dataset.record_info(index)
            referenced.update(entry.file for entry in info.files)
            image, labels = _verified(dataset, info)
        except DatasetError as error:
            errors.append(Finding(where=error.where or "", what=error.found or error.what))
        else:
            labelled |= any(members is not None for members in labels.compact().sets)
            fit = boundary_agreement(image, labels)
            if fit is not None:
                fits[index] = fit
            for number, name in enumerate(dataset.classes):
                small = _small_components(labels, number, sliver_pixels)
                seen[number] |= small is not None
                if small:
                    slivers[name].components += small
                    slivers[name].images.append(index)
        if progress is not None:
            progress(done, len(dataset))
    warnings.extend(_orphans(dataset.path, referenced))
    if not dataset.indices:
        warnings.append(Finding(where=str(dataset.path), what="the data set has no records"))
    elif not labelled and not errors:
        what = "no pixel is labelled: photos for self-training (`train --unlabelled`)"
        warnings.append(Finding(where=str(dataset.path), what=what))
    elif not errors:
        for name in np.array(dataset.classes)[~seen]:
            warnings.append(Finding(where=str(name), what="the class occurs in no image"))
    for name, found in slivers.items():
        if found.components:
            warnings.append(
                Finding(
                    where=name,
                    what=f"{found.components} pieces of fewer than {sliver_pixels} pixels "
                    f"in {len(found.images)} images, the first {found.images[0]}",
                )
            )
    warnings.extend(_misfits(fits))
    frequencies: tuple[Frequency, ...] = ()
    if against is not None and not errors:
        there = dataset_statistics(against)
        frequencies = compare_frequencies(dataset_statistics(dataset), there)
        if not there.labelled:
            what = "no pixel is labelled there: nothing to compare with"
            warnings.append(Finding(where=str(against.path), what=what))
        warnings.extend(_unusual(frequencies, dataset, against))
    return CheckReport(
        path=str(dataset.path),
        records=len(dataset),
        errors=tuple(errors),
        warnings=tuple(warnings),
        boundary_agreement=float(np.median(list(fits.values()))) if fits else None,
        frequencies=frequencies,
    )


def _misfits(fits: dict[int, float]) -> Iterator[Finding]:
    """Warn of images whose labels fit no better in place than shifted by a few pixels."""
    off = sorted(index for index, fit in fits.items() if fit < LEAST_AGREEMENT)
    if off:
        yield Finding(
            where=f"image {off[0]}" + (f" and {len(off) - 1} more" if off[1:] else ""),
            what="the labels end where the picture shows no edge: shifted, of another image, or "
            "an image almost without contrast",
        )


def _unusual(
    frequencies: tuple[Frequency, ...], dataset: Dataset, against: Dataset
) -> Iterator[Finding]:
    for found in frequencies:
        if found.conspicuous:
            yield Finding(
                where=found.name,
                what=f"in {100 * found.here:.0f} % of the labelled images, in "
                f"{100 * found.there:.0f} % of those of {against.path.name}",
            )
    for one, other in ((dataset, against), (against, dataset)):
        for name in sorted(set(one.classes) - set(other.classes)):
            yield Finding(where=name, what=f"a class of {one.path.name} alone")


def _verified(dataset: Dataset, info: RecordInfo) -> tuple[NDArray[np.uint8], LabelRaster]:
    """Read all of a record; raises DatasetError at the first thing that does not hold."""
    image = dataset.image(info.index)
    labels = dataset.labels(info.index)
    if tuple(labels.pixel_counts()) != info.labels.pixels:
        raise damaged(
            dataset.path / info.labels.file, "pixels per class set other than the record states"
        )
    for kind, entry, ids, names in (
        ("part", info.parts, dataset.parts(info.index), dataset.part_names),
        ("part", info.behind, dataset.behind(info.index), dataset.part_names),
        ("instance", info.instances, dataset.instances(info.index), dataset.instance_names),
    ):
        if entry is not None and ids is not None and int(ids.max()) > len(names):
            raise damaged(
                dataset.path / entry.file,
                f"{kind} id {int(ids.max())}; the data set names {len(names)} {kind}s",
            )
    dataset.depth(info.index)
    dataset.normals(info.index)
    dataset.coverage(info.index)
    seen = {number: int(mask.sum()) for number, mask in dataset.object_masks(info.index)}
    for one in info.objects or ():
        if info.parts is not None and seen.get(one.object, 0) != one.pixels:
            raise damaged(
                record_path(dataset.path, info.index),
                f"{one.pixels} pixels of object {one.object}, its mask has "
                f"{seen.get(one.object, 0)}",
            )
    return image, labels


def _small_components(labels: LabelRaster, number: int, sliver_pixels: int) -> int | None:
    """Return how many pieces of a class are too small, or None where the class is absent."""
    # Few sets have the class: no need to look at the pixels of an image without it.
    if not any(members and number in members for members in labels.sets):
        return None
    mask = labels.mask(number)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    cropped: NDArray[np.bool_] = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    pieces, _ = ndimage.label(cropped, structure=_EIGHT_NEIGHBOURS)
    return int((np.bincount(pieces.ravel())[1:] < sliver_pixels).sum())


def _orphans(path: Path, referenced: set[str]) -> Iterator[Finding]:
    for folder in FOLDERS:
        if not (path / folder).is_dir():
            continue
        for entry in sorted((path / folder).iterdir()):
            name = f"{folder}/{entry.name}"
            if name not in referenced and not is_temporary(entry.name):
                yield Finding(
                    where=name,
                    what="belongs to no record: left by an interrupted run, which overwrites it "
                    "when it goes on, or put there by hand",
                )
