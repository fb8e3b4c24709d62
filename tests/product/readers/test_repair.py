"""Repairs: doubles against sets of corners, shells and normals against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from clearcoat.product.raw import Notes, RawPart
from clearcoat.product.readers.repair import distinct_faces
from clearcoat.product.readers.triangles import tidy


def tidied(
    vertices: np.ndarray, faces: np.ndarray, normals: np.ndarray | None = None
) -> tuple[RawPart, Notes]:
    notes = Notes()
    part = tidy(
        "p",
        np.asarray(vertices, np.float64),
        np.asarray(faces, np.uint32),
        normals,
        None,
        None,
        notes,
    )
    assert part is not None
    return part, notes


def volume(part: RawPart) -> float:
    return float(trimesh.Trimesh(part.vertices, part.faces, process=False).volume)


def test_doubles_are_found_by_place() -> None:
    random = np.random.default_rng(1)
    points = random.integers(-2, 3, (300, 3)).astype(np.float64)
    points[::7] *= -1.0  # minus zero lies where zero does
    faces = random.integers(0, 300, (2000, 3)).astype(np.uint32)
    keep = distinct_faces(points, faces)
    seen: set[tuple[tuple[float, ...], ...]] = set()
    for face, kept in zip(faces, keep, strict=True):
        corners = tuple(sorted(tuple(point + 0.0) for point in points[face]))
        assert kept == (corners not in seen)
        seen.add(corners)
    assert 0 < (~keep).sum() < len(faces)


def test_doubles_are_left_out_with_a_note() -> None:
    box = trimesh.creation.box()
    doubled = np.concatenate([box.faces, box.faces[:3], box.faces[5:7, ::-1]])
    part, notes = tidied(box.vertices, doubled)
    assert len(part.faces) == 12
    assert notes.counts["triangles in the place of others left out"] == 5


@pytest.mark.parametrize("shape", ["box", "icosphere", "torus", "cylinder"])
@pytest.mark.parametrize("away", [0.0, 1e3])
def test_shells_inside_out_are_turned(shape: str, away: float) -> None:
    sizes = {"torus": (2.0, 0.5), "cylinder": (0.5, 2.0)}
    mesh = getattr(trimesh.creation, shape)(*sizes.get(shape, ()))
    points = np.asarray(mesh.vertices) + away
    inside_out, notes = tidied(points, np.asarray(mesh.faces)[:, ::-1])
    assert volume(inside_out) == pytest.approx(float(mesh.volume), rel=1e-6)
    assert notes.counts["shells that were inside out turned"] == 1
    _, notes = tidied(points, np.asarray(mesh.faces))
    assert "shells that were inside out turned" not in notes.counts


def test_open_shells_are_left_as_they_are() -> None:
    box = trimesh.creation.box()
    open_box = np.asarray(box.faces)[:10, ::-1]
    part, notes = tidied(box.vertices, open_box)
    assert not any("inside out" in text for text in notes.counts)
    np.testing.assert_allclose(
        np.sort(part.vertices[part.faces].mean(axis=1), axis=0),
        np.sort(box.vertices[open_box].mean(axis=1), axis=0),
    )


def test_normals_look_where_their_faces_do() -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    points = np.asarray(ball.vertices, np.float64)
    normals = points.copy()
    normals[::3] *= -2.0
    normals[1] = np.nan
    normals[4] = 0.0
    part, notes = tidied(points, ball.faces, normals)
    assert part.normals is not None
    np.testing.assert_allclose(part.normals, part.vertices, atol=0.05)
    turned = notes.counts["normals that looked away from their faces turned round"]
    assert turned == len(points[::3])
    assert notes.counts["normals without a direction replaced"] == 2


def test_a_shell_inside_out_with_its_normals_is_turned_whole() -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    points = np.asarray(ball.vertices, np.float64)
    part, _ = tidied(points, np.asarray(ball.faces)[:, ::-1], -points)
    assert volume(part) > 4
    assert part.normals is not None
    np.testing.assert_allclose(part.normals, part.vertices, atol=1e-9)
