"""The camera: Mitsuba sensors whose pose, lens and motion are parameters.

A centred pinhole is Mitsuba's own. Everything else goes through `_lens_sensor`, which bends each
ray as OpenCV's model says, so that picture, labels, depth and normals bend alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import RenderError
from clearcoat.scene import CameraSample
from clearcoat.scene.blur import Motion
from clearcoat.scene.lens import COEFFICIENTS, undistort

FloatArray = NDArray[np.float64]

_NEAR_M = 0.01
"""Where rays of the pinhole begin, for a product of `_LARGE_M` and above."""
_LARGE_M = 0.2


class Camera:
    """The camera of one picture size.

    Args:
        size: width and height of the picture in pixels.
        mi: Mitsuba with its variant set.
        bounds_m: (2, 3), the bounding box of what is looked at. A small thing is looked at from so
            near that rays must begin nearer, too.
    """

    def __init__(self, size: tuple[int, int], mi: Any, bounds_m: FloatArray | None = None) -> None:
        self.mi = mi
        self.size = size
        width, height = size
        self._film = {
            "film": {
                "type": "hdrfilm",
                "width": width,
                "height": height,
                "pixel_format": "rgba",
                "component_format": "float32",
                # The denoiser expects independent noise in neighbouring pixels.
                "rfilter": {"type": "box"},
            },
            # Stratified within a pixel, independent between pixels.
            "sampler": {"type": "multijitter"},
        }
        pinhole = {"type": "perspective", "fov": 40.0, "fov_axis": "x", "far_clip": 1e5}
        extent_m = _LARGE_M if bounds_m is None else float(np.linalg.norm(np.ptp(bounds_m, axis=0)))
        near_m = _NEAR_M * min(max(extent_m / _LARGE_M, 1e-6), 1.0)
        self._pinhole = mi.load_dict({**pinhole, "near_clip": near_m, **self._film})
        self._parameters = mi.traverse(self._pinhole)
        self._lenses: dict[str, Any] = {}
        self._sensor = self._pinhole

    @property
    def sensor(self) -> Any:
        """Mitsuba's sensor, as it was last set."""
        return self._sensor

    def set(self, camera: CameraSample) -> None:
        """Stand the camera where the sample says.

        Raises RenderError where the lens gives a part of the picture no direction.
        """
        fx, fy, _, _ = camera.intrinsics.pixels(self.size)
        if camera.is_plain and abs(fx - fy) <= 1e-9 * fx:
            self._set_pinhole(camera)
            return
        if not camera.lens.covers(camera.intrinsics):
            raise RenderError(
                "the distortion leaves parts of the picture without a direction",
                found=f"{camera.lens.model} {list(camera.lens.coefficients)}",
                do="use a longer focal length or weaker distortion",
            )
        model = camera.lens.model
        if model not in self._lenses:
            self._lenses[model] = _lens_sensor(model, self._film, self.mi)
        self._lenses[model].set(camera)
        self._sensor = self._lenses[model]

    def _set_pinhole(self, camera: CameraSample) -> None:
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
        self._sensor = self._pinhole


def _lens_sensor(model: str, film: dict[str, Any], mi: Any) -> Any:
    """Return a sensor with a lens of one distortion model, an aperture and motion.

    A factory, since the base class exists only once Mitsuba has its variant. All parameters are
    opaque to Dr.Jit: a kernel is compiled once and serves every sample.
    """
    import drjit as dr

    class LensSensor(mi.Sensor):  # type: ignore[misc]
        def __init__(self, props: Any) -> None:
            super().__init__(props)
            self.values: dict[str, Any] = {}

        def set(self, camera: CameraSample) -> None:
            vectors, numbers = _lens_values(camera)
            self.values = {
                **{name: mi.Vector3f(*map(float, v)) for name, v in vectors.items()},
                **{name: mi.Float(float(v)) for name, v in numbers.items()},
            }
            dr.make_opaque(self.values)

        def sample_ray(
            self, time: Any, wavelength: Any, position: Any, aperture: Any, active: Any = True
        ) -> tuple[Any, Any]:
            v = self.values
            x, y = (position.x - v["cx"]) / v["fx"], (position.y - v["cy"]) / v["fy"]
            if model != "pinhole":
                x, y = undistort(model, [v[name] for name in COEFFICIENTS[model]], x, y, dr)
            # In the camera's frame: where the ray leaves the lens, and where all rays of this
            # place of the picture meet.
            start = mi.warp.square_to_uniform_disk_concentric(aperture) * v["radius"]
            dx, dy = x - start.x / v["focus"], y - start.y / v["focus"]
            right, down, forward = v["right"], v["down"], v["forward"]
            towards = dr.normalize(right * dx + down * dy + forward)
            origin = right * start.x + down * start.y
            moment = time - 0.5
            turned = [_turn(u, v["axis"], v["angle"] * moment, dr) for u in (towards, origin)]
            ray = mi.Ray3f(mi.Point3f(v["position"] + v["way"] * moment + turned[1]), turned[0])
            ray.time = time
            ray.wavelengths, weight = self.sample_wavelengths(
                dr.zeros(mi.SurfaceInteraction3f), wavelength, active
            )
            return ray, weight

        def sample_ray_differential(
            self, time: Any, wavelength: Any, position: Any, aperture: Any, active: Any = True
        ) -> tuple[Any, Any]:
            ray, weight = self.sample_ray(time, wavelength, position, aperture, active)
            return mi.RayDifferential3f(ray), weight

        def bbox(self) -> Any:
            return mi.ScalarBoundingBox3f()

        def to_string(self) -> str:
            return f"LensSensor[{model}]"

    name = f"clearcoat_{model}"
    mi.register_sensor(name, LensSensor)
    return mi.load_dict({"type": name, "shutter_open": 0.0, "shutter_close": 1.0, **film})


def _lens_values(camera: CameraSample) -> tuple[dict[str, Any], dict[str, float]]:
    """Return what a lens sensor needs of a sample: vectors (3,), metres, and numbers, by name."""
    motion = camera.motion or Motion((0, 0, 0), (0, 0, 0), (0, 0, 0))
    turn = np.array(motion.camera_rad)
    angle = float(np.linalg.norm(turn))
    pose, k, aperture, lens = camera.pose, camera.intrinsics, camera.aperture, camera.lens
    vectors = {
        "right": pose.right,
        "down": pose.down,
        "forward": pose.forward,
        "position": pose.position_m,
        # What the product does, the camera does backwards: the scene itself stays.
        "way": np.array(motion.camera_m) - np.array(motion.product_m),
        "axis": turn / angle if angle else (0.0, 0.0, 1.0),
    }
    numbers = {
        "fx": k.fx,
        "fy": k.fy,
        "cx": k.cx,
        "cy": k.cy,
        "angle": angle,
        "radius": 0.0 if aperture is None else aperture.radius_m,
        "focus": 1.0 if aperture is None else aperture.focus_distance_m,
        **dict(zip(COEFFICIENTS[lens.model], lens.coefficients, strict=True)),
    }
    return vectors, numbers


def _turn(vector: Any, axis: Any, angle: Any, dr: Any) -> Any:
    """Turn a vector about a unit axis (Rodrigues)."""
    sin, cos = dr.sincos(angle)
    return vector * cos + dr.cross(axis, vector) * sin + axis * dr.dot(axis, vector) * (1 - cos)
