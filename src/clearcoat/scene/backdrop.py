"""What is under and behind the product: what a spec may say, and what chance makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator

from clearcoat.scene.distributions import Distribution, draw, draw_weighted, some_weight, stream
from clearcoat.spec import Model

BackdropMode = Literal["grounded", "surface", "skybox", "plain"]
SurfaceKind = Literal[
    "asphalt", "concrete", "gravel", "grass", "paving", "tiles", "epoxy", "seamless"
]

OUTDOORS: frozenset[str] = frozenset({"asphalt", "concrete", "gravel", "grass", "paving"})
INDOORS: frozenset[str] = frozenset({"concrete", "tiles", "epoxy"})
_OF_PLACE: Mapping[str, frozenset[str]] = {
    "sky": OUTDOORS,
    "hall": INDOORS,
    "tunnel": INDOORS,
    "studio": frozenset({"seamless"}),
}
# Ranges of diffuse reflectance and roughness. Reflectances: asphalt 0.05 fresh to 0.15 worn,
# concrete 0.2 to 0.4, grass 0.07 to 0.12 in the visible, as tables of visible albedo give them.
_NATURE: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "asphalt": ((0.05, 0.16), (0.65, 0.85)),
    "concrete": ((0.20, 0.42), (0.60, 0.80)),
    "gravel": ((0.16, 0.34), (0.85, 1.00)),
    "grass": ((0.06, 0.12), (0.90, 1.00)),
    "paving": ((0.18, 0.40), (0.60, 0.80)),
    "tiles": ((0.25, 0.60), (0.18, 0.40)),
    "epoxy": ((0.15, 0.50), (0.15, 0.35)),
    "seamless": ((0.05, 0.85), (0.45, 0.70)),
}


class BackdropSpec(Model):
    """What is seen behind and under the product."""

    modes: Annotated[dict[BackdropMode, float], AfterValidator(some_weight)] = {
        "grounded": 0.5,
        "surface": 0.2,
        "skybox": 0.3,
    }
    """How often each backdrop is used, as relative weights. `grounded`: the environment upright,
    its own ground under the product. `surface`: the environment upright, a floor of its own.
    `skybox`: the environment turned about all three axes and no ground (section III.C).
    `plain`: one colour."""
    surfaces: Annotated[dict[SurfaceKind, float], AfterValidator(some_weight)] = {
        "asphalt": 0.4,
        "concrete": 0.25,
        "paving": 0.15,
        "gravel": 0.1,
        "grass": 0.1,
        "tiles": 0.1,
        "epoxy": 0.3,
        "seamless": 0.3,
    }
    """How often the floor is of each kind, as relative weights, among those that the place has:
    a sky goes with asphalt, concrete, gravel, grass and paving, a hall with concrete, tiles and
    epoxy, a studio with a seamless backdrop. HDR environments and plain backdrops take any."""
    surface_albedo: Distribution | None = None
    """Diffuse reflectance of the floor; by default what such a surface has."""
    surface_roughness: Distribution | None = None
    """Roughness of the floor: low values mirror the product; by default as of such a surface."""


@dataclass(frozen=True)
class BackdropSample:
    """What is under and behind the product."""

    mode: str
    """grounded, surface, skybox or plain."""
    albedo: float
    roughness: float
    variation: int
    """Seed of the pattern of the floor, or of the plain colour."""
    surface: str = "concrete"
    """Kind of the floor."""


def sample_backdrop(
    spec: BackdropSpec, mode: str, environment_kind: str, seed: int, index: int
) -> BackdropSample:
    """Draw the floor and the backdrop of image `index`, whose mode and environment are drawn."""
    fitting = _OF_PLACE.get(environment_kind, frozenset(spec.surfaces))
    weights: dict[str, float] = {
        kind: w for kind, w in spec.surfaces.items() if kind in fitting and w > 0
    }
    surface = draw_weighted(
        stream(seed, index, "backdrop.surface"), weights or dict.fromkeys(fitting, 1.0)
    )
    ranges = dict(zip(("surface_albedo", "surface_roughness"), _NATURE[surface], strict=True))
    values = {}
    for key, (low, high) in ranges.items():
        asked = getattr(spec, key)
        name = f"backdrop.{key}"
        natural = low + (high - low) * float(stream(seed, index, name).random())
        values[key] = natural if asked is None else draw(asked, seed, index, name)
    return BackdropSample(
        mode=mode,
        albedo=values["surface_albedo"],
        roughness=values["surface_roughness"],
        variation=int(stream(seed, index, "backdrop.variation").integers(2**32)),
        surface=surface,
    )
