"""`sample(model, stage, seed, index)`: everything that chance decides about one image.

A pure function: no state, no clock, no file, no renderer. World frame: the product frame
(ISO 8855: x forward, y left, z up, metres, the ground at z = 0).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.scene.backdrop import BackdropSample, sample_backdrop
from clearcoat.scene.camera import CameraSample, sample_camera
from clearcoat.scene.distributions import draw, draw_weighted, stream
from clearcoat.scene.joint import resolve
from clearcoat.scene.light import (
    EnvironmentSample,
    SunSample,
    sample_environment,
    sample_sun,
)
from clearcoat.scene.occluders import OccluderSample, sample_occluders
from clearcoat.scene.spec import SceneModel
from clearcoat.scene.states import StateSample, sample_states

FloatArray = NDArray[np.float64]
_UPRIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Stage:
    """What the sampler must know of the product and of the files at hand."""

    points_m: FloatArray
    """(N, 3): points whose outline is the product's, e.g. the vertices of its convex hull."""
    hdri_names: tuple[str, ...] = ()
    """Names of the environment files, sorted, so that the choice does not depend on the disk."""
    photo_names: tuple[str, ...] = ()
    """Names of the photographs for the backdrop, sorted likewise."""


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
    occluders: tuple[OccluderSample, ...] = ()
    states: tuple[StateSample, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the sampled values as plain data, for the record of the image."""
        return asdict(self)


def sample(
    model: SceneModel,
    stage: Stage,
    seed: int,
    index: int,
    *,
    aspect: float = 1.0,
    attempt: int = 0,
) -> SceneSample:
    """Sample image `index` of the series `seed`; `aspect` is width over height.

    `attempt` draws another camera, and leaves the rest of the image.
    """
    block = index // model.block
    start = block * model.block
    # A block has the same objects and states, whatever is drawn for one image or rejected there.
    of_block = resolve(model, model.joint, seed, start)
    model = resolve(model, model.joint, seed, index, attempt)

    def number(name: str, distribution: Any) -> float:
        return draw(distribution, seed, index, name)

    mode, environment = _surroundings(model, stage, seed, index)
    here = _camera(model, stage, seed, index, mode, aspect, attempt)
    occluders: tuple[OccluderSample, ...] = ()
    if of_block.occluders.count != 0:
        first_mode, _ = _surroundings(of_block, stage, seed, start)
        first = _camera(of_block, stage, seed, start, first_mode, aspect, 0)
        occluders = sample_occluders(
            of_block.occluders, stage.points_m, here.pose, first.pose, seed, block
        )
    return SceneSample(
        seed=seed,
        index=index,
        camera=here,
        environment=environment,
        # No sun shines into a tunnel.
        sun=None if environment.kind == "tunnel" else sample_sun(model.light.sun, seed, index),
        backdrop=sample_backdrop(
            model.backdrop, mode, environment.kind, seed, index, stage.photo_names
        ),
        paint=PaintSample(
            color=srgb_to_linear(
                draw_weighted(stream(seed, index, "paint.color"), model.paint.colors)
            ),
            metallic=_clip01(number("paint.metallic", model.paint.metallic)),
            roughness=_clip01(number("paint.roughness", model.paint.roughness)),
        ),
        exposure_ev=number("light.exposure_ev", model.light.exposure_ev),
        occluders=occluders,
        states=sample_states(of_block.states, seed, block),
    )


def _surroundings(
    model: SceneModel, stage: Stage, seed: int, index: int
) -> tuple[str, EnvironmentSample]:
    """Draw the kind of backdrop and the environment of an image."""
    mode = draw_weighted(stream(seed, index, "backdrop.mode"), model.backdrop.modes)
    environment = sample_environment(
        model.light, stage.hdri_names, seed, index, upright=mode != "skybox"
    )
    if environment.kind == "tunnel":
        # A tunnel stands on the ground whatever backdrop was drawn.
        return "grounded", replace(environment, rotation=_UPRIGHT)
    return mode, environment


def _camera(
    model: SceneModel,
    stage: Stage,
    seed: int,
    index: int,
    mode: str,
    aspect: float,
    attempt: int,
) -> CameraSample:
    return sample_camera(
        model.camera,
        stage.points_m,
        seed,
        index,
        on_ground=mode != "skybox",
        aspect=aspect,
        attempt=attempt,
    )


def srgb_to_linear(color: str) -> tuple[float, float, float]:
    """Linear sRGB of `#rrggbb` (IEC 61966-2-1)."""
    encoded = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return float(linear[0]), float(linear[1]), float(linear[2])


def _clip01(value: float) -> float:
    return min(max(value, 0.0), 1.0)
