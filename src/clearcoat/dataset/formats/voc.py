"""PASCAL VOC: one XML file per image with the boxes of its objects.

The format is that of the VOC2012 development kit: pixel coordinates start at 1, both corners are
inside the box. Boxes say nothing of overlapping classes, holes or pixels to be ignored: masks are
in the data set itself, and in COCO files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from clearcoat.dataset.files import cannot_write, write_whole
from clearcoat.dataset.objects import Box, box_of
from clearcoat.dataset.record import RecordInfo
from clearcoat.dataset.store import Dataset, Progress

_OCCLUDED_BELOW = 0.95
"""Visible share below which an object counts as occluded: the kit says "significantly"."""


def as_voc(dataset: Dataset, out: Path, progress: Progress | None = None) -> None:
    """Write `<index>.xml` of every record into the folder `out`.

    An object with its own box is one entry; a class without objects is one, around all of its
    pixels. `truncated`: the box touches the frame. `occluded`: less is seen than there is.

    Raises DatasetError when a record is damaged or the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error
    for done, index in enumerate(dataset.indices, start=1):
        info = dataset.record_info(index)
        root = ElementTree.Element("annotation")
        image = dataset.path / info.image.file
        _add(root, "folder", image.parent.name)
        _add(root, "filename", image.name)
        size = ElementTree.SubElement(root, "size")
        for name, value in (("width", info.width), ("height", info.height), ("depth", 3)):
            _add(size, name, str(value))
        _add(root, "segmented", "0")
        for name, box, share in _boxes(dataset, info):
            root.append(_object(name, box, share, info))
        ElementTree.indent(root)
        write_whole(out / f"{image.stem}.xml", ElementTree.tostring(root, encoding="utf-8"))
        if progress is not None:
            progress(done, len(dataset))


def _boxes(dataset: Dataset, info: RecordInfo) -> Iterator[tuple[str, Box, float | None]]:
    divided = {entry.class_name for entry in dataset.objects} if info.objects else set()
    for one in info.objects or ():
        if one.box is not None:
            yield dataset.objects[one.object].class_name, one.box, one.visible_share
    labels = dataset.labels(info.index)
    for number, name in enumerate(dataset.classes):
        box = None if name in divided else box_of(labels.mask(number))
        if box is not None:
            yield name, box, None


def _object(name: str, box: Box, share: float | None, info: RecordInfo) -> ElementTree.Element:
    x, y, width, height = box
    cut = x == 0 or y == 0 or x + width == info.width or y + height == info.height
    root = ElementTree.Element("object")
    _add(root, "name", name)
    _add(root, "pose", "Unspecified")
    _add(root, "truncated", str(int(cut)))
    _add(root, "occluded", str(int(share is not None and share < _OCCLUDED_BELOW)))
    _add(root, "difficult", "0")
    corners = ElementTree.SubElement(root, "bndbox")
    for key, value in (("xmin", x + 1), ("ymin", y + 1), ("xmax", x + width), ("ymax", y + height)):
        _add(corners, key, str(value))
    return root


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text
