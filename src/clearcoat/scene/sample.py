"""`sample(model, stage, seed, index)`: everything that chance decides about one image.

A pure function: no state, no clock, no file, no renderer. World frame: the product frame
(ISO 8855: x forward, y left, z up, metres, the ground at z = 0).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.scene.camera import CameraSample, sample_camera
from clearcoat.scene.distributions import draw, draw_weighted, stream
from clearcoat.scene.framing import direction
from clearcoat.scene.spec import SceneModel

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stage:
    """What the sampler must know of the product and of the files at hand."""

    points_m: FloatArray
    """(N, 3): points whose outline is the product's, e.g. the vertices of its convex hull."""
    hdri_names: tuple[str, ...] = ()
    """Names of the environment files, sorted, so that the choice does not depend on the disk."""


@dataclass(frozen=True)
class EnvironmentSample:
    """The light from everywhere, and how it is turned."""

    kind: str
    """hdri, sky, studio or busy."""
    name: str
    """File name of an HDRI; empty for procedural environments."""
    variation: int
    """Seed of the details of a procedural environment."""
    rotation: tuple[tuple[float, float, float], ...]
    """(3, 3) rotation from the environment's frame (z up) to the world."""


@dataclass(frozen=True)
class SunSample:
    """A sun besides the environment's own light."""

    direction: tuple[float, float, float]
    """Unit vector towards the sun, world frame."""
    strength: float
    """Irradiance facing it, as a multiple of the environment's irradiance on the ground."""


@dataclass(frozen=True)
class BackdropSample:
    """What is under and behind the product."""

    mode: str
    """grounded, surface, skybox or plain."""
    albedo: float
    roughness: float
    variation: int
    """Seed of the pattern of the floor, or of the plain colour."""


@dataclass(frozen=True)
class PaintSample:
    """Exterior paint."""

    color: tuple[float, float, float]
    """Linear sRGB."""
    metallic: float
    roughness: float


@dataclass(frozen=True)
class SceneSample:
    """One image, before anything is drawn."""

    seed: int
    index: int
    camera: CameraSample
    environment: EnvironmentSample
    sun: SunSample | None
    backdrop: BackdropSample
    paint: PaintSample
    exposure_ev: float

    def as_dict(self) -> dict[str, Any]:
        """Return the sampled values as plain data, for the record of the image."""
        return asdict(self)


def sample(
    model: SceneModel, stage: Stage, seed: int, index: int, *, aspect: float = 1.0
) -> SceneSample:
    """Sample image `index` of the series `seed`; `aspect` is width over height."""

    def number(name: str, distribution: Any) -> float:
        return draw(distribution, seed, index, name)

    mode = draw_weighted(stream(seed, index, "backdrop.mode"), model.backdrop.modes)
    return SceneSample(
        seed=seed,
        index=index,
        camera=sample_camera(
            model.camera, stage.points_m, seed, index, on_ground=mode != "skybox", aspect=aspect
        ),
        environment=_environment(model, stage, seed, index, upright=mode != "skybox"),
        sun=_sun(model, seed, index),
        backdrop=BackdropSample(
            mode=mode,
            albedo=number("backdrop.surface_albedo", model.backdrop.surface_albedo),
            roughness=number("backdrop.surface_roughness", model.backdrop.surface_roughness),
            variation=_word(seed, index, "backdrop.variation"),
        ),
        paint=PaintSample(
            color=srgb_to_linear(
                draw_weighted(stream(seed, index, "paint.color"), model.paint.colors)
            ),
            metallic=_clip01(number("paint.metallic", model.paint.metallic)),
            roughness=_clip01(number("paint.roughness", model.paint.roughness)),
        ),
        exposure_ev=number("light.exposure_ev", model.light.exposure_ev),
    )


def srgb_to_linear(color: str) -> tuple[float, float, float]:
    """Linear sRGB of `#rrggbb` (IEC 61966-2-1)."""
    encoded = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return float(linear[0]), float(linear[1]), float(linear[2])


def _environment(
    model: SceneModel, stage: Stage, seed: int, index: int, *, upright: bool
) -> EnvironmentSample:
    kind = draw_weighted(stream(seed, index, "light.environment"), model.light.environments)
    name = ""
    if kind == "hdri":
        position = int(stream(seed, index, "light.hdri").integers(len(stage.hdri_names)))
        name = stage.hdri_names[position]
    rng = stream(seed, index, "light.rotation")
    rotation = _turn_about_z(rng) if upright else _random_rotation(rng)
    return EnvironmentSample(
        kind=kind,
        name=name,
        variation=_word(seed, index, "light.variation"),
        rotation=tuple((float(r[0]), float(r[1]), float(r[2])) for r in rotation),
    )


def _sun(model: SceneModel, seed: int, index: int) -> SunSample | None:
    spec = model.light.sun
    if stream(seed, index, "sun.present").random() >= spec.probability:
        return None
    return SunSample(
        direction=direction(
            draw(spec.azimuth_deg, seed, index, "sun.azimuth_deg"),
            draw(spec.elevation_deg, seed, index, "sun.elevation_deg"),
        ),
        strength=max(0.0, draw(spec.strength, seed, index, "sun.strength")),
    )


def _turn_about_z(rng: np.random.Generator) -> FloatArray:
    angle = 2 * math.pi * float(rng.random())
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


def _word(seed: int, index: int, name: str) -> int:
    return int(stream(seed, index, name).integers(2**32))


def _clip01(value: float) -> float:
    return min(max(value, 0.0), 1.0)
