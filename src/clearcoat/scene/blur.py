"""What blurs a picture before it reaches the sensor: the aperture, and motion."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcoat.scene.distributions import Distribution
from clearcoat.scene.framing import Pose
from clearcoat.spec import Model

FloatArray = NDArray[np.float64]
Vector = tuple[float, float, float]
Number = Callable[[str, Distribution], float]


class DepthOfFieldSpec(Model):
    """A thin lens that is sharp at one distance."""

    f_number: Distribution = 4.0
    """Focal length over diameter of the aperture. The focal length is the camera's in millimetres;
    a calibration's follows from `sensor_width_mm`."""
    focus_depth: Distribution = 0.25
    """Where the automatic focuses: 0 at the product's nearest point, 1 at its farthest."""
    focus_distance_m: Distribution | None = None
    """Distance of the sharp plane from the camera along its axis, in place of the automatic."""


class CameraMotionSpec(Model):
    """Velocity of the camera, along and about its own axes."""

    right_m_s: Distribution = 0.0
    down_m_s: Distribution = 0.0
    forward_m_s: Distribution = 0.0
    pitch_deg_s: Distribution = 0.0
    """About the axis to the right: positive looks up."""
    yaw_deg_s: Distribution = 0.0
    """About the axis down: positive looks to the right."""
    roll_deg_s: Distribution = 0.0
    """About the optical axis: positive turns the camera clockwise, the picture the other way."""


class ProductMotionSpec(Model):
    """Velocity of the product along its axes (x forward, y left, z up), as on a conveyor."""

    x_m_s: Distribution = 0.0
    y_m_s: Distribution = 0.0
    z_m_s: Distribution = 0.0


class MotionSpec(Model):
    """What moves during the exposure."""

    camera: CameraMotionSpec = CameraMotionSpec()
    product: ProductMotionSpec = ProductMotionSpec()


@dataclass(frozen=True)
class Aperture:
    """A thin lens."""

    f_number: float
    radius_m: float
    focus_distance_m: float
    """Distance of the sharp plane along the optical axis."""


@dataclass(frozen=True)
class Motion:
    """Way made during the whole exposure, at constant velocity; the sample's pose is its middle."""

    camera_m: Vector
    """Way of the camera, world frame."""
    camera_rad: Vector
    """Rotation vector of the camera, world frame."""
    product_m: Vector
    """Way of the product, world frame."""


def sample_aperture(
    spec: DepthOfFieldSpec,
    pose: Pose,
    points_m: FloatArray,
    focal_mm: float,
    number: Number,
    positive: Number,
) -> Aperture:
    """Sample the aperture, and focus it on the product whose outline is `points_m` (N, 3)."""
    f_number = positive("depth_of_field.f_number", spec.f_number)
    if spec.focus_distance_m is not None:
        focus_m = positive("depth_of_field.focus_distance_m", spec.focus_distance_m)
    else:
        depths = (points_m - np.array(pose.position_m)) @ np.array(pose.forward)
        near, far = max(float(depths.min()), 1e-3), float(depths.max())
        focus_m = near + number("depth_of_field.focus_depth", spec.focus_depth) * (far - near)
    return Aperture(
        f_number=f_number,
        radius_m=focal_mm / 1000 / f_number / 2,
        focus_distance_m=max(focus_m, 1e-3),
    )


def sample_motion(spec: MotionSpec, pose: Pose, exposure_s: float, number: Number) -> Motion:
    """Sample what moves during `exposure_s`."""
    axes = np.array([pose.right, pose.down, pose.forward])

    def along(name: str, model: Model, keys: tuple[str, str, str]) -> FloatArray:
        rates = [number(f"motion.{name}.{key}", getattr(model, key)) for key in keys]
        return np.array(rates) * exposure_s

    moved = along("camera", spec.camera, ("right_m_s", "down_m_s", "forward_m_s")) @ axes
    turned = along("camera", spec.camera, ("pitch_deg_s", "yaw_deg_s", "roll_deg_s")) @ axes
    product = along("product", spec.product, ("x_m_s", "y_m_s", "z_m_s"))
    return Motion(
        camera_m=_vector(moved),
        camera_rad=_vector(turned * (math.pi / 180)),
        product_m=_vector(product),
    )


def _vector(values: FloatArray) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
