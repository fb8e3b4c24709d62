"""`labels.least_share`: a class of which a sliver is seen is not labelled, in any of the labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from clearcoat.cli import main
from clearcoat.dataset import Dataset
from clearcoat.generation.labels import LabelSpec, coverage, label_raster
from clearcoat.product import ClassMap
from clearcoat.render import Frame

_NAMES = ("door", "wheel", "hidden")
_CLASSES = ClassMap(
    names=_NAMES,
    of_part=(frozenset({0}), frozenset({1}), None),
    rule_of_part=(0, 1, 2),
)


def _frame(wheel_pixels: int) -> Frame:
    """90 pixels of the door less those of the wheel, four that are ignored, the rest nothing."""
    parts = np.zeros((10, 10), np.uint16)
    parts[:9] = 1
    parts.ravel()[:wheel_pixels] = 2
    parts[9, :4] = 3
    blank = np.zeros((10, 10, 3), np.float32)
    return Frame(
        radiance=blank,
        parts=parts,
        behind=parts,
        depth_m=np.ones((10, 10), np.float32),
        albedo=blank,
        normal=blank,
        fine_parts=np.kron(parts, np.ones((2, 2), np.uint16)),
        fine_behind=np.kron(parts, np.ones((2, 2), np.uint16)),
    )


@pytest.mark.parametrize(("pixels", "labelled"), [(8, False), (9, True), (30, True), (0, False)])
def test_a_class_is_labelled_from_its_least_share_on(pixels: int, labelled: bool) -> None:
    frame = _frame(pixels)
    # Nine of the ninety pixels that have a class; what is ignored counts as none.
    spec = LabelSpec(least_share={"wheel": 0.1})
    raster = label_raster(frame, _CLASSES, spec)
    assert raster.mask(1).sum() == (pixels if labelled else 0)
    assert raster.mask(0).sum() == 90 - pixels
    assert raster.ignore().sum() == 4
    soft = coverage(frame, _CLASSES, spec)
    assert soft is not None and ("wheel" in soft.names) == labelled


def test_without_a_least_share_slivers_are_labelled() -> None:
    assert label_raster(_frame(1), _CLASSES, LabelSpec()).mask(1).sum() == 1


def test_a_sliver_of_a_pixel_with_two_classes_leaves_the_other() -> None:
    both = ClassMap(
        names=_NAMES, of_part=(frozenset({0}), frozenset({0, 1}), None), rule_of_part=(0, 1, 2)
    )
    raster = label_raster(_frame(3), both, LabelSpec(least_share={"wheel": 0.1}))
    assert raster.mask(0).sum() == 90 and not raster.mask(1).any()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_lies_between_none_and_all(share: float) -> None:
    with pytest.raises(ValidationError):
        LabelSpec(least_share={"wheel": share})


def test_what_is_not_labelled_is_in_no_export(spec: Path) -> None:
    spec.write_text(
        spec.read_text().replace(
            "see_through: [seat]", "see_through: [seat], least_share: {wheel: 0.9}"
        )
    )
    out = spec.parent / "set"
    main(["render", str(spec), "--count", "2", "--size", "48", "--out", str(out)])
    dataset = Dataset.open(out)
    wheel = dataset.classes.index("wheel")
    objects = [one for index in dataset.indices for one in dataset.record_info(index).objects or ()]
    shown = {dataset.objects[one.object].class_name for one in objects if one.pixels}
    hidden = {dataset.objects[one.object].class_name for one in objects if one.full_pixels}
    assert "body" in shown and "wheel" not in shown and "wheel" in hidden
    assert not any(dataset.labels(index).mask(wheel).any() for index in dataset.indices)
    main(["dataset", "check", str(out)])
    for kind, file in (("coco", "coco.json"), ("voc", "voc"), ("yolo", "yolo")):
        main(["dataset", "export", kind, str(out), "--out", str(spec.parent / file)])
    content = json.loads((spec.parent / "coco.json").read_text())
    names = {entry["id"]: entry["name"] for entry in content["categories"]}
    assert "wheel" not in {names[one["category_id"]] for one in content["annotations"]}
    boxes = "".join(file.read_text() for file in (spec.parent / "voc").rglob("*.xml"))
    assert "<name>body</name>" in boxes and "<name>wheel</name>" not in boxes
    lines = [
        line
        for file in (spec.parent / "yolo").rglob("labels/**/*.txt")
        for line in file.read_text().split("\n")
    ]
    assert lines and not any(line.startswith(f"{wheel} ") for line in lines)
