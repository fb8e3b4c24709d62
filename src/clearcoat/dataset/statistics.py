"""How often each class occurs: the figures of the paper's Table I, and the area covered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clearcoat.dataset.store import Dataset, Progress


@dataclass(frozen=True)
class ClassStatistics:
    """What a data set holds of one class."""

    name: str
    images: int
    """Number of images with at least one pixel of the class (Table I's examples)."""
    frequency: float | None
    """That number over the labelled images, 0 to 1; None where there is none."""
    mean_share: float | None
    """Mean share of the image's known pixels, 0 to 1, over the images that have the class."""


@dataclass(frozen=True)
class DatasetStatistics:
    """What a data set holds."""

    path: str
    kind: str
    """`synthetic`, `real`, or `unknown` where the manifest does not say."""
    images: int
    labelled: int
    """Images with a pixel that is not to be ignored; of others nobody knows what they show."""
    sizes: tuple[tuple[int, int, int], ...]
    """(width, height, number of images), the most frequent size first."""
    classes: tuple[ClassStatistics, ...]
    background_share: float | None
    """Mean share of background among the known pixels of a labelled image, 0 to 1."""
    ignore_share: float | None
    """Mean share of pixels to be ignored, 0 to 1."""
    several_share: float | None
    """Mean share of pixels of a labelled image with more than one class, 0 to 1."""


def dataset_statistics(dataset: Dataset, progress: Progress | None = None) -> DatasetStatistics:
    """Count the classes of a data set, from its records alone: no image is decoded.

    `progress` is called with (done, total) after every record.
    Raises DatasetError on a damaged record.
    """
    shares = np.zeros((len(dataset), len(dataset.classes)))
    others = np.zeros((len(dataset), 3))
    sizes: dict[tuple[int, int], int] = {}
    for done, index in enumerate(dataset.indices, start=1):
        info = dataset.record_info(index)
        size = (info.width, info.height)
        sizes[size] = sizes.get(size, 0) + 1
        area = info.width * info.height
        sets = dataset.class_sets(info)
        ignored = sum(count for s, count in zip(sets, info.labels.pixels, strict=True) if s is None)
        known = max(1, area - ignored)
        others[done - 1, 1] = ignored / area
        for members, count in zip(sets, info.labels.pixels, strict=True):
            if members is None:
                continue
            shares[done - 1, sorted(members)] += count / known
            others[done - 1, 0] += (not members) * count / known
            others[done - 1, 2] += (len(members) > 1) * count / area
        if progress is not None:
            progress(done, len(dataset))
    labelled = others[:, 1] < 1
    count = int(labelled.sum())
    return DatasetStatistics(
        path=str(dataset.path),
        kind=str(dataset.source.get("kind", "unknown")),
        images=len(dataset),
        labelled=count,
        sizes=tuple(
            (width, height, count)
            for (width, height), count in sorted(
                sizes.items(), key=lambda item: (-item[1], item[0])
            )
        ),
        classes=tuple(
            _class_statistics(name, shares[labelled, number])
            for number, name in enumerate(dataset.classes)
        ),
        background_share=float(others[labelled, 0].mean()) if count else None,
        ignore_share=float(others[:, 1].mean()) if len(dataset) else None,
        several_share=float(others[labelled, 2].mean()) if count else None,
    )


def _class_statistics(
    name: str, shares: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> ClassStatistics:
    present = shares[shares > 0]
    return ClassStatistics(
        name=name,
        images=len(present),
        frequency=len(present) / len(shares) if len(shares) else None,
        mean_share=float(present.mean()) if len(present) else None,
    )
