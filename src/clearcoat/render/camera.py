"""The camera: a Mitsuba sensor whose pose and angle of view are parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearcoat.scene import CameraSample


class Camera:
    """The camera of one picture size.

    Args:
        size: width and height of the picture in pixels.
        mi: Mitsuba with its variant set.
    """

    def __init__(self, size: tuple[int, int], mi: Any) -> None:
        self.mi = mi
        self.size = size
        width, height = size
        self._sensor = mi.load_dict(
            {
                "type": "perspective",
                "fov": 40.0,
                "fov_axis": "x",
                "near_clip": 0.01,
                "far_clip": 1e5,
                "film": {
                    "type": "hdrfilm",
                    "width": width,
                    "height": height,
                    "pixel_format": "rgba",
                    "component_format": "float32",
                    # The denoiser expects independent noise in neighbouring pixels.
                    "rfilter": {"type": "box"},
                },
                "sampler": {"type": "independent"},
            }
        )
        self._parameters = mi.traverse(self._sensor)

    @property
    def sensor(self) -> Any:
        """Mitsuba's sensor, as it was last set."""
        return self._sensor

    def set(self, camera: CameraSample) -> None:
        """Stand the camera where the sample says."""
        mi = self.mi
        world = np.eye(4)
        # Mitsuba's camera looks along +z with +x to the left and +y up.
        world[:3, 0] = -np.array(camera.pose.right)
        world[:3, 1] = -np.array(camera.pose.down)
        world[:3, 2] = camera.pose.forward
        world[:3, 3] = camera.pose.position_m
        self._parameters["to_world"] = mi.ScalarAffineTransform4f(world)
        self._parameters["x_fov"] = mi.Float(camera.horizontal_fov_deg)
        self._parameters.update()
