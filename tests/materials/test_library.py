"""The material library: names, sources, physical limits, and no material that makes energy."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.errors import SpecError
from clearcoat.materials import LIBRARY, material
from clearcoat.render import backend, bsdf


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_values_are_physical_and_sourced(name: str) -> None:
    entry = LIBRARY[name]
    assert entry.source
    for value in (*entry.base_color, *entry.tint, entry.metallic, entry.roughness):
        assert 0 <= value <= 1
    assert 1 <= entry.ior < 3


def test_values_can_be_replaced() -> None:
    assert material("paint", {"roughness": 0.1}).roughness == 0.1
    assert material("lamp_red", {"base_color": [0.1, 0.2, 0.3]}).base_color == (0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("pant", {}, "did you mean 'paint'?"),
        ("paint", {"rougness": 1}, "did you mean 'roughness'?"),
    ],
)
def test_unknown_names_are_explained(name: str, values: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError) as caught:
        material(name, values)
    assert says in str(caught.value)


def test_no_material_makes_energy() -> None:
    """In a furnace, where light of radiance 1 comes from everywhere, nothing shines brighter."""
    mi = backend.load()
    spheres = {
        f"s{i}": {
            "type": "sphere",
            "center": [3.0 * (i % 6), 3.0 * (i // 6), 0],
            "bsdf": bsdf.describe(LIBRARY[name]),
        }
        for i, name in enumerate(sorted(LIBRARY))
    }
    rows = -(-len(LIBRARY) // 6)
    scene = mi.load_dict(
        {
            "type": "scene",
            "light": {"type": "constant"},
            **spheres,
            "sensor": {
                "type": "orthographic",
                "to_world": mi.ScalarTransform4f()
                .look_at([7.5, 1.5 * (rows - 1), 9], [7.5, 1.5 * (rows - 1), 0], [0, 1, 0])
                .scale([10, 10, 1]),
                "film": {"type": "hdrfilm", "width": 60, "height": 60, "rfilter": {"type": "box"}},
            },
            "integrator": {"type": "path", "max_depth": 12, "rr_depth": 50},
        }
    )
    image = np.array(mi.render(scene, spp=256))[..., :3]
    # What escapes past the spheres is exactly 1; noise stays below 2 % at this sample count.
    assert image.max() < 1.03
    assert image.min() > 0
