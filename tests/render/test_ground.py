"""The ground: its floors have the albedo that was asked for, near and far, and end softly."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from clearcoat.render import backend
from clearcoat.render.ground import HALF_WIDTH_M, Ground, GroundLook, Lines, positions
from clearcoat.render.surfaces import coarse_map, mean_albedo, surface
from clearcoat.scene import BackdropSample
from clearcoat.scene.backdrop import SurfaceKind


def _eval(ground: Ground, x_m: np.ndarray, y_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (N, 3) and opacity (N,) at points of the ground."""
    mi = ground.mi
    si = mi.SurfaceInteraction3f()
    si.uv = mi.Point2f((x_m / HALF_WIDTH_M + 1) / 2, (y_m / HALF_WIDTH_M + 1) / 2)
    return np.array(ground.texture.eval(si)).T, np.array(ground.opacity.eval_1(si))


def _look(lines: Lines | None = None) -> GroundLook:
    return GroundLook(
        coarse=np.full((8, 8, 3), 0.1, np.float32),
        pattern=np.ones((4, 4), np.float32),
        period_m=2.0,
        contrast=1.0,
        angle_rad=0.0,
        roughness=0.5,
        ends_m=(10.0, 20.0),
        lines=lines,
    )


def test_coarse_maps_are_looked_up_where_their_rows_and_columns_lie() -> None:
    at = positions(64)
    coarse = np.zeros((64, 64, 3), np.float32)
    coarse[..., 0] = np.arange(64)[None, :] / 100
    coarse[..., 1] = np.arange(64)[:, None] / 100
    ground = Ground(backend.load())
    look = _look()
    ground.show(GroundLook(**{**look.__dict__, "coarse": coarse}), (0.0, 0.0, 1.0), 0.0)
    albedo, _ = _eval(ground, at[[5, 30, 60]], at[[50, 31, 7]])
    assert albedo[:, 0] == pytest.approx([0.05, 0.30, 0.60], abs=2e-3)
    assert albedo[:, 1] == pytest.approx([0.50, 0.31, 0.07], abs=2e-3)


def test_the_ground_dissolves_between_its_ends() -> None:
    ground = Ground(backend.load())
    ground.show(_look(), (0.0, 0.0, 1.0), 0.0)
    _, opacity = _eval(ground, np.array([0.0, 9.9, 15.0, 20.1]), np.zeros(4))
    assert opacity == pytest.approx([1, 1, 0.5, 0], abs=1e-3)


def test_painted_lines_lie_where_they_are_asked_for() -> None:
    lines = Lines(
        angle_rad=0.0, offset_m=(1.0, 0.0), spacing_m=2.5, width_m=0.1, dash_m=0.0,
        reach_m=3.0, color=(0.8, 0.7, 0.6), wear=0.0,
    )  # fmt: skip
    ground = Ground(backend.load())
    ground.show(_look(lines), (0.0, 0.0, 1.0), 0.0)
    x = np.array([0.0, 0.0, 0.0, 3.9, 4.1])
    y = np.array([1.25, 1.35, -1.25, 3.75, 3.75])
    albedo, _ = _eval(ground, x, y)
    assert albedo[[0, 2, 3]] == pytest.approx(np.tile([0.8, 0.7, 0.6], (3, 1)), abs=0.01)
    assert albedo[[1, 4]] == pytest.approx(0.1)


@pytest.mark.parametrize("kind", get_args(SurfaceKind))
def test_floors_have_the_albedo_asked_for_on_average_and_repeat_without_a_seam(kind: str) -> None:
    pattern = surface(kind).pattern
    assert pattern.mean() == pytest.approx(1, abs=1e-3)
    assert pattern.min() > 0
    step = np.abs(np.diff(pattern, axis=0)).mean()
    seam = np.abs(pattern[0] - pattern[-1]).mean()
    # Joints of slabs lie on the edge: a step there is as dark as within.
    assert seam < 6 * step + 0.05
    drawn = BackdropSample("surface", albedo=0.2, roughness=0.5, variation=3, surface=kind)
    assert coarse_map(drawn, 512).mean(axis=(0, 1)) == pytest.approx(mean_albedo(drawn), rel=0.08)
    assert float(mean_albedo(drawn).mean()) == pytest.approx(0.2, rel=0.25)


def test_stains_lie_in_metres_and_not_in_texels() -> None:
    """Maps of two resolutions show the same floor; by texel they would show two, and streaks."""
    drawn = BackdropSample("surface", albedo=0.2, roughness=0.5, variation=3, surface="asphalt")
    coarse = coarse_map(drawn, 128)[..., 0]
    fine = coarse_map(drawn, 256)[..., 0].reshape(128, 2, 128, 2).mean(axis=(1, 3))
    near = np.abs(positions(128)) < 20
    one, other = coarse[near][:, near].ravel(), fine[near][:, near].ravel()
    assert np.corrcoef(one, other)[0, 1] > 0.9
