"""A COCO annotation file, checked: what is read here refers to nothing that is missing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from clearcoat.dataset.formats import run_lengths
from clearcoat.dataset.formats.run_lengths import RunLengths
from clearcoat.errors import DatasetError

_FAR = 10
"""Sizes of an image by which an outline may lie outside of it."""
_MOST_PIXELS = 1_000_000
"""On a side of an image."""
_LEAST_POLYGON = 6
"""Numbers in the smallest polygon: three corners. What is shorter has no area."""


@dataclass(frozen=True)
class CocoImage:
    """An image as the file describes it."""

    id: int | str
    file_name: str
    path: str | None
    """Where COCO Annotator kept the file."""
    width: int
    height: int


@dataclass(frozen=True)
class Annotation:
    """An outlined region of an image."""

    id: int | str | None
    category_id: int | str
    crowd: bool
    rle: RunLengths | None
    """The mask as pycocotools decodes it; None where the file gives none."""
    box: tuple[float, float, float, float] | None
    """x, y, width, height in pixels."""


@dataclass(frozen=True)
class CocoFile:
    """The content of an annotation file."""

    path: Path
    sha256: str
    images: tuple[CocoImage, ...]
    categories: Mapping[int | str, str]
    """Name per id, ascending by id."""
    annotations: Mapping[int | str, tuple[Annotation, ...]]
    """Annotations per image id, in the order of the file; every image has an entry."""


def read_coco(path: Path) -> CocoFile:
    """Read an annotation file; raises DatasetError where it is none, or contradicts itself."""
    try:
        data = path.read_bytes()
        document = json.loads(data)
    except OSError as error:
        raise DatasetError(
            "cannot read the annotation file",
            where=path,
            found=error.strerror or str(error),
            do="check the path",
        ) from error
    except (ValueError, RecursionError) as error:
        raise _fault(path, "not JSON", str(error), "a COCO annotation file") from error
    images = tuple(
        CocoImage(
            id=_get(item, "id", int | str, where),
            file_name=_get(item, "file_name", str, where),
            path=item.get("path") if isinstance(item.get("path"), str) else None,
            width=_pixels(item, "width", where),
            height=_pixels(item, "height", where),
        )
        for item, where in _items(path, document, "images")
    )
    listed = _items(path, document, "categories")
    categories = {
        _get(item, "id", int | str, where): _get(item, "name", str, where) for item, where in listed
    }
    if len(categories) != len(listed):
        raise _fault(
            path, "two categories have the same id", None, "an id of its own for each category"
        )
    by_id = {image.id: image for image in images}
    if len(by_id) != len(images):
        raise _fault(path, "two images have the same id", None, "an id of its own for each image")
    annotations: dict[int | str, list[Annotation]] = {image.id: [] for image in images}
    for item, where in _items(path, document, "annotations"):
        image_id = _get(item, "image_id", int | str, where)
        category_id = _get(item, "category_id", int | str, where)
        if image_id not in by_id:
            raise _fault(where, "an annotation of an unknown image", image_id, "an id in `images`")
        if category_id not in categories:
            raise _fault(
                where, "an annotation of an unknown category", category_id, "an id in `categories`"
            )
        image = by_id[image_id]
        annotations[image_id].append(
            Annotation(
                id=None if item.get("id") is None else _get(item, "id", int | str, where),
                category_id=category_id,
                crowd=_crowd(item, where),
                rle=_rle(item.get("segmentation"), image, where),
                box=_box(item.get("bbox"), image, where),
            )
        )
    return CocoFile(
        path=path,
        sha256=sha256(data).hexdigest(),
        images=images,
        categories=dict(sorted(categories.items(), key=lambda pair: (str(type(pair[0])), pair[0]))),
        annotations={key: tuple(members) for key, members in annotations.items()},
    )


def _rle(segmentation: object, image: CocoImage, where: str) -> RunLengths | None:
    if not segmentation:
        return None
    height, width = image.height, image.width
    if isinstance(segmentation, dict):
        return _checked_code(segmentation, height, width, where)
    if not isinstance(segmentation, list):
        raise _fault(where, "unknown kind of segmentation", type(segmentation).__name__, _SHAPES)
    polygons = []
    for polygon in segmentation:
        if not _numbers(polygon) or len(polygon) % 2:
            raise _fault(where, "a polygon is malformed", str(polygon)[:60], _SHAPES)
        _require_near(polygon, image, "a polygon", where)
        # pycocotools takes four numbers for a box; a line has no area.
        if len(polygon) >= _LEAST_POLYGON:
            polygons.append(polygon)
    if not polygons:
        return None
    return run_lengths.from_polygons(polygons, height, width)


_SHAPES = "a list of polygons [x, y, x, y, …], or run lengths {size, counts}"


def _checked_code(code: dict[str, Any], height: int, width: int, where: str) -> RunLengths:
    counts = code.get("counts")
    if code.get("size") != [height, width]:
        raise _fault(
            where, "run lengths of another size", code.get("size"), f"size {[height, width]}"
        )
    if isinstance(counts, list):
        if not _numbers(counts) or sum(counts) != height * width or min(counts) < 0:
            raise _fault(
                where, "run lengths do not fill the image", None, f"{height * width} in all"
            )
        rle = run_lengths.from_counts(counts, height, width)
    elif isinstance(counts, str):
        rle = {"size": [height, width], "counts": counts.encode()}
    else:
        raise _fault(where, "run lengths are malformed", type(counts).__name__, _SHAPES)
    try:
        run_lengths.require_filled(rle)
    except ValueError as error:
        raise _fault(where, "run lengths do not fill the image", str(error), _SHAPES) from error
    return rle


def _crowd(item: dict[str, Any], where: str) -> bool:
    crowd = item.get("iscrowd") or 0
    if crowd not in (0, 1):
        raise _fault(where, "'iscrowd' is malformed", crowd, "0 or 1")
    return bool(crowd)


def _require_near(values: Sequence[float], image: CocoImage, what: str, where: str) -> None:
    """Raise DatasetError for what no outline of this image is: drawing takes memory for it."""
    limit = _FAR * (image.width + image.height)
    if any(abs(value) > limit for value in values):
        raise _fault(
            where,
            f"{what} lies far outside its image",
            str(values)[:60],
            f"pixels of {image.width} × {image.height}",
        )


def _box(box: object, image: CocoImage, where: str) -> tuple[float, float, float, float] | None:
    if not box:
        return None
    if not isinstance(box, list) or not _numbers(box) or len(box) != 4:
        raise _fault(where, "a box is malformed", str(box)[:60], "[x, y, width, height]")
    _require_near(box, image, "a box", where)
    x, y, width, height = (float(value) for value in box)
    return x, y, width, height


def _numbers(values: object) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
        for value in values
    )


def _items(path: Path, document: object, key: str) -> list[tuple[dict[str, Any], str]]:
    items = document.get(key) if isinstance(document, dict) else None
    if not isinstance(items, Sequence) or not all(isinstance(item, dict) for item in items):
        raise _fault(
            path,
            f"the file has no list {key!r}",
            None,
            "lists `images`, `categories`, `annotations`",
        )
    return [(item, f"{path} ({key}[{position}])") for position, item in enumerate(items)]


def _get(item: dict[str, Any], key: str, kind: Any, where: str) -> Any:
    value = item.get(key)
    if not isinstance(value, kind) or isinstance(value, bool) or value == "":
        raise _fault(where, f"{key!r} is missing or malformed", value, None)
    return value


def _pixels(item: dict[str, Any], key: str, where: str) -> int:
    value: int = _get(item, key, int, where)
    if not 1 <= value <= _MOST_PIXELS:
        raise _fault(
            where, f"{key!r} is not a number of pixels", str(value)[:30], f"1 to {_MOST_PIXELS:,}"
        )
    return value


def _fault(where: object, what: str, found: object, expected: str | None) -> DatasetError:
    return DatasetError(
        f"not a usable COCO annotation file: {what}",
        where=where,
        found=found,
        expected=expected,
        do="export the annotations again as COCO instance segmentation",
    )
