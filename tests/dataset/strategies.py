"""Random label rasters: overlaps, holes, slivers and ignored pixels come by themselves."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clearcoat.dataset import LabelRaster


@st.composite
def planes_and_ignore(draw: st.DrawFn, most_classes: int = 12):
    shape = draw(st.tuples(st.integers(1, most_classes), st.integers(1, 16), st.integers(1, 16)))
    planes = draw(hnp.arrays(np.bool_, shape))
    ignore = draw(st.none() | hnp.arrays(np.bool_, shape[1:]))
    return planes, ignore


def many_sets() -> LabelRaster:
    """Every subset of nine classes once, and one pixel to ignore: 512 sets."""
    numbers = np.arange(512).reshape(16, 32)
    planes = (numbers[None] >> np.arange(9)[:, None, None] & 1).astype(np.bool_)
    ignore = numbers == 511
    return LabelRaster.from_planes(planes, ignore)
