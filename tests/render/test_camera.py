"""Rays of the camera: against OpenCV, the thin lens equation, and rigid motion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from clearcoat.errors import RenderError
from clearcoat.materials import LIBRARY
from clearcoat.render import Renderer, RenderSettings, backend, resolve_materials
from clearcoat.render.camera import Camera
from clearcoat.render.part_views import PartViews
from clearcoat.scene import (
    BackdropSpec,
    CameraSample,
    CameraSpec,
    LightSpec,
    SceneModel,
    Stage,
    sample,
)
from tests.products import toy_car

_PRODUCT = toy_car()
_STAGE = Stage(points_m=np.concatenate([p.mesh.vertices for p in _PRODUCT.parts]).astype(float))
_SIZE = (96, 64)
_BARREL = {"model": "radial_tangential", "k1": -0.25, "k2": 0.05, "p1": 0.004, "k5": 0.01}
_FISHEYE = {"model": "fisheye", "k1": -0.03, "k2": 0.01}


def _model(**camera: Any) -> SceneModel:
    return SceneModel(
        camera=CameraSpec.model_validate({"fill": 0.9, "focal_mm": 24, **camera}),
        light=LightSpec(environments={"studio": 1}),
    )


def _camera(index: int = 0, **camera: Any) -> CameraSample:
    return sample(_model(**camera), _STAGE, 0, index, aspect=_SIZE[0] / _SIZE[1]).camera


@pytest.fixture(scope="module")
def mi() -> Any:
    return backend.load(None)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(
        _PRODUCT,
        resolve_materials(_PRODUCT, [None] * len(_PRODUCT.parts), LIBRARY),
        settings=RenderSettings(samples=2, denoise=False),
        size=_SIZE,
    )


def _rays(
    mi: Any, drawn: CameraSample, x: Any, y: Any, *, time: float = 0.5, lens: Any = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Origins and directions (N, 3) through places (shares of width and height) of the picture."""
    camera = Camera(_SIZE, mi)
    camera.set(drawn)
    place, aperture = mi.Point2f(x, y), mi.Point2f(lens)
    ray, _ = camera.sensor.sample_ray(time, 0.5, place, aperture, True)
    count = max(np.size(x), aperture.x.__len__())
    origin = np.broadcast_to(np.array(ray.o).reshape(3, -1).T, (count, 3))
    return origin, np.array(ray.d).reshape(3, -1).T


def _camera_matrix(drawn: CameraSample) -> np.ndarray:
    fx, fy, cx, cy = drawn.intrinsics.pixels(_SIZE)
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])


@pytest.mark.parametrize("distortion", [_BARREL, _FISHEYE])
@pytest.mark.parametrize("index", range(2))
def test_labels_bend_as_opencv_bends_points(
    renderer: Renderer, distortion: dict[str, Any], index: int
) -> None:
    drawn = sample(
        _model(distortion=distortion, principal_point_x=0.47),
        _STAGE,
        0,
        index,
        aspect=_SIZE[0] / _SIZE[1],
    )
    frame = renderer.render(drawn)
    column, row = np.meshgrid(np.arange(_SIZE[0]) + 0.5, np.arange(_SIZE[1]) + 0.5)
    pixels = np.stack([column, row], -1).reshape(-1, 1, 2)
    matrix, k = _camera_matrix(drawn.camera), np.array(drawn.camera.lens.coefficients)
    until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-12)
    if distortion is _FISHEYE:
        flat = cv2.fisheye.undistortPoints(pixels, matrix, k, criteria=until)[:, 0]
    else:
        flat = cv2.undistortPoints(pixels, matrix, k, criteria=until)[:, 0]
    towards = np.c_[flat, np.ones(len(flat))] @ drawn.camera.pose.camera_from_world[:3, :3]
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    meshes = [part.mesh for part in _PRODUCT.parts]
    whole = trimesh.util.concatenate(
        [trimesh.Trimesh(m.vertices, m.faces, process=False) for m in meshes]
    )
    owner = np.repeat(np.arange(len(meshes)) + 1, [len(m.faces) for m in meshes])
    origins = np.tile(drawn.camera.pose.position_m, (len(towards), 1))
    caster = trimesh.ray.ray_pyembree.RayMeshIntersector(whole)
    places, ray, face = caster.intersects_location(origins, towards, multiple_hits=False)
    labels, depth = np.zeros(len(origins), int), np.full(len(origins), np.inf)
    labels[ray] = owner[face]
    depth[ray] = (places - origins[ray]) @ np.array(drawn.camera.pose.forward)
    labels, depth = labels.reshape(frame.parts.shape), depth.reshape(frame.parts.shape)
    assert (labels > 0).mean() > 0.1
    assert (frame.parts == labels).mean() >= 0.999
    both = (frame.parts == labels) & (labels > 0)
    assert frame.depth_m[both] == pytest.approx(depth[both], rel=1e-4)


def test_without_effects_the_lens_is_the_pinhole(mi: Any) -> None:
    plain = _camera()
    assert plain.is_plain
    # A sharp aperture of no size goes through the general sensor.
    general = _camera(depth_of_field={"f_number": 1e9})
    x, y = np.random.default_rng(0).random((2, 50))
    assert _rays(mi, general, x, y)[1] == pytest.approx(_rays(mi, plain, x, y)[1], abs=1e-6)


def test_rays_through_the_aperture_meet_in_the_focal_plane(mi: Any) -> None:
    drawn = _camera(
        depth_of_field={"f_number": 1.4, "focus_distance_m": 3.0}, focal_mm=50, distortion=_BARREL
    )
    assert drawn.aperture is not None
    radius = 0.05 / 1.4 / 2
    assert drawn.aperture.radius_m == pytest.approx(radius)
    lens = np.random.default_rng(0).random((2, 4000))
    origins, towards = _rays(mi, drawn, 0.8, 0.3, lens=lens)
    axis, start = np.array(drawn.pose.forward), np.array(drawn.pose.position_m)
    for depth_m in (1.0, 3.0, 9.0):
        reach = (depth_m - (origins - start) @ axis) / (towards @ axis)
        met = origins + towards * reach[:, None]
        spread = np.linalg.norm(met - met.mean(axis=0), axis=1).max()
        # Similar triangles: the blur's radius is the aperture's times |1 - depth / focus|.
        assert spread == pytest.approx(radius * abs(1 - depth_m / 3), rel=0.03, abs=2e-5)


def test_the_automatic_focuses_on_the_product(mi: Any) -> None:
    for share in (0.0, 0.5, 1.0):
        drawn = _camera(depth_of_field={"focus_depth": share})
        depths = (_STAGE.points_m - drawn.pose.position_m) @ np.array(drawn.pose.forward)
        assert drawn.aperture is not None
        assert drawn.aperture.focus_distance_m == pytest.approx(
            depths.min() + share * np.ptp(depths)
        )


def test_the_camera_moves_rigidly_during_the_exposure(mi: Any) -> None:
    drawn = _camera(
        exposure_s=0.1,
        motion={
            "camera": {"right_m_s": 2.0, "forward_m_s": 1.0, "yaw_deg_s": 300},
            "product": {"x_m_s": 5.0},
        },
    )
    pose = drawn.pose
    right, down, forward = (np.array(v) for v in (pose.right, pose.down, pose.forward))
    middle, _ = _rays(mi, replace(drawn, motion=None), 0.5, 0.5)
    still = replace(drawn, motion=None)
    x, y = np.array([0.1, 0.5, 0.9]), np.array([0.2, 0.5, 0.7])
    # The plain pinhole starts its rays on the near plane.
    towards = _rays(mi, still, x, y)[1]
    for time, part in ((0.0, -0.5), (0.5, 0.0), (1.0, 0.5)):
        origins, seen = _rays(mi, drawn, x, y, time=time)
        way = part * 0.1 * (2.0 * right + 1.0 * forward - [5.0, 0, 0])
        assert origins == pytest.approx(np.tile(pose.position_m + way, (3, 1)), abs=1e-5)
        turn = Rotation.from_rotvec(np.radians(part * 30) * down)
        assert seen == pytest.approx(turn.apply(towards), abs=1e-5)
    # Positive yaw looks to the right.
    assert _rays(mi, drawn, 0.5, 0.5, time=1.0)[1][0] @ right > 0
    assert np.linalg.norm(middle[0] - pose.position_m) < 0.02


def test_motion_blurs_the_picture_and_not_the_labels(renderer: Renderer) -> None:
    aspect = _SIZE[0] / _SIZE[1]
    moving = _model(exposure_s=0.1, motion={"camera": {"right_m_s": 5}})
    fast = sample(moving, _STAGE, 0, 3, aspect=aspect)
    still = renderer.render(replace(fast, camera=replace(fast.camera, motion=None)))
    blurred = renderer.render(fast)
    assert np.array_equal(blurred.parts, still.parts)
    assert np.array_equal(np.isinf(blurred.depth_m), np.isinf(still.depth_m))

    # The exposure is the mean over the camera's way.
    stills = []
    for moment in (np.arange(6) + 0.5) / 6 - 0.5:
        place = np.array(fast.camera.pose.position_m)
        place += moment * np.array(fast.camera.motion.camera_m)  # type: ignore[union-attr]
        pose = replace(fast.camera.pose, position_m=tuple(place))
        there = replace(fast, camera=replace(fast.camera, pose=pose, motion=None))
        stills.append(renderer.render(there).normal)
    from_mean = ((blurred.normal - np.mean(stills, axis=0)) ** 2).mean()
    assert from_mean < 0.5 * ((blurred.normal - still.normal) ** 2).mean()


def test_a_lens_moves_without_compiling_anew(renderer: Renderer) -> None:
    import drjit as dr

    def drawn(index: int) -> Any:
        model = _model(
            distortion={
                "model": "radial_tangential",
                "k1": {"uniform": [-0.2, 0.1]},
                "p2": {"uniform": [0, 0.01]},
            },
            depth_of_field={"f_number": {"uniform": [1, 8]}},
            motion={"camera": {"yaw_deg_s": {"uniform": [0, 50]}}},
            focal_mm={"uniform": [30, 60]},
        )
        return sample(model, _STAGE, 0, index, aspect=_SIZE[0] / _SIZE[1])

    renderer.render(drawn(0))
    renderer.render(drawn(1))
    with dr.scoped_set_flag(dr.JitFlag.KernelHistory, True):
        dr.kernel_history_clear()
        renderer.render(drawn(2))
        kernels = [entry for entry in dr.kernel_history() if entry["type"] == dr.KernelType.JIT]
    assert kernels
    assert all(kernel["cache_hit"] for kernel in kernels)


def test_a_lens_that_cannot_show_the_picture_is_refused(mi: Any) -> None:
    drawn = _camera(distortion={"model": "fisheye"}, focal_mm=24)
    wide = replace(drawn, intrinsics=replace(drawn.intrinsics, fx=0.2, fy=0.3))
    with pytest.raises(RenderError, match="without a direction"):
        Camera(_SIZE, mi).set(wide)


def test_a_tiny_product_is_seen_as_a_large_one_is() -> None:
    """A screw of 4 mm is looked at from closer than the rays of a car's camera begin."""
    seen = []
    for scale in (1.0, 1e-3):
        parts = tuple(
            replace(part, mesh=replace(part.mesh, vertices=part.mesh.vertices * np.float32(scale)))
            for part in _PRODUCT.parts
        )
        product = replace(_PRODUCT, parts=parts)
        model = _model().model_copy(update={"backdrop": BackdropSpec(modes={"skybox": 1})})
        stage = Stage(points_m=_STAGE.points_m * scale)
        drawn = sample(model, stage, 0, 0, aspect=_SIZE[0] / _SIZE[1])
        assert drawn.camera.is_plain
        seen.append(PartViews(product, _SIZE).look(drawn.camera).parts)
    assert (seen[0] > 0).mean() > 0.2
    assert (seen[0] == seen[1]).mean() > 0.998
