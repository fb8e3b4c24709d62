"""Label quality: do labels end where the picture does, and are classes as frequent as in photos?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from clearcoat.dataset.labels import LabelRaster
from clearcoat.dataset.statistics import DatasetStatistics

_LEAST_EDGE_PIXELS = 64
_SHIFTS_PX = (2, 4, 8)


@dataclass(frozen=True)
class Frequency:
    """How often a class occurs here and in a data set to compare with."""

    name: str
    here: float
    """Share of the images that have it, 0 to 1."""
    there: float
    p: float
    """Fisher's exact test of equal frequency, two-sided, Holm-corrected over the classes."""
    area_ratio: float | None
    """Mean share of the picture where it occurs, here over there; None where it never occurs."""

    @property
    def conspicuous(self) -> bool:
        """Whether the difference is more than chance and large enough to matter."""
        return self.p < 0.01 and abs(self.here - self.there) > 0.1


def boundary_agreement(image: NDArray[np.uint8], labels: LabelRaster) -> float | None:
    """Return how much better the labels' boundaries fit the image in place than shifted.

    The mean gradient of the image along the boundaries, over the mean of the same boundaries
    shifted sideways by a few pixels: above 1 where labels end at edges of the image, about 1
    where they have nothing to do with it. None where there are hardly any boundaries.
    """
    ids = labels.index.astype(np.int32)
    boundary = np.zeros(ids.shape, dtype=np.bool_)
    boundary[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    boundary[1:] |= ids[1:] != ids[:-1]
    rows, columns = np.nonzero(boundary)
    if len(rows) < _LEAST_EDGE_PIXELS:
        return None
    grey = image.astype(np.float32).mean(axis=2)
    slope = np.hypot(ndimage.sobel(grey, axis=0), ndimage.sobel(grey, axis=1))
    # An edge may be a pixel off its label, which is drawn at pixel centres.
    slope = ndimage.maximum_filter(slope, size=3)
    height, width = slope.shape
    beside = [
        float(slope[(rows + dy) % height, (columns + dx) % width].mean())
        for shift in _SHIFTS_PX
        for dy, dx in ((0, shift), (0, -shift), (shift, 0), (-shift, 0))
        if shift < min(height, width) // 4
    ]
    if not beside:
        return None
    return float(slope[rows, columns].mean()) / max(float(np.mean(beside)), 1e-6)


def compare_frequencies(here: DatasetStatistics, there: DatasetStatistics) -> tuple[Frequency, ...]:
    """Compare how often each class occurs; classes that only one data set has are left out.

    Images without labels count on neither side; where all are, there is nothing to compare.
    """
    if not here.labelled or not there.labelled:
        return ()
    # Imported late: it takes seconds, and everything that writes a data set imports this package.
    from scipy.stats import fisher_exact

    other = {found.name: found for found in there.classes}
    pairs = [(found, other[found.name]) for found in here.classes if found.name in other]
    raw = [
        float(
            fisher_exact(
                [
                    [one.images, here.labelled - one.images],
                    [two.images, there.labelled - two.images],
                ]
            ).pvalue
        )
        for one, two in pairs
    ]
    corrected = _holm(raw)
    return tuple(
        Frequency(
            name=one.name,
            here=one.frequency or 0.0,
            there=two.frequency or 0.0,
            p=p,
            area_ratio=None
            if not one.mean_share or not two.mean_share
            else one.mean_share / two.mean_share,
        )
        for (one, two), p in zip(pairs, corrected, strict=True)
    )


def _holm(p: list[float]) -> list[float]:
    """Correct p values for their number (Holm 1979)."""
    corrected, least = [0.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        least = max(least, min(1.0, p[place] * (len(p) - rank)))
        corrected[place] = least
    return corrected
