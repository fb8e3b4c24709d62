"""What a spec may say about camera, light, backdrop and paint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from clearcoat.errors import SpecError
from clearcoat.scene.camera import CameraSpec
from clearcoat.scene.distributions import Distribution, normal, uniform
from clearcoat.spec import Model

EnvironmentKind = Literal["hdri", "sky", "studio", "busy"]
BackdropMode = Literal["grounded", "surface", "skybox", "plain"]


def _some_weight(weights: dict[str, float]) -> dict[str, float]:
    if any(weight < 0 for weight in weights.values()) or sum(weights.values()) <= 0:
        raise SpecError(
            "weights must not be negative, and at least one must be above zero", found=weights
        )
    return weights


class SunSpec(Model):
    """One light source of varying position (section III.C)."""

    probability: Annotated[float, Field(ge=0, le=1)] = 0.4
    """Share of the images that have a sun of their own besides the environment's light."""
    azimuth_deg: Distribution = uniform(0, 360)
    """Direction to the sun: 0 in front of the product, 90 on its left."""
    elevation_deg: Distribution = uniform(10, 75)
    """Height of the sun above the horizon."""
    strength: Distribution = uniform(0.5, 3.0)
    """Irradiance of the sun on a plane facing it, as a multiple of the environment's own on the
    ground."""


class LightSpec(Model):
    """Image-based light and the sun."""

    environments: Annotated[dict[EnvironmentKind, float], AfterValidator(_some_weight)] = {
        "sky": 0.5,
        "studio": 0.2,
        "busy": 0.3,
    }
    """How often each kind of environment lights the product, as relative weights. `hdri` needs
    `hdri_folder`; `sky`, `studio` and `busy` are procedural."""
    hdri_folder: Path | None = None
    """A folder of equirectangular Radiance (.hdr) or OpenEXR (.exr) files, relative to the spec."""
    sun: SunSpec = SunSpec()
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


class BackdropSpec(Model):
    """What is seen behind and under the product."""

    modes: Annotated[dict[BackdropMode, float], AfterValidator(_some_weight)] = {
        "grounded": 0.5,
        "surface": 0.2,
        "skybox": 0.3,
    }
    """How often each backdrop is used, as relative weights. `grounded`: the environment upright,
    its own ground under the product. `surface`: the environment upright, a plain floor.
    `skybox`: the environment turned about all three axes and no ground (section III.C).
    `plain`: one colour."""
    surface_albedo: Distribution = uniform(0.05, 0.5)
    """Diffuse reflectance of the plain floor."""
    surface_roughness: Distribution = uniform(0.2, 0.8)
    """Roughness of the plain floor: low values mirror the product."""


class PaintSpec(Model):
    """Exterior paint: a colour from a list, under a clear coat."""

    colors: dict[str, float] = {
        "#f4f4f2": 3.0,
        "#c9cbcc": 2.0,
        "#8a8d90": 1.5,
        "#4b4e52": 1.0,
        "#101113": 2.0,
        "#7d1016": 0.7,
        "#b01c1c": 0.5,
        "#16305c": 0.7,
        "#5b7fa3": 0.3,
        "#1f4030": 0.2,
        "#b89b6a": 0.2,
        "#d9a514": 0.15,
        "#c2521c": 0.15,
    }
    """sRGB colours as #rrggbb, with relative weights. A list means equal weights."""
    metallic: Distribution = uniform(0.0, 0.7)
    """Share of metal flake in the base coat: 0 is a solid colour."""
    roughness: Distribution = uniform(0.25, 0.5)
    """Roughness of the base coat under the clear coat."""

    @field_validator("colors", mode="before")
    @classmethod
    def _list_means_equal(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            return {str(color): 1.0 for color in value}
        return value

    @field_validator("colors")
    @classmethod
    def _hex(cls, value: Mapping[str, float]) -> dict[str, float]:
        for color in value:
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
                raise SpecError(
                    "not a colour", found=repr(color), expected="#rrggbb (quote it in YAML)"
                )
        return _some_weight(dict(value))


class SceneModel(Model):
    """Everything that is sampled anew for each image."""

    camera: CameraSpec = CameraSpec()
    light: LightSpec = LightSpec()
    backdrop: BackdropSpec = BackdropSpec()
    paint: PaintSpec = PaintSpec()
