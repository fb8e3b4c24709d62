from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearcoat.dataset import LabelRaster

from .strategies import many_sets, planes_and_ignore


@given(planes_and_ignore())
def test_planes_survive(drawn):
    planes, ignore = drawn
    raster = LabelRaster.from_planes(planes, ignore)
    hidden = np.zeros(planes.shape[1:], np.bool_) if ignore is None else ignore
    assert np.array_equal(raster.planes(len(planes)), planes & ~hidden)
    assert np.array_equal(raster.ignore(), hidden)
    for number in range(len(planes)):
        assert np.array_equal(raster.mask(number), planes[number] & ~hidden)
    assert set(np.unique(raster.index)) == set(range(len(raster.sets))), "the table is compact"


@given(planes_and_ignore(most_classes=4), st.randoms(use_true_random=False))
def test_the_order_of_the_table_means_nothing(drawn, random):
    raster = LabelRaster.from_planes(*drawn)
    order = list(range(len(raster.sets)))
    random.shuffle(order)
    new_place = np.argsort(order).astype(np.uint16)
    shuffled = LabelRaster(new_place[raster.index], tuple(raster.sets[old] for old in order))
    assert shuffled.same_as(raster)
    assert raster.same_as(shuffled)


def test_one_pixel_makes_rasters_differ():
    planes = np.zeros((2, 3, 3), np.bool_)
    one = LabelRaster.from_planes(planes)
    planes[1, 2, 2] = True
    assert not one.same_as(LabelRaster.from_planes(planes))
    assert not one.same_as(LabelRaster.from_planes(planes[:, :2]))


def test_nothing_limits_the_number_of_classes():
    planes = np.zeros((300, 4, 5), np.bool_)
    planes[299] = planes[64, 0] = True
    raster = LabelRaster.from_planes(planes)
    assert set(raster.sets) == {frozenset({299}), frozenset({64, 299})}


def test_more_than_256_sets():
    assert len(many_sets().sets) == 512


def test_more_sets_than_16_bits_can_number_is_an_error():
    numbers = np.arange(1 << 17).reshape(256, 512)
    planes = (numbers[None] >> np.arange(17)[:, None, None] & 1).astype(np.bool_)
    with pytest.raises(ValueError, match="131072 different class sets"):
        LabelRaster.from_planes(planes)


def test_from_table_merges_parts_of_the_same_classes():
    door, glass = frozenset({0}), frozenset({0, 1})
    ids = np.array([[0, 1, 2], [3, 4, 1]])
    raster = LabelRaster.from_table(ids, [frozenset(), door, glass, None, door, frozenset({7})])
    assert raster.sets == (frozenset(), door, glass, None)
    assert raster.index.tolist() == [[0, 1, 2], [3, 1, 1]]
    assert raster.pixel_counts().tolist() == [1, 3, 1, 1]


@pytest.mark.parametrize(
    ("index", "sets", "message"),
    [
        (np.zeros((2, 2), np.uint8), (None,), "expected uint16"),
        (np.zeros(4, np.uint16), (None,), r"expected uint16 \(H, W\)"),
        (np.ones((2, 2), np.uint16), (None,), "points beyond"),
        (np.zeros((2, 2), np.uint16), (None, None), "stands twice"),
    ],
)
def test_what_is_no_raster(index, sets, message):
    with pytest.raises(ValueError, match=message):
        LabelRaster(index, sets)
