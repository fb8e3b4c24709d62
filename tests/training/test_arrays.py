"""Packing: what the rasters say is what the targets say."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcoat.dataset import LabelRaster
from clearcoat.training import image_set, join

SIZE = 6


def _raster(seed: int, class_count: int) -> LabelRaster:
    random = np.random.default_rng(seed)
    return LabelRaster.from_planes(
        random.random((class_count, SIZE, SIZE)) < 0.3, random.random((SIZE, SIZE)) < 0.2
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=4), st.sampled_from([1, 3, 13, 40]))
def test_targets_give_back_the_planes(seeds: list[int], class_count: int) -> None:
    rasters = [_raster(seed, class_count) for seed in seeds]
    images = [np.zeros((SIZE, SIZE, 3), np.uint8)] * len(rasters)
    names = [str(number) for number in range(class_count)]
    packed = image_set(images, rasters, names)
    # Joined out of single images: another table, the same targets.
    joined = join([image_set(images[:1], [raster], names) for raster in rasters])
    for candidate in (packed, joined):
        targets = candidate.table().targets(candidate.labels)
        for row, raster in enumerate(rasters):
            np.testing.assert_array_equal(
                targets.members[row].numpy() > 0, raster.planes(class_count)
            )
            np.testing.assert_array_equal(targets.counted[row, 0].numpy() == 0, raster.ignore())


def test_more_sets_than_a_byte_holds_widen_the_labels() -> None:
    planes = np.zeros((9, 20, 20), dtype=np.bool_)
    numbers = np.arange(400).reshape(20, 20)
    for bit in range(9):
        planes[bit] = (numbers >> bit) & 1
    raster = LabelRaster.from_planes(planes)
    packed = image_set([np.zeros((20, 20, 3), np.uint8)], [raster], [str(i) for i in range(9)])
    assert packed.labels.dtype == torch.int32
    members = packed.table().targets(packed.labels).members[0]
    np.testing.assert_array_equal(members.numpy() > 0, planes)
