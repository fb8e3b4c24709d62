"""A contact sheet of a spec: pictures beside their labels, with a legend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcoat.dataset import class_colors
from clearcoat.dataset.overlay import above, beside, contact_sheet, legend_strip, overlay
from clearcoat.generation.generate import Studio
from clearcoat.generation.scene import Scene, load_scene

QUICK_SAMPLES = 4

Tile = tuple[NDArray[np.uint8], bool]


class Preview:
    """Draws sheets of one spec; product and renderer stay where a change of it allows that.

    Args:
        path: the spec.
        size: pixels per side of a picture.
        seed: of the series.
        samples: light paths per pixel; None: few, and no more than the spec has.
    """

    def __init__(self, path: Path, *, size: int, seed: int, samples: int | None) -> None:
        self.path, self.size, self.seed, self.samples = path, size, seed, samples
        self._read: Scene | None = None
        self._studio: Studio | None = None

    def tiles(self, count: int) -> Iterator[Tile]:
        """Read the spec and yield per image: picture beside overlay (H, 2W, 3), and whether pixels
        are ignored.

        Raises:
            SpecError, ProductError, RenderError: as `load_scene` and `Renderer`.
        """
        self._read = load_scene(self.path, last=self._read)
        scene = _quick(self._read, self.samples)
        if self._studio is None:
            self._studio = Studio(scene, (self.size, self.size), self.seed)
        else:
            self._studio.change(scene)
        colors = class_colors(len(scene.classes.names))
        for index in range(count):
            record = self._studio.record(index)
            painted = overlay(record.image, record.labels, colors)
            yield beside(record.image, painted), bool(record.labels.ignore().any())

    def sheet(self, tiles: Iterable[Tile], columns: int) -> NDArray[np.uint8]:
        """Return the sheet of tiles with the legend of the classes that the product has."""
        drawn = list(tiles)
        sheet = contact_sheet([tile for tile, _ in drawn], columns)
        assert self._read is not None
        names = self._read.classes.names
        key = legend_strip(
            names, class_colors(len(names)), sheet.shape[1], ignore=any(has for _, has in drawn)
        )
        return above(sheet, key)


def _quick(scene: Scene, samples: int | None) -> Scene:
    settings = scene.spec.render
    chosen = min(settings.samples, QUICK_SAMPLES) if samples is None else samples
    updated = {
        "render": settings.model_copy(update={"samples": chosen}),
        # No label kinds beyond the classes are shown.
        "labels": scene.spec.labels.model_copy(update={"write": ()}),
    }
    return replace(scene, spec=scene.spec.model_copy(update=updated))
