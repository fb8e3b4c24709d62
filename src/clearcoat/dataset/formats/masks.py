"""The masks that mask formats write: one per object, then what a class has beside its objects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearcoat.dataset.labels import LabelRaster
from clearcoat.dataset.store import Dataset


def labelled_masks(
    dataset: Dataset, index: int, labels: LabelRaster
) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return class name and (H, W) mask per object, then what pixels a class has beside them.

    Masks may be empty. Together they are the raster, but for *ignore*.
    """
    masks = [
        (dataset.objects[number].class_name, mask) for number, mask in dataset.object_masks(index)
    ]
    left = {name: labels.mask(number) for number, name in enumerate(dataset.classes)}
    for name, mask in masks:
        left[name] = left[name] & ~mask
    return [*masks, *left.items()]
