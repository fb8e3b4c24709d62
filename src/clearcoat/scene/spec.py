"""What a spec may say about camera, light, backdrop and paint."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from clearcoat.scene.backdrop import BackdropSpec
from clearcoat.scene.camera import CameraSpec
from clearcoat.scene.colors import ColorSpec
from clearcoat.scene.distributions import Distribution, uniform
from clearcoat.scene.joint import Joint
from clearcoat.scene.joint import check as check_joints
from clearcoat.scene.light import LightSpec
from clearcoat.scene.occluders import OccluderSpec
from clearcoat.scene.states import StateSpec
from clearcoat.spec import Model


class PaintSpec(ColorSpec):
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
    roughness: Distribution = uniform(0.35, 0.6)
    """Roughness of the base coat under the clear coat."""


class SceneModel(Model):
    """Everything that is sampled anew for each image."""

    camera: CameraSpec = CameraSpec()
    light: LightSpec = LightSpec()
    backdrop: BackdropSpec = BackdropSpec()
    paint: PaintSpec = PaintSpec()
    joint: tuple[Joint, ...] = ()
    """Groups of quantities that are drawn together, in place of what they say on their own."""
    occluders: OccluderSpec = OccluderSpec()
    """Things around the product that hide some of it; none by default."""
    states: dict[str, StateSpec] = {}
    """Variants of the product, by names of your choice."""
    block: Annotated[int, Field(ge=1, le=4096)] = 8
    """How many images in a row share their occluders and states. Moving geometry rebuilds the
    structure that rays are traced in, which takes up to two seconds for a million triangles."""

    @model_validator(mode="after")
    def _joint_known(self) -> SceneModel:
        check_joints(self, self.joint)
        return self
