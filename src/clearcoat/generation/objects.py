"""Single objects of the classes: which parts make one, and what an image shows of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clearcoat.dataset import ObjectEntry, ObjectPixels, PartPixels
from clearcoat.dataset.objects import Box
from clearcoat.generation.labels import LabelSpec
from clearcoat.product import ClassMap, Product
from clearcoat.render import Extent, Frame

_Boxes = dict[int, tuple[int, Box]]
"""Number of pixels and box, by object."""


@dataclass(frozen=True, eq=False)
class ObjectTable:
    """Which object of each class every part belongs to."""

    entries: tuple[ObjectEntry, ...]
    """All objects of a product, class by class."""
    of_part: NDArray[np.int32]
    """(classes, 1 + parts): 1 + the place in `entries`; 0 where the part is none of the class."""
    ignored: NDArray[np.bool_]
    """(1 + parts,): parts that hide what is behind them from every label."""


def object_table(product: Product, classes: ClassMap, spec: LabelSpec) -> ObjectTable:
    """Divide the parts of every class into objects, as `labels.objects` says."""
    entries: list[ObjectEntry] = []
    of_part = np.zeros((len(classes.names), 1 + len(product.parts)), dtype=np.int32)
    for number, class_name in enumerate(classes.names):
        members: dict[str, list[int]] = {}
        for place, part in enumerate(product.parts, start=1):
            if number in (classes.of_part[place - 1] or ()):
                key = _key(spec.objects.get(class_name, "whole"), part.path)
                members.setdefault(key, []).append(place)
        for key, parts in members.items():
            of_part[number, parts] = len(entries) + 1
            entries.append(
                ObjectEntry(
                    class_name=class_name,
                    name=key or class_name,
                    parts=tuple(parts),
                    through_glass=class_name in spec.see_through,
                )
            )
    ignored = np.array([False, *(members is None for members in classes.of_part)])
    return ObjectTable(entries=tuple(entries), of_part=of_part, ignored=ignored)


def object_pixels(
    table: ObjectTable, frame: Frame, left_out: Collection[str] = ()
) -> tuple[ObjectPixels, ...]:
    """Return the objects in the frame; hidden ones too where the frame's extent is known.

    Objects of the classes `left_out` count as hidden: none of their pixels is labelled.
    """
    shape = frame.parts.shape
    seen: _Boxes = {}
    full: _Boxes = {}
    for of_part in table.of_part[table.of_part.any(axis=1)]:
        # The objects of a class stand together: from `first` on, here numbered from 1.
        first = int(of_part[of_part > 0].min()) - 1
        through = table.entries[first].through_glass
        local = np.maximum(of_part - first, 0)
        raster = local[frame.behind if through else frame.parts]
        raster[table.ignored[frame.parts]] = 0
        for key, value in _visible(raster).items():
            seen[first + key - 1] = value
        if frame.extent is not None:
            for key, value in _unoccluded(local, frame.extent, shape).items():
                full[first + key - 1] = value
    seen = {n: value for n, value in seen.items() if table.entries[n].class_name not in left_out}
    shown = []
    for number in sorted({*seen, *full}):
        pixels, box = seen.get(number, (0, None))
        whole, around = (None, None) if frame.extent is None else full.get(number, (0, None))
        shown.append(
            ObjectPixels(
                object=number,
                pixels=pixels,
                box=box,
                # On a coarse grid, what is seen may be more than what the grid met.
                full_pixels=None if whole is None else max(whole, pixels),
                full_box=None if whole is None else _union(around, box),
            )
        )
    return tuple(shown)


def part_pixels(frame: Frame) -> tuple[PartPixels, ...] | None:
    """Return the parts in the frame, hidden ones included; None where the extent is unknown."""
    if frame.extent is None:
        return None
    seen = np.bincount(frame.parts.ravel())
    full = np.bincount(frame.extent.part) * frame.extent.step**2
    length = max(len(seen), len(full))
    seen = np.pad(seen, (0, length - len(seen)))
    full = np.maximum(np.pad(full, (0, length - len(full))), seen)
    return tuple(
        PartPixels(part=int(part), pixels=int(seen[part]), full_pixels=int(full[part]))
        for part in np.flatnonzero(full)
        if part > 0
    )


def _key(rule: str, path: str) -> str:
    """Return what tells the object of a part from others of its class."""
    if rule == "whole":
        return ""
    if rule == "each":
        return path
    found = re.search(rule, path)
    return "" if found is None else found.group(0)


def _visible(raster: NDArray[np.int32]) -> _Boxes:
    counts = np.bincount(raster.ravel())
    boxes = ndimage.find_objects(raster)
    return {
        number: (int(counts[number]), _box(*box))
        for number, box in enumerate(boxes, start=1)
        if box is not None
    }


def _box(rows: slice, columns: slice) -> Box:
    return columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start


def _unoccluded(of_part: NDArray[np.int32], extent: Extent, shape: tuple[int, ...]) -> _Boxes:
    height, width = shape
    mine = of_part[extent.part]
    kept = mine > 0
    if not kept.any():
        return {}
    # Several parts of an object along one ray cover one pixel.
    place = extent.row[kept] * width + extent.column[kept]
    pairs = np.unique(mine[kept].astype(np.int64) * (width * height) + place)
    number, place = pairs // (width * height), pairs % (width * height)
    row, column = place // width, place % width
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    counts = np.diff(np.append(starts, len(number)))
    before, after = extent.step // 2, extent.step - extent.step // 2
    left = np.maximum(np.minimum.reduceat(column, starts) - before, 0)
    right = np.minimum(np.maximum.reduceat(column, starts) + after, width)
    top = np.maximum(np.minimum.reduceat(row, starts) - before, 0)
    bottom = np.minimum(np.maximum.reduceat(row, starts) + after, height)
    return {
        int(number[start]): (int(count) * extent.step**2, (int(x), int(y), int(r - x), int(b - y)))
        for start, count, x, y, r, b in zip(starts, counts, left, top, right, bottom, strict=True)
    }


def _union(a: Box | None, b: Box | None) -> Box | None:
    if a is None or b is None:
        return a or b
    x, y = min(a[0], b[0]), min(a[1], b[1])
    return x, y, max(a[0] + a[2], b[0] + b[2]) - x, max(a[1] + a[3], b[1] + b[3]) - y
