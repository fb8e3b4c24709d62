"""Panoramas: their axes are Mitsuba's, their integrals closed forms, their ground seamless."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clearcoat.render import backend
from clearcoat.render.color import black_body
from clearcoat.render.environments import environment
from clearcoat.render.light import light
from clearcoat.render.panorama import (
    COARSE_HEIGHT,
    HEIGHT,
    WIDTH,
    directions,
    doubled,
    ground_albedo,
    ground_irradiance,
    halved,
    look_up,
    luminance,
    mean_radiance,
    solid_angles,
)
from clearcoat.render.sun_disc import add_sun
from clearcoat.scene import (
    EnvironmentSample,
    LampSample,
    LightSpec,
    SceneModel,
    SkySpec,
    Stage,
    sample,
)
from clearcoat.scene.light import sample_environment


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
    assert look_up(smooth, towards, backend.load()) == pytest.approx(towards * 0.5 + 0.5, abs=0.01)


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


def test_doubling_interpolates_and_keeps_the_mean() -> None:
    ramp = np.tile(np.arange(4, dtype=np.float32)[:, None, None], (1, 6, 1))
    assert doubled(ramp)[:, 0, 0] == pytest.approx([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])
    around = np.random.default_rng(0).random((3, 8, 2)).astype(np.float32)
    assert doubled(around).mean(axis=(0, 1)) == pytest.approx(around.mean(axis=(0, 1)), rel=1e-5)


def test_the_ground_shows_the_panorama_without_a_seam() -> None:
    smooth = (directions() * 0.1 + 0.5).astype(np.float32)
    place = np.array([[-3.0, -5.0]], np.float32)
    # Radiance of an unshadowed diffuser of this albedo, against the panorama in that direction.
    albedo = ground_albedo(smooth, place, backend.load(), eye_height_m=1.6)
    radiance = albedo * ground_irradiance(smooth) / np.pi
    towards = np.array([[*place[0], -1.6]], np.float32)
    towards /= np.linalg.norm(towards)
    assert radiance == pytest.approx(look_up(smooth, towards, backend.load()), rel=1e-3)


_KINDS = ("sky", "hall", "tunnel", "studio", "busy")
_GROUND = np.array([0.2, 0.25, 0.3], np.float32)


def _environment(kind: str, index: int) -> EnvironmentSample:
    spec = LightSpec(environments={kind: 1})
    return sample_environment(spec, (), 0, index, upright=True)


@pytest.mark.parametrize("kind", _KINDS)
def test_procedural_environments_are_finite_and_repeatable(kind: str) -> None:
    mi = backend.load()
    first, again, other = (environment(_environment(kind, i), _GROUND, mi) for i in (1, 1, 2))
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert first.min() >= 0
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_sun_of_a_clear_sky_stands_where_it_was_drawn_and_reddens_towards_the_horizon() -> None:
    tones = []
    for elevation_deg in (5.0, 60.0):
        sky = SkySpec(sun_elevation_deg=elevation_deg, cloud_cover=0.0)
        drawn = sample_environment(
            LightSpec(environments={"sky": 1}, sky=sky), (), 0, 3, upright=True
        )
        panorama = environment(drawn, _GROUND, backend.load())
        row, column = np.unravel_index(luminance(panorama).argmax(), (HEIGHT, WIDTH))
        assert drawn.sky is not None
        assert directions()[row, column] @ np.array(drawn.sky.sun) > 0.9999
        tones.append(panorama[row, column, 0] / panorama[row, column, 2])
    assert tones[0] > 1.3 * tones[1]


def test_a_full_cover_of_clouds_hides_the_sun() -> None:
    def peak(cover: float) -> float:
        spec = LightSpec(environments={"sky": 1}, sky=SkySpec(cloud_cover=cover))
        drawn = sample_environment(spec, (), 0, 1, upright=True)
        return float(environment(drawn, _GROUND, backend.load()).max())

    assert peak(0.0) > 1000
    assert peak(1.0) < 30


def test_a_studio_has_the_lamps_that_were_drawn() -> None:
    spec = LightSpec(environments={"studio": 1})
    lamp = LampSample((0.0, 0.6, 0.8), 20.0, 10.0, 30.0, 6504.0)
    drawn = replace(sample_environment(spec, (), 0, 0, upright=True), lamps=(lamp,))
    panorama = environment(drawn, _GROUND, backend.load())
    lit = luminance(panorama) > 0.5 * luminance(panorama).max()
    steradians = float((lit * solid_angles()).sum())
    # Solid angle of a rectangle seen from the front (Khadr, 2006).
    a, b = np.tan(np.radians(10)), np.tan(np.radians(5))
    assert steradians == pytest.approx(4 * np.arctan(a * b / np.sqrt(1 + a * a + b * b)), rel=0.08)
    centre = (directions() * lit[..., None] * solid_angles()[..., None]).sum(axis=(0, 1))
    assert centre / np.linalg.norm(centre) @ np.array(lamp.direction) > 0.9995


@pytest.mark.parametrize("kind", ["sky", "studio", "busy"])
def test_a_coarse_light_is_the_same_light(kind: str) -> None:
    spec = LightSpec.model_validate({"environments": {kind: 1}, "sun": {"probability": 1}})
    drawn = sample(SceneModel(light=spec), Stage(points_m=np.eye(3)), 0, 2)
    fine = light(drawn, None, backend.load())
    coarse, again = (light(drawn, None, backend.load(), COARSE_HEIGHT) for _ in range(2))
    assert coarse.shape == (COARSE_HEIGHT, 2 * COARSE_HEIGHT, 3)
    assert np.array_equal(coarse, again)
    assert ground_irradiance(coarse) == pytest.approx(ground_irradiance(fine), rel=0.02)
    assert mean_radiance(coarse) == pytest.approx(mean_radiance(fine), rel=0.02)
    # Away from the sun's disc every pixel is the mean of four.
    alike = np.isclose(coarse, halved(fine), rtol=0.02, atol=1e-3).all(axis=2)
    assert alike.mean() > 0.99


def test_a_black_body_is_white_at_daylight_and_redder_the_cooler() -> None:
    assert black_body(6504) == pytest.approx([1, 1, 1], abs=0.05)
    ratios = [black_body(t)[0] / max(black_body(t)[2], 1e-6) for t in (2000, 3000, 5000, 10000)]
    assert ratios == sorted(ratios, reverse=True)


def test_the_light_is_metered_to_one() -> None:
    model = SceneModel(light=LightSpec(environments={"sky": 1}))
    stage = Stage(points_m=np.eye(3))
    for index in range(5):
        panorama = light(sample(model, stage, 0, index), None, backend.load())
        above = float(luminance(ground_irradiance(panorama).astype(np.float32))) / np.pi
        assert max(above, mean_radiance(panorama)) == pytest.approx(1, rel=1e-3)
