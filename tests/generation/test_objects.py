"""Objects against counting pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearcoat.dataset.objects import box_of
from clearcoat.generation.labels import LabelSpec, label_raster
from clearcoat.generation.objects import object_pixels, object_table, part_pixels
from clearcoat.product import ClassMap, Product
from clearcoat.render import Extent, Frame
from tests.products import toy_car

_NAMES = ("wheel", "handle", "seat", "body")
_PATHS = (
    "wheels/front/tyre",
    "wheels/front/rim",
    "wheels/rear/tyre",
    "door/handle",
    "door/panel",
    "seat",
    "box",
)
_OF_PART = tuple(
    None if members is None else frozenset(_NAMES.index(name) for name in members)
    for members in (
        ["wheel"],
        ["wheel"],
        ["wheel"],
        ["handle", "body"],
        ["body"],
        ["seat"],
        None,
    )
)
_SPEC = LabelSpec(see_through=("seat",), objects={"wheel": "^wheels/[^/]+", "body": "each"})


def _product() -> Product:
    template = toy_car().parts[0]
    parts = tuple(type(template)(path=path, mesh=template.mesh) for path in _PATHS)
    return Product(name="p", parts=parts)


def _frame(seed: int, step: int) -> tuple[Frame, np.ndarray]:
    """A frame of random part numbers, and (P + 1, H, W): what every part covers alone."""
    rng = np.random.default_rng(seed)
    height, width = 9, 11
    alone = rng.random((len(_PATHS) + 1, height, width)) < rng.uniform(0, 0.5)
    alone[0] = False
    order = rng.permutation(np.arange(1, len(_PATHS) + 1))
    parts = np.zeros((height, width), np.uint16)
    behind = np.zeros((height, width), np.uint16)
    for part in order:
        behind = np.where(alone[part], parts, behind)
        parts = np.where(alone[part], part, parts).astype(np.uint16)
    number, row, column = np.nonzero(alone)
    first = step // 2
    kept = (row % step == first % step) & (column % step == first % step)
    extent = Extent(step=step, row=row[kept], column=column[kept], part=number[kept])
    blank = np.zeros((height, width, 3), np.float32)
    frame = Frame(
        radiance=blank,
        parts=parts,
        behind=behind.astype(np.uint16),
        depth_m=np.where(parts > 0, 1, np.inf).astype(np.float32),
        albedo=blank,
        normal=blank,
        extent=extent,
    )
    return frame, alone


_CLASSES = ClassMap(names=_NAMES, of_part=_OF_PART, rule_of_part=(None,) * len(_PATHS))


def test_parts_that_match_the_same_text_are_one_object() -> None:
    table = object_table(_product(), _CLASSES, _SPEC)
    found = {(e.class_name, e.name): e.parts for e in table.entries}
    assert found == {
        ("wheel", "wheels/front"): (1, 2),
        ("wheel", "wheels/rear"): (3,),
        ("handle", "handle"): (4,),
        ("seat", "seat"): (6,),
        ("body", "door/handle"): (4,),
        ("body", "door/panel"): (5,),
    }
    assert [e.class_name for e in table.entries if e.through_glass] == ["seat"]


@given(st.integers(0, 2**32 - 1))
def test_pixels_and_boxes_are_those_of_the_masks(seed: int) -> None:
    frame, alone = _frame(seed, step=1)
    table = object_table(_product(), _CLASSES, _SPEC)
    labels = label_raster(frame, _CLASSES, _SPEC)
    found = {one.object: one for one in object_pixels(table, frame)}
    for number, entry in enumerate(table.entries):
        raster = frame.behind if entry.through_glass else frame.parts
        mask = np.isin(raster, entry.parts) & ~labels.ignore()
        full = alone[list(entry.parts)].any(axis=0)
        if not full.any() and not mask.any():
            assert number not in found
            continue
        one = found[number]
        assert one.pixels == mask.sum()
        assert one.box == box_of(mask)
        assert one.full_pixels == full.sum()
        assert one.full_box == box_of(full)
        assert one.visible_share == pytest.approx(mask.sum() / full.sum())
    # The objects of a class are its pixels.
    for number, name in enumerate(_NAMES):
        own = [o for o in found.values() if table.entries[o.object].class_name == name]
        assert sum(one.pixels for one in own) == labels.mask(number).sum()


@given(st.integers(0, 2**32 - 1), st.integers(2, 3))
def test_on_a_coarse_grid_nothing_seen_is_outside_the_full_extent(seed: int, step: int) -> None:
    frame, _ = _frame(seed, step)
    for one in object_pixels(object_table(_product(), _CLASSES, _SPEC), frame):
        assert one.full_pixels is not None
        assert one.full_box is not None
        assert one.pixels <= one.full_pixels
        x, y, width, height = one.full_box
        assert x + width <= 11
        assert y + height <= 9
        if one.box is not None:
            assert x <= one.box[0]
            assert y <= one.box[1]
            assert one.box[0] + one.box[2] <= x + width
            assert one.box[1] + one.box[3] <= y + height


@given(st.integers(0, 2**32 - 1))
def test_part_pixels_count_seen_and_covered(seed: int) -> None:
    frame, alone = _frame(seed, step=1)
    found = part_pixels(frame)
    assert found is not None
    assert {p.part: (p.pixels, p.full_pixels) for p in found} == {
        part: ((frame.parts == part).sum(), alone[part].sum())
        for part in range(1, len(_PATHS) + 1)
        if alone[part].any()
    }
