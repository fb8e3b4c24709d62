"""The camera of an image: what a spec may say about it, and what chance makes of that."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from clearcoat.errors import SpecError
from clearcoat.scene.blur import (
    Aperture,
    DepthOfFieldSpec,
    Motion,
    MotionSpec,
    sample_aperture,
    sample_motion,
)
from clearcoat.scene.constraints import RequireSpec
from clearcoat.scene.distributions import Distribution, draw, normal, uniform
from clearcoat.scene.framing import Pose, direction, frame_subject
from clearcoat.scene.lens import COEFFICIENTS, FisheyeSpec, Intrinsics, Lens, RadialTangentialSpec
from clearcoat.spec import Model

FloatArray = NDArray[np.float64]


class IntrinsicsSpec(Model):
    """Intrinsics as OpenCV's calibration returns them, in pixels of the calibrated picture.

    A picture of another size shows the same, scaled; of another aspect, the middle of it, cropped.
    """

    width_px: Annotated[int, Field(gt=0)]
    """Width of the pictures that the camera was calibrated with."""
    height_px: Annotated[int, Field(gt=0)]
    """Their height."""
    fx_px: Distribution
    """Focal length along the width."""
    fy_px: Distribution | None = None
    """Focal length along the height; by default the same as along the width."""
    cx_px: Distribution | None = None
    """Column of the principal point, counted from the centre of the first pixel; by default the
    middle."""
    cy_px: Distribution | None = None
    """Its row."""


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
    sensor_width_mm: Distribution = 36.0
    """Width of the sensor that the focal length refers to."""
    sensor_height_mm: Distribution | None = None
    """Height of the sensor. By default it has the picture's aspect; where it is given, a picture of
    another aspect shows the middle of it, cropped."""
    pixel_aspect_ratio: Distribution = 1.0
    """Width over height of what a pixel covers: 1.33 where photographs of 4:3 were squeezed into
    squares. `intrinsics` say their own."""
    principal_point_x: Distribution = 0.5
    """Where the optical axis meets the picture, share of its width; `intrinsics` say their own."""
    principal_point_y: Distribution = 0.5
    """Where the optical axis meets the picture, share of its height."""
    intrinsics: IntrinsicsSpec | None = None
    """A calibration, in place of `focal_mm`, the pixels' aspect and the principal point."""
    distortion: (
        Annotated[RadialTangentialSpec | FisheyeSpec, Field(discriminator="model")] | None
    ) = None
    """Distortion of the lens. It bends the rays, so image, labels, depth and normals agree."""
    depth_of_field: DepthOfFieldSpec | None = None
    """A lens of finite aperture; without it everything is sharp."""
    exposure_s: Distribution = 0.01
    """Exposure time, of `motion` and of the sensor."""
    motion: MotionSpec | None = None
    """Motion during the exposure. Labels and pose are those of its middle."""
    require: RequireSpec | None = None
    """What a pose must satisfy; others are drawn again."""


@dataclass(frozen=True)
class CameraSample:
    """A camera: where it stands, what its lens does, what moves while it exposes."""

    pose: Pose
    """In the middle of the exposure."""
    intrinsics: Intrinsics
    lens: Lens
    focal_mm: float
    sensor_width_mm: float
    azimuth_deg: float
    elevation_deg: float
    roll_deg: float
    fill: float
    exposure_s: float
    aperture: Aperture | None = None
    motion: Motion | None = None

    @property
    def horizontal_fov_deg(self) -> float:
        """Angle between the left and right edge of the picture, leaving distortion aside."""
        return math.degrees(2 * math.atan(0.5 / self.intrinsics.fx))

    @property
    def is_plain(self) -> bool:
        """Whether this is a centred pinhole with nothing in motion."""
        return (
            self.lens.model == "pinhole"
            and (self.intrinsics.cx, self.intrinsics.cy) == (0.5, 0.5)
            and self.aperture is None
            and self.motion is None
        )


def sample_camera(
    spec: CameraSpec,
    points_m: FloatArray,
    seed: int,
    index: int,
    *,
    on_ground: bool,
    aspect: float,
    attempt: int = 0,
) -> CameraSample:
    """Sample the camera of image `index`.

    Args:
        spec: what may be.
        points_m: (N, 3) points on the product's outline.
        seed: of the series.
        index: of the image.
        on_ground: whether there is a ground that the camera must stay above.
        aspect: width over height of the picture.
        attempt: number of the draw, where earlier ones were rejected.

    Raises SpecError where a value is drawn that no camera can have.
    """

    def number(name: str, distribution: Distribution) -> float:
        name = f"camera.{name}" if attempt == 0 else f"camera.{name}#{attempt}"
        return draw(distribution, seed, index, name)

    def positive(name: str, distribution: Distribution) -> float:
        value = number(name, distribution)
        if value <= 0:
            raise SpecError(
                f"camera.{name} must be above zero",
                found=f"{value:g} in image {index}",
                do="give its distribution a least value above zero",
            )
        return value

    azimuth_deg = number("azimuth_deg", spec.azimuth_deg)
    elevation_deg = number("elevation_deg", spec.elevation_deg)
    roll_deg = number("roll_deg", spec.roll_deg)
    fill = positive("fill", spec.fill)
    sensor_width_mm = positive("sensor_width_mm", spec.sensor_width_mm)
    intrinsics, focal_mm = _intrinsics(spec, sensor_width_mm, aspect, number, positive)
    lens = _lens(spec, number)
    pose = frame_subject(
        points_m,
        towards_camera=direction(azimuth_deg, elevation_deg),
        roll_deg=roll_deg,
        intrinsics=intrinsics,
        lens=lens,
        fill=fill,
        shift=(number("shift_x", spec.shift_x), number("shift_y", spec.shift_y)),
        lowest_m=_lowest_m(points_m) if on_ground else None,
    )
    exposure_s = positive("exposure_s", spec.exposure_s)
    return CameraSample(
        pose=pose,
        intrinsics=intrinsics,
        lens=lens,
        focal_mm=focal_mm,
        sensor_width_mm=sensor_width_mm,
        azimuth_deg=azimuth_deg,
        elevation_deg=pose.elevation_deg,
        roll_deg=roll_deg,
        fill=fill,
        exposure_s=exposure_s,
        aperture=None
        if spec.depth_of_field is None
        else sample_aperture(spec.depth_of_field, pose, points_m, focal_mm, number, positive),
        motion=None
        if spec.motion is None
        else sample_motion(spec.motion, pose, exposure_s, number),
    )


Number = Callable[[str, Distribution], float]


def _lens(spec: CameraSpec, number: Number) -> Lens:
    if spec.distortion is None:
        return Lens()
    model = spec.distortion.model
    return Lens(
        model,
        tuple(
            number(f"distortion.{name}", getattr(spec.distortion, name))
            for name in COEFFICIENTS[model]
        ),
    )


def _intrinsics(
    spec: CameraSpec, sensor_width_mm: float, aspect: float, number: Number, positive: Number
) -> tuple[Intrinsics, float]:
    """Return the intrinsics and the focal length in mm, from whichever of the two is given."""
    if spec.intrinsics is not None:
        return _from_calibration(spec.intrinsics, sensor_width_mm, aspect, number, positive)
    focal_mm = positive("focal_mm", spec.focal_mm)
    return (
        _from_focal_length(spec, focal_mm, sensor_width_mm, aspect, number, positive),
        focal_mm,
    )


def _from_focal_length(
    spec: CameraSpec,
    focal_mm: float,
    sensor_width_mm: float,
    aspect: float,
    number: Number,
    positive: Number,
) -> Intrinsics:
    """The picture lies in the middle of the sensor."""
    fx = focal_mm / sensor_width_mm
    # Width over height of what the picture shows.
    aspect *= positive("pixel_aspect_ratio", spec.pixel_aspect_ratio)
    if spec.sensor_height_mm is not None:
        height_mm = positive("sensor_height_mm", spec.sensor_height_mm)
        if aspect < sensor_width_mm / height_mm:
            fx = focal_mm / height_mm / aspect
    return Intrinsics(
        fx=fx,
        fy=fx * aspect,
        cx=number("principal_point_x", spec.principal_point_x),
        cy=number("principal_point_y", spec.principal_point_y),
    )


def _from_calibration(
    spec: IntrinsicsSpec, sensor_width_mm: float, aspect: float, number: Number, positive: Number
) -> tuple[Intrinsics, float]:
    """Intrinsics for a picture of `aspect` that covers the calibrated one's middle, and mm."""
    fx_px = positive("intrinsics.fx_px", spec.fx_px)
    fy_px = fx_px if spec.fy_px is None else positive("intrinsics.fy_px", spec.fy_px)
    width, height = spec.width_px, spec.height_px
    # From OpenCV's pixel centres to the middle of the picture.
    from_middle_x = from_middle_y = 0.0
    if spec.cx_px is not None:
        from_middle_x = number("intrinsics.cx_px", spec.cx_px) + 0.5 - width / 2
    if spec.cy_px is not None:
        from_middle_y = number("intrinsics.cy_px", spec.cy_px) + 0.5 - height / 2
    # Size of what is seen of the calibrated picture, in its pixels.
    seen_width = width if aspect >= width / height else height * aspect
    seen_height = seen_width / aspect
    return (
        Intrinsics(
            fx=fx_px / seen_width,
            fy=fy_px / seen_height,
            cx=0.5 + from_middle_x / seen_width,
            cy=0.5 + from_middle_y / seen_height,
        ),
        fx_px * sensor_width_mm / width,
    )


def _lowest_m(points_m: FloatArray) -> float:
    """How far above the ground a camera stays: a hand's breadth, or less beside a small product."""
    return min(0.1, 0.05 * float(np.ptp(points_m, axis=0).max()))
