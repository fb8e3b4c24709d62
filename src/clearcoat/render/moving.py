"""Meshes that move between blocks of images: parts of the product in a state, and occluders.

Topology never changes, so that no kernel is compiled anew: a mesh that is not there has all its
vertices in one point. See docs/decisions/0061-moving-geometry.md.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.materials import Material
from clearcoat.product import Mesh, Part, Product
from clearcoat.render import bsdf
from clearcoat.render.meshes import build_mesh, merge
from clearcoat.render.palette import Finish, finishes
from clearcoat.render.primitives import FACES, primitive
from clearcoat.render.stand_ins import StandIn, bounds
from clearcoat.scene import OccluderSample, OccluderSpec, SceneSample
from clearcoat.scene.states import StateSpec, placement

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class State:
    """One state of the product, with what it refers to."""

    name: str
    spec: StateSpec
    parts: frozenset[int]
    """Numbers of the parts that it changes."""
    stand_ins: Mapping[int, StandIn] = field(default_factory=dict)
    """Per part that it replaces, what is there instead."""


class Movable:
    """A Mitsuba mesh whose vertices follow a rigid or scaled motion of its rest position."""

    def __init__(self, mesh: Any, mi: Any) -> None:
        self.mesh, self.mi = mesh, mi
        self._values = mi.traverse(mesh)
        self._vertices = np.array(self._values["vertex_positions"]).reshape(-1, 3)
        normals = np.array(self._values["vertex_normals"])
        self._normals = normals.reshape(-1, 3) if len(normals) else None

    def place(self, rotation: FloatArray, shift: FloatArray) -> None:
        """Turn and shift the rest position; normals turn along."""
        self._set(self._vertices @ rotation.T + shift)
        if self._normals is not None:
            turned = (self._normals @ rotation.T).astype(np.float32)
            self._values["vertex_normals"] = self.mi.Float(turned.ravel())
        self._values.update()

    def shape(self, vertices: FloatArray, normals: FloatArray) -> None:
        """Give the mesh other vertices and normals, as many as it has."""
        self._set(vertices)
        self._values["vertex_normals"] = self.mi.Float(normals.astype(np.float32).ravel())
        self._values.update()

    def hide(self) -> None:
        """Take the mesh away."""
        self._set(np.full_like(self._vertices, 0.5))
        self._values.update()

    def touch(self) -> None:
        """Tell Mitsuba that the mesh has moved, for a scene that has not noticed yet."""
        changed = ["vertex_positions"]
        if self._normals is not None:
            # Unless they are named Mitsuba computes normals anew, and smooths what the file has.
            changed.append("vertex_normals")
        self.mesh.parameters_changed(changed)

    def _set(self, vertices: FloatArray) -> None:
        flat = np.ascontiguousarray(vertices, np.float32).ravel()
        self._values["vertex_positions"] = self.mi.Float(flat)


@dataclass(frozen=True, eq=False)
class _Variant:
    """The mesh of some parts, and the states that decide how it is."""

    movable: Movable
    states: tuple[State, ...]
    bounds_m: tuple[FloatArray, ...]
    """Per state, (2, 3): bounding box of all its parts on this side of the middle plane."""
    instead: State | None
    """It is shown only while this state holds; None: only while no state replaces it."""


class Variants:
    """The states of a product: which meshes they move, and how."""

    def __init__(
        self, product: Product, states: Sequence[State], made: Mapping[Material, Finish], mi: Any
    ) -> None:
        # What lies on a surface moves nothing.
        self._states = [state for state in states if state.spec.condition is None]
        self._product, self._finishes, self._mi = product, made, mi
        self._variants: list[_Variant] = []
        self._held: object = ()

    def apart(self) -> dict[int, tuple[tuple[str, ...], bool]]:
        """Per part that some state changes: the states' names, and whether it is on the left."""
        keys = {}
        for number, part in enumerate(self._product.parts):
            names = tuple(state.name for state in self._states if number in state.parts)
            if names:
                keys[number] = (names, _is_left(part.mesh))
        return keys

    def build(
        self,
        shapes: Sequence[Any],
        face_parts: Sequence[NDArray[np.uint32]],
        apart: Mapping[int, Hashable],
    ) -> tuple[list[Any], list[NDArray[np.uint32]], list[Material]]:
        """Take charge of the shapes that states move, which were merged by `apart`.

        Returns shapes to be added, those that stand in for others: whose their faces are, and a
        material of each. All of a shape emit alike, and all are glass or none.
        """
        moved = self.apart()
        for shape, owners in zip(shapes, face_parts, strict=True):
            number = int(owners[0]) - 1
            if number in moved:
                self._add(shape, number, None)
        extra_shapes: list[Any] = []
        extra_parts: list[NDArray[np.uint32]] = []
        extra_materials: list[Material] = []
        for state in self._states:
            fitted = [
                (number, Part(self._product.parts[number].path, mesh), material)
                for number, stand_in in sorted(state.stand_ins.items())
                for mesh, material in zip(stand_in.meshes, stand_in.materials, strict=True)
            ]
            numbers = [number for number, _, _ in fitted]
            materials = [material for _, _, material in fitted]
            made, owners_of = merge(
                Product(self._product.name, tuple(part for _, part, _ in fitted)),
                materials,
                self._finishes,
                self._mi,
                {
                    place: (apart[n], material.emission, material.kind)
                    for place, (n, _, material) in enumerate(fitted)
                },
            )
            renumber = np.array([0, *(n + 1 for n in numbers)], np.uint32)
            for shape, owners in zip(made, owners_of, strict=True):
                extra_shapes.append(shape)
                extra_parts.append(renumber[owners])
                extra_materials.append(materials[int(owners[0]) - 1])
                self._add(shape, int(extra_parts[-1][0]) - 1, state)
        for variant in self._variants:
            if variant.instead is not None:
                variant.movable.hide()
        return extra_shapes, extra_parts, extra_materials

    def pose(self, sample: SceneSample) -> bool:
        """Put everything where the sample's states want it; return whether anything moved."""
        held = {s.name: s.turn_deg for s in sample.states if s.condition is None}
        if held == self._held or (not held and not self._held):
            return False
        self._held = held
        for variant in self._variants:
            holding = [state for state in variant.states if state.name in held]
            replaced = [state for state in holding if state.stand_ins]
            # Of several replacements the first by name is the one that is made.
            shown = replaced[0] if replaced else None
            if any(state.spec.missing for state in holding) or shown is not variant.instead:
                variant.movable.hide()
                continue
            rotation, shift = np.eye(3), np.zeros(3)
            for state, bounds_m in zip(variant.states, variant.bounds_m, strict=True):
                if state.name in held and state.spec.turn_deg is not None:
                    turn, move = placement(state.spec.about, held[state.name], bounds_m)
                    rotation, shift = turn @ rotation, turn @ shift + move
            variant.movable.place(rotation, shift)
        return True

    @property
    def movables(self) -> list[Movable]:
        """The meshes that move."""
        return [variant.movable for variant in self._variants]

    def _add(self, shape: Any, number: int, instead: State | None) -> None:
        left = _is_left(self._product.parts[number].mesh)
        mine = tuple(state for state in self._states if number in state.parts)
        self._variants.append(
            _Variant(
                movable=Movable(shape, self._mi),
                states=mine,
                bounds_m=tuple(self._bounds(state, left) for state in mine),
                instead=instead,
            )
        )

    def _bounds(self, state: State, left: bool) -> FloatArray:
        meshes = [self._product.parts[n].mesh for n in state.parts]
        return bounds([mesh for mesh in meshes if _is_left(mesh) == left])


class Occluders:
    """Objects that stand around the product: a fixed number of meshes, moved and hidden."""

    def __init__(
        self,
        spec: OccluderSpec,
        models: Sequence[tuple[Product, Sequence[Material]]],
        mi: Any,
    ) -> None:
        self._mi = mi
        self._models = bool(models)
        self.shapes: list[Any] = []
        self._slots: list[list[Movable]] = []
        self._surfaces: list[Any] = []
        self._placed: tuple[OccluderSample, ...] = ()
        for slot in range(spec.most):
            made = _model(*models[slot % len(models)], mi) if models else self._blank(slot)
            self.shapes += made
            self._slots.append([Movable(shape, mi) for shape in made])
        for movable in self.movables:
            movable.hide()

    @property
    def movables(self) -> list[Movable]:
        """The meshes that move."""
        return [movable for slot in self._slots for movable in slot]

    def pose(self, sample: SceneSample) -> bool:
        """Place the sample's objects and hide all others; return whether anything moved."""
        if sample.occluders == self._placed:
            return False
        self._placed = sample.occluders
        there = {one.slot: one for one in sample.occluders}
        for slot, movables in enumerate(self._slots):
            one = there.get(slot)
            if one is None:
                for movable in movables:
                    movable.hide()
                continue
            rotation, center = np.array(one.rotation), np.array(one.center_m)
            if self._models:
                for movable in movables:
                    movable.place(rotation * max(one.half_m), center)
                continue
            vertices, normals = primitive(one.shape, one.half_m)
            movables[0].shape(vertices @ rotation.T + center, normals @ rotation.T)
            surface = self._surfaces[slot]
            surface["brdf_0.base_color.value"] = self._mi.Color3f(*one.color)
            surface["brdf_0.metallic.value"] = self._mi.Float(one.metallic)
            surface["brdf_0.roughness.value"] = self._mi.Float(max(one.roughness, 0.02))
            surface.update()
        return True

    def _blank(self, slot: int) -> list[Any]:
        surface = self._mi.load_dict(bsdf.describe(Material(f"occluder_{slot}", "sampled")))
        self._surfaces.append(self._mi.traverse(surface))
        vertices, normals = primitive("ball", (1.0, 1.0, 1.0))
        return [_plain_mesh(f"occluder_{slot}", vertices, normals, surface, self._mi)]


def _plain_mesh(name: str, vertices: FloatArray, normals: FloatArray, surface: Any, mi: Any) -> Any:
    mesh = Mesh(vertices.astype(np.float32), FACES, normals.astype(np.float32))
    return build_mesh(name, [mesh], surface, mi)


def _model(product: Product, materials: Sequence[Material], mi: Any) -> list[Any]:
    """Meshes of a model whose largest half extent is 1 and whose lowest point is at z = -1."""
    low, high = product.bounds_m
    half = float((high - low).max()) / 2
    middle = np.array([*((low + high) / 2)[:2], low[2] + half])
    parts = tuple(
        replace(
            part,
            mesh=replace(
                part.mesh, vertices=((part.mesh.vertices - middle) / half).astype(np.float32)
            ),
        )
        for part in product.parts
    )
    return merge(Product(product.name, parts), materials, finishes(materials, mi), mi)[0]


def _is_left(mesh: Mesh) -> bool:
    """Whether a part lies on the product's left; in the middle counts as left."""
    middle = float(mesh.vertices[:, 1].min() + mesh.vertices[:, 1].max()) / 2
    return middle >= -1e-3
