"""Measured BRDF files: a synthetic Lambertian one renders as such; damaged ones are explained."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import RenderError
from clearcoat.materials import Material
from clearcoat.render import backend, bsdf

_UINT8, _FLOAT32 = 1, 10


def _lambertian(albedo: float) -> dict[str, np.ndarray]:
    """Constant in every direction, cosine included: its furnace value is that of `albedo`."""
    theta_i = np.linspace(0, np.pi / 2, 4, dtype=np.float32)
    phi_i = np.array([0, 2 * np.pi], np.float32)
    flat = np.ones((2, 4, 8, 8), np.float32)
    return {
        "description": np.frombuffer(b"made by a test", np.uint8),
        "theta_i": theta_i,
        "phi_i": phi_i,
        "ndf": np.ones((8, 8), np.float32),
        "sigma": np.ones((8, 8), np.float32),
        "vndf": flat,
        "luminance": flat,
        "rgb": np.full((2, 4, 3, 8, 8), albedo / (2 * math.pi), np.float32),
        "jacobian": np.zeros(1, np.uint8),
    }


def _tensor_file(fields: dict[str, np.ndarray]) -> bytes:
    entries = [(name.encode(), array) for name, array in fields.items()]
    head = 12 + 2 + 4 + sum(2 + len(name) + 11 + 8 * array.ndim for name, array in entries)
    table, data = b"", b""
    for name, array in entries:
        kind = _UINT8 if array.dtype == np.uint8 else _FLOAT32
        table += struct.pack("<H", len(name)) + name
        table += struct.pack("<HBQ", array.ndim, kind, head + len(data))
        table += struct.pack(f"<{array.ndim}Q", *array.shape)
        data += array.tobytes()
    return struct.pack("<12s2BI", b"tensor_file\0", 1, 0, len(entries)) + table + data


def _material(path: Path | None) -> Material:
    return Material("from the lab", "measured", kind="measured", file=path)


def test_a_lambertian_file_renders_as_its_albedo(tmp_path: Path) -> None:
    path = tmp_path / "half_rgb.bsdf"
    path.write_bytes(_tensor_file(_lambertian(0.5)))
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
    return {key: value for key, value in _lambertian(0.5).items() if key != name}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (_tensor_file(_lambertian(0.5))[:-1], "past the end"),
        (_tensor_file(_lambertian(0.5))[:20], "ends too early"),
        (b"", "ends too early"),
        (b"PK\3\4" + bytes(100), "does not begin"),
        (_tensor_file(_without("rgb")), "no field 'rgb'"),
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
