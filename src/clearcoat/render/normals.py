"""The direction that the surface at the centre of every pixel faces, as the camera sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.probe import LabelProbe


def camera_normals(
    probe: LabelProbe,
    scene: Any,
    sensor: Any,
    size: tuple[int, int],
    camera_from_world: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return (H, W, 3) unit normals in the camera frame; zero where no part of the product is.

    The frame is OpenCV's (x right, y down, z forward). Normals are the shading normals, which
    are those of the smooth surface behind the triangles, on the side that the camera sees. Where a
    triangle is seen whose smooth surface has turned away already, they are edge-on to the view.
    """
    dr, mi = probe.dr, probe.mi
    width, height = size
    index = dr.arange(mi.UInt32, width * height)
    ray = probe.rays(sensor, size, index % width, index // width)
    part, _ = probe.hit(scene, ray)
    found = scene.ray_intersect(ray, mi.RayFlags.ShadingFrame | mi.RayFlags.Minimal, True)
    normal, facing = mi.Vector3f(found.sh_frame.n), mi.Vector3f(found.n)
    facing = dr.select(dr.dot(facing, ray.d) > 0, -facing, facing)
    # The triangle decides the side: along an outline the smooth normal may point away from the
    # camera, and turned round by itself it would be that of the opposite outline.
    normal = dr.select(dr.dot(normal, facing) < 0, -normal, normal)
    away = dr.dot(normal, ray.d)
    normal = dr.select(away > 0, dr.normalize(normal - away * ray.d), normal)
    world = np.array(normal).reshape(3, height, width)
    camera = np.einsum("ij,jhw->hwi", camera_from_world[:3, :3], world)
    shown = np.array(part > 0).reshape(height, width, 1)
    # A part without triangles' area may have no normal.
    return np.where(shown, np.nan_to_num(camera), 0).astype(np.float32)
