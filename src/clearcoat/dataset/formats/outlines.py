"""From masks to polygons along the edges of pixels, exact wherever polygons can be."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Corner = tuple[float, float]
Ring = list[Corner]

_OFF_CENTRE = 0.25
"""A slit does not run through the centres of pixels, where a rasteriser looks."""


@dataclass(frozen=True)
class Outline:
    """One piece of a mask as a polygon."""

    corners: tuple[Corner, ...]
    """x, y in pixels; the top left corner of the picture is (0, 0), whole numbers are edges."""
    holes: int
    """How many holes the polygon reaches by slits of no width."""


def outlines(mask: NDArray[np.bool_]) -> list[Outline]:
    """Return a polygon per piece of an (H, W) mask; pixels that share an edge are one piece.

    A polygon cannot have a hole. A slit of no width joins each to the outline (a keyhole), so that
    rasterising at the centres of pixels gives the mask back, bit for bit, by the even-odd and by
    the non-zero rule.
    """
    pieces, count = ndimage.label(mask)
    outer: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = defaultdict(list)
    for ring in _rings(mask):
        piece = int(pieces[_inner_pixel(ring[0], ring[1])])
        if _area(ring) > 0:
            outer[piece] = ring
        else:
            holes[piece].append(ring)
    found = []
    for piece in range(1, count + 1):
        path = outer[piece]
        # From the left on: what a slit to the left meets is on the path by then.
        for hole in sorted(holes[piece]):
            path = _joined(path, hole, mask)
        found.append(Outline(tuple(_corners(path)), len(holes[piece])))
    return found


def _rings(mask: NDArray[np.bool_]) -> list[Ring]:
    """Follow the edges between mask and rest, pixel by pixel, the mask on the right-hand side.

    Where two pixels touch at a corner only, the way turns right, which keeps them apart. Each ring
    begins at its leftmost corner, of these the topmost.
    """
    padded = np.pad(mask, 1)
    leaving: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    below, right = padded[1:, 1:-1], padded[1:-1, 1:]
    above, left = padded[:-1, 1:-1], padded[1:-1, :-1]
    # Edges along rows run right above the mask and left below it; along columns, up and down.
    for edges, offset, step in (
        (below & ~above, (0, 0), (1, 0)),
        (above & ~below, (1, 0), (-1, 0)),
        (right & ~left, (0, 1), (0, -1)),
        (left & ~right, (0, 0), (0, 1)),
    ):
        for y, x in np.argwhere(edges).tolist():
            leaving[(x + offset[0], y + offset[1])].append(step)
    rings = []
    while leaving:
        start = min(leaving)
        at, step = start, leaving[start][0]
        ring: Ring = []
        while at in leaving:
            steps = leaving[at]
            to_the_right = (-step[1], step[0])
            step = to_the_right if to_the_right in steps else steps[0]
            steps.remove(step)
            if not steps:
                del leaving[at]
            ring.append(at)
            at = (at[0] + step[0], at[1] + step[1])
            if at == start:
                break
        rings.append(ring)
    return rings


def _inner_pixel(a: Corner, b: Corner) -> tuple[int, int]:
    """Return row and column of the pixel on the right of a unit edge."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    x, y = (a[0] + b[0] - dy) / 2, (a[1] + b[1] + dx) / 2
    return int(np.floor(y)), int(np.floor(x))


def _area(ring: Ring) -> float:
    """Return the area by the shoelace formula: positive with the inside on the right."""
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs) / 2


def _joined(path: Ring, hole: Ring, mask: NDArray[np.bool_]) -> Ring:
    """Return the path with a hole, which a slit to the left of its leftmost edge reaches."""
    # A hole's first corner is its leftmost, and from there its edge runs down: the mask is left.
    (x, y), below = hole[0], hole[1]
    column, row = int(x), int(y)
    empty = np.flatnonzero(~mask[row, :column])
    met = float(empty[-1] + 1 if len(empty) else 0)
    edge = (met, y + 1), (met, y)
    place = next(i for i, pair in enumerate(zip(path, path[1:] + path[:1], strict=True))
                 if pair == edge)  # fmt: skip
    height = y + _OFF_CENTRE
    slit_out, slit_in = (met, height), (x, height)
    around = [slit_in, below, *hole[2:], hole[0], slit_in]
    return [*path[: place + 1], slit_out, *around, slit_out, *path[place + 1 :]]


def _corners(path: Ring) -> Ring:
    """Leave out the points at which the path goes straight on."""
    before, after = [path[-1], *path[:-1]], [*path[1:], path[0]]
    return [
        b
        for a, b, c in zip(before, path, after, strict=True)
        if (b[0] - a[0]) * (c[1] - b[1]) != (b[1] - a[1]) * (c[0] - b[0])
    ]
