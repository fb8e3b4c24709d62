"""Surfaces in a condition: what lies on a material, where, and which pixels show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.materials import Material
from clearcoat.product import Product
from clearcoat.product.textures import Textures
from clearcoat.render import condition_textures as textures
from clearcoat.render.bsdf import one_sided, principled
from clearcoat.render.moving import State
from clearcoat.render.patterns import frames
from clearcoat.render.stand_ins import bounds
from clearcoat.render.textures import with_textures
from clearcoat.scene import ConditionSample, SceneSample
from clearcoat.scene.conditions import KINDS, DirtSpec
from clearcoat.scene.sample import srgb_to_linear

FloatArray = NDArray[np.float64]
_PLUGINS = {
    "dirt": textures.DIRT,
    "wear": textures.WEAR,
    "scratches": textures.SCRATCHES,
    "water_drops": textures.DROPS,
}
_MIRROR = {"type": "roughconductor", "material": "none", "alpha": 0.02}


class Conditions:
    """The conditions that states of a product bring about.

    Each has one texture, which all surfaces that it may be on share; between images only numbers
    in it change. Surfaces that no state's parts have are built as if there were none.
    """

    def __init__(self, product: Product, states: Sequence[State], mi: Any) -> None:
        self.mi = mi
        self._states = sorted(
            (state for state in states if state.spec.condition is not None),
            key=lambda state: (list(KINDS).index(str(state.spec.kind)), state.name),
        )
        self._kinds = {state.name: str(state.spec.kind) for state in self._states}
        if self._states:
            textures.register(mi, mi.variant())
        self._sprays = {
            state.name: _sprays(product, state.spec.condition)
            for state in self._states
            if isinstance(state.spec.condition, DirtSpec)
        }
        self.textures: dict[str, Any] = {
            name: mi.load_dict({"type": _PLUGINS[kind]}) for name, kind in self._kinds.items()
        }
        self._layers = {s.name: self._layer(self._kinds[s.name]) for s in self._states}
        self._dull: list[tuple[str, bool, Any]] = []
        """State, whether it is painted, and parameters of every surface that has gone dull."""
        self._on: dict[str, tuple[str, ...]] = {}
        self._parts: set[tuple[str, int]] = set()
        self._shown: object = None

    def dressed(self, number: int, material: Material) -> Material:
        """Return the material of a part, told from others by the conditions it may be in."""
        names = tuple(
            state.name
            for state in self._states
            if number in state.parts and (state.spec.kind != "wear" or material.kind == "opaque")
        )
        self._parts.update((name, number) for name in names)
        if not names:
            return material
        name = f"{material.name} ({', '.join(names)})"
        self._on[name] = names
        return replace(material, name=name)

    def dressed_state(self, state: State) -> State:
        """Return a state whose stand-ins are in the conditions of the parts they stand in for."""
        dressed = {
            number: replace(
                stand_in, materials=tuple(self.dressed(number, m) for m in stand_in.materials)
            )
            for number, stand_in in state.stand_ins.items()
        }
        return replace(state, stand_ins=dressed)

    def build(self, material: Material) -> tuple[Any, Any] | None:
        """Return the BSDF of a dressed material and the clean one in it; None of any other."""
        names = self._on.get(material.name)
        if names is None:
            return None
        glass = material.kind == "thin_glass"
        clean = self.mi.load_dict(one_sided(material, self.mi))
        made = clean
        for name in names:
            made = self._on_top(name, made, material)
        return (made if glass else self.mi.load_dict({"type": "twosided", "bsdf": made})), clean

    def show(self, sample: SceneSample) -> None:
        """Put the surfaces in the conditions of a sample."""
        held = {s.name: s.condition for s in sample.states if s.condition is not None}
        for name, painted, values in self._dull:
            if name not in held:
                continue
            values["roughness.value"] = self.mi.Float(max(held[name].values["roughness"], 0.02))
            if painted:
                values["base_color.value"] = self.mi.Color3f(*sample.paint.color)
            values.update()
        if held == self._shown:
            return
        self._shown = held
        for name, texture in self.textures.items():
            condition = held.get(name)
            if condition is None:
                texture.show([0.0] * texture.count)
                continue
            texture.show(_values(condition, self._sprays.get(name)))
            if condition.color is not None:
                values = self.mi.traverse(self._layers[name])
                key = "reflectance.value" if condition.kind == "dirt" else "base_color.value"
                values[key] = self.mi.Color3f(*srgb_to_linear(condition.color))
                values.update()

    def masks(
        self, sample: SceneSample, scene: Any, ray: Any, parts: NDArray[np.uint16]
    ) -> dict[str, NDArray[np.bool_]]:
        """Return where, in a raster of parts, the conditions that hold cover what is seen.

        Args:
            sample: its conditions have been shown.
            scene: what is looked at.
            ray: one per pixel, row by row.
            parts: (H, W), as `Frame.parts`: what these rays meet.
        """
        held = [s.name for s in sample.states if s.name in self.textures]
        if not held:
            return {}
        si = scene.ray_intersect(ray)
        made = {}
        for name in held:
            cover = np.array(self.textures[name].eval_1(si)).reshape(parts.shape)
            may = np.zeros(int(parts.max()) + 1, bool)
            may[[n + 1 for who, n in self._parts if who == name and n + 1 < len(may)]] = True
            made[name] = (cover > 0.5) & may[parts]
        return made

    def _layer(self, kind: str) -> Any:
        """What a condition consists of, where that does not depend on what is below."""
        if kind == "dirt":
            gray = {"type": "rgb", "value": [0.2, 0.2, 0.2]}
            return self.mi.load_dict({"type": "diffuse", "reflectance": gray})
        if kind == "scratches":
            return self.mi.load_dict(principled(Material("scratch", "sampled", roughness=0.45)))
        return None

    def _on_top(self, name: str, below: Any, material: Material) -> Any:
        """Build a surface with a condition on top of what is below."""
        texture, layer = self.textures[name], self._layers[name]
        glass = material.kind == "thin_glass"
        kind, weight = self._kinds[name], texture
        if kind == "water_drops" and glass:
            layer = {"type": textures.WATER, "drops": texture}
        elif kind == "water_drops":
            # One blend does for drops and what is between them, where the lens is flat: two would
            # have all that is below compiled twice.
            weight = {"type": textures.FRESNEL, "drops": texture}
            below = _bent(textures.LENS, texture, below)
            layer = _bent(textures.BEAD, texture, _MIRROR)
        elif kind == "wear":
            layer = self.mi.load_dict(_without_gloss(material, self.mi))
            self._dull.append((name, material.is_paint, self.mi.traverse(layer)))
        elif glass:
            layer = {"type": "twosided", "bsdf": layer}
        return self.mi.load_dict(
            {"type": "blendbsdf", "weight": weight, "below": below, "above": layer}
        )


def _bent(normals: str, drops: Any, bsdf: Any) -> dict[str, Any]:
    """Describe a surface with its normals bent as a texture of drops says."""
    return {"type": "normalmap", "normalmap": {"type": normals, "drops": drops}, "bsdf": bsdf}


def _without_gloss(material: Material, mi: Any) -> dict[str, Any]:
    """Describe a surface without its gloss: its colours stay, those of a picture too."""
    kept = material.textures and Textures(base_color=material.textures.base_color)
    return with_textures(principled(replace(material, clearcoat=0.0)), kept, mi)


def _values(condition: ConditionSample, sprays: FloatArray | None) -> list[float]:
    """Return the numbers of a condition's texture, in the order that it has them."""
    drawn = condition.values
    turn = frames(condition.variation, 1).ravel()
    if condition.kind == "dirt":
        places = np.zeros((0, 3)) if sprays is None else sprays
        numbers = [1.0, drawn["dust"], drawn["mud"], drawn["height_m"], drawn["patch_m"], *turn]
        return [*numbers, *places.ravel()]
    if condition.kind == "wear":
        return [1.0, drawn["amount"], drawn["patch_m"], *turn]
    grids = textures.DROP_GRIDS if condition.kind == "water_drops" else textures.SCRATCH_GRIDS
    turns = frames(condition.variation, len(grids)).ravel()
    if condition.kind == "water_drops":
        return [drawn["amount"], drawn["diameter_mm"] / 1000, 0.0, *turns]
    return [drawn["amount"], drawn["length_m"], drawn["width_mm"] / 1000, *turns]


def _sprays(product: Product, spec: DirtSpec) -> FloatArray:
    """(4, 3): places behind which mud is thrown up; far away where there are fewer.

    Of the parts that are named and reach down to the ground, the middle of each corner's.
    """
    globs = (spec.thrown_by,) if isinstance(spec.thrown_by, str) else spec.thrown_by
    low, high = product.bounds_m
    middle = (low + high) / 2
    corners: dict[tuple[bool, bool], list[FloatArray]] = {}
    for part in product.parts:
        if not any(fnmatchcase(part.path.lower(), glob.lower()) for glob in globs):
            continue
        box = bounds([part.mesh])
        if box[0, 2] > low[2] + 0.15 * (high[2] - low[2]):
            continue
        center = box.mean(axis=0)
        corners.setdefault((center[0] > middle[0], center[1] > middle[1]), []).append(center)
    places = np.full((textures.SPRAYS, 3), 1e4)
    for place, (_, centers) in enumerate(sorted(corners.items())):
        places[place] = np.median(centers, axis=0)
    return places
