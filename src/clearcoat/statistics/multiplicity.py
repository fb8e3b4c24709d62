"""Many tests at once: p-values that hold for the family, or for the share of false findings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PValues = Sequence[float | None]


def holm(p_values: PValues) -> list[float | None]:
    """Adjust for the chance of even one false finding (Holm 1979).

    An adjusted value at or below α may be called significant at α, whatever the dependence
    between the tests. None (a test that could not be made) stays None and counts for nothing.
    Raises ValueError for a value outside 0 to 1.
    """
    kept, values = _known(p_values)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    return _back(p_values, kept, order, np.minimum(np.maximum.accumulate(steps), 1.0))


def benjamini_hochberg(p_values: PValues) -> list[float | None]:
    """Adjust for the expected share of false findings among all findings (1995).

    Takes independent or positively dependent tests, as comparisons with one common baseline
    are. None stays None. Raises ValueError for a value outside 0 to 1.
    """
    kept, values = _known(p_values)
    order = np.argsort(values, kind="stable")
    steps = values[order] * len(values) / np.arange(1, len(values) + 1)
    smallest = np.minimum.accumulate(steps[::-1])[::-1]
    return _back(p_values, kept, order, np.minimum(smallest, 1.0))


def _known(p_values: PValues) -> tuple[list[int], np.ndarray]:
    kept = [place for place, value in enumerate(p_values) if value is not None]
    values = np.array([p_values[place] for place in kept], dtype=np.float64)
    if not bool(((values >= 0) & (values <= 1)).all()):
        raise ValueError(f"p-values lie between 0 and 1, got {p_values!r}")
    return kept, values


def _back(
    p_values: PValues, kept: list[int], order: np.ndarray, adjusted: np.ndarray
) -> list[float | None]:
    result: list[float | None] = [None] * len(p_values)
    for place, value in zip(order, adjusted, strict=True):
        result[kept[int(place)]] = float(value)
    return result
