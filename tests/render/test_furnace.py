"""A furnace test of every material: under white light from everywhere, none makes energy.

An object in an environment of radiance 1 shows what share of the light it reflects and lets
through: at most 1, whatever the direction. Noise is averaged over the object.
"""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.materials import LIBRARY, Material
from clearcoat.render import backend, bsdf

_BATCH = 46
_MATERIALS = list(LIBRARY.values())


def _radiance(materials: list[Material]) -> np.ndarray:
    """(N,): mean radiance of a ball of each material, the brightest channel."""
    mi = backend.load()
    path = mi.load_dict({"type": "path", "max_depth": 12, "rr_depth": 100})
    scene: dict[str, object] = {
        "type": "scene",
        "light": {"type": "constant", "radiance": {"type": "rgb", "value": 1.0}},
        "sensor": {
            "type": "orthographic",
            "to_world": mi.ScalarTransform4f()
            .look_at([0, 0, 10], [0, 0, 0], [0, 1, 0])
            .scale([len(materials), len(materials), 1]),
            "film": {
                "type": "hdrfilm", "width": 8 * len(materials), "height": 8,
                "pixel_format": "rgb", "component_format": "float32", "rfilter": {"type": "box"},
            },
        },
    }  # fmt: skip
    for place, material in enumerate(materials):
        # Far apart, so that none mirrors another: the picture is one row of balls.
        x = 2 * place + 1 - len(materials)
        scene[f"ball_{place}"] = {
            "type": "sphere",
            "center": [x, 0, 0],
            "radius": 0.8,
            "bsdf": bsdf.describe(material, mi),
        }
    image = np.array(mi.render(mi.load_dict(scene), integrator=path, spp=64, seed=0))
    assert np.isfinite(image).all()
    # The middle of each ball: its edge shows the light behind it, too.
    cells = image.reshape(8, len(materials), 8, 3)[2:6, :, 2:6]
    return cells.mean(axis=(0, 2)).max(axis=-1)


@pytest.mark.parametrize("start", range(0, len(_MATERIALS), _BATCH))
def test_no_material_makes_energy(start: int) -> None:
    batch = _MATERIALS[start : start + _BATCH]
    found = dict(zip([m.name for m in batch], _radiance(batch), strict=True))
    # 2 % for noise.
    assert {name: round(float(value), 3) for name, value in found.items() if value > 1.02} == {}
    # A black hole would pass otherwise.
    assert min(found.values()) > 0.005


def test_the_furnace_sees_energy_being_made() -> None:
    glowing = bsdf.describe(LIBRARY["plastic_white"])
    assert glowing["type"] == "twosided"
    mi = backend.load()
    scene = mi.load_dict(
        {
            "type": "scene",
            "light": {"type": "constant"},
            "ball": {"type": "sphere", "emitter": {"type": "area", "radiance": 1.5}},
            "sensor": {
                "type": "perspective",
                "to_world": mi.ScalarTransform4f().look_at([0, 0, 5], [0, 0, 0], [0, 1, 0]),
                "film": {"type": "hdrfilm", "width": 8, "height": 8, "rfilter": {"type": "box"}},
            },
        }
    )
    image = np.array(mi.render(scene, integrator=mi.load_dict({"type": "path"}), spp=4))
    assert image[3:5, 3:5, :3].mean() > 1.02
