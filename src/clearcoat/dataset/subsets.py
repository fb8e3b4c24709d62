"""Which records of a data set take part: nested and independent subsets, and splits.

Every choice is a pure function of the indices, the count and the seed. It uses only the raw
bits of PCG64, which NumPy promises to keep, so that a study can be repeated years later.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from clearcoat.errors import UsageError

_STREAMS = {"nested": 1, "independent": 2, "holdout": 3, "import": 4}


def nested_subset(indices: Collection[int], count: int, seed: int) -> tuple[int, ...]:
    """Return the first `count` indices of one permutation per seed.

    A larger subset of the same seed contains every smaller one. Raises UsageError when there
    are fewer than `count` indices.
    """
    _check_count(indices, count)
    return permuted(indices, "nested", seed)[:count]


def independent_subset(
    indices: Collection[int], count: int, seed: int, draw: int = 0
) -> tuple[int, ...]:
    """Return `count` indices; those of another seed, draw or count have nothing to do with them.

    Raises UsageError when there are fewer than `count` indices.
    """
    _check_count(indices, count)
    return permuted(indices, "independent", seed, draw, count)[:count]


def holdout_split(
    indices: Collection[int],
    seed: int,
    *,
    count: int | None = None,
    fraction: float | None = None,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return (kept, held out), each ascending; `count` or `fraction` says how many are held out.

    The held-out part of a larger count contains that of a smaller one. Raises UsageError
    unless exactly one of `count` and `fraction` is given and both parts can be had.
    """
    if (count is None) == (fraction is None):
        raise UsageError("a split needs either a count or a fraction to hold out")
    if fraction is not None:
        if not 0 <= fraction <= 1:
            raise UsageError(
                "the held-out fraction makes no sense", found=fraction, expected="0 to 1"
            )
        count = round(fraction * len(indices))
    assert count is not None
    _check_count(indices, count)
    order = permuted(indices, "holdout", seed)
    return tuple(sorted(order[count:])), tuple(sorted(order[:count]))


def _check_count(indices: Collection[int], count: int) -> None:
    if not 0 <= count <= len(indices):
        raise UsageError(
            f"cannot take {count} of {len(indices)} records",
            found=count,
            expected=f"0 to {len(indices)}",
            do="ask for fewer, or add records to the data set",
        )


def permuted(indices: Collection[int], stream: str, seed: int, *more: int) -> tuple[int, ...]:
    """Return the indices in the order of a permutation that belongs to a stream and a seed."""
    if seed < 0:
        raise UsageError("a seed cannot be negative", found=seed, expected="0 or more")
    ordered = np.array(sorted(set(indices)), dtype=np.int64)
    if len(ordered) != len(indices):
        raise UsageError("an index stands twice among those to choose from")
    bits = np.random.PCG64(np.random.SeedSequence([seed, _STREAMS[stream], *more]))
    keys = bits.random_raw(len(ordered))
    return tuple(int(index) for index in ordered[np.argsort(keys, kind="stable")])
