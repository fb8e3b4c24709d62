"""What a file does not say of its unit and axes, guessed from extents, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_METRES_UP_TO = 20.0
_MARGIN = 1.25


@dataclass(frozen=True)
class Guess:
    """Unit and axes, given or guessed, and a sentence on every guess."""

    unit_m: float
    up: str
    front: str
    notes: tuple[str, ...]


def complete(
    extents: NDArray[np.float64],
    *,
    unit_m: float | None,
    up: str | None,
    front: str | None,
    usual_up: str,
) -> Guess:
    """Fill in what neither the spec nor the file says.

    Args:
        extents: (3,), of all parts along x, y and z of the file, file units.
        unit_m: metres per file unit, or None.
        up: axis that points up, or None.
        front: axis that points forward, or None.
        usual_up: what writers of the format mostly use, where extents do not tell.
    """
    notes = []
    size = float(extents.max())
    if unit_m is None:
        unit_m, name = (1.0, "metres") if size <= _METRES_UP_TO else (0.001, "millimetres")
        notes.append(
            f"the file names no unit: {name} assumed, since it is {size:,.4g} units long; "
            "correct it with `unit`"
        )
    if up is None:
        up, reason = _up(extents, front, usual_up)
        notes.append(f"the file names no up axis: {up} assumed, {reason}; correct it with `up`")
    if front is None:
        front, reason = _front(extents, up)
        notes.append(f"the file names no front: {front} assumed, {reason}; correct it with `front`")
    return Guess(unit_m, up, front, tuple(notes))


def _up(extents: NDArray[np.float64], front: str | None, usual: str) -> tuple[str, str]:
    """Products that stand on the ground are mostly lower than they are long and wide."""
    allowed = [axis for axis in ("y", "z") if front is None or axis != front[-1]]
    if len(allowed) == 1:
        return allowed[0], f"since the front is {front}"
    y, z = (float(extents["xyz".index(axis)]) for axis in ("y", "z"))
    if y * _MARGIN < z or z * _MARGIN < y:
        lower = "y" if y < z else "z"
        return lower, f"along which it is lowest (y {y:,.4g}, z {z:,.4g} units)"
    return usual, "as usual in this format"


def _front(extents: NDArray[np.float64], up: str) -> tuple[str, str]:
    first, second = (axis for axis in "xyz" if axis != up[-1])
    a, b = (float(extents["xyz".index(axis)]) for axis in (first, second))
    if b > a * _MARGIN:
        return second, f"along which it is longest ({first} {a:,.4g}, {second} {b:,.4g} units)"
    if a > b * _MARGIN:
        return first, f"along which it is longest ({first} {a:,.4g}, {second} {b:,.4g} units)"
    return first, f"since it is about as long along {first} as along {second}"
