"""Views of a product by part numbers and shape alone: no light is traced, no material compiled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcoat.materials import Material
from clearcoat.product import Product
from clearcoat.render import backend
from clearcoat.render.camera import Camera
from clearcoat.render.meshes import merge
from clearcoat.render.normals import camera_normals
from clearcoat.render.palette import finishes
from clearcoat.render.probe import LabelProbe
from clearcoat.scene import CameraSample


@dataclass(frozen=True, eq=False)
class PartView:
    """What one view shows at the centre of every pixel."""

    parts: NDArray[np.uint32]
    """(H, W): 0 where no part of the product is, else 1 + the part's place in the product."""
    facing: NDArray[np.float32]
    """(H, W): cosine between the surface and the view, 0 (edge-on, or nothing) to 1."""


class PartViews:
    """Looks at one product from many sides.

    Unlike the renderer it takes any number of parts.

    Args:
        product: what is seen.
        size: width and height of the views in pixels.
        variant: Mitsuba variant; by default the fastest that works.

    Raises:
        RenderError: no variant works.
    """

    def __init__(
        self, product: Product, size: tuple[int, int], *, variant: str | None = None
    ) -> None:
        mi = backend.load(variant)
        self.size = size
        plain = Material("plain", "for views without light")
        made = finishes([plain], mi)
        shapes, owners = merge(product, [plain] * len(product.parts), made, mi)
        self._scene = mi.load_dict(
            {"type": "scene", **{f"shape_{i}": shape for i, shape in enumerate(shapes)}}
        )
        self._camera = Camera(size, mi, product.bounds_m)
        self._probe = LabelProbe(shapes, owners, mi)

    def look(self, camera: CameraSample) -> PartView:
        """Return what a camera sees."""
        dr, mi = self._probe.dr, self._probe.mi
        self._camera.set(camera)
        width, height = self.size
        index = dr.arange(mi.UInt32, width * height)
        sensor = self._camera.sensor
        ray = self._probe.rays(sensor, self.size, index % width, index // width)
        part, _ = self._probe.hit(self._scene, ray)
        normal = camera_normals(
            self._probe, self._scene, sensor, self.size, camera.pose.camera_from_world
        )
        towards = np.array(ray.d).reshape(3, height, width)
        local = np.einsum("ij,jhw->hwi", camera.pose.camera_from_world[:3, :3], towards)
        return PartView(
            parts=np.array(part).reshape(height, width).astype(np.uint32),
            facing=np.clip(-(normal * local).sum(axis=-1), 0, 1).astype(np.float32),
        )
