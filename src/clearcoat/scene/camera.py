"""The camera of an image: what a spec may say about it, and what chance makes of that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from clearcoat.scene.distributions import Distribution, draw, normal, uniform
from clearcoat.scene.framing import Pose, direction, frame_subject
from clearcoat.spec import Model

FloatArray = NDArray[np.float64]


class CameraSpec(Model):
    """Where the camera stands around the product, and how the product lies in the picture."""

    azimuth_deg: Distribution = uniform(0, 360)
    """Direction from the product to the camera: 0 in front, 90 on the product's left."""
    elevation_deg: Distribution = normal(8, 7, -2, 60)
    """Angle of the camera above the product's horizontal plane."""
    fill: Distribution = uniform(0.6, 1.0)
    """Share of the picture that the product's outline takes along its tighter side; above 1 the
    picture crops the product. The camera never comes closer than a tenth of the product's depth."""
    focal_mm: Distribution = uniform(24, 70)
    """Focal length as for a sensor `sensor_width_mm` wide."""
    roll_deg: Distribution = normal(0, 1.5, -10, 10)
    """Turn of the camera about its own axis."""
    shift_x: Distribution = normal(0, 0.04, -0.5, 0.5)
    """Centre of the product's outline to the right of the picture's centre, share of its width."""
    shift_y: Distribution = normal(0, 0.04, -0.5, 0.5)
    """Centre of the product's outline below the picture's centre, share of its height."""
    sensor_width_mm: Annotated[float, Field(gt=0)] = 36.0
    """Width of the sensor that the focal length refers to."""


@dataclass(frozen=True)
class CameraSample:
    """A pinhole camera."""

    pose: Pose
    focal_mm: float
    sensor_width_mm: float
    azimuth_deg: float
    elevation_deg: float
    roll_deg: float
    fill: float

    @property
    def horizontal_fov_deg(self) -> float:
        """Angle between the left and right edge of the picture."""
        return math.degrees(2 * math.atan(self.sensor_width_mm / (2 * self.focal_mm)))


def sample_camera(
    spec: CameraSpec,
    points_m: FloatArray,
    seed: int,
    index: int,
    *,
    on_ground: bool,
    aspect: float,
) -> CameraSample:
    """Sample the camera of image `index`.

    Args:
        spec: what may be.
        points_m: (N, 3) points on the product's outline.
        seed: of the series.
        index: of the image.
        on_ground: whether there is a ground that the camera must stay above.
        aspect: width over height of the picture.
    """

    def number(name: str, distribution: Any) -> float:
        return draw(distribution, seed, index, f"camera.{name}")

    azimuth_deg = number("azimuth_deg", spec.azimuth_deg)
    elevation_deg = number("elevation_deg", spec.elevation_deg)
    focal_mm = number("focal_mm", spec.focal_mm)
    roll_deg = number("roll_deg", spec.roll_deg)
    fill = number("fill", spec.fill)
    pose = frame_subject(
        points_m,
        towards_camera=direction(azimuth_deg, elevation_deg),
        roll_deg=roll_deg,
        focal=focal_mm / spec.sensor_width_mm,
        aspect=aspect,
        fill=fill,
        shift=(number("shift_x", spec.shift_x), number("shift_y", spec.shift_y)),
        lowest_m=0.1 if on_ground else None,
    )
    return CameraSample(
        pose=pose,
        focal_mm=focal_mm,
        sensor_width_mm=spec.sensor_width_mm,
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        roll_deg=roll_deg,
        fill=fill,
    )
