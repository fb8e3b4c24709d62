"""Stand the camera so that the product fills the wanted share of the picture.

The distance is solved for on the product's outline instead of drawn, because two products of
different size and shape should lie in the picture alike: a label's size in pixels is what a
segmentation model sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clearcoat.scene.lens import Intrinsics, Lens

FloatArray = NDArray[np.float64]
Vector = tuple[float, float, float]

_MOST_LIFTS = 20
"""Near the ground a few are needed, from far below it a dozen."""


@dataclass(frozen=True)
class Pose:
    """Position and orientation of a camera, world frame."""

    position_m: Vector
    right: Vector
    """Unit vector towards the right edge of the picture."""
    down: Vector
    """Unit vector towards the lower edge of the picture."""
    forward: Vector
    """Unit vector along the optical axis: (right, down, forward) is OpenCV's camera frame."""

    @property
    def elevation_deg(self) -> float:
        """From how high above the horizon the camera looks down."""
        return math.degrees(math.asin(min(max(-self.forward[2], -1.0), 1.0)))

    @property
    def camera_from_world(self) -> FloatArray:
        """(4, 4) extrinsic matrix, OpenCV convention."""
        rotation = np.array([self.right, self.down, self.forward])
        matrix = np.eye(4)
        matrix[:3, :3] = rotation
        matrix[:3, 3] = -rotation @ np.array(self.position_m)
        return matrix


def frame_subject(
    points_m: FloatArray,
    *,
    towards_camera: Vector,
    roll_deg: float,
    intrinsics: Intrinsics,
    lens: Lens,
    fill: float,
    shift: tuple[float, float],
    lowest_m: float | None = None,
) -> Pose:
    """Return the pose from which `points_m` (N, 3) fill the picture as asked.

    Args:
        points_m: points on the product's outline, world frame.
        towards_camera: unit vector from the product to the camera.
        roll_deg: turn about the optical axis.
        intrinsics: focal lengths and principal point.
        lens: its distortion.
        fill: extent of the outline along its tighter side, share of the picture.
        shift: the outline's centre from the picture's, shares of its width and height.
        lowest_m: the camera stays at least this high (the ground is opaque): where it would lie
            lower it looks down from higher, and the picture is filled as asked from there.
    """

    def framed(towards: Vector) -> Pose:
        return _framed(
            points_m,
            towards_camera=towards,
            roll_deg=roll_deg,
            intrinsics=intrinsics,
            lens=lens,
            fill=fill,
            shift=shift,
        )

    pose = framed(towards_camera)
    if lowest_m is None or pose.position_m[2] >= lowest_m:
        return pose
    centre = (points_m.min(axis=0) + points_m.max(axis=0)) / 2
    for _ in range(_MOST_LIFTS):
        missing = lowest_m - pose.position_m[2]
        if abs(missing) <= 1e-3 * lowest_m:
            break
        distance = math.dist(pose.position_m, centre)
        towards_camera = _raised(towards_camera, missing / distance)
        pose = framed(towards_camera)
    x, y, z = pose.position_m
    return replace(pose, position_m=(x, y, max(z, lowest_m)))


def _raised(towards: Vector, by: float) -> Vector:
    """A unit vector of the same azimuth, whose z is greater by `by`, but 1 at most."""
    x, y, z = towards
    z = min(z + by, 1.0)
    level = math.hypot(x, y)
    # From straight below every azimuth is as good as another.
    x, y = (x / level, y / level) if level > 1e-9 else (1.0, 0.0)
    across = math.sqrt(1 - z * z)
    return across * x, across * y, z


def _framed(
    points_m: FloatArray,
    *,
    towards_camera: Vector,
    roll_deg: float,
    intrinsics: Intrinsics,
    lens: Lens,
    fill: float,
    shift: tuple[float, float],
) -> Pose:
    forward = -np.array(towards_camera)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    # Looking straight down, every roll is as good as another.
    right = np.array([0.0, -1.0, 0.0]) if np.linalg.norm(right) < 1e-6 else right
    right = right / np.linalg.norm(right)
    down = np.cross(forward, right)
    angle = math.radians(roll_deg)
    right, down = (
        math.cos(angle) * right + math.sin(angle) * down,
        math.cos(angle) * down - math.sin(angle) * right,
    )
    centre = (points_m.min(axis=0) + points_m.max(axis=0)) / 2
    local = (points_m - centre) @ np.array([right, down, forward]).T
    scale = np.array([intrinsics.fx, intrinsics.fy])
    wanted = np.array(shift) + 0.5 - np.array([intrinsics.cx, intrinsics.cy])
    magnification = 1.0 if lens.model == "pinhole" else _magnification(lens, wanted / scale)

    def outline(distance: float) -> tuple[float, FloatArray]:
        """Extent of the outline, and the sideways step that puts its centre where it belongs."""
        depth = local[:, 2] + distance
        offset = np.zeros(2)
        for _ in range(8):
            projected = scale * lens.distort((local[:, :2] - offset) / depth[:, None])
            first, last = projected.argmin(axis=0), projected.argmax(axis=0)
            low, high = projected[first, (0, 1)], projected[last, (0, 1)]
            # Newton: the outline's edges move by scale / depth each, and depths may differ much.
            slope = scale * (1 / depth[first] + 1 / depth[last]) / 2
            beside = (low + high) / 2 - wanted
            offset += beside / (slope * magnification)
            if float(np.abs(beside).max()) < 1e-13:
                break
        return float((high - low).max()), offset

    # The camera must stay outside the product: its nearest point keeps a tenth of its depth away.
    reach = float(np.ptp(local[:, 2]))
    near = -float(local[:, 2].min()) + 0.1 * max(reach, 1e-6)
    far = near + 1e4 * max(float(np.abs(local).max()), 1e-6)
    distance = _solve(lambda d: math.log(max(outline(d)[0], 1e-300) / fill), near, far)
    offset = outline(distance)[1]
    position = centre + offset[0] * right + offset[1] * down - distance * forward
    return Pose(
        position_m=_vector(position),
        right=_vector(right),
        down=_vector(down),
        forward=_vector(forward),
    )


def _solve(excess: Callable[[float], float], near: float, far: float) -> float:
    """Return where `excess`, which falls with distance, is zero, to a part in 10^10.

    Where it is nowhere zero, the nearer end of what is allowed is returned. Illinois' false
    position on a logarithmic scale, on which extent over distance is all but a straight line
    (Dowell and Jarratt 1971, doi 10.1007/BF01934364).
    """
    low, high = math.log(near), math.log(far)
    above, below = excess(near), excess(far)
    if above <= 0:
        return near
    if below > 0:
        return far
    side = 0
    for _ in range(200):
        if high - low < 1e-10 or below == 0:
            break
        middle = (low * below - high * above) / (below - above)
        value = excess(math.exp(middle))
        if abs(value) < 1e-11:
            return math.exp(middle)
        if value > 0:
            low, above = middle, value
            below, side = (below / 2 if side == 1 else below), 1
        else:
            high, below = middle, value
            above, side = (above / 2 if side == -1 else above), -1
    return math.exp(high)


def _magnification(lens: Lens, place: FloatArray) -> FloatArray:
    """(2,): how much faster a point moves along x and y near a place than without lens."""
    step = 1e-4
    moved = lens.distort(place + np.array([[0, 0], [step, 0], [0, step]]))
    return np.array([moved[1, 0] - moved[0, 0], moved[2, 1] - moved[0, 1]]) / step


def direction(azimuth_deg: float, elevation_deg: float) -> tuple[float, float, float]:
    """Unit vector in the product frame: azimuth 0 in front, 90 on the left; elevation above."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    return (
        math.cos(elevation) * math.cos(azimuth),
        math.cos(elevation) * math.sin(azimuth),
        math.sin(elevation),
    )


def _vector(values: FloatArray) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
