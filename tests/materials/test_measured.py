"""Measured BRDF files: a synthetic Lambertian one renders as such; damaged ones are explained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import RenderError
from clearcoat.materials import Material
from clearcoat.render import backend, bsdf
from tests.measured import lambertian, tensor_file


def _material(path: Path | None) -> Material:
    return Material("from the lab", "measured", kind="measured", file=path)


def test_a_lambertian_file_renders_as_its_albedo(tmp_path: Path) -> None:
    path = tmp_path / "half_rgb.bsdf"
    path.write_bytes(tensor_file(lambertian(0.5)))
    mi = backend.load()
    scene = mi.load_dict(
        {
            "type": "scene",
            "light": {"type": "constant"},
            "plane": {"type": "rectangle", "bsdf": bsdf.describe(_material(path))},
            "sensor": {
                "type": "orthographic",
                "to_world": mi.ScalarTransform4f()
                .look_at([0, 0, 3], [0, 0, 0], [0, 1, 0])
                .scale([0.5, 0.5, 1]),
                "film": {"type": "hdrfilm", "width": 8, "height": 8, "rfilter": {"type": "box"}},
            },
            "integrator": {"type": "path", "max_depth": 3},
        }
    )
    image = np.array(mi.render(scene, spp=4096))[..., :3]
    assert image.mean(axis=(0, 1)) == pytest.approx([0.5] * 3, rel=0.02)


def _without(name: str) -> dict[str, np.ndarray]:
    return {key: value for key, value in lambertian(0.5).items() if key != name}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (tensor_file(lambertian(0.5))[:-1], "past the end"),
        (tensor_file(lambertian(0.5))[:20], "ends too early"),
        (b"", "ends too early"),
        (b"PK\3\4" + bytes(100), "does not begin"),
        (tensor_file(_without("rgb")), "no field 'rgb'"),
    ],
    ids=["cut short", "cut in the header", "empty", "a zip file", "spectral"],
)
def test_a_damaged_file_is_explained(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "a.bsdf"
    path.write_bytes(data)
    with pytest.raises(RenderError) as caught:
        bsdf.describe(_material(path))
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="cannot read"):
        bsdf.describe(_material(tmp_path / "absent.bsdf"))
    with pytest.raises(RenderError, match="names no file"):
        bsdf.describe(_material(None))
