"""The label raster: every pixel holds a *set* of classes, or is to be ignored.

Classes may overlap (the paper's masks are one-hot per class, section III.D), so a pixel
holds an index into a table of class sets. The table is as long as the combinations that
occur, hence nothing limits the number of classes and nothing is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ClassSet = frozenset[int]


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

    @classmethod
    def from_planes(
        cls, planes: NDArray[np.bool_], ignore: NDArray[np.bool_] | None = None
    ) -> LabelRaster:
        """Build a raster from (C, H, W) masks and an optional (H, W) ignore mask."""
        packed = np.packbits(planes, axis=0, bitorder="little")
        rows = packed.reshape(packed.shape[0], -1).T
        blind = (
            np.zeros((len(rows), 1), np.uint8)
            if ignore is None
            else ignore.reshape(-1, 1).astype(np.uint8)
        )
        # An ignored pixel has no class; otherwise two spellings of *ignore* would arise.
        keys = np.concatenate([blind, np.where(blind == 1, 0, rows)], axis=1)
        table, inverse = np.unique(keys, axis=0, return_inverse=True)
        sets: list[ClassSet | None] = []
        for key in table:
            members = np.flatnonzero(np.unpackbits(key[1:], bitorder="little"))
            sets.append(None if key[0] else frozenset(int(m) for m in members))
        index = inverse.reshape(planes.shape[1:]).astype(np.uint16)
        return cls(index=index, sets=tuple(sets))

    def same_as(self, other: LabelRaster) -> bool:
        """Whether both give every pixel the same set, whatever the order of their tables."""
        if self.shape != other.shape:
            return False
        order = {members: position for position, members in enumerate(other.sets)}
        table = np.array([order.get(members, -1) for members in self.sets])
        return bool(np.array_equal(table[self.index], other.index))
