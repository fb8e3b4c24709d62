"""Class counts and the weights that follow."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clearcoat.dataset import LabelRaster
from clearcoat.errors import UsageError
from clearcoat.training import image_set
from clearcoat.training.frequencies import class_weights, frequencies

CLASSES = ("wide", "narrow", "never")


def _images():  # type: ignore[no-untyped-def]
    """Two 10 × 10 images: 60 and 0 pixels wide, 5 and 5 narrow, 0 and 20 ignored."""
    rasters = []
    for wide, narrow, ignored in ((60, 5, 0), (0, 5, 20)):
        planes = np.zeros((3, 100), dtype=np.bool_)
        planes[0, :wide] = True
        planes[1, :narrow] = True
        ignore = np.arange(100) >= 100 - ignored
        rasters.append(LabelRaster.from_planes(planes.reshape(3, 10, 10), ignore.reshape(10, 10)))
    return image_set([np.zeros((10, 10, 3), np.uint8)] * 2, rasters, CLASSES)


def test_counts_are_those_of_the_labels() -> None:
    seen = frequencies(_images())
    assert seen.pixels.tolist() == [60, 10, 0]
    assert seen.around.tolist() == [100, 180, 0]
    assert int(seen.positions.sum()) == 200


def test_balanced_weights_are_median_frequency_over_frequency() -> None:
    seen = frequencies(_images())
    weights = class_weights("balanced", CLASSES, seen)
    assert weights is not None
    shares = torch.tensor([60 / 100, 10 / 180])
    # The median of two lies midway.
    expected = torch.cat([shares.mean() / shares, torch.ones(1)])
    torch.testing.assert_close(weights, expected)


def test_weights_by_name_default_to_one_and_unknown_names_are_refused() -> None:
    seen = frequencies(_images())
    assert class_weights(None, CLASSES, seen) is None
    weights = class_weights({"narrow": 3.0}, CLASSES, seen)
    assert weights is not None and weights.tolist() == [1.0, 3.0, 1.0]
    with pytest.raises(UsageError, match="narow") as caught:
        class_weights({"narow": 3.0}, CLASSES, seen)
    assert "did you mean 'narrow'" in str(caught.value)
