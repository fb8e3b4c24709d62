"""The light of a sample: its environment, its sun, and the exposure that a meter would set."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import RenderError
from clearcoat.render.color import black_body
from clearcoat.render.environments import environment
from clearcoat.render.hdri import read_hdri
from clearcoat.render.kept_files import version
from clearcoat.render.panorama import (
    HEIGHT,
    ground_irradiance,
    halved,
    luminance,
    mean_radiance,
)
from clearcoat.render.sun_disc import sun_disc
from clearcoat.render.surfaces import mean_albedo
from clearcoat.scene import EnvironmentSample, SceneSample

Float32Array = NDArray[np.float32]


def light(
    sample: SceneSample, hdri_folder: Path | None, mi: Any, height: int = HEIGHT
) -> Float32Array:
    """Return the environment with the sample's sun, scaled to a light meter's reading of 1.

    It has `height` rows, those of a panorama or half as many.

    The meter takes the brighter of the light from above and the light from all around: the
    roof of a white car under an open sky must not burn out.
    """
    env = sample.environment
    if env.kind == "hdri":
        if hdri_folder is None:
            raise RenderError("the sample names an HDRI but no folder is given", found=env.name)
        file = hdri_folder / env.name
        panorama = read_hdri(file, mi, height)
        mean, irradiance = _measured(file, version(file), mi, height)
    else:
        floor = mean_albedo(sample.backdrop)
        if height == HEIGHT:
            panorama = environment(env, floor, mi)
        else:
            panorama = _coarse(env, tuple(floor.tolist()), mi)
        mean, irradiance = mean_radiance(panorama), ground_irradiance(panorama)
    above = _reading(irradiance)
    if env.tunnel is not None and sample.backdrop.mode in {"grounded", "surface"}:
        # The tubes make up the rest of a meter's reading of 1.
        return panorama * np.float32(env.tunnel.ambient / max(above, 1e-9))
    scale = 1 / max(mean, 1e-9)
    if sample.sun is None or sample.sun.strength == 0:
        # One multiplication of the whole panorama, since each takes as long as a few rays' light.
        return panorama * np.float32(scale / max(above * scale, mean * scale, 1e-9))
    towards_sun = np.array(env.rotation).T @ np.array(sample.sun.direction)
    level = float(irradiance.mean()) * scale
    sunlight = sample.sun.strength * level * black_body(sample.sun.temperature_k)
    radius_deg = max(sample.sun.diameter_deg, 0.8) / 2
    disc = sun_disc(towards_sun, sunlight, radius_deg, height)
    above = _reading(irradiance * scale + disc.ground_irradiance())
    scale_all = 1 / max(above, mean * scale + disc.mean_radiance(), 1e-9)
    return disc.onto(panorama * np.float32(scale * scale_all), scale_all)


@lru_cache(maxsize=256)
def _measured(
    path: Path, _version: object, mi: Any, height: int
) -> tuple[float, NDArray[np.float64]]:
    """The mean radiance of a file's panorama and its irradiance on the ground."""
    panorama = read_hdri(path, mi, height)
    return mean_radiance(panorama), ground_irradiance(panorama)


@lru_cache(maxsize=32)
def _coarse(env: EnvironmentSample, floor: tuple[float, ...], mi: Any) -> Float32Array:
    """A procedural environment at half the resolution, kept for when it is shown again.

    It is drawn whole: at another resolution chance would put other things into it.
    """
    return halved(environment(env, np.array(floor, np.float32), mi))


def _reading(irradiance: NDArray[np.float64]) -> float:
    """What an incident meter on the ground reads in that irradiance (3,)."""
    return float(luminance(irradiance.astype(np.float32))) / np.pi
