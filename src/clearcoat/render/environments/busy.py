"""The paper's "busy" skybox: a network must not find the product by what is around it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from clearcoat.render.panorama import HEIGHT, WIDTH, directions
from clearcoat.render.sun_disc import sun_disc

Float32Array = NDArray[np.float32]


def busy(rng: np.random.Generator) -> Float32Array:
    """(HEIGHT, WIDTH, 3): the paper's skybox (section III.C): patches of all sizes and colours."""
    # At half the resolution, which is finer than its patches: a quarter of the work.
    rows, columns = HEIGHT // 2, WIDTH // 2
    world = np.ascontiguousarray(directions()[::2, ::2]).reshape(-1, 3)
    pixels = np.empty_like(world)
    pixels[:] = rng.uniform(0.05, 0.8, 3)
    for level in range(260):
        centre = rng.normal(size=3)
        centre /= np.linalg.norm(centre)
        tangent = _cross(centre, rng.normal(size=3))
        tangent /= np.linalg.norm(tangent)
        axes = np.array([tangent, _cross(centre, tangent), centre], np.float32)
        size = 1.0 * (1 - level / 260) ** 1.5 + 0.03
        wide, tall = size * rng.uniform(0.3, 1.0, 2)
        # Only the pixels of a cap around the centre can lie in the patch.
        polar = math.acos(min(max(centre[2], -1.0), 1.0))
        reach = math.atan(math.hypot(wide, tall))
        first = max(int((polar - reach) * rows / math.pi) - 1, 0) * columns
        last = min(int((polar + reach) * rows / math.pi) + 2, rows) * columns
        inner = world[first:last] @ axes[2] > 1 / math.hypot(1, wide, tall)
        near = first + np.flatnonzero(inner)
        local = world.take(near, axis=0) @ axes.T
        x, y = local[:, 0] / local[:, 2], local[:, 1] / local[:, 2]
        if rng.random() < 0.5:
            inside = (np.abs(x) < wide) & (np.abs(y) < tall)
        else:
            inside = (x / wide) ** 2 + (y / tall) ** 2 < 1
        color = rng.uniform(0.02, 1.0, 3) * rng.choice([0.4, 1.0, 1.0, 3.0])
        if rng.random() < 0.35:
            inside &= np.sin(x * rng.uniform(20, 120)) > rng.uniform(-0.5, 0.8)
        pixels[near[inside]] = color
    full = pixels.reshape(rows, columns, 3).repeat(2, axis=0).repeat(2, axis=1)
    full *= 0.8 + 0.4 * rng.random((HEIGHT, WIDTH, 1), dtype=np.float32)
    soft = gaussian_filter(full, (1.0, 1.0, 0), mode=("nearest", "wrap", "nearest"))
    lamp = rng.normal(size=3)
    return sun_disc(lamp / np.linalg.norm(lamp), np.full(3, 2.0), radius_deg=6.0).onto(soft)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,): the cross product, in a tenth of the time that NumPy takes for two vectors alone."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
