"""The light of a sample: its environment, its sun, and the exposure that a meter would set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import RenderError
from clearcoat.render.color import black_body
from clearcoat.render.environments import environment
from clearcoat.render.hdri import read_hdri
from clearcoat.render.panorama import add_sun, ground_irradiance, luminance, mean_radiance
from clearcoat.render.surfaces import mean_albedo
from clearcoat.scene import SceneSample

Float32Array = NDArray[np.float32]


def light(sample: SceneSample, hdri_folder: Path | None, mi: Any) -> Float32Array:
    """Return the environment with the sample's sun, scaled to a light meter's reading of 1."""
    env = sample.environment
    if env.kind == "hdri":
        if hdri_folder is None:
            raise RenderError("the sample names an HDRI but no folder is given", found=env.name)
        panorama = read_hdri(hdri_folder / env.name, mi)
    else:
        panorama = environment(env, mean_albedo(sample.backdrop), mi)
    if env.tunnel is not None and sample.backdrop.mode in {"grounded", "surface"}:
        # The tubes make up the rest of a meter's reading of 1.
        above = float(luminance(ground_irradiance(panorama).astype(np.float32))) / np.pi
        return panorama * np.float32(env.tunnel.ambient / max(above, 1e-9))
    panorama = panorama / np.float32(max(mean_radiance(panorama), 1e-9))
    if sample.sun is None or sample.sun.strength == 0:
        return _metered(panorama)
    rotation = np.array(env.rotation)
    towards_sun = rotation.T @ np.array(sample.sun.direction)
    level = float(ground_irradiance(panorama).mean())
    sunlight = sample.sun.strength * level * black_body(sample.sun.temperature_k)
    radius_deg = max(sample.sun.diameter_deg, 0.8) / 2
    return _metered(add_sun(panorama, towards_sun, sunlight, radius_deg=radius_deg))


def _metered(panorama: Float32Array) -> Float32Array:
    """Scale the light to 1 as an incident meter reads it on the product.

    The meter takes the brighter of the light from above and the light from all around: the
    roof of a white car under an open sky must not burn out.
    """
    above = float(luminance(ground_irradiance(panorama).astype(np.float32))) / np.pi
    return panorama / np.float32(max(above, mean_radiance(panorama), 1e-9))
