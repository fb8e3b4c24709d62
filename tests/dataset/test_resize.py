from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcoat.dataset import LabelRaster, resize_image, resize_labels
from clearcoat.dataset.resize import fitted

from .strategies import planes_and_ignore


def test_reducing_averages_areas():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    expected = image.reshape(8, 4, 8, 4, 3).mean(axis=(1, 3))
    assert np.abs(resize_image(image, 8) - expected).max() <= 1


def test_the_same_size_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    assert np.array_equal(resize_image(image, 9), image)


@settings(deadline=None)
@given(planes_and_ignore(), st.integers(1, 24))
def test_labels_are_those_at_pixel_centres(drawn, size):
    raster = LabelRaster.from_planes(*drawn)
    height, width = raster.shape
    resized = resize_labels(raster, size)
    top, left, inner_height, inner_width = fitted(height, width, size)
    planes = raster.planes(len(drawn[0]))
    for y in range(size):
        for x in range(size):
            row = int((y - top + 0.5) * height / inner_height)
            column = int((x - left + 0.5) * width / inner_width)
            if 0 <= y - top < inner_height and 0 <= x - left < inner_width:
                members = raster.sets[raster.index[row, column]]
            else:
                members = None
            assert resized.sets[resized.index[y, x]] == members
    assert planes.shape[1:] == (height, width)


def test_image_and_labels_stay_in_register():
    mask = np.zeros((60, 90), np.bool_)
    mask[12:45, 30:75] = True
    image = np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255
    small = resize_image(image, 30)
    labels = resize_labels(LabelRaster.from_planes(mask[None]), 30)
    assert np.array_equal(small[..., 0] > 127, labels.mask(0))
    assert labels.ignore()[:5].all()
    assert labels.ignore()[25:].all()
    assert not labels.ignore()[5:25].any()
    assert not small[labels.ignore()].any()


@pytest.mark.parametrize(
    ("height", "width", "size", "expected"),
    [
        (512, 512, 128, (0, 0, 128, 128)),
        (100, 200, 64, (16, 0, 32, 64)),
        (200, 100, 64, (0, 16, 64, 32)),
        (1, 1000, 64, (31, 0, 1, 64)),
    ],
)
def test_fitted(height, width, size, expected):
    assert fitted(height, width, size) == expected
