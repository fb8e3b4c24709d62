"""The product frame: every pair of axes, units, and contradictions."""

from __future__ import annotations

from itertools import product as pairs
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearcoat.errors import ProductError
from clearcoat.product import read
from clearcoat.product.frame import AXES, axis_vector, parallel, rotation


@pytest.mark.parametrize(("up", "front"), list(pairs(AXES, AXES)))
def test_every_pair_of_axes(up: str, front: str) -> None:
    if parallel(up, front):
        with pytest.raises(ValueError, match="one line"):
            rotation(up, front)
        return
    turn = rotation(up, front)
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_array_equal(turn @ axis_vector(front), [1, 0, 0])
    np.testing.assert_array_equal(turn @ axis_vector(up), [0, 0, 1])


def test_unit_and_axes_can_be_corrected(gltf: Any, tmp_path: Path) -> None:
    gltf.document["nodes"][0]["scale"] = [1000, 2000, 3000]
    product = read(gltf.write(tmp_path), unit_m=0.001, up="x", front="-y")
    np.testing.assert_allclose(product.bounds_m, [[-1, -1.5, 0], [1, 1.5, 1]], atol=1e-6)
    assert (product.unit_m, product.up, product.front) == (0.001, "x", "-y")


def test_origin_lies_under_what_is_kept(gltf: Any, tmp_path: Path) -> None:
    gltf.document["nodes"] = [
        {"name": "cube", "mesh": 0},
        {"name": "stray", "mesh": 0, "translation": [100, -100, 0]},
    ]
    gltf.document["scenes"] = [{"nodes": [0, 1]}]
    product = read(gltf.write(tmp_path), drop=["stray"])
    np.testing.assert_allclose(product.bounds_m, [[-0.5, -0.5, 0], [0.5, 0.5, 1]], atol=1e-7)
    assert "1 parts dropped by the spec" in product.notes
    with pytest.raises(ProductError, match="every part"):
        read(gltf.write(tmp_path), drop=["*"])


@pytest.mark.parametrize(
    "given",
    [
        {"up": "z"},
        {"front": "-y"},
        {"up": "x", "front": "-x"},
        {"up": "w"},
        {"unit_m": 0.0},
        {"unit_m": float("nan")},
    ],
)
def test_contradictions_are_refused(gltf: Any, tmp_path: Path, given: dict[str, Any]) -> None:
    with pytest.raises(ProductError):
        read(gltf.write(tmp_path), **given)
