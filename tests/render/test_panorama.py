"""Panoramas: their axes are Mitsuba's, their integrals closed forms, their ground seamless."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.render import backend
from clearcoat.render.light import light
from clearcoat.render.panorama import (
    HEIGHT,
    WIDTH,
    add_sun,
    directions,
    ground_irradiance,
    ground_texture,
    look_up,
    luminance,
    mean_radiance,
    solid_angles,
)
from clearcoat.render.procedural import environment
from clearcoat.scene import LightSpec, SceneModel, Stage, sample


def test_solid_angles_cover_the_sphere() -> None:
    assert float(solid_angles().sum()) * WIDTH == pytest.approx(4 * np.pi, rel=1e-5)


def test_a_uniform_sky_has_the_irradiance_pi() -> None:
    sky = np.ones((HEIGHT, WIDTH, 3), np.float32)
    assert mean_radiance(sky) == pytest.approx(1, rel=1e-4)
    assert ground_irradiance(sky) == pytest.approx(np.pi, rel=1e-4)


def test_look_up_returns_what_lies_in_a_direction() -> None:
    rng = np.random.default_rng(0)
    smooth = (directions() * 0.5 + 0.5).astype(np.float32)
    towards = rng.normal(size=(500, 3)).astype(np.float32)
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    assert look_up(smooth, towards) == pytest.approx(towards * 0.5 + 0.5, abs=0.01)


def test_mitsuba_sees_the_panorama_in_the_same_directions() -> None:
    mi = backend.load()
    smooth = (directions() * 0.5 + 0.5).astype(np.float32)
    y_up_to_z_up = np.eye(4)
    y_up_to_z_up[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    emitter = mi.load_dict(
        {
            "type": "envmap",
            "bitmap": mi.Bitmap(smooth),
            "to_world": mi.ScalarTransform4f(y_up_to_z_up),
        }
    )
    rng = np.random.default_rng(1)
    towards = rng.normal(size=(200, 3))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    si = mi.SurfaceInteraction3f()
    si.wi = mi.Vector3f(*(-towards.T))
    seen = np.array(emitter.eval(si)).T
    assert seen == pytest.approx(towards * 0.5 + 0.5, abs=0.02)


def test_a_sun_adds_its_irradiance() -> None:
    dark = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    direction = np.array([0.6, 0.0, 0.8])
    lit = add_sun(dark, direction, np.array([3.0, 2.0, 1.0]))
    assert ground_irradiance(lit) == pytest.approx(0.8 * np.array([3.0, 2.0, 1.0]), rel=1e-3)
    row, column = np.unravel_index(luminance(lit).argmax(), (HEIGHT, WIDTH))
    assert directions()[row, column] @ direction > 0.9999


def test_the_ground_shows_the_panorama_without_a_seam() -> None:
    panorama = environment("sky", 5, backend.load())
    texture = ground_texture(panorama, half_width_m=10, eye_height_m=1.6, size=64)
    # Radiance of an unshadowed diffuser of this albedo, against the panorama in that direction.
    radiance = texture[40, 50] * ground_irradiance(panorama) / np.pi
    x, y = (50.5 / 64 * 20 - 10, 40.5 / 64 * 20 - 10)
    towards = np.array([[x, y, -1.6]], np.float32)
    towards /= np.linalg.norm(towards)
    assert radiance == pytest.approx(look_up(panorama, towards)[0], rel=1e-3)


@pytest.mark.parametrize("kind", ["sky", "studio", "busy"])
def test_procedural_environments_are_finite_and_repeatable(kind: str) -> None:
    mi = backend.load()
    first, again, other = (environment(kind, v, mi) for v in (1, 1, 2))
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert first.min() >= 0
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_light_is_metered_to_one() -> None:
    model = SceneModel(light=LightSpec(environments={"sky": 1}))
    stage = Stage(points_m=np.eye(3))
    for index in range(5):
        panorama = light(sample(model, stage, 0, index), None, backend.load())
        above = float(luminance(ground_irradiance(panorama).astype(np.float32))) / np.pi
        assert max(above, mean_radiance(panorama)) == pytest.approx(1, rel=1e-3)
