"""What is around the product in Mitsuba's scene: the environment's light and the ground."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.materials import Material
from clearcoat.render import bsdf
from clearcoat.render.backdrop import ground
from clearcoat.render.ground import HALF_WIDTH_M, Ground
from clearcoat.render.panorama import HEIGHT
from clearcoat.scene import SceneSample

Float32Array = NDArray[np.float32]


class Surroundings:
    """The environment emitter and the ground, built once; their parameters move per image."""

    def __init__(self, mi: Any, height: int = HEIGHT) -> None:
        self.mi = mi
        blank = np.ones((height, 2 * height, 3), np.float32)
        self.environment = mi.load_dict({"type": "envmap", "bitmap": mi.Bitmap(blank)})
        self._environment = mi.traverse(self.environment)
        self._look = Ground(mi)
        surface = bsdf.principled(Material("ground", "sampled", roughness=0.6, specular=0.25))
        surface["base_color"] = self._look.texture
        made = mi.load_dict(surface)
        self._ground = mi.traverse(made)
        ground_bsdf = {"type": "mask", "opacity": self._look.opacity, "surface": made}
        to_world = mi.ScalarTransform4f().scale([HALF_WIDTH_M, HALF_WIDTH_M, 1.0])
        # A hair below zero: tyres touch the ground at exactly that height.
        self.ground = mi.load_dict(
            {
                "type": "rectangle",
                "to_world": mi.ScalarTransform4f().translate([0, 0, -1e-3]) @ to_world,
                "bsdf": ground_bsdf,
            }
        )

    def set_environment(self, panorama: Float32Array, sample: SceneSample) -> None:
        """Light the scene with a panorama, turned as the sample says."""
        mi = self.mi
        # Mitsuba keeps the first column once more at the end, to interpolate across the seam.
        wrapped = np.concatenate([panorama, panorama[:, :1]], axis=1)
        world = np.eye(4)
        y_up_to_z_up = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=float)
        world[:3, :3] = np.array(sample.environment.rotation) @ y_up_to_z_up
        self._environment["data"] = mi.TensorXf(np.ascontiguousarray(wrapped))
        self._environment["to_world"] = mi.ScalarAffineTransform4f(world)
        self._environment.update()

    def set_ground(
        self, panorama: Float32Array, sample: SceneSample, size: tuple[int, int]
    ) -> None:
        """Give the ground the sample's surface, for a picture of `size` (width, height)."""
        look = ground(panorama, sample, self.mi)
        fx_px, fy_px, _, _ = sample.camera.intrinsics.pixels(size)
        self._look.show(look, sample.camera.pose.position_m, 1 / max(fx_px, fy_px))
        self._ground["roughness.value"] = self.mi.Float(look.roughness)
        self._ground.update()
