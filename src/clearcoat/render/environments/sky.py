"""A procedural outdoors: a physical sky, clouds, the sun, and a landscape below.

Radiances are scaled so that the sky alone, without sun, lights a horizontal plane with pi: a
white diffuser in the shade of an open sky has radiance 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.color import black_body
from clearcoat.render.environments.horizon import Light, paint_horizon
from clearcoat.render.environments.noise import look, smooth_step, tile
from clearcoat.render.panorama import (
    HEIGHT,
    WIDTH,
    directions,
    doubled,
    ground_irradiance,
)
from clearcoat.render.sun_disc import sun_disc
from clearcoat.scene import SkySample

Float32Array = NDArray[np.float32]

_STEP = 8
_SUN_RADIUS_DEG = 0.6


def outdoors(
    weather: SkySample, ground: Float32Array, rng: np.random.Generator, mi: Any
) -> Float32Array:
    """(HEIGHT, WIDTH, 3): a sky over a ground of albedo `ground` (3,).

    The sky is Hosek and Wilkie's (2012) as Mitsuba implements it; clouds and landscape are cues
    for a background out of focus.
    """
    sun = np.array(weather.sun)
    panorama = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    upper = panorama[: HEIGHT // 2]
    upper[:] = _clear_sky(mi, sun, weather.turbidity)
    upper /= max(float(ground_irradiance(panorama).mean()) / math.pi, 1e-6)
    hidden = _add_clouds(upper, sun, weather.cloud_cover, rng)
    sky_light = ground_irradiance(panorama)
    scale = math.pi / max(float(sky_light.mean()), 1e-6)
    panorama *= np.float32(scale)
    elevation_deg = math.degrees(math.asin(max(min(sun[2], 1.0), 0.01)))
    # Direct over diffuse light of a clear sky; it reddens and fades through more air.
    air = 1 / max(math.sin(math.radians(elevation_deg)), 0.06)
    direct = rng.uniform(3.0, 6.0) * math.exp(-0.12 * (air - 1)) * (1 - hidden) ** 2
    sunlight = np.pi * direct * black_body(2200 + 3500 * (1 - math.exp(-elevation_deg / 14)))
    light = Light(
        sky=(sky_light * scale).astype(np.float32), sun=sunlight, towards_sun=sun.astype(np.float32)
    )
    paint_horizon(panorama, ground, light, rng)
    if direct > 0.05:
        sun_disc(sun, sunlight, radius_deg=_SUN_RADIUS_DEG).onto(panorama)
    return panorama


def _clear_sky(mi: Any, sun: NDArray[np.float64], turbidity: float) -> Float32Array:
    """(HEIGHT / 2, WIDTH, 3): the sky without its sun."""
    emitter = mi.load_dict(
        {
            "type": "sunsky",
            "sun_direction": [float(v) for v in sun],
            "sun_scale": 0.0,
            "turbidity": float(turbidity),
            "albedo": 0.2,
        }
    )
    # The sky is smooth: a coarse grid is enough, and each kernel launch costs a fixed time.
    grid = directions()[_STEP // 2 : HEIGHT // 2 : _STEP, _STEP // 2 :: _STEP]
    flat = grid.reshape(-1, 3)
    si = mi.SurfaceInteraction3f()
    si.wi = mi.Vector3f(*(-flat.T))
    values = np.nan_to_num(np.array(emitter.eval(si)).T).reshape(grid.shape)
    sky: Float32Array = np.maximum(values, 0).astype(np.float32)
    for _ in range(3):
        sky = doubled(sky)
    return sky


def _add_clouds(
    sky: Float32Array, sun: NDArray[np.float64], cover: float, rng: np.random.Generator
) -> float:
    """Draw clouds into the upper half, in place, and return how much of the sun they hide."""
    if cover <= 0:
        return 0.0
    # At half the resolution: clouds have no edges that are finer.
    world = directions()[: HEIGHT // 2 : 2, ::2]
    # Clouds lie on a shell overhead, so that they grow smaller and denser towards the horizon.
    reach = 1 / (world[..., 2] + 0.12)
    scale, turn = rng.uniform(0.05, 0.13), rng.uniform(0, 2 * math.pi)
    c, s = math.cos(turn) * scale, math.sin(turn) * scale
    x = (world[..., 0] * c + world[..., 1] * s) * reach + rng.random()
    y = (world[..., 1] * c - world[..., 0] * s) * reach * rng.uniform(0.6, 1.6) + rng.random()
    noise = tile(int(rng.integers(4)), 1.55)
    density = look(noise, x, y)
    # Thickness towards the sun shades the near side: what lies a step nearer to it is in the way.
    step = 0.02
    to_sun = (sun[0] * c + sun[1] * s, sun[1] * c - sun[0] * s)
    length = max(math.hypot(*to_sun), 1e-9)
    towards = look(noise, x + step * to_sun[0] / length, y + step * to_sun[1] / length)
    threshold = 1.6 - 2.9 * min(cover, 1.1)
    alpha = smooth_step(threshold, threshold + rng.uniform(0.5, 1.3), density)
    thick = np.clip((density - threshold) * 0.35, 0, 1)
    lit = np.clip(0.5 + 0.9 * (density - towards), 0, 1)
    glow = np.clip(world @ sun.astype(np.float32), 0, 1) ** 8
    white = 1.25 + 0.9 * lit * (1 - 0.6 * min(cover, 1.0)) + 0.8 * glow - 0.75 * thick
    white = np.maximum(white, 0.35)
    cloud = white[..., None] * np.array([1.0, 1.0, 1.03], np.float32)
    # Far clouds vanish in the haze.
    alpha *= smooth_step(0.0, 0.10, world[..., 2]) * 0.95
    layer = doubled(np.concatenate([cloud, alpha[..., None]], axis=2))
    sky += layer[..., 3:] * (layer[..., :3] - sky)
    near_sun = world @ sun.astype(np.float32) > math.cos(math.radians(4))
    hidden = float(alpha[near_sun].mean()) if near_sun.any() else 0.0
    return min(1.0, max(hidden, (cover - 0.8) / 0.2))
