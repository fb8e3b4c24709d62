"""Points on the outer skin, for whatever is bolted onto it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.form import FACES, Form
from clearcoat.vehicles.skin import NEAREST, Skin, solve


def on_side(form: Form, x: Array, z: Array) -> Array:
    """(N, 3) points of the left flank at given x and z."""
    x, z = np.broadcast_arrays(np.atleast_1d(x), np.atleast_1d(z))
    zero = np.zeros(x.shape)
    far = np.full(x.shape, form.anchors.half_width)
    return solve(form, np.stack([x, zero, z], -1), np.stack([x, far, z], -1))


def on_end(form: Form, y: Array, z: Array, *, front: bool) -> Array:
    """(N, 3) points of the nose or the tail at given y and z, where `has_end` holds."""
    inside, outside = _through_end(form, y, z, front)
    return solve(form, inside, outside)


def has_end(form: Form, y: Array, z: Array, *, front: bool) -> NDArray[np.bool_]:
    """(N,) whether there is body behind these y and z of the nose or the tail."""
    inside, outside = _through_end(form, y, z, front)
    met: NDArray[np.bool_] = form.distance(inside + NEAREST * (outside - inside)) < 0
    return met


def _through_end(form: Form, y: Array, z: Array, front: bool) -> tuple[Array, Array]:
    """Rays from within the body to its end: (N, 3) starts and (N, 3) goals."""
    y, z = np.broadcast_arrays(np.atleast_1d(y), np.atleast_1d(z))
    end = form.anchors.front_x if front else form.anchors.rear_x
    start = end - 0.75 * np.sign(end)
    return (
        np.stack([np.full(y.shape, start), y, z], -1),
        np.stack([np.full(y.shape, end), y, z], -1),
    )


def on_top(form: Form, x: Array, y: Array) -> Array:
    """(N, 3) points of hood, screens, roof or deck at given x and y."""
    x, y = np.broadcast_arrays(np.atleast_1d(x), np.atleast_1d(y))
    a = form.anchors
    low, high = np.full(x.shape, a.floor_z + 0.05), np.full(x.shape, a.roof_z)
    return solve(form, np.stack([x, y, low], -1), np.stack([x, y, high], -1))


def sampled(form: Form, points: Array) -> Skin:
    """Points of the skin with their fields, as a skin without triangles."""
    fields = form.faces(points)
    values = np.column_stack([points, form.normals(points), *(fields[name] for name in FACES)])
    return Skin(values, np.zeros((0, 3), dtype=np.int64))
