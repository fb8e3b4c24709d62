"""A contact sheet of a spec: pictures beside their labels, with a legend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcoat.dataset import class_colors
from clearcoat.dataset.overlay import above, beside, contact_sheet, legend_strip, overlay
from clearcoat.errors import UsageError
from clearcoat.execution import Workers
from clearcoat.generation.generate import Studio
from clearcoat.generation.scene import Scene, load_scene

QUICK_SAMPLES = 4
_COARSE_BELOW_PX = 128
"""In smaller pictures a pixel is as wide as one of an environment at half the resolution."""


@dataclass(frozen=True, eq=False)
class Tile:
    """One image of a sheet."""

    index: int
    picture: NDArray[np.uint8]
    """(H, 2W, 3): the image beside its labels."""
    ignores: bool
    """Whether pixels are ignored."""
    names: tuple[str, ...]
    """Of the classes."""
    digest: str
    """Of the spec that it was drawn from."""


class Preview:
    """Draws sheets of one spec; product and renderer stay where a change of it allows that.

    Args:
        path: the spec.
        size: pixels per side of a picture.
        seed: of the series.
        samples: light paths per pixel; None: few, and no more than the spec has.
        workers: processes that draw, which stay until `close`; 1: this one.
    """

    def __init__(
        self, path: Path, *, size: int, seed: int, samples: int | None, workers: int = 1
    ) -> None:
        self.path = path
        self._workers = Workers(partial(_Easel, path, size, seed, samples), workers)
        self._sheets = 0

    def close(self) -> None:
        """End the processes."""
        self._workers.close()

    def tiles(self, count: int) -> Iterator[Tile]:
        """Read the spec and yield the tiles of the first `count` images as they are done.

        Raises:
            SpecError, ProductError, RenderError: as `load_scene` and `Renderer`.
        """
        self._sheets += 1
        return self._workers.run(_tile, [(self._sheets, index) for index in range(count)])

    def sheet(self, tiles: Iterable[Tile], columns: int) -> NDArray[np.uint8]:
        """Return the sheet of tiles with the legend of the classes that the product has.

        Raises:
            UsageError: the spec was saved while they were drawn.
        """
        drawn = sorted(tiles, key=lambda tile: tile.index)
        if len({tile.digest for tile in drawn}) > 1:
            raise UsageError("the spec changed while it was drawn", do="draw it again")
        sheet = contact_sheet([tile.picture for tile in drawn], columns)
        names = drawn[0].names
        ignores = any(tile.ignores for tile in drawn)
        key = legend_strip(names, class_colors(len(names)), sheet.shape[1], ignore=ignores)
        return above(sheet, key)


class _Easel:
    """What one process keeps from tile to tile and from sheet to sheet."""

    def __init__(self, path: Path, size: int, seed: int, samples: int | None) -> None:
        self._path, self._size, self._seed, self._samples = path, size, seed, samples
        self._sheet: int | None = None
        self._read: Scene | None = None
        self._studio: Studio | None = None

    def tile(self, sheet: int, index: int) -> Tile:
        """Draw an image; the spec is read again for every new sheet."""
        if self._studio is None or sheet != self._sheet:
            # Until it has been read without a mistake, each tile reads it again.
            self._sheet = None
            self._studio = self._studio_of(load_scene(self._path, last=self._read))
            self._sheet = sheet
        scene = self._studio.scene
        record = self._studio.record(index)
        names = scene.classes.names
        painted = overlay(record.image, record.labels, class_colors(len(names)))
        return Tile(
            index=index,
            picture=beside(record.image, painted),
            ignores=bool(record.labels.ignore().any()),
            names=tuple(names),
            digest=scene.digest,
        )

    def _studio_of(self, read: Scene) -> Studio:
        self._read = read
        scene = _quick(read, self._samples, self._size)
        if self._studio is None:
            return Studio(scene, (self._size, self._size), self._seed)
        self._studio.change(scene)
        return self._studio


def _tile(easel: _Easel, of: tuple[int, int]) -> Tile:
    return easel.tile(*of)


def _quick(scene: Scene, samples: int | None, size: int) -> Scene:
    settings = scene.spec.render
    chosen = min(settings.samples, QUICK_SAMPLES) if samples is None else samples
    updated = {
        "render": settings.model_copy(update={"samples": chosen}),
        # No label kinds beyond the classes are shown.
        "labels": scene.spec.labels.model_copy(update={"write": ()}),
    }
    spec = scene.spec.model_copy(update=updated)
    return replace(scene, spec=spec, coarse=size < _COARSE_BELOW_PX)
