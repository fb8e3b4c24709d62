"""A contact sheet of a spec: pictures beside their labels, with a legend."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from clearcoat.dataset import class_colors
from clearcoat.dataset.overlay import above, beside, contact_sheet, legend_strip, overlay
from clearcoat.generation.generate import Studio
from clearcoat.generation.scene import Scene


def preview_tiles(
    scene: Scene, *, count: int, seed: int, size: int
) -> Iterator[tuple[NDArray[np.uint8], bool]]:
    """Yield per image: picture beside overlay (H, 2W, 3), and whether pixels are ignored."""
    studio = Studio(scene, (size, size), seed)
    colors = class_colors(len(scene.classes.names))
    for index in range(count):
        record = studio.record(index)
        painted = overlay(record.image, record.labels, colors)
        yield beside(record.image, painted), bool(record.labels.ignore().any())


def preview_sheet(
    scene: Scene, tiles: list[tuple[NDArray[np.uint8], bool]], columns: int
) -> NDArray[np.uint8]:
    """Return the sheet of tiles with the legend of the classes that the product has."""
    sheet = contact_sheet([tile for tile, _ in tiles], columns)
    names = scene.classes.names
    key = legend_strip(
        names, class_colors(len(names)), sheet.shape[1], ignore=any(has for _, has in tiles)
    )
    return above(sheet, key)
