"""Large images by overlapping tiles, whose answers are blended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import UsageError


@dataclass(frozen=True)
class Tiling:
    """How an image is cut."""

    side_px: int
    """Height and width of a tile, in pixels of the image."""
    overlap: float = 0.25
    """Share of a tile that the next one also covers, at least."""

    def __post_init__(self) -> None:
        if self.side_px < 1:
            raise UsageError("a tile needs at least one pixel", found=self.side_px)
        if not 0 <= self.overlap <= 0.9:
            raise UsageError(
                "the overlap of tiles makes no sense", found=self.overlap, expected="0 to 0.9"
            )

    def places(self, height: int, width: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield top, left, height and width of each tile; together they cover the image."""
        for top in self._starts(height):
            for left in self._starts(width):
                yield top, left, min(self.side_px, height), min(self.side_px, width)

    def weights(self, height: int, width: int) -> NDArray[np.float32]:
        """(height, width): what a tile's answer counts at each of its pixels.

        It falls linearly over the overlap towards each edge, so that seams vanish, and is never
        zero, so that the image's own border keeps its answer.
        """
        rows, columns = self._ramp(height), self._ramp(width)
        return rows[:, None] * columns[None, :]

    def _starts(self, length: int) -> list[int]:
        room = length - self.side_px
        if room <= 0:
            return [0]
        step = max(1, int(self.side_px * (1 - self.overlap)))
        count = -(-room // step) + 1
        # Spread evenly: the last tile would otherwise overlap its neighbour more than the others.
        return [round(number * room / (count - 1)) for number in range(count)]

    def _ramp(self, length: int) -> NDArray[np.float32]:
        distance = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1
        reach = max(1, round(self.overlap * length))
        return np.minimum(distance / reach, 1.0).astype(np.float32)
