"""What stands along the horizon: hills, woods, buildings, trees, parked cars, as a lens sees them
that is focused on something nearer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from clearcoat.render.environments.noise import look, outline, smooth_step, tile
from clearcoat.render.panorama import HEIGHT, directions, doubled

Float32Array = NDArray[np.float32]

_ABOVE_DEG, _BELOW_DEG = 28.0, 7.0


@dataclass(frozen=True, eq=False)
class Light:
    """The light that falls on the landscape."""

    sky: Float32Array
    """(3,): irradiance of the sky on a horizontal plane."""
    sun: NDArray[np.float64]
    """(3,): irradiance of the sun on a plane facing it."""
    towards_sun: Float32Array
    """(3,): unit vector."""

    def on_ground(self) -> Float32Array:
        """(3,): irradiance on a horizontal plane."""
        lit: Float32Array = (self.sky + self.sun * max(float(self.towards_sun[2]), 0)).astype(
            np.float32
        )
        return lit

    def on_wall(self, facing: Float32Array) -> Float32Array:
        """(N, 3): irradiance on vertical planes facing the unit vectors (N, 2), trees alike."""
        cosine = np.maximum(facing @ self.towards_sun[:2], 0)
        lit: Float32Array = (
            0.5 * self.sky + 0.12 * self.on_ground() + cosine[:, None] * self.sun
        ).astype(np.float32)
        return lit


def paint_horizon(
    panorama: Float32Array, ground: Float32Array, light: Light, rng: np.random.Generator
) -> None:
    """Paint the ground and what stands on it, in place."""
    _paint_ground(panorama, ground, light, rng)
    first = round((90 - _ABOVE_DEG) / 180 * HEIGHT)
    last = round((90 + _BELOW_DEG) / 180 * HEIGHT)
    strip = panorama[first:last].copy()
    rows = len(strip)
    elevation = np.radians(_ABOVE_DEG) - (np.arange(rows) + 0.5) / rows * np.radians(
        _ABOVE_DEG + _BELOW_DEG
    )
    scene = _Strip(strip, np.degrees(elevation).astype(np.float32), light)
    town = rng.random()
    if rng.random() < 0.5:
        scene.hills(rng)
    if rng.random() < 0.8:
        scene.wood(rng, haze=0.45, height_deg=float(rng.uniform(0.8, 2.5)))
    if town < 0.7:
        for _ in range(int(rng.integers(10, 44))):
            scene.building(rng)
    if rng.random() < 0.6:
        scene.wood(rng, haze=0.2, height_deg=float(rng.uniform(1.0, 3.5)), share=0.6)
    for _ in range(int(rng.integers(4, 40))):
        scene.tree(rng)
    for _ in range(int(rng.integers(0, 9))):
        scene.car(rng)
    if town < 0.5:
        for _ in range(int(rng.integers(0, 7))):
            scene.pole(rng)
    defocus = float(rng.uniform(0.5, 1.7))
    soft = gaussian_filter(strip, (defocus, defocus, 0), mode=("nearest", "wrap", "nearest"))
    # Out of focus only where something stands: the foreground's ground stays as it is.
    near = smooth_step(-_BELOW_DEG + 0.5, -_BELOW_DEG + 4, scene.elevation_deg)[:, None, None]
    strip += near * (soft - strip)
    panorama[first:last] = strip


def _paint_ground(
    panorama: Float32Array, ground: Float32Array, light: Light, rng: np.random.Generator
) -> None:
    lower = directions()[HEIGHT // 2 :: 2, ::2]
    drop = np.maximum(-lower[..., 2], 0.004)
    spread = 1.6 / drop / 60
    noise = tile(int(rng.integers(4)), 1.1)
    x, y = lower[..., 0] * spread + rng.random(), lower[..., 1] * spread + rng.random()
    grain = 1 + 0.10 * look(noise, x, y) + 0.06 * look(noise, x * 5.3, y * 5.3)
    # Far away the pattern is finer than a pixel.
    grain = 1 + (grain - 1) * np.minimum(drop * 12, 1)
    near = (ground * light.on_ground() / np.float32(np.pi)) * np.maximum(grain, 0.2)[..., None]
    haze = panorama[HEIGHT // 2 - 3 : HEIGHT // 2].mean(axis=(0, 1))
    far = 0.2 * np.exp(-drop / 0.015)[..., None]
    # A flat view of any rough ground mirrors some of the sky above the horizon.
    near += (0.12 * (1 - drop) ** 8)[..., None] * haze
    panorama[HEIGHT // 2 :] = doubled((near * (1 - far) + haze * far).astype(np.float32))


class _Strip:
    """The band of the panorama around the horizon that things are painted into."""

    def __init__(self, pixels: Float32Array, elevation_deg: Float32Array, light: Light) -> None:
        self.pixels = pixels
        self.elevation_deg = elevation_deg
        self.light = light
        self.width = pixels.shape[1]
        horizon = int(np.searchsorted(-elevation_deg, 0))
        self.haze = pixels[max(horizon - 6, 0) : horizon].mean(axis=(0, 1))
        phi = (np.arange(self.width) + 0.5) * 2 * np.pi / self.width
        # A surface seen at a column faces back to the viewer.
        facing = -np.stack([np.sin(phi), np.cos(phi)], axis=-1).astype(np.float32)
        self.on_wall = light.on_wall(facing) / np.float32(np.pi)
        self.noise = tile(1, 0.9)
        self.column = np.arange(self.width)

    def _rows(self, top_deg: float, foot_deg: float) -> slice:
        inside = np.flatnonzero((self.elevation_deg < top_deg) & (self.elevation_deg > foot_deg))
        return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)

    def _blend(
        self, rows: slice, columns: NDArray[np.int64], color: Float32Array, alpha: Float32Array
    ) -> None:
        below = self.pixels[rows][:, columns]
        self.pixels[rows, columns] = below + alpha[..., None] * (color - below)

    def hills(self, rng: np.random.Generator) -> None:
        """Hills far away, blue with air."""
        top = rng.uniform(1, 5) * (1 + 0.5 * outline(rng, self.width, (1, 12)))
        rows = self._rows(float(top.max()) + 0.2, -0.4)
        alpha = smooth_step(-0.15, 0.15, top[None, :] - self.elevation_deg[rows, None])
        albedo = np.array([0.09, 0.12, 0.06], np.float32) * rng.uniform(0.7, 1.6)
        color = 0.72 * self.haze + 0.28 * albedo * self.on_wall
        self._blend(rows, self.column, np.broadcast_to(color, (*alpha.shape, 3)), alpha)

    def wood(
        self, rng: np.random.Generator, *, haze: float, height_deg: float, share: float = 1.0
    ) -> None:
        """A line of trees: dark foot, lighter crowns."""
        crowns = (
            outline(rng, self.width, (60, 400)) * 0.22 + outline(rng, self.width, (3, 30)) * 0.3
        )
        top = height_deg * np.maximum(1 + crowns, 0.15)
        if share < 1:
            there = smooth_step(-0.2, 0.4, outline(rng, self.width, (1, 9)) + (share - 0.5) * 2)
            top = top * there - 0.3 * (1 - there)
        rows = self._rows(float(top.max()) + 0.2, -0.5)
        height = self.elevation_deg[rows, None]
        alpha = smooth_step(-0.12, 0.12, top[None, :] - height)
        albedo = np.array([0.055, 0.085, 0.03], np.float32) * rng.uniform(0.6, 1.5)
        if rng.random() < 0.2:
            albedo = np.array([0.14, 0.09, 0.035], np.float32) * rng.uniform(0.7, 1.2)
        grain = 1 + 0.45 * look(
            self.noise, self.column[None, :] / 130 + rng.random(), height / 9 + rng.random()
        )
        shade = np.maximum(grain, 0.15) * (0.45 + 0.75 * np.clip(height / top[None, :], 0, 1))
        color = (1 - haze) * albedo * self.on_wall * shade[..., None] + haze * self.haze
        self._blend(rows, self.column, color.astype(np.float32), alpha)

    def building(self, rng: np.random.Generator) -> None:
        """A facade with rows of windows, sometimes a hall without, sometimes a pitched roof."""
        width = int(rng.integers(12, 130))
        start = int(rng.integers(self.width))
        columns = (start + np.arange(width)) % self.width
        far = rng.random()
        top = float(rng.uniform(2.0, 7.0) if rng.random() < 0.75 else rng.uniform(7.0, 20.0))
        rows = self._rows(top + (2.5 if top < 8 else 0), -0.5)
        height = self.elevation_deg[rows, None]
        walls = np.array(
            [[0.42, 0.38, 0.33], [0.30, 0.16, 0.11], [0.5, 0.5, 0.48], [0.2, 0.21, 0.23],
             [0.36, 0.33, 0.22], [0.6, 0.57, 0.5], [0.12, 0.14, 0.17]], np.float32,
        )  # fmt: skip
        albedo = walls[rng.integers(len(walls))] * np.float32(rng.uniform(0.7, 1.2))
        # One plane faces one way, hence one light; a corner parts two.
        corner = int(width * rng.uniform(0.2, 1.3))
        middle = self.on_wall[columns[width // 2]]
        side = self.on_wall[(columns[width // 2] + self.width // 6) % self.width]
        lit = np.where((np.arange(width) < corner)[:, None], middle, side)
        wall = np.broadcast_to(albedo * lit, (rows.stop - rows.start, width, 3)).copy()
        floors, bays = float(rng.uniform(0.7, 1.5)), float(rng.uniform(3.5, 10))
        if rng.random() < 0.8:
            u = (np.arange(width)[None, :] / bays) % 1.0
            v = (height / floors) % 1.0
            wide, tall = rng.uniform(0.3, 0.8), rng.uniform(0.4, 0.7)
            pane = smooth_step(0, 0.12, np.minimum(u, wide - u)) * smooth_step(
                0, 0.15, np.minimum(v - 0.15, tall + 0.15 - v)
            )
            cells = (
                np.floor(np.arange(width)[None, :] / bays) * 13.7 + np.floor(height / floors) * 7.3
            )
            sheen = np.abs(np.sin(cells * 12.9898) * 43758.5453) % 1.0
            glass = self.haze * (0.06 + 0.35 * sheen[..., None] ** 3) + 0.01
            wall += pane[..., None] * (glass - wall)
        wall *= (1 + 0.06 * look(self.noise, columns[None, :] / 60, height / 4))[..., None]
        alpha = smooth_step(-0.08, 0.08, top - height) * np.ones((1, width), np.float32)
        if top < 8 and rng.random() < 0.5:
            ridge = top + rng.uniform(0.8, 2.4) * np.minimum(
                1, 3 * np.minimum(np.arange(width), width - 1 - np.arange(width)) / width
            )
            roof = smooth_step(-0.08, 0.08, ridge[None, :] - height)
            tiles = np.array([0.16, 0.08, 0.06] if rng.random() < 0.5 else [0.09, 0.09, 0.1])
            wall = np.where((height > top)[..., None], tiles * lit * 1.2, wall)
            alpha = np.maximum(alpha, roof)
        air = 0.08 + 0.35 * far
        self._blend(rows, columns, ((1 - air) * wall + air * self.haze).astype(np.float32), alpha)

    def tree(self, rng: np.random.Generator) -> None:
        """A single tree: a crown of leaf clumps with sky between them, on a trunk."""
        size = float(rng.uniform(3.0, 18.0))
        pixels_per_deg = self.width / 360
        width = max(int(size * pixels_per_deg * rng.uniform(0.6, 1.3)), 8)
        columns = (int(rng.integers(self.width)) + np.arange(width)) % self.width
        rows = self._rows(size, -0.6)
        height = self.elevation_deg[rows, None]
        x = (np.arange(width)[None, :] / width * 2 - 1) * np.ones_like(height)
        trunk = size * rng.uniform(0.12, 0.3)
        y = (height - (size + trunk) / 2) / ((size - trunk) / 2)
        u, v = x * size / 30 + rng.random(), y * size / 30 + rng.random()
        clumps = look(self.noise, u, v) * 0.30 + look(self.noise, u * 4, v * 4) * 0.16
        crown = smooth_step(-0.06, 0.10, 1 - np.hypot(x, y) - 0.12 + 0.75 * clumps)
        green = np.array([0.06, 0.09, 0.028], np.float32) * rng.uniform(0.6, 1.7)
        to_sun = self.light.towards_sun
        # The side of the crown towards the sun: right in the picture is towards growing columns.
        phi = (columns[width // 2] + 0.5) * 2 * math.pi / self.width
        right = to_sun[0] * math.cos(phi) - to_sun[1] * math.sin(phi)
        shade = 0.55 + 0.35 * np.clip(y, -1, 1) + 0.25 * right * x + 0.5 * clumps
        color = green * self.on_wall[columns] * np.clip(shade, 0.12, 1.6)[..., None]
        stem = smooth_step(0, 0.02, 0.035 - np.abs(x)) * (height < trunk * 1.5)
        bark = 0.07 * self.on_wall[columns] * np.ones((*x.shape, 1), np.float32)
        foot = (height > -0.4).astype(np.float32)
        self._blend(rows, columns, bark.astype(np.float32), stem.astype(np.float32) * foot)
        self._blend(rows, columns, color.astype(np.float32), crown * (height > trunk * 0.6))

    def car(self, rng: np.random.Generator) -> None:
        """A parked car: body, glass house, dark underside."""
        length = float(rng.uniform(5, 13))
        width = max(int(length * self.width / 360), 8)
        columns = (int(rng.integers(self.width)) + np.arange(width)) % self.width
        tall = length * rng.uniform(0.30, 0.4)
        foot = -tall * rng.uniform(0.7, 1.1)
        rows = self._rows(foot + tall, foot - 0.1)
        v = (self.elevation_deg[rows, None] - foot) / tall
        u = np.arange(width)[None, :] / width
        paints = np.array(
            [[0.7, 0.7, 0.7], [0.03, 0.03, 0.035], [0.25, 0.26, 0.27], [0.35, 0.03, 0.03],
             [0.04, 0.08, 0.2]], np.float32,
        )  # fmt: skip
        paint = paints[rng.integers(len(paints))] * self.on_wall[columns]
        body = smooth_step(0, 0.06, np.minimum(u, 1 - u)) * smooth_step(0, 0.08, 0.62 - v)
        slope = 0.16 * np.clip((v - 0.55) / 0.45, 0, 1)
        house = smooth_step(0, 0.05, np.minimum(u - 0.2 - slope, 0.86 - slope - u)) * smooth_step(
            0, 0.08, 1 - v
        )
        shine = 0.6 + 0.8 * np.clip(v, 0, 1)
        color = paint * shine[..., None]
        glass = (v > 0.6) & (v < 0.92)
        color = np.where(glass[..., None], 0.16 * self.haze, color)
        dark = (v < 0.18) | ((v < 0.36) & ((np.abs(u - 0.2) < 0.08) | (np.abs(u - 0.8) < 0.08)))
        color = np.where(dark[..., None], 0.02 * self.haze, color)
        self._blend(rows, columns, color.astype(np.float32), np.maximum(body, house))

    def pole(self, rng: np.random.Generator) -> None:
        """A lamp post or the post of a sign."""
        height = float(rng.uniform(5, 24))
        width = int(rng.integers(1, 3))
        columns = (int(rng.integers(self.width)) + np.arange(width)) % self.width
        rows = self._rows(height, -1.5)
        color = np.float32(rng.uniform(0.05, 0.4)) * self.on_wall[columns]
        shape = (rows.stop - rows.start, width)
        self._blend(rows, columns, np.broadcast_to(color, (*shape, 3)), np.ones(shape, np.float32))
