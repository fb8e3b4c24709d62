"""COCO: annotation files with polygons or run-length codes, read and written.

The format is described at https://cocodataset.org/#format-data; pycocotools draws the masks.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.dataset.class_map import ClassMap, check_covers, identity_map
from clearcoat.dataset.files import make_folder_of, write_whole
from clearcoat.dataset.formats import run_lengths
from clearcoat.dataset.formats.coco_file import Annotation, CocoFile, read_coco
from clearcoat.dataset.formats.masks import labelled_masks
from clearcoat.dataset.labels import LabelRaster
from clearcoat.dataset.layout import MANIFEST
from clearcoat.dataset.photos import read_photo
from clearcoat.dataset.record import IGNORE, Record
from clearcoat.dataset.store import Dataset, Progress
from clearcoat.dataset.subsets import permuted
from clearcoat.dataset.writer import DatasetWriter
from clearcoat.errors import DatasetError, UsageError
from clearcoat.spec import digest

_CHOSEN_BY_SHUFFLE = "import"


@dataclass(frozen=True)
class ImportSummary:
    """What an import did."""

    path: str
    classes: tuple[str, ...]
    imported: int
    """Images written now."""
    already_there: int
    """Images asked for that an earlier run had written."""
    records: int
    """Records in the data set afterwards."""
    annotations: int
    """Annotations of the images written now."""
    crowds: int
    """Those that outline a crowd: *ignore* where no other annotation labels the pixel."""
    without_mask: int
    """Those with a box and no mask: the box is *ignore* where nothing else labels it."""


def import_coco(
    annotations: Path,
    out: Path,
    *,
    images: Path | None = None,
    class_map: ClassMap | None = None,
    start: int = 0,
    stop: int | None = None,
    shuffle: int | None = None,
    kind: str = "real",
    progress: Progress | None = None,
) -> ImportSummary:
    """Bring the images of a COCO annotation file into a data set.

    A record's index is the image's position in the file, whichever images are chosen:
    those from `start` to before `stop`, in the order of the file or, with `shuffle`, of a
    permutation of that seed. Images of earlier runs are left as they are, so that an import
    goes on where it stopped. Without a class map every category is a class.

    Image files are looked for in `images`, by default beside the annotation file, under
    `file_name` and, where the file has one, `path`.

    Raises:
        DatasetError: the file is no COCO file, contradicts itself, an image is missing or
            damaged, or `out` holds something else.
        SpecError: the class map does not fit the file's categories.
        UsageError: the selection holds no image.
    """
    file = read_coco(annotations)
    names = tuple(file.categories.values())
    if class_map is None:
        class_map = identity_map(names, str(annotations))
    check_covers(class_map, names, str(annotations))
    chosen = _choose(file, start, stop, shuffle)
    folder = annotations.parent if images is None else images
    places = {index: _locate(file, index, folder) for index in chosen}
    source = {
        "kind": kind,
        "format": "coco",
        "annotations": annotations.name,
        "annotations_sha256": file.sha256,
        "shuffle": shuffle,
        "fingerprint": _fingerprint(file, class_map, shuffle, kind),
    }
    writer = DatasetWriter.create(out, class_map.classes, source)
    todo = writer.missing(chosen)
    counts = np.zeros(3, dtype=np.int64)
    for done, index in enumerate(todo, start=1):
        image = file.images[index]
        pixels, original = read_photo(places[index], image.width, image.height)
        labels = rasterise(file, index, class_map)
        members = file.annotations[image.id]
        counts += (
            len(members),
            sum(annotation.crowd for annotation in members),
            sum(annotation.rle is None for annotation in members),
        )
        writer.write(
            Record(
                index=index,
                image=pixels,
                labels=labels,
                metadata={"coco_image_id": image.id, "annotations": [a.id for a in members]},
                source_name=image.file_name,
                original=original,
            )
        )
        if progress is not None:
            progress(done, len(todo))
    return ImportSummary(
        path=str(out),
        classes=class_map.classes,
        imported=len(todo),
        already_there=len(chosen) - len(todo),
        records=len(Dataset.open(out)),
        annotations=int(counts[0]),
        crowds=int(counts[1]),
        without_mask=int(counts[2]),
    )


def rasterise(file: CocoFile, position: int, class_map: ClassMap) -> LabelRaster:
    """Draw the annotations of the image at a position of the file.

    Annotations of different classes may overlap: the pixel then has all of them. A category
    mapped to *ignore* hides what else is there; a crowd or a box without mask is *ignore* only
    where nothing labels the pixel.
    """
    image = file.images[position]
    shape = (image.height, image.width)
    planes = np.zeros((len(class_map.classes), *shape), dtype=np.bool_)
    hidden = np.zeros(shape, dtype=np.bool_)
    unsure = np.zeros(shape, dtype=np.bool_)
    labelled = np.zeros(shape, dtype=np.bool_)
    for annotation in file.annotations[image.id]:
        target = class_map.targets[file.categories[annotation.category_id]]
        mask = _mask(annotation, shape)
        if target is None:
            hidden |= mask
        elif annotation.crowd or annotation.rle is None:
            unsure |= mask
        else:
            labelled |= mask
            for number in target:
                planes[number] |= mask
    return LabelRaster.from_planes(planes, hidden | (unsure & ~labelled))


def as_coco(dataset: Dataset, out: Path, progress: Progress | None = None) -> None:
    """Write the labels of a data set as one COCO annotation file.

    One annotation per object, or per class and image where a data set has no objects, run-length
    coded with its box: holes, disjoint pieces and overlaps are kept bit for bit. *Ignore* becomes
    a crowd of a category of its own, named `ignore`.
    File names are relative to the folder of `out`. `import_coco` reads back the same rasters.

    Raises DatasetError when a record is damaged or the file cannot be written, and UsageError
    where it would replace the manifest of a data set.
    """
    if out.name == MANIFEST:
        raise UsageError(
            "a file of that name is the manifest of a data set, which this would replace",
            where=out,
            do=f"use --out {out.with_name('coco.json')}",
        )
    make_folder_of(out)
    ids = {name: number for number, name in enumerate([*dataset.classes, IGNORE], start=1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for done, index in enumerate(dataset.indices, start=1):
        info = dataset.record_info(index)
        # Resolved: `..` leads out of what a link leads to.
        place = os.path.relpath((dataset.path / info.image.file).resolve(), out.parent.resolve())
        images.append(
            {
                "id": index,
                "width": info.width,
                "height": info.height,
                "file_name": Path(place).as_posix(),
            }
        )
        labels = dataset.labels(index)
        masks = [*labelled_masks(dataset, index, labels), (IGNORE, labels.ignore())]
        for name, mask in masks:
            if mask.any():
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": index,
                        "category_id": ids[name],
                        "iscrowd": int(name == IGNORE),
                        **_segmentation(mask),
                    }
                )
        if progress is not None:
            progress(done, len(dataset))
    document = {
        "info": {"description": "exported by clearcoat", "version": "1"},
        "images": images,
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
        "annotations": annotations,
    }
    write_whole(out, json.dumps(document).encode())


def _choose(file: CocoFile, start: int, stop: int | None, shuffle: int | None) -> tuple[int, ...]:
    order: Sequence[int] = range(len(file.images))
    if shuffle is not None:
        order = permuted(order, _CHOSEN_BY_SHUFFLE, shuffle)
    if start < 0 or (stop is not None and stop < start):
        raise UsageError(
            "the selection makes no sense",
            found=f"{start}:{'' if stop is None else stop}",
            expected="FIRST:BEYOND with 0 <= FIRST < BEYOND",
        )
    chosen = tuple(order[start:stop])
    if not chosen:
        raise UsageError(
            "the selection holds no image",
            where=file.path,
            found=f"{start}:{'' if stop is None else stop} of {len(file.images)} images",
            do=f"select within 0:{len(file.images)}",
        )
    return chosen


def _locate(file: CocoFile, position: int, folder: Path) -> Path:
    image = file.images[position]
    candidates = [folder / name for name in (image.file_name, image.path) if name]
    for candidate in candidates:
        # A name that the file system cannot hold, such as one of 300 characters, is no file's.
        with contextlib.suppress(OSError):
            if candidate.is_file():
                return candidate
    raise DatasetError(
        f"the image file {image.file_name!r} is missing",
        where=folder,
        found="none of " + ", ".join(map(str, candidates)),
        expected=f"the images of {file.path}",
        do="say with --images in which folder the image files are",
    )


def _fingerprint(file: CocoFile, class_map: ClassMap, shuffle: int | None, kind: str) -> str:
    targets = {
        name: None if members is None else sorted(members)
        for name, members in class_map.targets.items()
    }
    return digest([file.sha256, class_map.classes, targets, shuffle, kind])


def _mask(annotation: Annotation, shape: tuple[int, int]) -> NDArray[np.bool_]:
    if annotation.rle is not None:
        return run_lengths.decode(annotation.rle)
    mask = np.zeros(shape, dtype=np.bool_)
    if annotation.box is not None:
        x, y, width, height = annotation.box
        left, top = max(0, int(np.floor(x))), max(0, int(np.floor(y)))
        right, bottom = max(0, int(np.ceil(x + width))), max(0, int(np.ceil(y + height)))
        mask[top:bottom, left:right] = True
    return mask


def _segmentation(mask: NDArray[np.bool_]) -> dict[str, Any]:
    code = run_lengths.encode(mask)
    area, box = run_lengths.area_and_box(code)
    return {
        "area": area,
        "bbox": box,
        "segmentation": {"size": list(mask.shape), "counts": code["counts"].decode("ascii")},
    }
