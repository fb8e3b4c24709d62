"""Boxes, cylinders, cones and balls of one topology, so that one mesh can become any of them.

They are superquadrics (Barr 1981): a ball whose squareness along and across its axis varies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_ROWS, _COLUMNS = 17, 40
# Squareness along the axis and around it: 1 is round, 0 square. A hair above 0 rounds edges.
_SQUARENESS = {
    "box": (0.08, 0.08),
    "cylinder": (0.08, 1.0),
    "pole": (0.05, 1.0),
    "cone": (0.10, 1.0),
    "ball": (1.0, 1.0),
}


def _faces() -> NDArray[np.uint32]:
    row, column = np.meshgrid(np.arange(_ROWS - 1), np.arange(_COLUMNS), indexing="ij")
    a = row * _COLUMNS + column
    b = row * _COLUMNS + (column + 1) % _COLUMNS
    quads = np.stack([a, b, b + _COLUMNS, a + _COLUMNS], axis=-1).reshape(-1, 4)
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.uint32)


FACES = _faces()
"""(F, 3): triangles of every primitive."""


def primitive(kind: str, half_m: tuple[float, float, float]) -> tuple[FloatArray, FloatArray]:
    """(V, 3) vertices and (V, 3) unit normals of a primitive around the origin, axis z.

    Raises KeyError where the kind is unknown.
    """
    along, around = _SQUARENESS[kind]
    u = np.linspace(-np.pi / 2, np.pi / 2, _ROWS)[:, None]
    v = (np.arange(_COLUMNS) + 0.5)[None, :] * 2 * np.pi / _COLUMNS
    half = np.array(half_m)

    def surface(power_along: float, power_around: float) -> FloatArray:
        flat = _power(np.cos(u), power_along)
        return np.stack(
            [
                flat * _power(np.cos(v), power_around),
                flat * _power(np.sin(v), power_around),
                _power(np.sin(u), power_along) * np.ones_like(v),
            ],
            axis=-1,
        )

    points = surface(along, around)
    normals = surface(2 - along, 2 - around) / half
    if kind == "cone":
        narrow = 1 - 0.47 * (1 + points[..., 2:])
        points = points * np.concatenate([narrow, narrow, np.ones_like(narrow)], axis=-1)
        # The side leans inwards by the same angle everywhere but at the ends.
        slope = 0.47 * float(np.hypot(*half[:2])) / np.sqrt(2) / half[2]
        side = np.abs(points[..., 2]) < 0.999
        normals[..., 2] += side * slope * np.linalg.norm(normals[..., :2], axis=-1)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    return (points * half).reshape(-1, 3), normals.reshape(-1, 3)


def _power(base: FloatArray, exponent: float) -> FloatArray:
    """Power of the magnitude, with the sign kept."""
    raised: FloatArray = np.sign(base) * np.abs(base) ** exponent
    return raised
