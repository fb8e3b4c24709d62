"""Materials that share a BSDF look as they would with one of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clearcoat.materials import Material
from clearcoat.product import Mesh, Part, Product
from clearcoat.render import backend, bsdf
from clearcoat.render.meshes import build_mesh, merge
from clearcoat.render.palette import Finish, finishes

_PLAIN = [
    Material("red", "test", base_color=(0.7, 0.1, 0.1), roughness=0.6),
    Material("steel", "test", base_color=(0.6, 0.6, 0.55), metallic=1.0, roughness=0.25),
    Material("white", "test", base_color=(0.8, 0.8, 0.8), roughness=0.9),
]
_COATED = Material("lacquer", "test", clearcoat=1.0)
_GLASS = Material("pane", "test", kind="thin_glass")


def _square(x: float) -> Mesh:
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    return Mesh(
        vertices=corners + np.array([x, 0, 0], np.float32),
        faces=np.array([[0, 1, 2], [0, 2, 3]], np.uint32),
        normals=np.tile(np.array([[0, 0, 1]], np.float32), (4, 1)),
    )


def _picture(mi: Any, shapes: list[Any]) -> np.ndarray:
    """(16, 48, 3): three unit squares side by side, from above, in the light of two lamps."""
    up = mi.ScalarTransform4f().look_at(
        origin=[1.5, 0.5, 5], target=[1.5, 0.5, 0], up=[0, 1, 0]
    ) @ mi.ScalarTransform4f().scale([1.5, 0.5, 1])
    film = {"type": "hdrfilm", "width": 48, "height": 16, "rfilter": {"type": "box"}}
    scene = {
        "type": "scene",
        "sensor": {"type": "orthographic", "to_world": up, "film": film},
        "above": {"type": "directional", "direction": [0.1, 0.2, -1], "irradiance": 1.0},
        "beside": {"type": "directional", "direction": [-1, 0.3, -0.6], "irradiance": 2.0},
        **{f"shape_{number}": shape for number, shape in enumerate(shapes)},
    }
    integrator = mi.load_dict({"type": "direct", "bsdf_samples": 0, "emitter_samples": 4})
    image = mi.render(mi.load_dict(scene), integrator=integrator, spp=16, seed=1)
    return np.array(image)[..., :3]


def test_a_shared_bsdf_draws_each_of_its_materials_as_its_own_would() -> None:
    mi = backend.load()
    parts = tuple(Part(f"p{place}", _square(float(place))) for place in range(3))
    shapes, owners = merge(Product("p", parts), _PLAIN, finishes(_PLAIN, mi), mi)
    assert len(shapes) == 1
    assert owners[0].tolist() == [1, 1, 2, 2, 3, 3]
    apart = [
        build_mesh(part.path, [part.mesh], mi.load_dict(bsdf.describe(material)), mi)
        for part, material in zip(parts, _PLAIN, strict=True)
    ]
    ours, theirs = _picture(mi, shapes), _picture(mi, apart)
    assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6)
    assert theirs[8, 8, 0] != pytest.approx(theirs[8, 24, 0], rel=0.05)


def test_only_materials_that_differ_in_nothing_else_share() -> None:
    rough = Material("rubber", "test", specular=0.3)
    made = finishes([*_PLAIN, _COATED, _GLASS, rough, _PLAIN[0]], backend.load())
    assert list(made) == [*_PLAIN, _COATED, _GLASS, rough]
    assert len({id(finish.bsdf) for finish in made.values()}) == 4
    assert [finish.texel is None for finish in made.values()] == [False] * 3 + [True] * 3
    assert len({made[material].texel for material in _PLAIN}) == 3


def test_a_material_by_itself_needs_no_palette() -> None:
    (finish,) = finishes(_PLAIN[:1], backend.load()).values()
    assert isinstance(finish, Finish)
    assert finish.texel is None
