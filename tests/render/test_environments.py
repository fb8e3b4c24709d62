"""What procedural environments are made of computes what plain formulas say, to the last bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clearcoat.render.environments.busy import _cross
from clearcoat.render.environments.noise import SIZE, look, tile
from clearcoat.render.panorama import directions, ground_irradiance, solid_angles


@given(
    arrays(np.float32, 16, elements=st.floats(-1e3, 1e3, width=32)),
    arrays(np.float32, 16, elements=st.floats(-1e3, 1e3, width=32)),
)
def test_noise_repeats_with_period_one(x: np.ndarray, y: np.ndarray) -> None:
    noise = tile(1, 1.0)
    u, v = (x % 1.0) * SIZE, (y % 1.0) * SIZE
    column, row = u.astype(int), v.astype(int)
    du, dv = u - np.floor(u), v - np.floor(v)
    corners = [[noise[(row + j) % SIZE, (column + i) % SIZE] for i in (0, 1)] for j in (0, 1)]
    above, under = (left * (1 - du) + right * du for left, right in corners)
    assert np.array_equal(look(noise, x, y), above * (1 - dv) + under * dv)


@given(
    arrays(np.float64, 3, elements=st.floats(-1e3, 1e3)),
    arrays(np.float64, 3, elements=st.floats(-1e3, 1e3)),
)
def test_the_cross_product_is_that_of_numpy(a: np.ndarray, b: np.ndarray) -> None:
    assert np.array_equal(_cross(a, b), np.cross(a, b))


def test_what_lies_below_the_horizon_lights_no_ground() -> None:
    panorama = np.random.default_rng(0).random((512, 1024, 3), np.float32)
    cosine = np.maximum(directions()[..., 2], 0) * solid_angles()
    rows = np.einsum("hwc,hw->hc", panorama, cosine)
    assert np.array_equal(ground_irradiance(panorama), rows.sum(axis=0, dtype=np.float64))
