"""Which images make up which batch: a pure function of (seed, stream, step).

Nothing is carried from step to step, so resuming at a step needs no saved random state.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clearcoat.training.config import SelfTraining

IntArray = NDArray[np.int64]


def stream_seed(seed: int, *names: str | int) -> list[int]:
    """Entropy for a random stream that belongs to `names` alone."""
    return [seed, *(n if isinstance(n, int) else zlib.crc32(n.encode()) for n in names)]


@dataclass
class Stream:
    """Images in an endless sequence of shuffled passes, cut into `per_batch` pieces.

    Pieces run across the border of two passes, so every batch is full and every image is
    seen equally often, whatever the counts.
    """

    name: str
    images: IntArray
    per_batch: int
    seed: int
    _passes: dict[int, IntArray] = field(default_factory=dict, repr=False)

    def piece(self, step: int) -> IntArray:
        """(per_batch,) image numbers of a step."""
        places = np.arange(step * self.per_batch, (step + 1) * self.per_batch)
        passes, offsets = np.divmod(places, len(self.images))
        wanted = {int(p) for p in passes}
        kept = {p: order for p, order in self._passes.items() if p in wanted}
        self._passes = kept | {p: self._shuffle(p) for p in wanted - kept.keys()}
        return np.array(
            [self._passes[int(p)][o] for p, o in zip(passes, offsets, strict=True)], np.int64
        )

    def _shuffle(self, number: int) -> IntArray:
        generator = np.random.default_rng(stream_seed(self.seed, self.name, number))
        return generator.permutation(self.images)


@dataclass(frozen=True)
class Phase:
    """One stretch of training: where batches come from, and what counts as an epoch."""

    name: str
    streams: tuple[Stream, ...]
    steps_per_epoch: int
    max_steps: int
    validate_on: str
    """Which of the validation sets decides the stopping: `real` or `synthetic`."""
    learning_rate: float
    """Greatest rate; the schedule lowers it."""
    self_training: SelfTraining | None = None
    """Where images without labels get those of the model that the phase before ended with; or
    the control of that."""
    restarts: bool = False
    """Whether it begins with the weights that the phase before began with."""

    def batch(self, step: int) -> IntArray:
        """Image numbers of a step."""
        return np.concatenate([stream.piece(step) for stream in self.streams])

    @property
    def batch_size(self) -> int:
        """Images per step."""
        return sum(stream.per_batch for stream in self.streams)

    @property
    def image_count(self) -> int:
        """Different images that this phase shows."""
        return sum(len(stream.images) for stream in self.streams)


def balanced_streams(
    real: Sequence[int], synthetic: Sequence[int], batch: int, real_share: float, seed: int
) -> tuple[Stream, ...]:
    """Two streams that fill a fixed share of each batch; one where the other has no images."""
    real_numbers, synthetic_numbers = (np.array(s, np.int64) for s in (real, synthetic))
    if not len(synthetic_numbers) or real_share >= 1.0:
        return (Stream("real", real_numbers, batch, seed),)
    if not len(real_numbers):
        return (Stream("synthetic", synthetic_numbers, batch, seed),)
    batch = max(2, batch)
    from_real = min(max(1, round(batch * real_share)), batch - 1)
    return (
        Stream("real", real_numbers, from_real, seed),
        Stream("synthetic", synthetic_numbers, batch - from_real, seed),
    )
