"""What is under and behind the product: what a spec may say, and what chance makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from clearcoat.errors import SpecError
from clearcoat.scene.distributions import (
    Distribution,
    draw,
    draw_weighted,
    some_weight,
    stream,
    uniform,
)
from clearcoat.spec import Model

BackdropMode = Literal["grounded", "surface", "skybox", "plain", "photo"]
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
    `plain`: one colour. `photo`: a photograph from `photo_folder`, and no ground."""
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
    photo_folder: Path | None = None
    """Folder of photographs (JPEG, PNG, WebP, TIFF, BMP) for the mode `photo`, relative to the
    spec. They are backdrop alone: none of their pixels gets a label."""
    photo_zoom: Distribution = uniform(1.0, 1.6)
    """What is shown of a photograph: at 1 the largest piece of the picture's proportions, at 2
    half of its width and height. Where the piece lies is random."""
    photo_defocus: Distribution = 0.0
    """Radius of the disc into which a lens focused on the product spreads a point of the
    photograph, in hundredths of the picture's width: 0 is as sharp as the photograph, 2 strong."""

    @model_validator(mode="after")
    def _photo_folder_given(self) -> BackdropSpec:
        if self.modes.get("photo", 0) > 0 and self.photo_folder is None:
            raise SpecError(
                "backdrop.modes uses photo, but there is no photo_folder",
                do="add backdrop.photo_folder, or remove photo from backdrop.modes",
            )
        return self


@dataclass(frozen=True)
class PhotoSample:
    """The photograph behind the product."""

    name: str
    """Its file in the folder of photographs."""
    zoom: float
    """1 or more: the largest piece of the picture's proportions over the piece that is shown."""
    place: tuple[float, float]
    """Where the piece lies in the photograph, 0 (left, top) to 1 (right, bottom)."""
    defocus: float
    """Radius of a point's disc, in hundredths of the picture's width."""


@dataclass(frozen=True)
class BackdropSample:
    """What is under and behind the product."""

    mode: str
    """grounded, surface, skybox, plain or photo."""
    albedo: float
    roughness: float
    variation: int
    """Seed of the pattern of the floor, or of the plain colour."""
    surface: str = "concrete"
    """Kind of the floor."""
    photo: PhotoSample | None = None
    """The photograph, where the mode is `photo`."""


def sample_backdrop(
    spec: BackdropSpec,
    mode: str,
    environment_kind: str,
    seed: int,
    index: int,
    photo_names: Sequence[str] = (),
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
        photo=_photo(spec, photo_names, seed, index) if mode == "photo" else None,
    )


def _photo(spec: BackdropSpec, names: Sequence[str], seed: int, index: int) -> PhotoSample:
    if not names:
        raise ValueError("the backdrop is a photograph, but the stage names none")
    place = stream(seed, index, "backdrop.photo_place").random(2)
    return PhotoSample(
        name=names[int(stream(seed, index, "backdrop.photo").integers(len(names)))],
        zoom=max(draw(spec.photo_zoom, seed, index, "backdrop.photo_zoom"), 1.0),
        place=(float(place[0]), float(place[1])),
        defocus=max(draw(spec.photo_defocus, seed, index, "backdrop.photo_defocus"), 0.0),
    )
