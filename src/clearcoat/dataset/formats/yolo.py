"""YOLO segmentation: a text file of polygons per image, as the Ultralytics tools read it.

A line is a class number and the corners x y x y … of one polygon, as shares of the picture's
width and height. What polygons cannot hold is counted in `YoloSummary`, and *ignore* is refused
unless the caller says that it may become background. COCO files hold all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import yaml

from clearcoat.dataset.files import cannot_write, is_temporary, write_whole
from clearcoat.dataset.formats.masks import labelled_masks
from clearcoat.dataset.formats.outlines import outlines
from clearcoat.dataset.labels import LabelRaster
from clearcoat.dataset.store import Dataset, Progress
from clearcoat.errors import DatasetError

Split = Literal["train", "val", "test"]
_DESCRIPTION = "data.yaml"


@dataclass(frozen=True)
class YoloSummary:
    """What an export wrote, and what the format could not hold."""

    folder: str
    images: int
    polygons: int
    divided: int
    """Objects (or classes of an image) of several pieces: each piece became a polygon, and counts
    as an object of its own."""
    holes: int
    """Holes, each reached by a slit of no width: exact at the centres of pixels, but a drawing
    routine that paints outlines fills the slit and makes the hole a pixel smaller."""
    overlaps: int
    """Pixels of several classes. The polygons have all of them; a trainer may keep one."""
    ignored: int
    """Pixels to be ignored that became background."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user must know, a sentence each; empty where nothing was lost."""
        told = (
            (
                self.divided,
                "{} objects are of several pieces: every piece is now an object of its own",
            ),
            (
                self.holes,
                "{} holes are reached by slits of no width: drawing routines that paint outlines "
                "(cv2.fillPoly) make them a pixel smaller",
            ),
            (
                self.overlaps,
                "{} pixels have several classes: train with overlap_mask=False, or each goes to "
                "one of them",
            ),
            (
                self.ignored,
                "{} pixels that were to be ignored are background now: a wrong label to learn from",
            ),
        )
        return tuple(text.format(count) for count, text in told if count)


def as_yolo(
    dataset: Dataset,
    out: Path,
    *,
    split: Split = "train",
    ignore: Literal["refuse", "background"] = "refuse",
    progress: Progress | None = None,
) -> YoloSummary:
    """Write images, polygons and `data.yaml` into the folder `out`.

    Files are `images/<split>/<index>.png` (or .jpg, byte for byte) and, beside `images`,
    `labels/<split>/<index>.txt`.
    Export another data set with another split into the same folder to add it.

    Raises:
        DatasetError: a pixel is to be ignored and `ignore` is `refuse`; `out` has other classes,
            or images that this data set does not have; a record is damaged or a file cannot be
            written.
    """
    description = _description(dataset, out, split)
    if ignore == "refuse":
        _refuse_ignore(dataset)
    images, labels = out / "images" / split, out / "labels" / split
    try:
        images.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error
    _refuse_others(images, dataset)
    polygons = divided = holes = overlaps = ignored = 0
    for done, index in enumerate(dataset.indices, start=1):
        info = dataset.record_info(index)
        raster = dataset.labels(index)
        lines = []
        for name, mask in labelled_masks(dataset, index, raster):
            found = outlines(mask)
            divided += len(found) > 1
            for outline in found:
                holes += outline.holes
                shares = (f"{x / info.width:.8g} {y / info.height:.8g}" for x, y in outline.corners)
                lines.append(f"{dataset.classes.index(name)} {' '.join(shares)}\n")
        polygons += len(lines)
        overlaps += _pixels(raster, lambda members: members is not None and len(members) > 1)
        ignored += _pixels(raster, lambda members: members is None)
        image = Path(info.image.file)
        write_whole(images / image.name, dataset.read_bytes(info.image))
        write_whole(labels / f"{image.stem}.txt", "".join(lines).encode())
        if progress is not None:
            progress(done, len(dataset))
    write_whole(out / _DESCRIPTION, description.encode())
    return YoloSummary(
        folder=str(out),
        images=len(dataset),
        polygons=polygons,
        divided=divided,
        holes=holes,
        overlaps=overlaps,
        ignored=ignored,
    )


def _pixels(raster: LabelRaster, chosen: Any) -> int:
    counts = raster.pixel_counts()
    return sum(int(n) for members, n in zip(raster.sets, counts, strict=True) if chosen(members))


def _refuse_ignore(dataset: Dataset) -> None:
    for index in dataset.indices:
        info = dataset.record_info(index)
        for members, pixels in zip(dataset.class_sets(info), info.labels.pixels, strict=True):
            if members is None and pixels:
                raise DatasetError(
                    "YOLO files cannot say that a pixel is to be ignored",
                    where=dataset.path / info.labels.file,
                    found=f"{pixels} such pixels",
                    do="export COCO, which can; or accept that they become background: "
                    "--ignore background",
                )


def _refuse_others(images: Path, dataset: Dataset) -> None:
    files = (dataset.record_info(index).image for index in dataset.indices)
    expected = {Path(file.file).name: file.sha256 for file in files}
    others = sorted(
        entry.name
        for entry in images.iterdir()
        if not is_temporary(entry.name)
        # By content, since data sets number their images alike.
        and expected.get(entry.name) != sha256(entry.read_bytes()).hexdigest()
    )
    if others:
        raise DatasetError(
            "the folder holds images of another data set",
            where=images,
            found=f"{len(others)}, among them {others[0]}",
            do="choose another folder or another --split",
        )


def _description(dataset: Dataset, out: Path, split: Split) -> str:
    """Return `data.yaml` with this split beside those that are there."""
    file = out / _DESCRIPTION
    names = dict(enumerate(dataset.classes))
    known: dict[str, Any] = {}
    if file.exists():
        try:
            read = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise DatasetError("cannot read what is there", where=file, found=error) from error
        if not isinstance(read, dict) or read.get("names") != names:
            raise DatasetError(
                "the folder holds a YOLO data set of other classes",
                where=file,
                found=read.get("names") if isinstance(read, dict) else "no mapping",
                expected=names,
                do="choose another folder",
            )
        known = {key: read[key] for key in ("train", "val", "test") if key in read}
    known[split] = f"images/{split}"
    # Without `path`, places start from this file.
    return yaml.safe_dump({**known, "names": names}, sort_keys=False, allow_unicode=True)
