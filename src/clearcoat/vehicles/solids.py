"""Simple solids: rounded boxes, surfaces of revolution, tubes and lofts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.surface import Faces, Surface, join


def grid_surface(points: Array, *, close_u: bool = False, close_v: bool = False) -> Surface:
    """A smooth surface through a (U, V, 3) grid of points; u × v points outwards.

    Normals are the averages of the triangles round a point, weighted by area.
    """
    nu, nv = points.shape[:2]
    index = np.arange(nu * nv).reshape(nu, nv)
    if close_u:
        index = np.concatenate([index, index[:1]], axis=0)
    if close_v:
        index = np.concatenate([index, index[:, :1]], axis=1)
    p, q, r, s = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.concatenate(
        [np.stack([p, q, r], -1).reshape(-1, 3), np.stack([p, r, s], -1).reshape(-1, 3)]
    )
    return smooth(points.reshape(-1, 3), faces)


def smooth(vertices: Array, faces: Faces) -> Surface:
    """A surface with the area-weighted normals of its triangles."""
    corners = vertices[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(vertices)
    for column in range(3):
        np.add.at(total, faces[:, column], cross)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    normals = np.where(length > 0, total / np.maximum(length, 1e-30), [0.0, 0.0, 1.0])
    return Surface(vertices, normals, faces)


def rounded_box(size: Sequence[float], radius: float, cells: int = 3) -> Surface:
    """A box about the origin with its edges rounded; sizes over all, metres."""
    half = 0.5 * np.asarray(size, dtype=np.float64)
    radius = float(min(radius, 0.999 * half.min()))
    angle = np.linspace(-np.pi / 4, np.pi / 4, 2 * cells + 1)
    line = np.tan(angle)
    surfaces = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            u, v = np.meshgrid(line, line, indexing="ij")
            cube = np.empty((*u.shape, 3))
            cube[..., axis] = sign
            cube[..., (axis + 1) % 3] = u
            cube[..., (axis + 2) % 3] = v
            unit = cube / np.linalg.norm(cube, axis=-1, keepdims=True)
            # The middle cells stretch into the flats of the box.
            points = unit * radius + np.sign(np.round(cube, 9)) * (half - radius)
            flat = grid_surface(points if sign > 0 else points.transpose(1, 0, 2))
            normals = unit if sign > 0 else unit.transpose(1, 0, 2)
            surfaces.append(Surface(flat.vertices, normals.reshape(-1, 3), flat.faces))
    return join(surfaces)


def revolve(profile: Sequence[tuple[float, float]], segments: int = 64) -> Surface:
    """A profile of (radius, y) turned about the y axis; outside lies left of its direction.

    Corners of the profile stay sharp where a point is given twice.
    """
    points = np.array(profile)
    angle = np.linspace(0.0, 2.0 * np.pi, segments, endpoint=False)
    runs: list[Array] = []
    start = 0
    for i in range(1, len(points)):
        if np.allclose(points[i], points[i - 1]):
            runs.append(points[start:i])
            start = i
    runs.append(points[start:])
    surfaces = []
    for run in runs:
        radius, y = run[:, 0][:, None], run[:, 1][:, None]
        grid = np.stack(
            [radius * np.cos(angle), np.broadcast_to(y, (len(run), segments)),
             radius * np.sin(angle)], axis=-1,
        )  # fmt: skip
        surfaces.append(grid_surface(grid, close_v=True))
    return join(surfaces)


def tube(path: Array, radius: float | Array, segments: int = 10) -> Surface:
    """A round tube with closed ends along a (N, 3) path."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    helper = np.array([0.0, 0.0, 1.0]) if abs(tangent[0, 2]) < 0.8 else np.array([1.0, 0.0, 0.0])
    side = np.cross(tangent, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(side, tangent)
    radii = np.broadcast_to(np.asarray(radius, dtype=np.float64), (len(path),))
    return loft(path, side, up, radii, radii, segments)


def loft(
    path: Array, side: Array, up: Array, half_width: Array, half_height: Array,
    segments: int = 12, roundness: float = 1.0,
) -> Surface:  # fmt: skip
    """Closed superelliptic sections along a path; `roundness` 1 is an ellipse, 0.5 nearly a box."""
    angle = np.linspace(0.0, 2.0 * np.pi, segments, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    c, s = np.sign(c) * np.abs(c) ** roundness, np.sign(s) * np.abs(s) ** roundness
    ring = (
        path[:, None]
        + half_width[:, None, None] * c[None, :, None] * side[:, None]
        + half_height[:, None, None] * s[None, :, None] * up[:, None]
    )
    body = grid_surface(ring, close_v=True)
    count = len(path)
    ends = []
    for at, order in ((0, 1), (count - 1, -1)):
        rim = ring[at][::order]
        vertices = np.concatenate([[path[at]], rim])
        i = np.arange(segments)
        fan = np.stack([np.zeros_like(i), 1 + i, 1 + (i + 1) % segments], axis=1)
        ends.append(smooth(vertices, fan))
    closed = join([body, *ends])
    from_path = body.vertices - np.repeat(path, segments, axis=0)
    outwards = float(np.einsum("ij,ij->", from_path, body.normals)) > 0
    return closed if outwards else closed.flipped()
