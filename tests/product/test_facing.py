"""Which way a part's broad face is read, from outside the product."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.product import Mesh
from clearcoat.product.facing import face_size, face_uv


def _plate(middle: tuple[float, float, float], thick: int, *, inside_out: bool = False) -> Mesh:
    """A box of 0.5 by 0.1 m, 1 cm thick along one axis, the long side level."""
    size = np.full(3, 0.1)
    size[thick], size[1 if thick != 1 else 0] = 0.01, 0.5
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) - 0.5
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([[(a, b, c), (a, c, d)] for a, b, c, d in quads], np.uint32).reshape(-1, 3)
    return Mesh(
        (corners * size + middle).astype(np.float32), faces[:, ::-1] if inside_out else faces
    )


@pytest.mark.parametrize("inside_out", [False, True])
@pytest.mark.parametrize(
    ("middle", "thick", "right", "up"),
    [
        ((2.0, 0.0, 0.4), 0, (0, 1, 0), (0, 0, 1)),
        ((-2.0, 0.0, 0.4), 0, (0, -1, 0), (0, 0, 1)),
        ((0.0, 0.8, 0.4), 1, (-1, 0, 0), (0, 0, 1)),
        ((-1.0, 0.0, 1.2), 2, (0, -1, 0), (1, 0, 0)),
    ],
    ids=["front", "rear", "left", "on top, read from behind"],
)
def test_a_face_is_read_from_outside(
    middle: tuple[float, float, float],
    thick: int,
    right: tuple[int, int, int],
    up: tuple[int, int, int],
    inside_out: bool,
) -> None:
    mesh = _plate(middle, thick, inside_out=inside_out)
    assert face_size(mesh) == pytest.approx((0.5, 0.1), abs=1e-6)
    away = mesh.vertices - np.array(middle)
    expected = np.stack([away @ right / 0.5, away @ up / 0.1], axis=1) + 0.5
    np.testing.assert_allclose(face_uv(mesh), expected, atol=1e-4)


def test_what_stands_behind_a_face_does_not_shrink_it() -> None:
    """A holder wider than the plate: the picture is the plate's."""
    plate = _plate((2.0, 0.0, 0.4), 0)
    shelf = np.array([[1.9, -0.4, 0.3], [1.8, 0.0, 0.3], [1.9, 0.4, 0.3]], np.float32)
    both = Mesh(
        np.concatenate([plate.vertices, shelf]),
        np.concatenate([plate.faces, np.array([[8, 9, 10]], np.uint32)]),
    )
    assert face_size(both) == pytest.approx((0.5, 0.1), abs=1e-6)
