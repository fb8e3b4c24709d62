"""Overlays: what is drawn where."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.dataset import LabelRaster, class_colors
from clearcoat.dataset.overlay import (
    PAPER,
    above,
    beside,
    contact_sheet,
    legend,
    legend_strip,
    overlay,
)

COLORS = np.array([[200, 0, 0], [0, 200, 0]], dtype=np.uint8)


def _labels() -> LabelRaster:
    planes = np.zeros((2, 20, 20), dtype=np.bool_)
    planes[0, 2:10, 2:18] = True
    planes[1, 10:16, 2:18] = True
    planes[1, 4:6, 8:10] = True
    ignore = np.zeros((20, 20), dtype=np.bool_)
    ignore[18:] = True
    return LabelRaster.from_planes(planes, ignore)


def test_background_shows_the_image_and_a_class_its_blend() -> None:
    image = np.full((20, 20, 3), 100, dtype=np.uint8)
    drawn = overlay(image, _labels(), COLORS, alpha=0.5)
    assert (drawn[0] == 100).all() and (drawn[16, :2] == 100).all()
    assert drawn[7, 4].tolist() == [150, 50, 50]
    assert drawn[13, 4].tolist() == [50, 150, 50]
    assert (image == 100).all()


def test_several_classes_blend_their_mean() -> None:
    image = np.full((20, 20, 3), 100, dtype=np.uint8)
    drawn = overlay(image, _labels(), COLORS, alpha=1.0, outline=False)
    assert drawn[4, 8].tolist() == [100, 100, 0]


def test_outline_is_one_pixel_wide_and_inside_the_classes() -> None:
    image = np.full((20, 20, 3), 255, dtype=np.uint8)
    plain = overlay(image, _labels(), COLORS, outline=False)
    drawn = overlay(image, _labels(), COLORS)
    changed = (plain != drawn).any(axis=2)
    assert not changed[:2].any() and not changed[16:].any()
    assert changed[2, 2:18].all() and not changed[3, 3:17].any()
    # The two regions share rows 9 | 10: exactly one of them draws the line.
    assert changed[9, 5] != changed[10, 5]
    assert (drawn.astype(int).sum(axis=2) <= plain.astype(int).sum(axis=2)).all()


def test_ignored_pixels_are_grey_and_hatched() -> None:
    image = np.zeros((20, 20, 3), dtype=np.uint8)
    image[..., 2] = 255
    drawn = overlay(image, _labels(), COLORS)[18:]
    assert (drawn[..., 0] == drawn[..., 1]).all() and (drawn[..., 1] == drawn[..., 2]).all()
    assert len(np.unique(drawn[0, :, 0])) == 2


def test_sizes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a uint8 image"):
        overlay(np.zeros((19, 20, 3), dtype=np.uint8), _labels(), COLORS)


@pytest.mark.parametrize("count", [1, 8, 13, 30])
def test_every_name_has_its_swatch_in_the_legends(count: int) -> None:
    colors = class_colors(count)
    names = [f"class number {number}" for number in range(count)]
    tall = legend(names, colors, 200, ignore=True)
    wide = legend_strip(names, colors, 400, ignore=True)
    assert tall.shape[0] == 200 and wide.shape[1] == 400
    for picture in (tall, wide):
        seen = {tuple(color) for color in np.unique(picture.reshape(-1, 3), axis=0).tolist()}
        assert {tuple(color) for color in colors.tolist()} <= seen


def test_contact_sheet_keeps_every_tile() -> None:
    sizes = [(4, 6), (8, 3), (5, 5), (2, 2), (7, 6)]
    tiles = [np.full((*size, 3), 10 * n, dtype=np.uint8) for n, size in enumerate(sizes, start=1)]
    sheet = contact_sheet(tiles, 3, gap_px=2)
    assert sheet.shape == (2 * (8 + 2) + 2, 3 * (6 + 2) + 2, 3)
    for number, (height, width) in enumerate(sizes, start=1):
        assert (sheet == 10 * number).all(axis=2).sum() == height * width
    with pytest.raises(ValueError, match="0 tiles"):
        contact_sheet([], 3)


def test_stacking_pads_with_paper() -> None:
    small = np.zeros((2, 3, 3), dtype=np.uint8)
    large = np.zeros((4, 5, 3), dtype=np.uint8)
    row, column = beside(small, large, gap_px=1), above(small, large)
    assert row.shape == (4, 9, 3) and column.shape == (6, 5, 3)
    assert row[3, 0].tolist() == list(PAPER) and column[0, 4].tolist() == list(PAPER)
    assert (row == 0).all(axis=2).sum() == (column == 0).all(axis=2).sum() == 6 + 20
