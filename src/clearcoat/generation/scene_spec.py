"""The whole scene spec, composed of what each package needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import model_validator

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.generation.labels import LabelSpec
from clearcoat.generation.randomisation import Randomisation, with_preset
from clearcoat.product import (
    ClassRules,
    MaterialRule,
    PartPattern,
    ProductSpec,
    check_groups,
)
from clearcoat.render import RenderSettings
from clearcoat.render.sensor import SensorSpec
from clearcoat.scene import SceneModel
from clearcoat.scene.distributions import KINDS
from clearcoat.spec import load


class SceneSpec(SceneModel):
    """One YAML file: a product, what its parts are, and how its pictures vary."""

    randomisation: Randomisation | None = None
    """Where what the spec does not say about camera, light, backdrop, paint and sensor comes from:
    `full`, `structured` or `hybrid` (as in the paper). Without it, from the defaults."""
    product: ProductSpec
    """Which product, and how its file is to be read."""
    groups: dict[str, tuple[PartPattern, ...]] = {}
    """Patterns under a name, to which several rules refer by `group: name`. A pattern is a glob on
    part paths, or a mapping of conditions; one of them must match."""
    classes: ClassRules
    """The classes and the rules that give them to parts."""
    labels: LabelSpec = LabelSpec()
    """How pixels are labelled."""
    materials: tuple[MaterialRule, ...] = ()
    """Rules that give parts a material of the library; the first match of the
    highest priority wins. Parts without a match
    keep the library material that their own material is named after, else the file's values."""
    render: RenderSettings = RenderSettings()
    """How the pictures are computed."""
    sensor: SensorSpec | None = None
    """The sensor that takes the pictures: its noise, mosaic and file. Without it, none."""

    @model_validator(mode="before")
    @classmethod
    def _on_preset(cls, data: Any) -> Any:
        return with_preset(data) if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _classes_known(self) -> SceneSpec:
        for key, name in (
            *(("see_through", name) for name in self.labels.see_through),
            *(("objects", name) for name in self.labels.objects),
            *(("least_share", name) for name in self.labels.least_share or ()),
        ):
            if name not in self.classes.names:
                raise SpecError(
                    f"labels.{key} names class {name!r}, which is not under classes.names",
                    key=("labels", key),
                    do=did_you_mean(name, self.classes.names),
                )
        for state, spec in self.states.items():
            if spec.also is not None and spec.also not in self.classes.names:
                raise SpecError(
                    f"state {state!r} gives class {spec.also!r}, which is not under classes.names",
                    do=did_you_mean(spec.also, self.classes.names),
                )
        return self

    @model_validator(mode="after")
    def _groups_known(self) -> SceneSpec:
        check_groups(self.classes.rules, self.groups, "class rule", ("classes", "rules"))
        check_groups(self.materials, self.groups, "material rule", ("materials",))
        return self


def load_scene_spec(path: Path) -> SceneSpec:
    """Read a scene spec.

    Raises:
        SpecError: the file is missing or says something that a spec cannot say.
    """
    return load(path, SceneSpec, alternatives=KINDS)
