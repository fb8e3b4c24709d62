"""Procedural interiors: a production hall, a photo studio with a seamless backdrop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from clearcoat.render.color import black_body
from clearcoat.render.environments.noise import look, smooth_step, tile
from clearcoat.render.panorama import HEIGHT, WIDTH, directions, doubled, ground_irradiance
from clearcoat.scene import LampSample

Float32Array = NDArray[np.float32]

_EYE_M = 1.6


def hall(ground: Float32Array, rng: np.random.Generator) -> Float32Array:
    """(HEIGHT, WIDTH, 3): a hall of steel and panels with lamps, gates, racks along the walls.

    The room is a box around the viewer; its floor has albedo `ground` (3,).
    """
    half = np.array([rng.uniform(9, 28), rng.uniform(9, 28)], np.float32)
    height = float(rng.uniform(5, 11))
    # At half the resolution, since the room is out of focus: a quarter of the work.
    world = directions()[::2, ::2]
    x, y, z = world[..., 0], world[..., 1], world[..., 2]
    # Distance to the walls, the ceiling and the floor; the nearest is what is seen.
    to_x = half[0] / np.maximum(np.abs(x), 1e-4)
    to_y = half[1] / np.maximum(np.abs(y), 1e-4)
    to_z = np.where(z > 0, height - _EYE_M, _EYE_M) / np.maximum(np.abs(z), 1e-4)
    distance = np.minimum(np.minimum(to_x, to_y), to_z)
    px, py, pz = x * distance, y * distance, z * distance + _EYE_M
    on_wall = to_z > np.minimum(to_x, to_y)
    on_ceiling = ~on_wall & (z > 0)
    along = np.where(to_x < to_y, py, px) + np.where(to_x < to_y, 0, 100)
    albedo = _walls(along, pz, height, rng)
    albedo = np.where(on_ceiling[..., None], _ceiling(px, py, rng), albedo)
    albedo = np.where((~on_wall & (z <= 0))[..., None], ground, albedo)
    lamps = _hall_lamps(px, py, on_ceiling, rng)
    windows = _openings(along, pz, on_wall, height, rng)
    # Corners are darker: light comes from everywhere but them.
    corner = np.minimum(half[0] - np.abs(px), half[1] - np.abs(py))
    edge = np.minimum(height - pz, pz)
    shade = 0.55 + 0.45 * smooth_step(0, 4, np.where(on_wall, edge, corner))
    shade *= np.where(on_wall, 0.55, np.where(on_ceiling, 0.45, 1.0))
    emitted = lamps + windows
    lit = ground_irradiance(doubled(emitted.astype(np.float32))) / np.pi
    panorama = albedo * shade[..., None] * lit.astype(np.float32) * 1.15 + emitted
    blur = float(rng.uniform(0.3, 0.9))
    soft = gaussian_filter(
        panorama.astype(np.float32), (blur, blur, 0), mode=("nearest", "wrap", "nearest")
    )
    return doubled(soft)


def _walls(
    along: NDArray[np.float32], up: NDArray[np.float32], height: float, rng: np.random.Generator
) -> Float32Array:
    """Albedo of panelled walls: a dado, joints, columns, pipes, and clutter before them."""
    upper = np.float32(rng.uniform(0.3, 0.75)) * (1 + 0.05 * rng.standard_normal(3))
    lower = upper * rng.uniform(0.4, 0.9)
    if rng.random() < 0.4:
        lower = np.array([[0.05, 0.12, 0.25], [0.08, 0.2, 0.12], [0.5, 0.3, 0.04],
                          [0.15, 0.15, 0.16]])[rng.integers(4)]  # fmt: skip
    color = np.where((up < rng.uniform(0.8, 2.2))[..., None], lower, upper).astype(np.float32)
    panel = rng.uniform(0.9, 2.5)
    color *= (1 - 0.25 * (np.abs(along % panel - panel / 2) < 0.02))[..., None]
    bay = rng.uniform(4.5, 8)
    column = np.abs(along % bay - bay / 2) < rng.uniform(0.12, 0.3)
    color = np.where(column[..., None], rng.uniform(0.1, 0.5), color)
    if rng.random() < 0.7:
        pipe = np.abs(up - height * rng.uniform(0.55, 0.8)) < rng.uniform(0.06, 0.3)
        color = np.where(pipe[..., None], rng.uniform(0.15, 0.6), color)
    # Machines, racks and boxes: blocks of one colour each, as tall as their neighbours are not.
    for depth in range(int(rng.integers(1, 4))):
        width = rng.uniform(0.6, 2.4)
        cell = np.floor(along / width + depth * 0.37)
        word = np.abs(np.sin(cell * 12.9898 + depth * 4.1 + rng.random()) * 43758.5453) % 1.0
        tall = 0.4 + 2.6 * word
        there = (up < tall) & (word * 7.31 % 1.0 < 0.55) & (up > 0)
        hue = np.stack([word * 3.7 % 1.0, word * 5.9 % 1.0, word * 9.1 % 1.0], axis=-1)
        shelf = 0.6 + 0.4 * ((up * 2.2 + word) % 1.0 > 0.25)
        gray = 0.05 + 0.4 * (word * 11.7 % 1.0)
        block = (0.7 * gray[..., None] + 0.25 * hue * gray[..., None] * 2) * shelf[..., None]
        color = np.where(there[..., None], block, color)
    grain = 1 + 0.05 * look(tile(2, 1.0), along / 9, up / 9)
    result: Float32Array = (color * grain[..., None]).astype(np.float32)
    return result


def _ceiling(
    px: NDArray[np.float32], py: NDArray[np.float32], rng: np.random.Generator
) -> Float32Array:
    base = rng.uniform(0.15, 0.7)
    step, beam = rng.uniform(3, 6), rng.uniform(0.15, 0.35)
    truss = (np.abs(px % step - step / 2) < beam) | (np.abs(py % (2 * step) - step) < beam * 0.6)
    corrugated = 1 + 0.12 * np.sin(py * 2 * math.pi / 0.5)
    tone: Float32Array = np.where(truss, rng.uniform(0.05, 0.3), base * corrugated)
    return _gray(tone)


def _hall_lamps(
    px: NDArray[np.float32],
    py: NDArray[np.float32],
    on_ceiling: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Float32Array:
    """Radiance of rows of tubes, panels or bays of high lamps under the ceiling."""
    color = (rng.uniform(8, 30) * black_body(rng.uniform(3600, 6500))).astype(np.float32)
    if rng.random() < 0.35:
        px, py = py, px
    step_x, step_y = rng.uniform(2.2, 5.0), rng.uniform(2.5, 6.0)
    kind = rng.random()
    long, wide = (0.42 * step_x, 0.09) if kind < 0.5 else (rng.uniform(0.3, 0.8),) * 2
    u = np.abs((px + step_x * rng.random()) % step_x - step_x / 2)
    v = np.abs((py + step_y * rng.random()) % step_y - step_y / 2)
    lit = on_ceiling & (u < long) & (v < wide)
    cell = np.floor(px / step_x) * 7.7 + np.floor(py / step_y) * 3.1
    lit &= np.abs(np.sin(cell * 12.9898) * 43758.5453) % 1.0 > rng.uniform(0, 0.15)
    radiance: Float32Array = lit[..., None] * color
    return radiance


def _openings(
    along: NDArray[np.float32],
    up: NDArray[np.float32],
    on_wall: NDArray[np.bool_],
    height: float,
    rng: np.random.Generator,
) -> Float32Array:
    """Radiance of daylight through a band of windows or an open gate."""
    day = (rng.uniform(2, 9) * black_body(rng.uniform(5500, 8000))).astype(np.float32)
    seen = np.zeros_like(on_wall)
    if rng.random() < 0.5:
        low = height * rng.uniform(0.55, 0.7)
        band = (up > low) & (up < low + rng.uniform(0.8, 2.0))
        seen |= band & (along % rng.uniform(1.2, 2.5) > 0.12)
    if rng.random() < 0.35:
        middle = rng.uniform(-6, 6)
        seen |= (np.abs(along - middle) < rng.uniform(1.8, 3)) & (up < rng.uniform(3, 4.5))
    gradient = 0.6 + 0.5 * np.clip(up / height, 0, 1)
    radiance: Float32Array = (seen & on_wall)[..., None] * day * gradient[..., None]
    return radiance


def studio(
    lamps: Sequence[LampSample], ground: Float32Array, rng: np.random.Generator
) -> Float32Array:
    """(HEIGHT, WIDTH, 3): a photo studio: a backdrop that goes over into the floor, soft boxes.

    The backdrop has the floor's albedo `ground` (3,), so that no horizon is seen.
    """
    world = directions()
    up = world[..., 2]
    panorama = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    wall = np.maximum(ground, 0.03)
    for lamp in lamps:
        _soft_box(panorama, lamp, world, float(wall.mean()))
    base = ground_irradiance(panorama).astype(np.float32) / np.float32(np.pi)
    # Bright walls light the floor in turn.
    base = np.maximum(base, 0.6) * (1 + 0.6 * wall)
    # A pool of light behind the product fades upwards and to the sides.
    pool = rng.uniform(0, 2 * math.pi)
    side = world[..., 0] * math.cos(pool) + world[..., 1] * math.sin(pool)
    fade = np.exp(-np.maximum(up, 0) / rng.uniform(0.25, 1.2))
    tone = fade * (1 - rng.uniform(0.0, 0.35) * (0.5 - 0.5 * side))
    tone = np.where(up < 0, 1.0 - rng.uniform(0.0, 0.2) * (0.5 - 0.5 * side), tone)
    ceiling = rng.uniform(0.02, 0.25) * smooth_step(0.35, 0.8, up)
    room = wall * base * (tone * (1 - smooth_step(0.35, 0.8, up)) + ceiling)[..., None]
    lit = ((panorama[..., 0] > 0) | (panorama[..., 1] > 0) | (panorama[..., 2] > 0))[..., None]
    panorama = np.where(lit, panorama, room).astype(np.float32)
    soft: Float32Array = gaussian_filter(
        panorama, (1.0, 1.0, 0), mode=("nearest", "wrap", "nearest")
    )
    return soft


def _soft_box(panorama: Float32Array, lamp: LampSample, world: Float32Array, wall: float) -> None:
    """Paint one soft box, brighter in its middle as diffusers are, in place."""
    centre = np.array(lamp.direction, np.float32)
    side = np.cross(centre, [0, 0, 1.0])
    length = float(np.linalg.norm(side))
    side = np.array([1.0, 0, 0]) if length < 1e-6 else side / length
    top = np.cross(side, centre)
    wide, tall = (
        math.tan(math.radians(min(v, 150) / 2)) for v in (lamp.width_deg, lamp.height_deg)
    )
    near = np.flatnonzero(world @ centre > 1 / math.hypot(1, wide, tall))
    local = world.reshape(-1, 3).take(near, axis=0)
    front = local @ centre
    u = local @ side.astype(np.float32) / front / wide
    v = local @ top.astype(np.float32) / front / tall
    inside = (np.abs(u) < 1) & (np.abs(v) < 1)
    glow = 0.75 + 0.25 * np.clip(1 - (u * u + v * v) / 2, 0, 1)
    color = lamp.strength * max(wall, 0.15) * black_body(lamp.temperature_k)
    panorama.reshape(-1, 3)[near[inside]] = glow[inside, None] * color.astype(np.float32)


def _gray(tone: NDArray[Any]) -> Float32Array:
    """(…, 3): one value for all channels."""
    gray: Float32Array = np.repeat(tone[..., None], 3, axis=-1).astype(np.float32)
    return gray
