"""A product written as GLB is the same product when it is read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import ProductError
from clearcoat.product import Mesh, Part, Product, SourceMaterial, read
from clearcoat.product.glb import to_glb
from tests.khronos import khronos_issues

_TRIANGLE = np.array([[0, 0, 0], [2, 0, 0], [0, 1, 0.5]], np.float32)
_UP = np.tile(np.array([[0, -0.4472136, 0.8944272]], np.float32), (3, 1))


def _part(path: str, material: SourceMaterial | None, shift: float = 0.0) -> Part:
    mesh = Mesh(
        vertices=_TRIANGLE + np.float32([shift, 0, 0]),
        faces=np.array([[0, 1, 2]], np.uint32),
        normals=_UP,
        uv=np.array([[0, 0], [1, 0], [0, 0.25]], np.float32),
    )
    return Part(path, mesh, material)


_PRODUCT = Product(
    name="thing",
    parts=(
        _part("cover/pane", SourceMaterial("pane", alpha=0.25, transmission=0.5, roughness=0.0)),
        _part("cover/lamp", SourceMaterial("glow", emissive=(4.0, 2.0, 0.0)), 3.0),
        _part("body", SourceMaterial("paint", (0.4, 0.1, 0.2), clearcoat=1.0, metallic=0.5), 6.0),
    ),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "thing.glb"
    file.write_bytes(to_glb(_PRODUCT, generator="test"))
    again = read(file)
    shift = np.array([*_PRODUCT.bounds_m.mean(axis=0)[:2], _PRODUCT.bounds_m[0, 2]])
    assert [part.path for part in again.parts] == [part.path for part in _PRODUCT.parts]
    for ours, theirs in zip(_PRODUCT.parts, again.parts, strict=True):
        assert theirs.material == ours.material
        np.testing.assert_allclose(theirs.mesh.vertices, ours.mesh.vertices - shift, atol=1e-6)
        np.testing.assert_allclose(theirs.mesh.normals, ours.mesh.normals, atol=1e-6)
        np.testing.assert_allclose(theirs.mesh.uv, ours.mesh.uv, atol=1e-6)
        np.testing.assert_array_equal(theirs.mesh.faces, ours.mesh.faces)


def test_a_part_that_holds_parts_is_refused() -> None:
    product = Product("p", (_part("a", None), _part("a/b", None)))
    with pytest.raises(ProductError, match="cannot hold"):
        to_glb(product, generator="test")


def test_the_khronos_validator_finds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "thing.glb"
    file.write_bytes(to_glb(_PRODUCT, generator="test"))
    issues = khronos_issues(file)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues
