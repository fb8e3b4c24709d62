"""What is under and behind the product: textures of the ground, plain colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.ground import HALF_WIDTH_M, GroundLook, Lines, positions
from clearcoat.render.panorama import ground_albedo
from clearcoat.render.surfaces import coarse_map, surface
from clearcoat.scene import BackdropSample, SceneSample

Float32Array = NDArray[np.float32]

# HDR panoramas are shot at about a standing person's eye height.
_EYE_HEIGHT_M = 1.6
# A panorama's own ground soon shows what stands on it, smeared outwards; a floor may go on.
_PROJECTED_ENDS_M = (7.0, 18.0)
_FLOOR_ENDS_M = (8.0, 22.0)
_PLACE_ENDS_M = (25.0, 60.0)


def ground(panorama: Float32Array, sample: SceneSample, mi: Any) -> GroundLook:
    """Return what the ground of a sample shows: a texel a side for every row of the panorama."""
    backdrop, environment = sample.backdrop, sample.environment
    rng = np.random.default_rng([backdrop.variation, 2])
    angle = float(rng.uniform(0, 2 * np.pi))
    if backdrop.mode == "grounded" and environment.kind in {"hdri", "busy"}:
        # The panorama shows the ground at arm's length; a fine pattern stands in for the rest.
        grain = surface("asphalt")
        return GroundLook(
            coarse=_from_panorama(panorama, sample, mi),
            pattern=grain.pattern,
            period_m=grain.period_m,
            contrast=0.35,
            angle_rad=angle,
            roughness=0.7,
            ends_m=_PROJECTED_ENDS_M,
        )
    floor = surface(backdrop.surface)
    return GroundLook(
        coarse=coarse_map(backdrop, len(panorama)),
        pattern=floor.pattern,
        period_m=floor.period_m,
        contrast=1.0,
        angle_rad=0.0 if backdrop.surface in {"paving", "tiles", "concrete"} else angle,
        roughness=max(backdrop.roughness, 0.05),
        ends_m=_FLOOR_ENDS_M if environment.kind in {"hdri", "busy"} else _PLACE_ENDS_M,
        lines=_lines(backdrop, rng),
    )


def plain_color(sample: SceneSample) -> Float32Array:
    """One backdrop colour: mostly white or black as in cut-outs, sometimes a tint."""
    rng = np.random.default_rng(sample.backdrop.variation)
    kind = rng.random()
    if kind < 0.5:
        return np.full(3, rng.uniform(0.9, 4.0), np.float32)
    if kind < 0.75:
        return np.full(3, rng.uniform(0.0, 0.05), np.float32)
    return rng.uniform(0.02, 1.0, 3).astype(np.float32)


def _lines(backdrop: BackdropSample, rng: np.random.Generator) -> Lines | None:
    """Draw the lines of a car park, a road or a hall, where the floor may have some."""
    if backdrop.surface not in {"asphalt", "epoxy", "concrete"}:
        return None
    if rng.random() > {"asphalt": 0.65, "epoxy": 0.5, "concrete": 0.2}[backdrop.surface]:
        return None
    white = float(rng.uniform(0.5, 0.8))
    color = (white, white, white * 0.97)
    if backdrop.surface == "epoxy" or rng.random() < 0.15:
        color = (0.75, 0.48, 0.03)
    bays = rng.random() < 0.6
    return Lines(
        angle_rad=float(rng.normal(0, 0.04) if bays else rng.uniform(0, np.pi)),
        offset_m=(float(rng.normal(0, 0.5)), float(rng.uniform(-0.3, 0.3))),
        spacing_m=float(rng.uniform(2.4, 3.0) if bays else rng.uniform(3.2, 6.0)),
        width_m=float(rng.uniform(0.08, 0.15)),
        dash_m=0.0 if bays or rng.random() < 0.5 else float(rng.uniform(3, 9)),
        reach_m=float(rng.uniform(2.5, 3.2)) if bays else 2 * HALF_WIDTH_M,
        color=color,
        wear=float(rng.uniform(0.0, 0.75)),
    )


def _from_panorama(panorama: Float32Array, sample: SceneSample, mi: Any) -> Float32Array:
    axis = positions(len(panorama))
    x, y = np.meshgrid(axis, axis)
    # The environment's frame is turned about the vertical; its ground turns along.
    place = np.stack([x, y], axis=-1) @ np.array(sample.environment.rotation, np.float32)[:2, :2]
    return ground_albedo(panorama, place, mi, eye_height_m=_EYE_HEIGHT_M)
