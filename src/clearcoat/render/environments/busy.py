"""The paper's "busy" skybox: a network must not find the product by what is around it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from clearcoat.render.panorama import HEIGHT, WIDTH, directions
from clearcoat.render.sun_disc import add_sun

Float32Array = NDArray[np.float32]


def busy(rng: np.random.Generator) -> Float32Array:
    """(HEIGHT, WIDTH, 3): the paper's skybox (section III.C): patches of all sizes and colours."""
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
