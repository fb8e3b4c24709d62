"""The lens: from directions to the picture and back, in OpenCV's conventions.

The polynomials are those of OpenCV's `calib3d` (radial-tangential: Brown 1966 with the rational
terms k4 to k6; fisheye: Kannala and Brandt 2006, doi 10.1109/TPAMI.2006.153), so what OpenCV
calibrates goes straight into a spec. They are written with plain arithmetic, so that the sampler
(NumPy) and the renderer (Dr.Jit arrays) bend rays by the same lines of code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clearcoat.scene.distributions import Distribution
from clearcoat.spec import Model

FloatArray = NDArray[np.float64]
LensModel = Literal["pinhole", "radial_tangential", "fisheye"]

NEWTON_STEPS = 12
"""Steps of Newton's method that undo a distortion: `Lens.covers` checks that they suffice."""
_FARTHEST = math.tan(math.radians(89.0))


class RadialTangentialSpec(Model):
    """OpenCV's standard lens model. Every coefficient that is left out is 0."""

    model: Literal["radial_tangential"]
    k1: Distribution = 0.0
    k2: Distribution = 0.0
    p1: Distribution = 0.0
    p2: Distribution = 0.0
    k3: Distribution = 0.0
    k4: Distribution = 0.0
    k5: Distribution = 0.0
    k6: Distribution = 0.0


class FisheyeSpec(Model):
    """OpenCV's fisheye model, up to 89 degrees off the axis. Coefficients left out are 0."""

    model: Literal["fisheye"]
    k1: Distribution = 0.0
    k2: Distribution = 0.0
    k3: Distribution = 0.0
    k4: Distribution = 0.0


COEFFICIENTS: dict[str, tuple[str, ...]] = {
    "pinhole": (),
    "radial_tangential": ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
    "fisheye": ("k1", "k2", "k3", "k4"),
}
"""Names of the coefficients of a model, in OpenCV's order."""


@dataclass(frozen=True)
class Intrinsics:
    """Focal lengths and principal point, as shares of the picture's width (x) and height (y)."""

    fx: float
    fy: float
    cx: float = 0.5
    cy: float = 0.5

    def pixels(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """Return fx, fy, cx, cy in pixels of a picture of `size` (width, height).

        The upper left corner of the picture is (0, 0), the centre of its first pixel (0.5, 0.5).
        """
        width, height = size
        return self.fx * width, self.fy * height, self.cx * width, self.cy * height

    def normalised(self, shares: FloatArray) -> FloatArray:
        """(N, 2) places in the picture (shares of width and height) to OpenCV's (x, y) at z = 1,
        still distorted.
        """
        return (shares - [self.cx, self.cy]) / [self.fx, self.fy]

    def shares(self, points: FloatArray) -> FloatArray:
        """Inverse of `normalised`."""
        return points * [self.fx, self.fy] + [self.cx, self.cy]


@dataclass(frozen=True)
class Lens:
    """A distortion with its coefficients in OpenCV's order."""

    model: LensModel = "pinhole"
    coefficients: tuple[float, ...] = ()

    def distort(self, points: FloatArray) -> FloatArray:
        """(N, 2) directions as (x / z, y / z) to where the lens puts them.

        Beyond the angle at which the polynomial turns back, it goes on straight: a point outside
        the picture stays outside.
        """
        if self.model == "pinhole":
            return points
        radius = np.hypot(points[:, 0], points[:, 1])
        beyond = np.maximum(radius / self.reach, 1.0)[:, None]
        inside = points / beyond
        x, y = distort(self.model, self.coefficients, inside[:, 0], inside[:, 1], np)
        return np.stack([x, y], axis=1) * beyond

    def undistort(self, points: FloatArray) -> FloatArray:
        """(N, 2) distorted points to directions (x / z, y / z), as far as `covers` says so."""
        if self.model == "pinhole":
            return points
        with np.errstate(all="ignore"):
            x, y = undistort(self.model, self.coefficients, points[:, 0], points[:, 1], np)
        return np.stack([x, y], axis=1)

    @property
    def reach(self) -> float:
        """Tangent of the angle off the axis up to which the lens keeps the order of points."""
        return _reach(self)

    def covers(self, intrinsics: Intrinsics) -> bool:
        """Whether every place of the picture has one direction that it shows."""
        if self.model == "pinhole":
            return True
        edge = np.linspace(0, 1, 33)
        zero, one = np.zeros_like(edge), np.ones_like(edge)
        x = np.concatenate([edge, edge, zero, one])
        y = np.concatenate([zero, one, edge, edge])
        border = intrinsics.normalised(np.stack([x, y], axis=1))
        directions = self.undistort(border)
        with np.errstate(all="ignore"):
            back = self.distort(directions)
            sound = np.isfinite(directions).all() and np.abs(back - border).max() < 1e-7
            return bool(sound and np.hypot(*directions.T).max() < self.reach)


def distort(model: str, k: Sequence[Any], x: Any, y: Any, m: Any) -> tuple[Any, Any]:
    """Where the lens puts the direction (x, y, 1); `m` is the module of its arrays."""
    if model == "fisheye":
        radius = m.sqrt(x * x + y * y)
        theta = m.arctan(radius) if m is np else m.atan(radius)
        scale = _fisheye(k, theta)[0] / m.maximum(radius, 1e-9)
        return x * scale, y * scale
    r2 = x * x + y * y
    scale = _radial(k, r2)[0]
    return (
        x * scale + 2 * k[2] * x * y + k[3] * (r2 + 2 * x * x),
        y * scale + k[2] * (r2 + 2 * y * y) + 2 * k[3] * x * y,
    )


def undistort(model: str, k: Sequence[Any], x: Any, y: Any, m: Any) -> tuple[Any, Any]:
    """Inverse of `distort` by Newton's method, without branches."""
    if model == "fisheye":
        wanted = m.sqrt(x * x + y * y)
        # An equidistant lens has theta = wanted; the polynomial is a correction to it.
        theta = wanted
        for _ in range(NEWTON_STEPS):
            value, slope = _fisheye(k, theta)
            theta = theta - (value - wanted) / slope
        scale = m.tan(theta) / m.maximum(wanted, 1e-9)
        return x * scale, y * scale
    u, v = x, y
    for _ in range(NEWTON_STEPS):
        r2 = u * u + v * v
        scale, slope = _radial(k, r2)
        slope = 2 * slope
        error_u = u * scale + 2 * k[2] * u * v + k[3] * (r2 + 2 * u * u) - x
        error_v = v * scale + k[2] * (r2 + 2 * v * v) + 2 * k[3] * u * v - y
        uu = scale + slope * u * u + 2 * k[2] * v + 6 * k[3] * u
        vv = scale + slope * v * v + 6 * k[2] * v + 2 * k[3] * u
        uv = slope * u * v + 2 * k[2] * u + 2 * k[3] * v
        determinant = uu * vv - uv * uv
        u = u - (vv * error_u - uv * error_v) / determinant
        v = v - (uu * error_v - uv * error_u) / determinant
    return u, v


def _fisheye(k: Sequence[Any], theta: Any) -> tuple[Any, Any]:
    """Distorted angle, and its derivative."""
    t2 = theta * theta
    value = theta * (1 + t2 * (k[0] + t2 * (k[1] + t2 * (k[2] + t2 * k[3]))))
    return value, 1 + t2 * (3 * k[0] + t2 * (5 * k[1] + t2 * (7 * k[2] + t2 * 9 * k[3])))


def _radial(k: Sequence[Any], r2: Any) -> tuple[Any, Any]:
    """Radial factor, and its derivative by the squared radius."""
    above = 1 + r2 * (k[0] + r2 * (k[1] + r2 * k[4]))
    below = 1 + r2 * (k[5] + r2 * (k[6] + r2 * k[7]))
    slope_above = k[0] + r2 * (2 * k[1] + r2 * 3 * k[4])
    slope_below = k[5] + r2 * (2 * k[6] + r2 * 3 * k[7])
    scale = above / below
    return scale, (slope_above - scale * slope_below) / below


@lru_cache(maxsize=256)
def _reach(lens: Lens) -> float:
    """Where the radial polynomial stops growing; the tangential terms hardly move that."""
    if lens.model == "pinhole":
        return math.inf
    theta = np.linspace(0, math.atan(_FARTHEST), 4096)[1:]
    if lens.model == "fisheye":
        grows = _fisheye(lens.coefficients, theta)[1] > 0
    else:
        r2 = np.tan(theta) ** 2
        with np.errstate(all="ignore"):
            scale, slope = _radial(lens.coefficients, r2)
            # A pole of the rational model comes with a negative factor right behind it.
            grows = (scale + 2 * r2 * slope > 0) & (scale > 0)
    last = len(theta) if grows.all() else int(np.argmin(grows))
    return float(np.tan(theta[last - 1])) if last else 0.0
