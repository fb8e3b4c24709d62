"""Textures on a quad, seen straight on: every corner of the picture is where it belongs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clearcoat.materials import Material
from clearcoat.product import Mesh, Part, Product, SourceMaterial
from clearcoat.product.textures import Texture, Textures, texture_digest
from clearcoat.render import backend, bsdf
from clearcoat.render.glow import Glow
from clearcoat.render.meshes import merge
from clearcoat.render.palette import finishes


@pytest.fixture(scope="module")
def mi() -> Any:
    return backend.load(None)


def _texture(pixels: Any, srgb: bool = False, **extra: Any) -> Texture:
    rgba = np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 255)], axis=2).astype(np.uint8)
    return Texture(digest=texture_digest(rgba), pixels=rgba, srgb=srgb, **extra)


def _seen(
    mi: Any, textures: Textures, light: tuple[float, ...] | None = None, **extra: Any
) -> np.ndarray:
    """(8, 8, 3): a unit quad from above, x to the right and y up: its albedo, or how it is lit.

    Of a material with an emission, what it emits.
    """
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    mesh = Mesh(
        vertices=corners,
        faces=np.array([[0, 1, 2], [0, 2, 3]], np.uint32),
        normals=np.tile(np.array([[0, 0, 1]], np.float32), (4, 1)),
        uv=corners[:, :2].copy(),
    )
    material = Material("m", "test", roughness=1.0, specular=0.0, textures=textures, **extra)
    made = finishes([material], mi)
    shapes, _ = merge(Product("p", (Part("q", mesh),)), [material], made, mi)
    up = mi.ScalarTransform4f().look_at(origin=[0.5, 0.5, 5], target=[0.5, 0.5, 0], up=[0, 1, 0])
    sensor = {
        "type": "orthographic",
        "to_world": up @ mi.ScalarTransform4f().scale([0.5, 0.5, 1]),
        "film": {"type": "hdrfilm", "width": 8, "height": 8, "rfilter": {"type": "box"}},
    }
    scene: dict[str, Any] = {"type": "scene", "sensor": sensor, "quad": shapes[0]}
    integrator: dict[str, Any] = {"type": "aov", "aovs": "a:albedo"}
    if light is not None:
        scene["light"] = {"type": "directional", "direction": [-value for value in light]}
        integrator = {"type": "direct"}
    made = mi.load_dict(scene)
    if any(material.emission):
        emitted = Glow(shapes, [material], mi).draw(made, made.sensors()[0], 0)
        assert emitted is not None
        return emitted
    return np.array(mi.render(made, integrator=mi.load_dict(integrator), spp=1))[..., -3:]


def test_colours_lie_where_the_picture_has_them(mi: Any) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4, :4], pixels[:4, 4:] = (255, 0, 0), (0, 255, 0)  # top left, top right
    pixels[4:, :4], pixels[4:, 4:] = (0, 0, 255), (188, 188, 188)
    seen = _seen(mi, Textures(base_color=_texture(pixels, srgb=True)))
    np.testing.assert_allclose(seen[1, 1], [1, 0, 0], atol=0.05)
    np.testing.assert_allclose(seen[1, 6], [0, 1, 0], atol=0.05)
    np.testing.assert_allclose(seen[6, 1], [0, 0, 1], atol=0.05)
    # IEC 61966-2-1: code 188 is 0.503.
    np.testing.assert_allclose(seen[6, 6], [0.503] * 3, atol=0.05)
    # The lower left quadrant alone.
    part = _texture(pixels, srgb=True, to_uv=(0.4, 0, 0, 0, 0.4, 0))
    np.testing.assert_allclose(
        _seen(mi, Textures(base_color=part))[2:6, 2:6], [[[0, 0, 1]] * 4] * 4, atol=0.05
    )


def test_a_display_glows_where_its_picture_does(mi: Any) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4, :4] = (255, 0, 0)  # top left
    shown = Textures(emissive=_texture(pixels, srgb=True, factor=(3.0, 3.0, 3.0)))
    seen = _seen(mi, shown, emission=(0.75, 0.0, 0.0))
    np.testing.assert_allclose(seen[1, 1], [3, 0, 0], atol=0.05)
    np.testing.assert_allclose(seen[5:, 5:], 0, atol=0.05)
    # Without the picture all of it glows as the mean.
    seen = _seen(mi, Textures(), emission=(0.75, 0.0, 0.0))
    np.testing.assert_allclose(seen[1:7, 1:7], [[[0.75, 0, 0]] * 6] * 6, atol=1e-5)


@pytest.mark.parametrize("coat", [0.0, 1.0])
def test_the_picture_of_what_a_surface_emits_stays_with_it(coat: float) -> None:
    picture = _texture(np.zeros((4, 4, 3), np.uint8))
    source = SourceMaterial("m", clearcoat=coat, textures=Textures(emissive=picture))
    for one in (source, replace(source, alpha=0.0)):
        made = bsdf.from_source(one, has_uv=True)
        assert made.textures is not None and made.textures.emissive is picture
        assert bsdf.from_source(one).textures is None


@pytest.mark.parametrize("axis", [0, 1])
def test_normals_bend_along_u_and_v(mi: Any, axis: int) -> None:
    tilt = np.array([0.0, 0.0, 0.8])
    tilt[axis] = 0.6
    code = np.round((tilt + 1) * 127.5).astype(np.uint8)
    bent = Textures(normal=_texture(np.tile(code, (4, 4, 1))))
    for side in (0.6, -0.6):
        light = np.array([0.0, 0.0, 0.8])
        light[axis] = side
        flat = _seen(mi, Textures(), tuple(light))[2:6, 2:6, :3].mean()
        seen = _seen(mi, bent, tuple(light))[2:6, 2:6, :3].mean()
        # Lambert: the ratio of the cosines; the diffuse model is a little off it.
        assert seen / flat == pytest.approx(tilt @ light / light[2], rel=0.25)


def test_every_kind_of_texture_makes_a_surface(mi: Any) -> None:
    grey = _texture(np.full((4, 4, 3), 128, np.uint8))
    described = bsdf.describe(Material("m", "test", textures=Textures(grey, grey, grey)), mi)[
        "bsdf"
    ]
    assert described["type"] == "normalmap"
    assert {described["bsdf"][key]["type"] for key in ("base_color", "roughness", "metallic")} == {
        "bitmap"
    }
    assert "bitmap" not in str(bsdf.describe(Material("m", "test"), mi))
