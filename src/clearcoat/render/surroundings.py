"""What is around the product in Mitsuba's scene: the environment's light and the ground."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.materials import Material
from clearcoat.render import bsdf
from clearcoat.render.backdrop import GROUND_HALF_WIDTH_M, GROUND_TEXELS, ground
from clearcoat.render.panorama import HEIGHT, WIDTH
from clearcoat.scene import SceneSample

Float32Array = NDArray[np.float32]


class Surroundings:
    """The environment emitter and the ground, built once; their parameters move per image."""

    def __init__(self, mi: Any) -> None:
        self.mi = mi
        blank = np.ones((HEIGHT, WIDTH, 3), np.float32)
        self.environment = mi.load_dict({"type": "envmap", "bitmap": mi.Bitmap(blank)})
        self._environment = mi.traverse(self.environment)
        texture = np.full((GROUND_TEXELS, GROUND_TEXELS, 3), 0.2, np.float32)
        surface = bsdf.principled(Material("ground", "sampled", roughness=0.6, specular=0.25))
        surface["base_color"] = {
            "type": "bitmap",
            "data": mi.TensorXf(texture),
            "raw": True,
            "wrap_mode": "clamp",
        }
        ground_bsdf = mi.load_dict(surface)
        self._ground = mi.traverse(ground_bsdf)
        to_world = mi.ScalarTransform4f().scale([GROUND_HALF_WIDTH_M, GROUND_HALF_WIDTH_M, 1.0])
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

    def set_ground(self, panorama: Float32Array, sample: SceneSample) -> None:
        """Give the ground the sample's surface."""
        texture, roughness = ground(panorama, sample)
        self._ground["base_color.data"] = self.mi.TensorXf(np.ascontiguousarray(texture))
        self._ground["roughness.value"] = self.mi.Float(roughness)
        self._ground.update()
