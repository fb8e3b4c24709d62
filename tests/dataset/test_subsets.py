from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearcoat.dataset import holdout_split, independent_subset, nested_subset
from clearcoat.errors import UsageError

INDICES = st.sets(st.integers(0, 10_000), min_size=1, max_size=60)
SEEDS = st.integers(0, 2**63)


@given(INDICES, SEEDS, st.data())
def test_a_larger_nested_subset_contains_the_smaller(indices, seed, data):
    large = data.draw(st.integers(0, len(indices)))
    small = data.draw(st.integers(0, large))
    taken = nested_subset(indices, large, seed)
    assert taken[:small] == nested_subset(sorted(indices, reverse=True), small, seed)
    assert len(set(taken)) == large
    assert set(taken) <= indices


@given(INDICES, SEEDS, st.data())
def test_a_split_parts_everything(indices, seed, data):
    count = data.draw(st.integers(0, len(indices)))
    kept, held = holdout_split(indices, seed, count=count)
    assert len(held) == count
    assert sorted(kept + held) == sorted(indices)
    assert set(held) <= set(holdout_split(indices, seed, count=len(indices))[1])


def test_choices_never_change():
    # Recorded: PCG64's raw bits are the same in every NumPy, and studies rely on it.
    assert nested_subset(range(400), 5, seed=0) == (7, 259, 289, 130, 10)
    assert holdout_split(range(400), 7, count=4)[1] == (63, 90, 105, 302)


def test_seeds_draws_and_purposes_differ():
    subsets = [
        nested_subset(range(1000), 20, 0),
        nested_subset(range(1000), 20, 1),
        independent_subset(range(1000), 20, 0),
        independent_subset(range(1000), 20, 0, draw=1),
        independent_subset(range(1000), 21, 0)[:20],
        holdout_split(range(1000), 0, count=20)[1],
    ]
    assert len({frozenset(subset) for subset in subsets}) == len(subsets)


def test_every_index_is_equally_likely():
    hits = [0] * 10
    for seed in range(2000):
        for index in nested_subset(range(10), 3, seed):
            hits[index] += 1
    # Binomial(2000, 0.3): standard deviation 20.5.
    assert all(abs(count - 600) < 5 * 20.5 for count in hits)


def test_fraction():
    kept, held = holdout_split(range(40), 0, fraction=0.25)
    assert (len(kept), len(held)) == (30, 10)


@pytest.mark.parametrize(
    "call",
    [
        lambda: nested_subset(range(3), 4, 0),
        lambda: nested_subset(range(3), -1, 0),
        lambda: nested_subset(range(3), 1, -1),
        lambda: nested_subset([1, 1], 1, 0),
        lambda: holdout_split(range(3), 0),
        lambda: holdout_split(range(3), 0, count=1, fraction=0.5),
        lambda: holdout_split(range(3), 0, fraction=1.5),
    ],
)
def test_what_cannot_be_chosen(call):
    with pytest.raises(UsageError):
        call()
