"""Batches: full, fair, repeatable, and mixed as asked."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clearcoat.training.sampling import Stream, balanced_streams


@given(st.integers(1, 40), st.integers(1, 64), st.integers(0, 99))
def test_every_image_is_seen_equally_often(images: int, batch: int, seed: int) -> None:
    stream = Stream("all", np.arange(images), batch, seed)
    pieces = [stream.piece(step) for step in range(images)]
    assert all(len(piece) == batch for piece in pieces)
    assert Counter(np.concatenate(pieces).tolist()) == dict.fromkeys(range(images), batch)


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_step_does_not_depend_on_the_steps_before(first: int, second: int) -> None:
    stream = Stream("all", np.arange(10), 7, seed=3)
    stream.piece(first)
    fresh = Stream("all", np.arange(10), 7, seed=3)
    np.testing.assert_array_equal(stream.piece(second), fresh.piece(second))


@given(st.integers(1, 64), st.floats(0.01, 0.99))
def test_balanced_batches_hold_the_share_of_both(batch: int, share: float) -> None:
    streams = balanced_streams(range(16), range(16, 1016), batch, share, seed=0)
    real, synthetic = (stream.piece(0) for stream in streams)
    assert len(real) + len(synthetic) == max(2, batch)
    assert len(real) >= 1 and len(synthetic) >= 1
    assert abs(len(real) - max(2, batch) * share) <= 1
    assert (real < 16).all() and (synthetic >= 16).all()


def test_one_kind_alone_fills_the_batch() -> None:
    (only,) = balanced_streams(range(5), (), 4, 0.5, seed=0)
    assert (only.name, only.per_batch) == ("real", 4)
    (only,) = balanced_streams((), range(5), 4, 0.5, seed=0)
    assert (only.name, only.per_batch) == ("synthetic", 4)


def test_seeds_and_streams_differ() -> None:
    orders = {
        tuple(Stream(name, np.arange(20), 20, seed).piece(0))
        for name in ("real", "synthetic")
        for seed in (0, 1)
    }
    assert len(orders) == 4
