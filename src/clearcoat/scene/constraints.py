"""What a pose must satisfy to be used, and the account of those that did not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from clearcoat.errors import SpecError
from clearcoat.scene.framing import Pose
from clearcoat.scene.lens import Intrinsics, Lens
from clearcoat.spec import Model

FloatArray = NDArray[np.float64]
Range = tuple[float, float]

_DISTORTION = "distortion beyond the lens's reach"


class RequireSpec(Model):
    """Constraints on the pose of the camera. A pose that breaks one is drawn again."""

    bbox_share: Range | None = None
    """Least and greatest share of the picture's area that the product's bounding box takes, as far
    as it lies in the picture."""
    inside: bool = False
    """Whether all of the product must lie in the picture."""
    azimuth_deg: Range | None = None
    """Direction from the product's centre to the camera, turning from the first angle up to the
    second: [330, 30] is the front."""
    elevation_deg: Range | None = None
    """Height of the camera above the horizontal plane, seen from the product's centre."""
    distance_m: Range | None = None
    """From the product's centre to the camera."""
    visible: tuple[str, ...] = ()
    """Globs on part paths. Of the parts of each, `min_visible_share` must be seen."""
    min_visible_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Pixels that show one of the parts, as a share of those that would with nothing in front."""
    min_picture_share: Annotated[float, Field(ge=0, le=1)] = 0.0005
    """Least share of the picture that the parts of each glob must take."""
    attempts: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Poses that are tried before giving up."""

    @model_validator(mode="after")
    def _ordered(self) -> RequireSpec:
        for name in ("bbox_share", "elevation_deg", "distance_m"):
            limits = getattr(self, name)
            if limits is not None and limits[0] > limits[1]:
                raise SpecError(
                    f"camera.require.{name}: the first value is greater than the second",
                    found=list(limits),
                    expected="[least, greatest]",
                )
        return self


def breaches(
    require: RequireSpec, pose: Pose, lens: Lens, intrinsics: Intrinsics, points_m: FloatArray
) -> Iterator[tuple[str, float]]:
    """Yield what a pose breaks that can be told without looking: cause, and the value found.

    `points_m` (N, 3): points on the product's outline.
    """
    if not lens.covers(intrinsics):
        yield _DISTORTION, intrinsics.fx
        return
    low, high = _bounding_box(pose, lens, intrinsics, points_m)
    shown = np.clip(high, 0, 1) - np.clip(low, 0, 1)
    share = float(shown[0] * shown[1])
    if require.bbox_share is not None and not _within(share, require.bbox_share):
        yield "bbox_share", share
    if require.inside and not ((low >= 0).all() and (high <= 1).all()):
        yield "inside", float(max(-low.min(), (high - 1).max()))
    centre = (points_m.min(axis=0) + points_m.max(axis=0)) / 2
    x, y, z = np.array(pose.position_m) - centre
    azimuth = math.degrees(math.atan2(y, x)) % 360
    if require.azimuth_deg is not None:
        first, last = require.azimuth_deg
        if last - first < 360 and (azimuth - first) % 360 > (last - first) % 360:
            yield "azimuth_deg", azimuth
    elevation = math.degrees(math.atan2(z, math.hypot(x, y)))
    if require.elevation_deg is not None and not _within(elevation, require.elevation_deg):
        yield "elevation_deg", elevation
    distance = math.sqrt(x * x + y * y + z * z)
    if require.distance_m is not None and not _within(distance, require.distance_m):
        yield "distance_m", distance


@dataclass
class Rejections:
    """How often each cause rejected a pose, and which values were found."""

    found: dict[str, list[float]] = field(default_factory=dict)

    def add(self, cause: str, value: float) -> None:
        """Count one."""
        self.found.setdefault(cause, []).append(value)

    @property
    def counts(self) -> dict[str, int]:
        """Number of poses per cause; a pose may have several."""
        return {cause: len(values) for cause, values in self.found.items()}

    def error(self, require: RequireSpec, index: int) -> SpecError:
        """Return what to say when no pose was found."""
        if set(self.found) == {_DISTORTION}:
            return SpecError(
                "camera.distortion leaves parts of the picture without a direction",
                found=f"in each of {require.attempts} draws for image {index}",
                do="use a longer focal length, weaker distortion, or coefficients that were "
                "fitted over the whole picture",
            )
        causes = sorted(self.found.items(), key=lambda item: -len(item[1]))
        return SpecError(
            f"no pose of image {index} meets camera.require in {require.attempts} attempts",
            found="; ".join(
                f"{cause}: rejected {len(values)} times, "
                f"found {min(values):.3g} to {max(values):.3g}"
                for cause, values in causes
            ),
            do="widen the constraint that rejects most, or narrow the distributions of camera to "
            "where it can be met; camera.require.attempts sets how many poses are tried",
        )


def _within(value: float, limits: Range) -> bool:
    return limits[0] <= value <= limits[1]


def _bounding_box(
    pose: Pose, lens: Lens, intrinsics: Intrinsics, points_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Corners of the outline in shares of width and height, from the upper left."""
    local = np.c_[points_m, np.ones(len(points_m))] @ pose.camera_from_world.T
    ahead = local[:, 2] > 1e-6
    if not ahead.any():
        return np.zeros(2), np.zeros(2)
    flat = local[ahead, :2] / local[ahead, 2:3]
    seen = intrinsics.shares(lens.distort(flat))
    return seen.min(axis=0), seen.max(axis=0)
