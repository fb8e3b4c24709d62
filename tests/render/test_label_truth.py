"""Labels of whole vehicles against an independent ray caster (embree through trimesh).

Only the label path is run: meshes as the renderer merges them, its ground, its camera, its probe.
The paths of light take no part in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from scipy.ndimage import maximum_filter, minimum_filter

from clearcoat import vehicles
from clearcoat.materials import LIBRARY
from clearcoat.product import Product, read
from clearcoat.render import backend, resolve_materials
from clearcoat.render.camera import Camera
from clearcoat.render.meshes import merge
from clearcoat.render.palette import Finish
from clearcoat.render.probe import LabelProbe
from clearcoat.render.scenes import Scenes
from clearcoat.render.surroundings import Surroundings
from clearcoat.scene import CameraSample, CameraSpec, SceneModel, Stage, sample

_SIZE = (160, 120)
_LENSES: dict[str, dict[str, Any] | None] = {
    "pinhole": None,
    "barrel": {"model": "radial_tangential", "k1": -0.22, "k2": 0.04, "p1": 0.003},
    "fisheye": {"model": "fisheye", "k1": -0.03, "k2": 0.01},
}
_FILES = {
    "bmw_m6": "vehicles/bmw_m6/bmw_m6.glb",
    "car_concept": "vehicles/car_concept/car_concept.glb",
    "asam_vehicle": "vehicles/asam_vehicle/vehicle_example.gltf",
}


@dataclass(frozen=True, eq=False)
class _Case:
    """One product, ready to be looked at by both."""

    product: Product
    panes: frozenset[int]
    scene: Any
    unglazed: Any
    probe: LabelProbe
    stage: Stage
    casters: dict[bool, tuple[Any, np.ndarray]]
    """With and without panes: the other caster, and the part number of each of its faces."""

    def look(self, camera: CameraSample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        eye = Camera(_SIZE, backend.load())
        eye.set(camera)
        pose = camera.pose
        place = np.array(pose.position_m), np.array(pose.forward)
        return self.probe.look(self.scene, eye.sensor, _SIZE, *place, self.unglazed)

    def cast(self, camera: CameraSample, *, panes: bool) -> tuple[np.ndarray, np.ndarray]:
        """Part number (H, W) and depth in metres by the other caster, panes taken out or not."""
        caster, owner = self.casters[panes]
        towards = _directions(camera)
        origins = np.tile(camera.pose.position_m, (len(towards), 1))
        places, ray, face = caster.intersects_location(origins, towards, multiple_hits=False)
        labels, depth = np.zeros(len(origins), int), np.full(len(origins), np.inf)
        labels[ray] = owner[face]
        depth[ray] = (places - origins[ray]) @ np.array(camera.pose.forward)
        return labels.reshape(_SIZE[::-1]), depth.reshape(_SIZE[::-1])


def _caster(product: Product, without: frozenset[int]) -> tuple[Any, np.ndarray]:
    numbers = [n for n in range(len(product.parts)) if n not in without]
    meshes = [product.parts[n].mesh for n in numbers]
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])[:-1]
    whole = trimesh.Trimesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([m.faces.astype(int) + s for m, s in zip(meshes, starts, strict=True)]),
        process=False,
    )
    owner = np.repeat(np.array(numbers) + 1, [len(mesh.faces) for mesh in meshes])
    return trimesh.ray.ray_pyembree.RayMeshIntersector(whole), owner


def _directions(camera: CameraSample) -> np.ndarray:
    """(N, 3): unit vectors through the pixels' centres, by OpenCV and the extrinsics."""
    fx, fy, cx, cy = camera.intrinsics.pixels(_SIZE)
    matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    column, row = np.meshgrid(np.arange(_SIZE[0]) + 0.5, np.arange(_SIZE[1]) + 0.5)
    pixels = np.stack([column, row], -1).reshape(-1, 1, 2)
    coefficients = np.array(camera.lens.coefficients)
    until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-12)
    if camera.lens.model == "pinhole":
        flat = cv2.undistortPoints(pixels, matrix, None)[:, 0]
    elif camera.lens.model == "fisheye":
        flat = cv2.fisheye.undistortPoints(pixels, matrix, coefficients, criteria=until)[:, 0]
    else:
        flat = cv2.undistortPoints(pixels, matrix, coefficients, criteria=until)[:, 0]
    towards = np.c_[flat, np.ones(len(flat))] @ camera.pose.camera_from_world[:3, :3]
    unit: np.ndarray = towards / np.linalg.norm(towards, axis=1, keepdims=True)
    return unit


def _prepare(product: Product) -> _Case:
    mi = backend.load()
    materials = resolve_materials(product, [None] * len(product.parts), LIBRARY)
    gray = Finish(mi.load_dict({"type": "diffuse"}))
    # A pane is a part named after glass, whatever the file says of its material.
    panes = frozenset(
        number
        for number, part in enumerate(product.parts)
        if any(word in part.path.lower() for word in ("window", "glass", "windshield", "screen"))
        and not any(word in part.path.lower() for word in ("seal", "gasket", "wiper", "border"))
    )
    assert panes
    finishes = dict.fromkeys(materials, gray)
    shapes, face_parts = merge(product, materials, finishes, mi, dict.fromkeys(panes, "pane"))
    glass = [s for s, owners in zip(shapes, face_parts, strict=True) if owners[0] - 1 in panes]
    scenes = Scenes(shapes, [], glass, Surroundings(mi), mi)
    return _Case(
        product,
        panes,
        scenes.get("ground"),
        scenes.unglazed(ground=True),
        LabelProbe(shapes, face_parts, mi),
        Stage(points_m=np.concatenate([p.mesh.vertices[::7] for p in product.parts]).astype(float)),
        {True: _caster(product, frozenset()), False: _caster(product, panes)},
    )


def _drawn(case: _Case, lens: str, index: int) -> CameraSample:
    camera = {
        "azimuth_deg": {"uniform": [0, 360]},
        "elevation_deg": {"uniform": [1, 60]},
        "fill": {"uniform": [0.6, 1.3]},
        "focal_mm": 24 if lens != "pinhole" else {"uniform": [20, 70]},
    }
    if _LENSES[lens] is not None:
        camera["distortion"] = _LENSES[lens]
    model = SceneModel(camera=CameraSpec.model_validate(camera))
    return sample(model, case.stage, 7, index, aspect=_SIZE[0] / _SIZE[1]).camera


def _unequal_inside(ours: np.ndarray, theirs: np.ndarray) -> int:
    """Count the pixels that differ and have no border of labels within a pixel of them."""
    border = maximum_filter(theirs, 3) != minimum_filter(theirs, 3)
    border |= maximum_filter(ours, 3) != minimum_filter(ours, 3)
    return int(((ours != theirs) & ~border).sum())


def _agreement(case: _Case, views: list[tuple[str, int]]) -> float:
    """Check every view, and return the share of equal pixels: of parts or of those behind glass."""
    equal: dict[str, list[np.ndarray]] = {"parts": [], "behind": []}
    seen: set[int] = set()
    through = 0
    for lens, index in views:
        camera = _drawn(case, lens, index)
        parts, behind, depth_m = case.look(camera)
        labels, depth = case.cast(camera, panes=True)
        inside = case.cast(camera, panes=False)[0]
        equal["parts"].append(parts == labels)
        equal["behind"].append(behind == inside)
        assert _unequal_inside(parts, labels) == 0
        assert _unequal_inside(behind, inside) == 0
        both = (parts == labels) & (labels > 0)
        assert both.mean() > 0.1
        assert np.quantile(np.abs(depth_m[both] / depth[both] - 1), 0.999) < 1e-4
        assert np.isinf(depth_m[parts == 0]).all()
        seen |= set(np.unique(labels))
        through += int((parts != behind).sum())
    # The comparison is worth something only where there is much to confuse.
    assert len(seen) > 10
    assert through > 0
    return float(min(np.mean(equal["parts"]), np.mean(equal["behind"])))


_VIEWS = [("pinhole", 0), ("pinhole", 1), ("barrel", 2), ("fisheye", 3)]


@pytest.mark.parametrize("name", _FILES)
def test_labels_of_files_are_what_another_ray_caster_sees(name: str, shared: Path) -> None:
    assert _agreement(_prepare(read(shared / _FILES[name])), _VIEWS) >= 0.999


@pytest.mark.parametrize("style", ["sedan", "suv", "pickup"])
def test_labels_of_the_family_are_what_another_ray_caster_sees(style: str) -> None:
    assert _agreement(_prepare(vehicles.build(style, 3, {})), _VIEWS) >= 0.999


@pytest.mark.slow
@pytest.mark.parametrize("name", _FILES)
def test_many_views_of_files(name: str, shared: Path) -> None:
    lenses = list(_LENSES)
    views = [(lenses[i % 3], i) for i in range(30)]
    assert _agreement(_prepare(read(shared / _FILES[name])), views) >= 0.999
