"""The renderer: labels against an independent ray caster, light and colour against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from clearcoat.materials import LIBRARY
from clearcoat.render import Frame, Renderer, RenderSettings, resolve_materials
from clearcoat.scene import (
    BackdropSpec,
    CameraSpec,
    LightSpec,
    SceneModel,
    SceneSample,
    Stage,
    sample,
)
from tests.products import toy_car

_PRODUCT = toy_car()
_STAGE = Stage(points_m=np.concatenate([p.mesh.vertices for p in _PRODUCT.parts]).astype(float))
_SIZE = (64, 48)


def _model(**backdrop: float) -> SceneModel:
    return SceneModel(
        camera=CameraSpec(fill=0.8),
        light=LightSpec(environments={"studio": 1}, exposure_ev=0),
        backdrop=BackdropSpec(modes=backdrop or {"grounded": 1}),
    )


def _drawn(index: int, **backdrop: float) -> SceneSample:
    return sample(_model(**backdrop), _STAGE, 0, index, aspect=_SIZE[0] / _SIZE[1])


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(
        _PRODUCT,
        resolve_materials(_PRODUCT, [None] * len(_PRODUCT.parts), LIBRARY),
        settings=RenderSettings(samples=4),
        size=_SIZE,
        see_through=frozenset({1}),
    )


@pytest.fixture(scope="module")
def frame(renderer: Renderer) -> Frame:
    return renderer.render(_drawn(0))


def _rays(drawn: SceneSample) -> tuple[np.ndarray, np.ndarray]:
    """Origins and directions through the pixels' centres, from intrinsics and extrinsics alone."""
    width, height = _SIZE
    focal_px = width * drawn.camera.focal_mm / drawn.camera.sensor_width_mm
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    local = np.stack([(x - width / 2) / focal_px, (y - height / 2) / focal_px, np.ones_like(x)], -1)
    rotation = drawn.camera.pose.camera_from_world[:3, :3]
    towards = local.reshape(-1, 3) @ rotation
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    return np.tile(drawn.camera.pose.position_m, (len(towards), 1)), towards


def _cast(drawn: SceneSample, parts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Part number and depth per pixel, by trimesh."""
    meshes = [_PRODUCT.parts[n].mesh for n in parts]
    whole = trimesh.util.concatenate(
        [trimesh.Trimesh(m.vertices, m.faces, process=False) for m in meshes]
    )
    owner = np.repeat([n + 1 for n in parts], [len(m.faces) for m in meshes])
    origins, towards = _rays(drawn)
    caster = trimesh.ray.ray_pyembree.RayMeshIntersector(whole)
    places, ray, face = caster.intersects_location(origins, towards, multiple_hits=False)
    labels, depth = np.zeros(len(origins), int), np.full(len(origins), np.inf)
    labels[ray] = owner[face]
    depth[ray] = (places - origins[ray]) @ np.array(drawn.camera.pose.forward)
    return labels.reshape(_SIZE[1], _SIZE[0]), depth.reshape(_SIZE[1], _SIZE[0])


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("mode", ["grounded", "skybox"])
def test_labels_and_depth_agree_with_another_ray_caster(
    renderer: Renderer, index: int, mode: str
) -> None:
    drawn = _drawn(index, **{mode: 1})
    frame = renderer.render(drawn)
    labels, depth = _cast(drawn, [0, 1, 2, 3, 4])
    assert (frame.parts == labels).mean() >= 0.999
    both = (frame.parts == labels) & (labels > 0)
    assert frame.depth_m[both] == pytest.approx(depth[both], rel=1e-4)
    assert np.isinf(frame.depth_m[frame.parts == 0]).all()
    # Through the glass: what a caster sees that never met the glass.
    assert (frame.behind == _cast(drawn, [0, 2, 3, 4])[0]).mean() >= 0.999


def test_the_same_sample_gives_the_same_bytes(renderer: Renderer, frame: Frame) -> None:
    # Something else in between, so that state which carried over would show.
    renderer.render(_drawn(1, skybox=1))
    again = renderer.render(_drawn(0))
    assert again.radiance.tobytes() == frame.radiance.tobytes()
    assert again.parts.tobytes() == frame.parts.tobytes()


def test_paint_moves_and_nothing_else(renderer: Renderer, frame: Frame) -> None:
    drawn = _drawn(0)
    red = renderer.render(
        replace(drawn, paint=replace(drawn.paint, color=(0.6, 0.01, 0.01), metallic=0.0))
    )
    block = red.parts == 1
    mean = red.radiance[block].mean(axis=0)
    assert mean[0] > 2 * mean[1]
    assert np.array_equal(red.parts, frame.parts)
    assert np.array_equal(red.depth_m, frame.depth_m)


def test_a_plain_backdrop_is_one_colour(renderer: Renderer) -> None:
    frame = renderer.render(_drawn(2, plain=1))
    # The denoiser smooths across edges, so look away from the product.
    corner = frame.radiance[:4, :4].reshape(-1, 3)
    assert (frame.parts[:4, :4] == 0).all()
    assert corner == pytest.approx(np.tile(corner[0], (16, 1)), abs=1e-5)
