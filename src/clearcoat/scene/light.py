"""The light of an image: what a spec may say about it, and what chance makes of that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator

from clearcoat.errors import SpecError
from clearcoat.scene.distributions import (
    Distribution,
    draw,
    draw_weighted,
    normal,
    some_weight,
    stream,
    uniform,
)
from clearcoat.scene.framing import direction
from clearcoat.spec import Model

FloatArray = NDArray[np.float64]
EnvironmentKind = Literal["hdri", "sky", "hall", "tunnel", "studio", "busy"]
MAX_LAMPS = 32


class SunSpec(Model):
    """One light source of varying position (section III.C)."""

    probability: Annotated[float, Field(ge=0, le=1)] = 0.4
    """Share of the images that have a sun of their own besides the environment's light; in a
    tunnel there is none."""
    azimuth_deg: Distribution = uniform(0, 360)
    """Direction to the sun: 0 in front of the product, 90 on its left."""
    elevation_deg: Distribution = uniform(10, 75)
    """Height of the sun above the horizon."""
    strength: Distribution = uniform(0.5, 3.0)
    """Irradiance of the sun on a plane facing it, as a multiple of the environment's own on the
    ground."""
    diameter_deg: Distribution = 1.2
    """Apparent diameter, which sets how soft shadows are. The real sun has 0.53 degrees; the
    panorama's pixels do not resolve less than 0.8. Haze and thin cloud make it larger."""
    temperature_k: Distribution = 5600.0
    """Colour temperature, 1,700 to 25,000 kelvin."""


class SkySpec(Model):
    """The procedural sky (environment `sky`)."""

    sun_azimuth_deg: Distribution = uniform(0, 360)
    """Direction to the sky's own sun: 0 in front of the product, 90 on its left."""
    sun_elevation_deg: Distribution = uniform(8, 65)
    """Height of the sky's own sun above the horizon."""
    turbidity: Distribution = uniform(2, 7)
    """Haze, 1 to 10: 2 is a clear day, 7 a hazy one."""
    cloud_cover: Distribution = uniform(0, 1.1)
    """Share of the sky that clouds hide; at 1 and above the sun does not come through."""


class LampSpec(Model):
    """The soft boxes of a procedural photo studio (environment `studio`)."""

    count: Distribution = uniform(2, 7)
    """How many, rounded, at most 32."""
    azimuth_deg: Distribution = uniform(0, 360)
    """Direction to a soft box: 0 in front of the product, 90 on its left."""
    elevation_deg: Distribution = uniform(12, 85)
    """Height of its centre above the horizon."""
    width_deg: Distribution = uniform(12, 60)
    """How wide it looks from the product."""
    height_deg: Distribution = uniform(10, 40)
    """How tall it looks from the product."""
    strength: Distribution = uniform(4, 25)
    """Radiance, as a multiple of that of the studio's walls."""
    temperature_k: Distribution = normal(5500, 300, 3000, 9000)
    """Colour temperature, 1,700 to 25,000 kelvin."""


class TunnelSpec(Model):
    """The light tunnel of a production line (environment `tunnel`): rows of tubes over and beside
    the product, near enough that their reflections bend with its surface."""

    rows: Distribution = uniform(5, 13)
    """Rows of tubes that are on, rounded, of 15 from the floor on one side over the roof to the
    other."""
    segments: Distribution = uniform(2, 6)
    """Into how many tubes a row is divided, rounded, 1 to 8."""
    dead: Distribution = uniform(0, 0.1)
    """Share of the tubes that have failed."""
    temperature_k: Distribution = uniform(3800, 6500)
    """Colour temperature of the tubes."""
    ambient: Distribution = uniform(0.02, 0.25)
    """Light of the hall around the tunnel, as a share of all light on the ground."""


class LightSpec(Model):
    """Image-based light, the sun, and lamps."""

    environments: Annotated[dict[EnvironmentKind, float], AfterValidator(some_weight)] = {
        "sky": 0.45,
        "studio": 0.15,
        "hall": 0.1,
        "busy": 0.3,
    }
    """How often each kind of environment lights the product, as relative weights. `hdri` needs
    `hdri_folder`; `sky`, `hall`, `tunnel`, `studio` and `busy` are procedural."""
    hdri_folder: Path | None = None
    """A folder of equirectangular Radiance (.hdr) or OpenEXR (.exr) files, relative to the spec."""
    hdris: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    """Globs on the names of the folder's files: which of them to use."""
    azimuth_deg: Distribution = uniform(-90, 270)
    """Where the middle of an environment's picture lies, seen from the product: 0 in front, 90 on
    its left. A tunnel stands along the product, and a `skybox` tumbles, whatever this says."""
    sun: SunSpec = SunSpec()
    """A sun besides the environment's own light."""
    sky: SkySpec = SkySpec()
    """Sun and clouds of the procedural sky."""
    lamps: LampSpec = LampSpec()
    """Soft boxes of the procedural studio."""
    tunnel: TunnelSpec = TunnelSpec()
    """Tubes of the light tunnel."""
    exposure_ev: Distribution = normal(0, 0.4, -3, 3)
    """Exposure relative to what a camera's automatic would choose, in stops."""

    @model_validator(mode="after")
    def _folder_given(self) -> LightSpec:
        if self.environments.get("hdri", 0) > 0 and self.hdri_folder is None:
            raise SpecError(
                "environment 'hdri' has a weight but no folder is named",
                do="add light.hdri_folder, or remove hdri from light.environments",
            )
        return self


@dataclass(frozen=True)
class SkySample:
    """The weather of a procedural sky."""

    sun: tuple[float, float, float]
    """Unit vector towards the sun, in the environment's frame."""
    turbidity: float
    cloud_cover: float


@dataclass(frozen=True)
class LampSample:
    """A soft box of a procedural studio, in the environment's frame."""

    direction: tuple[float, float, float]
    """Unit vector towards its centre."""
    width_deg: float
    height_deg: float
    strength: float
    temperature_k: float


@dataclass(frozen=True)
class TunnelSample:
    """The tubes of a light tunnel."""

    rows: int
    segments: int
    dead: float
    temperature_k: float
    ambient: float


@dataclass(frozen=True)
class EnvironmentSample:
    """The light from everywhere, and how it is turned."""

    kind: str
    """hdri, sky, hall, tunnel, studio or busy."""
    name: str
    """File name of an HDRI; empty for procedural environments."""
    variation: int
    """Seed of the details of a procedural environment."""
    rotation: tuple[tuple[float, float, float], ...]
    """(3, 3) rotation from the environment's frame (z up) to the world."""
    sky: SkySample | None = None
    lamps: tuple[LampSample, ...] = ()
    tunnel: TunnelSample | None = None


@dataclass(frozen=True)
class SunSample:
    """A sun besides the environment's own light."""

    direction: tuple[float, float, float]
    """Unit vector towards the sun, world frame."""
    strength: float
    """Irradiance facing it, as a multiple of the environment's irradiance on the ground."""
    diameter_deg: float = 1.2
    temperature_k: float = 5600.0


def sample_environment(
    spec: LightSpec, hdri_names: tuple[str, ...], seed: int, index: int, *, upright: bool
) -> EnvironmentSample:
    """Draw which environment lights image `index`, how it is turned, and its lamps or weather."""

    def number(name: str, distribution: Any) -> float:
        return draw(distribution, seed, index, name)

    kind = draw_weighted(stream(seed, index, "light.environment"), spec.environments)
    name = ""
    if kind == "hdri":
        name = hdri_names[int(stream(seed, index, "light.hdri").integers(len(hdri_names)))]
    turn = _turn(spec, kind, seed, index, upright=upright)
    sky = None
    if kind == "sky":
        to_sun = direction(
            number("light.sky.sun_azimuth_deg", spec.sky.sun_azimuth_deg),
            min(max(number("light.sky.sun_elevation_deg", spec.sky.sun_elevation_deg), 1.0), 90.0),
        )
        # An environment that tumbles takes its sun along; one that stands keeps it in place.
        x, y, z = (turn.T @ np.array(to_sun)) if upright else np.array(to_sun)
        sky = SkySample(
            sun=(float(x), float(y), float(z)),
            turbidity=min(max(number("light.sky.turbidity", spec.sky.turbidity), 1.0), 10.0),
            cloud_cover=max(number("light.sky.cloud_cover", spec.sky.cloud_cover), 0.0),
        )
    tunnel = None
    if kind == "tunnel":
        tunnel = TunnelSample(
            rows=min(max(round(number("light.tunnel.rows", spec.tunnel.rows)), 1), 15),
            segments=min(max(round(number("light.tunnel.segments", spec.tunnel.segments)), 1), 8),
            dead=min(max(number("light.tunnel.dead", spec.tunnel.dead), 0.0), 0.9),
            temperature_k=number("light.tunnel.temperature_k", spec.tunnel.temperature_k),
            ambient=min(max(number("light.tunnel.ambient", spec.tunnel.ambient), 0.0), 1.0),
        )
    return EnvironmentSample(
        kind=kind,
        name=name,
        variation=int(stream(seed, index, "light.variation").integers(2**32)),
        rotation=tuple((float(r[0]), float(r[1]), float(r[2])) for r in turn),
        sky=sky,
        lamps=_lamps(spec.lamps, turn, seed, index) if kind == "studio" else (),
        tunnel=tunnel,
    )


def sample_sun(spec: SunSpec, seed: int, index: int) -> SunSample | None:
    """Draw the additional sun of image `index`, if it has one."""
    if stream(seed, index, "sun.present").random() >= spec.probability:
        return None
    return SunSample(
        direction=direction(
            draw(spec.azimuth_deg, seed, index, "sun.azimuth_deg"),
            draw(spec.elevation_deg, seed, index, "sun.elevation_deg"),
        ),
        strength=max(0.0, draw(spec.strength, seed, index, "sun.strength")),
        diameter_deg=draw(spec.diameter_deg, seed, index, "sun.diameter_deg"),
        temperature_k=draw(spec.temperature_k, seed, index, "sun.temperature_k"),
    )


def _lamps(spec: LampSpec, turn: FloatArray, seed: int, index: int) -> tuple[LampSample, ...]:
    count = min(max(round(draw(spec.count, seed, index, "light.lamps.count")), 0), MAX_LAMPS)
    lamps = []
    for number in range(count):

        def value(key: str, distribution: Any, number: int = number) -> float:
            return draw(distribution, seed, index, f"light.lamps.{number}.{key}")

        to_lamp = direction(
            value("azimuth_deg", spec.azimuth_deg), value("elevation_deg", spec.elevation_deg)
        )
        x, y, z = turn.T @ np.array(to_lamp)
        lamps.append(
            LampSample(
                direction=(float(x), float(y), float(z)),
                width_deg=min(max(value("width_deg", spec.width_deg), 0.5), 150.0),
                height_deg=min(max(value("height_deg", spec.height_deg), 0.5), 150.0),
                strength=max(value("strength", spec.strength), 0.0),
                temperature_k=value("temperature_k", spec.temperature_k),
            )
        )
    return tuple(lamps)


def _turn(spec: LightSpec, kind: str, seed: int, index: int, *, upright: bool) -> FloatArray:
    """(3, 3) rotation from the environment's frame to the world."""
    if not upright:
        return _random_rotation(stream(seed, index, "light.rotation"))
    if kind == "tunnel":
        return np.eye(3)
    # The middle of a panorama lies along -y of its own frame.
    angle = math.radians(draw(spec.azimuth_deg, seed, index, "light.rotation") + 90)
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _random_rotation(rng: np.random.Generator) -> FloatArray:
    """Draw a rotation uniformly from SO(3): a normal 4-vector is a uniform unit quaternion."""
    w, x, y, z = (q := rng.normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
