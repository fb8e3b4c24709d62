"""Normals against closed forms, and clean-up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clearcoat.product.raw import Notes
from clearcoat.product.readers.triangles import (
    crease_normals,
    fan_to_triangles,
    strip_to_triangles,
    tidy,
)


def cylinder(sides: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit cylinder with flat caps: walls are smooth, the rim is sharp."""
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    low = np.c_[ring, np.zeros(sides)]
    vertices = np.concatenate([low, low + np.array([0, 0, 1]), [[0, 0, 0], [0, 0, 1]]])
    i, j = np.arange(sides), (np.arange(sides) + 1) % sides
    bottom, top = np.full(sides, 2 * sides), np.full(sides, 2 * sides + 1)
    faces = np.concatenate(
        [
            np.stack([i, j, j + sides], 1),
            np.stack([i, j + sides, i + sides], 1),
            np.stack([j, i, bottom], 1),
            np.stack([i + sides, j + sides, top], 1),
        ]
    )
    return vertices, faces.astype(np.uint32)


@pytest.mark.parametrize("exploded", [False, True])
def test_cylinder_is_smooth_around_and_sharp_at_the_rim(exploded: bool) -> None:
    vertices, faces = cylinder(24)
    if exploded:  # as STL has it: no vertex is shared
        vertices, faces = vertices[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3)
        faces = faces.astype(np.uint32)
    placed, triangles, normals, _ = crease_normals(vertices, faces)
    wall = np.abs(normals[:, 2]) < 0.5
    np.testing.assert_allclose(normals[wall, :2], placed[wall, :2], atol=1e-12)
    np.testing.assert_allclose(np.abs(normals[~wall, 2]), 1, atol=1e-12)
    assert len(placed) == 24 * 4 + 2
    np.testing.assert_allclose(placed[triangles], vertices[faces])


def test_edges_above_the_crease_angle_stay_sharp() -> None:
    vertices, faces = cylinder(8)  # 45° between neighbouring walls
    assert len(crease_normals(vertices, faces, crease_deg=40)[0]) == 8 * 4 + 16 + 2
    assert len(crease_normals(vertices, faces, crease_deg=50)[0]) == 8 * 2 + 16 + 2


def test_opposed_faces_get_finite_normals() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    faces = np.array([[0, 1, 2], [0, 2, 1]], np.uint32)
    _, _, normals, _ = crease_normals(vertices, faces)
    assert sorted(normals[:, 2].tolist()) == [-1, -1, -1, 1, 1, 1]


@given(
    vertices=hnp.arrays(np.float64, (12, 3), elements=st.integers(-3, 3).map(float)),
    faces=hnp.arrays(np.uint32, (15, 3), elements=st.integers(0, 11)),
)
def test_tidy_keeps_every_place_of_a_solid_triangle_once(
    vertices: np.ndarray, faces: np.ndarray
) -> None:
    corners = vertices[faces]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    uv = np.arange(24, dtype=np.float32).reshape(12, 2)
    part = tidy("p", vertices, faces, None, uv, None, Notes())
    if not (area > 0).any():
        assert part is None
        return
    assert part is not None
    places = [frozenset(map(tuple, triangle)) for triangle in corners.tolist()]
    kept = [n for n, place in enumerate(places) if area[n] > 0 and places.index(place) == n]
    np.testing.assert_array_equal(part.vertices[part.faces], corners[kept])
    assert part.uv is not None
    np.testing.assert_array_equal(part.uv[part.faces], uv[faces[kept]])
    assert part.normals is not None
    np.testing.assert_allclose(np.linalg.norm(part.normals, axis=1), 1, atol=1e-9)
    assert set(part.faces.ravel()) == set(range(len(part.vertices)))


def test_missing_normals_are_replaced_by_the_faces() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    normals = np.array([[0.0, 0, 5], [0, 0, 0], [np.nan, 0, 0]])
    notes = Notes()
    part = tidy("p", vertices, np.array([[0, 1, 2]], np.uint32), normals, None, None, notes)
    assert part is not None
    np.testing.assert_array_equal(part.normals, [[0, 0, 1]] * 3)
    assert notes.sentences() == ("normals without a direction replaced: 2 (p)",)


def test_strips_and_fans() -> None:
    order = np.array([7, 8, 9, 10], np.uint32)
    assert strip_to_triangles(order).tolist() == [[7, 8, 9], [10, 9, 8]]
    assert fan_to_triangles(order).tolist() == [[7, 8, 9], [7, 9, 10]]
    for count in range(3):
        assert strip_to_triangles(order[:count]).shape == (0, 3)
        assert fan_to_triangles(order[:count]).shape == (0, 3)
