"""Environments that need no file: skies over a landscape, studios, and busy skyboxes.

Each is a pure function of its variation number. They only have to light and surround a product
plausibly, so they are built from a few broad cues: a sky model, clouds, a skyline, soft boxes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from clearcoat.render.panorama import HEIGHT, WIDTH, add_sun, directions, luminance, solid_angles

Float32Array = NDArray[np.float32]


def environment(kind: str, variation: int, mi: Any) -> Float32Array:
    """(HEIGHT, WIDTH, 3): the procedural environment of one kind."""
    rng = np.random.default_rng(variation)
    return {"sky": _sky, "studio": _studio, "busy": _busy}[kind](rng, mi)


def _sky(rng: np.random.Generator, mi: Any) -> Float32Array:
    """Draw a sky (Hosek and Wilkie 2012, by Mitsuba) with clouds, over a skyline and a ground."""
    elevation = math.radians(rng.uniform(8, 70))
    azimuth = rng.uniform(0, 2 * math.pi)
    sun = np.array(
        [math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth),
         math.sin(elevation)]
    )  # fmt: skip
    panorama = _clear_sky(mi, sun, turbidity=float(rng.uniform(2, 8)))
    up = directions()[..., 2]
    sky_mean = float((luminance(panorama) * solid_angles())[: HEIGHT // 2].sum() / (2 * math.pi))
    panorama /= max(sky_mean, 1e-6)

    # Clouds lie on a plane overhead, so that they grow smaller towards the horizon.
    cover = rng.uniform(0, 1.1)
    scale = rng.uniform(0.25, 0.6)
    reach = np.maximum(up, 0.03)
    x = directions()[..., 0] / reach * scale
    y = directions()[..., 1] / reach * scale
    density = _tileable_noise(rng, x, y, octaves=5)
    cloud = np.clip((density - (0.75 - 0.6 * cover)) * 4, 0, 1)[..., None]
    shade = 0.6 + 0.8 * (1 - density[..., None])
    panorama = panorama * (1 - cloud) + cloud * shade * np.array([1.0, 1.0, 1.02]) * 1.3
    overcast = float(cloud.mean())
    if overcast < 0.75:
        strength = math.pi * rng.uniform(1.0, 3.0) * (1 - overcast)
        warm = np.array([1.0, 0.95, 0.86]) if elevation > 0.4 else np.array([1.0, 0.82, 0.6])
        panorama = add_sun(panorama.astype(np.float32), sun, strength * warm)
    _landscape(rng, panorama, light=1.0 + (1 - overcast) * math.sin(elevation) * 2)
    return panorama.astype(np.float32)


def _clear_sky(mi: Any, sun: NDArray[np.float64], turbidity: float) -> Float32Array:
    emitter = mi.load_dict(
        {
            "type": "sunsky",
            "sun_direction": [float(v) for v in sun],
            "sun_scale": 0.0,
            "turbidity": turbidity,
            "albedo": 0.2,
        }
    )
    # The sky is smooth: a coarse grid is enough, and each kernel launch costs a fixed time.
    step = 4
    grid = directions()[step // 2 :: step, step // 2 :: step].reshape(-1, 3)
    si = mi.SurfaceInteraction3f()
    si.wi = mi.Vector3f(*(-grid.T))
    values = np.array(emitter.eval(si)).T
    coarse = np.nan_to_num(values.reshape(HEIGHT // step, WIDTH // step, 3))
    full: Float32Array = zoom(coarse, (step, step, 1), order=1, grid_mode=True, mode="nearest")
    return np.maximum(full, 0).astype(np.float32)


def _landscape(rng: np.random.Generator, panorama: Float32Array, light: float) -> None:
    """Paint a ground, and buildings and trees along the horizon, in place."""
    up = directions()[..., 2]
    below = up < 0
    drop = np.maximum(-up, 0.02)
    x, y = directions()[..., 0] / drop, directions()[..., 1] / drop
    grounds = np.array(
        [[0.11, 0.11, 0.115], [0.30, 0.29, 0.27], [0.07, 0.11, 0.04], [0.24, 0.19, 0.13]]
    )
    base = grounds[rng.integers(len(grounds))] * rng.uniform(0.7, 1.4)
    grain = 0.6 + 0.8 * _tileable_noise(rng, x * 2, y * 2, octaves=6)
    ground = (base * light) * grain[..., None]
    panorama[below] = ground[below]

    columns = np.arange(WIDTH)
    skyline = np.zeros(WIDTH)
    colors = np.zeros((WIDTH, 3))
    leafy = np.zeros(WIDTH, bool)
    for _ in range(int(rng.integers(12, 60))):
        start, width = int(rng.integers(WIDTH)), int(rng.integers(8, 120))
        height = math.radians(rng.uniform(1.0, 13.0))
        span = (columns - start) % WIDTH < width
        is_tree = rng.random() < 0.5
        color = (
            np.array([0.05, 0.09, 0.03]) * rng.uniform(0.5, 1.6)
            if is_tree
            else np.repeat(rng.uniform(0.1, 0.6), 3) * rng.uniform(0.8, 1.1, 3)
        )
        outline = np.full(WIDTH, height)
        if is_tree:
            crown = np.sqrt(np.clip(1 - (((columns - start) % WIDTH) / width * 2 - 1) ** 2, 0, 1))
            outline *= crown * (0.7 + 0.6 * gaussian_filter(rng.random(WIDTH), 1, mode="wrap"))
        taller = span & (outline > skyline)
        skyline[taller] = outline[taller]
        colors[taller] = color
        leafy[taller] = is_tree
    elevation = np.arcsin(np.clip(up, -1, 1))
    painted = (elevation >= -0.01) & (elevation < skyline[None, :]) & (skyline[None, :] > 0)
    texture = 0.2 + 1.6 * gaussian_filter(rng.random((HEIGHT, WIDTH)), 0.8, mode="wrap")
    windows = ((columns // 5) % 2)[None, :] * ((np.arange(HEIGHT) // 4) % 2)[:, None]
    texture = np.where(leafy[None, :], texture, (0.7 + 0.3 * texture) * (1 - 0.35 * windows))
    facade = colors[None] * texture[..., None] * light * 0.8
    panorama[painted] = facade[painted]


def _studio(rng: np.random.Generator, mi: Any) -> Float32Array:
    """Draw a room with soft boxes: a light tunnel, a photo studio, a hall with lamps."""
    up = directions()[..., 2]
    wall = rng.uniform(0.02, 0.8)
    tone = 1 + 0.08 * rng.standard_normal(3)
    panorama = np.full((HEIGHT, WIDTH, 3), wall) * tone
    panorama *= (0.75 + 0.5 * np.clip(up, 0, 1))[..., None]
    panorama[up < 0] = wall * rng.uniform(0.4, 1.1) * tone
    count = int(rng.integers(2, 9))
    around = rng.uniform(0, 2 * math.pi)
    tunnel = rng.random() < 0.4
    for lamp in range(count):
        intensity = rng.uniform(4, 25)
        if tunnel:
            # Rows of tubes along the roof of a tunnel, parallel to the product.
            side = (lamp + 0.5) / count * 2 - 1
            plane_y = directions()[..., 1] / np.maximum(up, 1e-3)
            plane_x = directions()[..., 0] / np.maximum(up, 1e-3)
            lit = (np.abs(plane_y - side * 2.5) < 0.12) & (np.abs(plane_x) < 4) & (up > 0.05)
            # Dashes, as tubes have ends.
            lit &= (plane_x % 1.0) < 0.85
        else:
            height = math.radians(rng.uniform(10, 85))
            turn = around + lamp * 2 * math.pi / count + rng.normal(0, 0.3)
            centre = np.array(
                [math.cos(height) * math.cos(turn), math.cos(height) * math.sin(turn),
                 math.sin(height)]
            )  # fmt: skip
            side_axis = np.cross(centre, [0, 0, 1.0])
            side_axis /= max(float(np.linalg.norm(side_axis)), 1e-6)
            top_axis = np.cross(side_axis, centre)
            towards = directions() @ centre
            front = np.maximum(towards, 1e-3)
            lit = (
                (towards > 0)
                & (np.abs(directions() @ side_axis / front) < rng.uniform(0.1, 0.6))
                & (np.abs(directions() @ top_axis / front) < rng.uniform(0.08, 0.35))
            )
        panorama[lit] = intensity * (1 + 0.05 * rng.standard_normal(3))
    soft: Float32Array = gaussian_filter(
        panorama.astype(np.float32), (1, 1, 0), mode=("nearest", "wrap", "nearest")
    )
    return soft


def _busy(rng: np.random.Generator, mi: Any) -> Float32Array:
    """Draw the paper's "busy" skybox (section III.C): patches of all sizes and colours."""
    # At half the resolution, which is finer than its patches: a quarter of the work.
    world = directions()[::2, ::2]
    panorama = np.empty_like(world)
    panorama[:] = rng.uniform(0.05, 0.8, 3)
    for level in range(260):
        centre = rng.normal(size=3)
        centre /= np.linalg.norm(centre)
        tangent = np.cross(centre, rng.normal(size=3))
        tangent /= np.linalg.norm(tangent)
        axes = np.array([tangent, np.cross(centre, tangent), centre], np.float32)
        size = 1.0 * (1 - level / 260) ** 1.5 + 0.03
        wide, tall = size * rng.uniform(0.3, 1.0, 2)
        # Only the pixels of a cap around the centre can lie in the patch.
        rows, columns = np.nonzero(world @ axes[2] > 1 / math.hypot(1, wide, tall))
        local = world[rows, columns] @ axes.T
        x, y = local[:, 0] / local[:, 2], local[:, 1] / local[:, 2]
        if rng.random() < 0.5:
            inside = (np.abs(x) < wide) & (np.abs(y) < tall)
        else:
            inside = (x / wide) ** 2 + (y / tall) ** 2 < 1
        color = rng.uniform(0.02, 1.0, 3) * rng.choice([0.4, 1.0, 1.0, 3.0])
        if rng.random() < 0.35:
            inside &= np.sin(x * rng.uniform(20, 120)) > rng.uniform(-0.5, 0.8)
        panorama[rows[inside], columns[inside]] = color
    full = panorama.repeat(2, axis=0).repeat(2, axis=1)
    full *= 0.8 + 0.4 * rng.random((HEIGHT, WIDTH, 1), dtype=np.float32)
    soft = gaussian_filter(full, (1.0, 1.0, 0), mode=("nearest", "wrap", "nearest"))
    lamp = rng.normal(size=3)
    return add_sun(soft, lamp / np.linalg.norm(lamp), np.full(3, 2.0), radius_deg=6.0)


def _tileable_noise(
    rng: np.random.Generator, x: NDArray[Any], y: NDArray[Any], octaves: int
) -> Float32Array:
    """Fractal value noise in about 0 to 1 at the points (x, y), made from one repeating tile."""
    size = 256
    spectrum = np.fft.rfftfreq(size)[None, :] ** 2 + np.fft.fftfreq(size)[:, None] ** 2
    spectrum[0, 0] = np.inf
    amplitude = spectrum ** (-0.9)
    # Fewer octaves leave the fine detail out.
    amplitude[np.sqrt(spectrum) > 2.0**octaves / size * 4] = 0
    phase = np.exp(2j * np.pi * rng.random(amplitude.shape))
    tile = np.fft.irfft2(amplitude * phase, (size, size))
    tile = (tile - tile.mean()) / (4 * tile.std()) + 0.5
    rows = (y * size / 4).astype(np.int64) % size
    columns = (x * size / 4).astype(np.int64) % size
    noise: Float32Array = np.clip(tile[rows, columns], 0, 1).astype(np.float32)
    return noise
