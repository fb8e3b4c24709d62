"""The label raster: every pixel holds a *set* of classes, or is to be ignored.

Classes may overlap (the paper's masks are one-hot per class, section III.D), so a pixel
holds an index into a table of class sets. The table is as long as the combinations that
occur, hence nothing limits the number of classes and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ClassSet = frozenset[int]

MAX_SETS = 1 << 16


@dataclass(frozen=True, eq=False)
class LabelRaster:
    """Class sets per pixel.

    `sets[index[y, x]]` is the set of class numbers at that pixel; None stands for *ignore*:
    unknown, counted in no loss and no score. The empty set is background.
    """

    index: NDArray[np.uint16]
    """(H, W), uint16."""
    sets: tuple[ClassSet | None, ...]

    def __post_init__(self) -> None:
        if self.index.ndim != 2 or self.index.dtype != np.uint16:
            raise ValueError(
                f"LabelRaster.index: expected uint16 (H, W), got {self.index.dtype} "
                f"{self.index.shape}"
            )
        if len(set(self.sets)) != len(self.sets):
            raise ValueError("LabelRaster.sets: a class set stands twice in the table")
        if self.index.size and int(self.index.max()) >= len(self.sets):
            raise ValueError("LabelRaster.index points beyond LabelRaster.sets")

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.index.shape[0], self.index.shape[1]

    def mask(self, class_number: int) -> NDArray[np.bool_]:
        """(H, W) bool: the pixels of one class."""
        table = np.array([s is not None and class_number in s for s in self.sets], dtype=np.bool_)
        return table[self.index]

    def ignore(self) -> NDArray[np.bool_]:
        """(H, W) bool: the pixels that count in no loss and no score."""
        return np.array([s is None for s in self.sets], dtype=np.bool_)[self.index]

    def planes(self, class_count: int) -> NDArray[np.bool_]:
        """(C, H, W) bool: one mask per class; all False where the pixel is ignored."""
        table = np.zeros((class_count, len(self.sets)), dtype=np.bool_)
        for position, members in enumerate(self.sets):
            for number in members or ():
                table[number, position] = True
        return table[:, self.index]

    def pixel_counts(self) -> NDArray[np.int64]:
        """(len(sets),) int64: the number of pixels of each set."""
        return np.bincount(self.index.ravel(), minlength=len(self.sets))

    def compact(self) -> LabelRaster:
        """Return the same raster without the sets that no pixel has."""
        used = self.pixel_counts() > 0
        if used.all():
            return self
        renumbered = np.maximum(np.cumsum(used) - 1, 0).astype(np.uint16)
        sets = tuple(s for s, keep in zip(self.sets, used, strict=True) if keep)
        return LabelRaster(index=renumbered[self.index], sets=sets)

    @classmethod
    def from_table(cls, ids: NDArray[np.integer], table: Sequence[ClassSet | None]) -> LabelRaster:
        """Build a raster from (H, W) ids and the class set of each id.

        `table[ids[y, x]]` is the pixel's set. The table may hold a set many times, as it does
        when it lists the parts of a product.
        """
        sets = tuple(dict.fromkeys(table))
        order = {members: position for position, members in enumerate(sets)}
        renumbered = np.array([order[members] for members in table], dtype=np.uint16)
        return cls(index=renumbered[ids], sets=sets).compact()

    @classmethod
    def from_planes(
        cls, planes: NDArray[np.bool_], ignore: NDArray[np.bool_] | None = None
    ) -> LabelRaster:
        """Build a raster from (C, H, W) masks and an optional (H, W) ignore mask.

        Raises ValueError when more than 65,536 different sets occur.
        """
        number = np.zeros(planes.shape[1:], dtype=np.int64)
        sets: list[ClassSet | None] = [frozenset()]
        # Class by class, the sets below a class's pixels are extended by it: the work grows
        # with the pixels that have a class, and the table with the sets that occur.
        for member in np.flatnonzero(planes.any(axis=(1, 2))):
            below = number[planes[member]]
            seen = np.flatnonzero(np.bincount(below))
            extended = np.zeros(len(sets), dtype=np.int64)
            extended[seen] = len(sets) + np.arange(len(seen))
            number[planes[member]] = extended[below]
            sets += [(sets[position] or frozenset()) | {int(member)} for position in seen]
        if ignore is not None:
            # An ignored pixel has no class; otherwise two spellings of *ignore* would arise.
            number[ignore] = len(sets)
            sets.append(None)
        used = np.bincount(number.ravel(), minlength=len(sets)) > 0
        if used.sum() > MAX_SETS:
            raise ValueError(f"{used.sum()} different class sets in one image, at most {MAX_SETS}")
        final = (np.cumsum(used) - 1).clip(0).astype(np.uint16)
        return cls(
            index=final[number], sets=tuple(s for s, keep in zip(sets, used, strict=True) if keep)
        )

    def same_as(self, other: LabelRaster) -> bool:
        """Whether both give every pixel the same set, whatever the order of their tables."""
        if self.shape != other.shape:
            return False
        order = {members: position for position, members in enumerate(other.sets)}
        table = np.array([order.get(members, -1) for members in self.sets])
        return bool(np.array_equal(table[self.index], other.index))
