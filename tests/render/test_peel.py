"""Extents and normals against an independent ray caster and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from clearcoat.materials import LIBRARY
from clearcoat.product import Product
from clearcoat.render import Renderer, RenderSettings, resolve_materials
from clearcoat.render.peel import grid_step
from clearcoat.scene import SceneSample, Stage, sample
from clearcoat.scene.spec import BackdropSpec, CameraSpec, LightSpec, SceneModel
from tests import products
from tests.products import toy_car

_PRODUCT = toy_car()
_STAGE = Stage(points_m=np.concatenate([p.mesh.vertices for p in _PRODUCT.parts]).astype(float))
_SIZE = (48, 32)
_MODEL = SceneModel(
    camera=CameraSpec(fill=0.8, elevation_deg=20),
    light=LightSpec(environments={"studio": 1}, exposure_ev=0),
    backdrop=BackdropSpec(modes={"grounded": 1}),
)


def _renderer(product: Product = _PRODUCT, **options: object) -> Renderer:
    return Renderer(
        product,
        resolve_materials(product, [None] * len(product.parts), LIBRARY),
        settings=RenderSettings(samples=1, denoise=False),
        size=_SIZE,
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return _renderer(extent_rays=10**6, normals=True)


def _rays(drawn: SceneSample) -> tuple[np.ndarray, np.ndarray]:
    width, height = _SIZE
    focal_px = width * drawn.camera.focal_mm / drawn.camera.sensor_width_mm
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    local = np.stack([(x - width / 2) / focal_px, (y - height / 2) / focal_px, np.ones_like(x)], -1)
    towards = local.reshape(-1, 3) @ drawn.camera.pose.camera_from_world[:3, :3]
    return np.tile(drawn.camera.pose.position_m, (len(towards), 1)), towards


@pytest.mark.parametrize("index", range(3))
def test_a_part_extends_over_what_it_covers_alone(renderer: Renderer, index: int) -> None:
    drawn = sample(_MODEL, _STAGE, 0, index, aspect=_SIZE[0] / _SIZE[1])
    frame = renderer.render(drawn)
    extent = frame.extent
    assert extent is not None
    assert extent.step == 1
    origins, towards = _rays(drawn)
    for number, part in enumerate(_PRODUCT.parts, start=1):
        alone = trimesh.Trimesh(part.mesh.vertices, part.mesh.faces, process=False)
        caster = trimesh.ray.ray_pyembree.RayMeshIntersector(alone)
        covered = caster.intersects_any(origins, towards).reshape(_SIZE[1], _SIZE[0])
        found = np.zeros_like(covered)
        mine = extent.part == number
        found[extent.row[mine], extent.column[mine]] = True
        assert (found == covered).mean() >= 0.999
        # What is seen is a part of the extent.
        assert found[frame.parts == number].all()
    # Each part once per pixel.
    rows = np.stack([extent.row, extent.column, extent.part], axis=1)
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_a_coarse_grid_takes_every_so_many_pixels(renderer: Renderer) -> None:
    drawn = sample(_MODEL, _STAGE, 0, 0, aspect=_SIZE[0] / _SIZE[1])
    fine = renderer.render(drawn).extent
    coarse = _renderer(extent_rays=16 * 11).render(drawn).extent
    assert fine is not None
    assert coarse is not None
    assert coarse.step == 3
    kept = (fine.row % 3 == 1) & (fine.column % 3 == 1)
    for name in ("row", "column", "part"):
        assert np.array_equal(getattr(coarse, name), getattr(fine, name)[kept])


def test_nothing_is_measured_unasked() -> None:
    frame = _renderer().render(sample(_MODEL, _STAGE, 0, 0, aspect=1.5))
    assert frame.extent is None
    assert frame.surface_normal is None


@pytest.mark.parametrize(
    ("size", "rays", "step"), [((64, 64), 4096, 1), ((65, 64), 4096, 2), ((512, 512), 16384, 4)]
)
def test_the_grid_is_as_fine_as_its_rays_allow(size: tuple[int, int], rays: int, step: int) -> None:
    assert grid_step(size, rays) == step


def test_normals_are_those_of_the_surface_and_face_the_camera(renderer: Renderer) -> None:
    drawn = sample(_MODEL, _STAGE, 0, 1, aspect=_SIZE[0] / _SIZE[1])
    frame = renderer.render(drawn)
    normal = frame.surface_normal
    assert normal is not None
    shown = frame.parts > 0
    assert np.linalg.norm(normal[shown], axis=-1) == pytest.approx(1, abs=1e-4)
    assert not normal[~shown].any()
    _, towards = _rays(drawn)
    rotation = drawn.camera.pose.camera_from_world[:3, :3]
    local = (towards @ rotation.T).reshape(_SIZE[1], _SIZE[0], 3)
    assert ((normal * local).sum(axis=-1)[shown] < 0.05).all()
    # The block's faces are along the axes of the product.
    world = normal[frame.parts == 1] @ rotation
    assert np.abs(world).max(axis=1) == pytest.approx(1, abs=1e-4)
    # A wheel is a ball: its normals point away from its centre.
    world_from_camera = np.linalg.inv(drawn.camera.pose.camera_from_world)
    wheel = frame.parts == 4
    points = local * frame.depth_m[..., None]
    places = points[wheel] @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
    radial = (places - np.array([1.3, 0, 0.4])) / 0.4
    assert (normal[wheel] @ rotation * radial).sum(axis=1) == pytest.approx(1, abs=0.01)


def test_normals_along_the_outline_of_coarse_triangles_are_not_turned_round() -> None:
    # So coarse a ball shows triangles whose smooth normals have turned away from the camera.
    ball = trimesh.creation.icosphere(subdivisions=1, radius=1.0)
    drawn = sample(_MODEL, Stage(points_m=np.array(ball.vertices)), 0, 0, aspect=1.5)
    frame = _renderer(Product("ball", (products.part("ball", ball),)), normals=True).render(drawn)
    assert frame.surface_normal is not None
    shown = (frame.parts > 0).ravel()
    _, towards = _rays(drawn)
    places = drawn.camera.pose.position_m + towards * frame.depth_m.reshape(-1, 1)
    radial = places[shown] / np.linalg.norm(places[shown], axis=1, keepdims=True)
    normal = (
        frame.surface_normal.reshape(-1, 3)[shown] @ drawn.camera.pose.camera_from_world[:3, :3]
    )
    assert np.linalg.norm(normal, axis=1) == pytest.approx(1, abs=1e-4)
    assert (normal * radial).sum(axis=1).min() > 0.9
    assert (normal * towards[shown]).sum(axis=1).max() < 1e-5
