"""Which pixels each part would cover if nothing stood in front of it.

Every ray goes on behind what it hits until it has left the product. A pixel belongs to the full
extent of each part that its ray meets, so one pass measures all parts at once, with the same
camera, the same rays and the same geometry as the labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.probe import LabelProbe

MAX_LAYERS = 64
"""Surfaces along one ray. A car with its engine has some fifty."""


@dataclass(frozen=True, eq=False)
class Extent:
    """The parts along the rays through a grid of pixels, hidden ones included."""

    step: int
    """Rows and columns between the pixels of the grid, which begins at `step // 2`."""
    row: NDArray[np.int64]
    """(N,): row of the pixel."""
    column: NDArray[np.int64]
    """(N,): column of the pixel."""
    part: NDArray[np.int64]
    """(N,): part number as in `Frame.parts`; each part once per pixel."""


def grid_step(size: tuple[int, int], max_rays: int) -> int:
    """Return the least step of a grid over a picture that has at most `max_rays` pixels."""
    width, height = size
    step = 1
    while -(-width // step) * -(-height // step) > max_rays:
        step += 1
    return step


def peel(
    probe: LabelProbe, scene: Any, sensor: Any, size: tuple[int, int], max_rays: int
) -> Extent:
    """Find every part along at most `max_rays` rays through the picture (width, height)."""
    dr, mi = probe.dr, probe.mi
    width, height = size
    step = grid_step(size, max_rays)
    first = step // 2
    columns, rows = len(range(first, width, step)), len(range(first, height, step))
    index = dr.arange(mi.UInt32, columns * rows)
    column, row = index % columns * step + first, index // columns * step + first
    ray = probe.rays(sensor, size, column, row)
    capacity = columns * rows * MAX_LAYERS
    places, parts = dr.zeros(mi.UInt32, capacity), dr.zeros(mi.UInt32, capacity)
    used = mi.UInt32(0)

    def go_on(layer: Any, origin: Any, going: Any) -> tuple[Any, Any, Any]:
        onward = mi.Ray3f(ray)
        onward.o = origin
        part, distance = probe.hit(scene, onward, coherent=False)
        going &= dr.isfinite(distance)
        met = going & (part > 0)
        slot = dr.scatter_inc(used, mi.UInt32(0), met)
        dr.scatter(places, row * width + column, slot, met)
        dr.scatter(parts, part, slot, met)
        # Beyond the surface by the same hair as the look through panes goes.
        origin = onward(dr.select(going, distance * (1 + 1e-5) + 1e-5, 0.0))
        return layer + 1, origin, going & (layer < MAX_LAYERS - 1)

    dr.while_loop(
        (mi.UInt32(0), mi.Point3f(ray.o), mi.Bool(True)),
        lambda layer, origin, going: going,
        go_on,
        label="peel",
    )
    dr.eval(places, parts, used)
    count = int(np.array(used)[0])
    # Sorted, because the slots are given out in whatever order the hardware finds.
    pairs = np.unique((np.array(places)[:count].astype(np.int64) << 16) | np.array(parts)[:count])
    place = pairs >> 16
    return Extent(step=step, row=place // width, column=place % width, part=pairs & 0xFFFF)
