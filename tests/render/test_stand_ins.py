"""Wrong parts: fitted where the right one was, mirrored without being turned inside out."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from clearcoat.product import Mesh
from clearcoat.render import fit
from clearcoat.render.stand_ins import bounds
from clearcoat.scene import ReplacementSpec


def _mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(
        np.asarray(shape.vertices, np.float32),
        np.asarray(shape.faces, np.uint32),
        np.asarray(shape.vertex_normals, np.float32),
    )


_RIGHT = _mesh(
    trimesh.creation.box((2.0, 1.0, 0.5), trimesh.transformations.translation_matrix((3, 2, 1)))
)
_WRONG = _mesh(trimesh.creation.annulus(0.2, 0.5, 0.4))


@pytest.mark.parametrize(
    ("how", "size"),
    [
        (ReplacementSpec(), (1.0, 1.0, 0.4)),
        (ReplacementSpec(scale=1.5), (1.5, 1.5, 0.6)),
        (ReplacementSpec(fit="inside"), (1.0, 1.0, 0.4)),
        (ReplacementSpec(fit="box", mirrored="x"), (2.0, 1.0, 0.5)),
    ],
)
def test_sizes_and_middles_are_as_asked(how: ReplacementSpec, size: tuple[float, ...]) -> None:
    low, high = bounds(fit([_WRONG], _RIGHT, how))
    assert high - low == pytest.approx(size, abs=1e-4)
    assert (low + high) / 2 == pytest.approx((3, 2, 1), abs=1e-4)


@pytest.mark.parametrize("mirrored", [None, "x", "y", "z"])
def test_front_faces_and_normals_stay_outside(mirrored: str | None) -> None:
    how = ReplacementSpec(fit="box", mirrored=mirrored)
    (made,) = fit([_WRONG], _RIGHT, how)
    body = trimesh.Trimesh(made.vertices, made.faces, process=False)
    assert body.volume == pytest.approx(np.pi * (1 - 0.4**2) / 4 * 2 * 1 * 0.5, rel=0.02)
    # Against normals that are computed anew from the fitted triangles; both are weighted means.
    assert (np.sum(body.vertex_normals * made.normals, axis=1) > 0.9).mean() > 0.95


def test_an_assembly_of_a_file_stays_together() -> None:
    second = _mesh(trimesh.creation.box((0.2, 0.2, 1.0)))
    made = fit([_WRONG, second], _RIGHT, ReplacementSpec(file="other.glb"))
    # By its height of 1 m, into 0.5 m.
    assert np.ptp(made[1].vertices, axis=0) == pytest.approx((0.1, 0.1, 0.5), abs=1e-5)
    assert np.ptp(made[0].vertices, axis=0) == pytest.approx((0.5, 0.5, 0.2), abs=1e-3)
