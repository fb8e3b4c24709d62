"""`labels.least_share`: a class of which a sliver is seen is not labelled, in any of the labels."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

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
