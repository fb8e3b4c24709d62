"""What a spec's states and occluders refer to: parts, materials, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.materials import LIBRARY, Material, material
from clearcoat.product import ClassMap, Product, ProductSpec, load_file_product
from clearcoat.render import StandIn, State, fit
from clearcoat.render import resolve_materials as complete_materials
from clearcoat.scene import OccluderSpec, SceneSample, StateSpec
from clearcoat.spec.document import Document

Models = Mapping[str, tuple[Product, tuple[Material, ...]]]
"""Per name of a state that fits parts of a file: the file's parts that it fits, and of what."""


def states(
    specs: Mapping[str, StateSpec],
    product: Product,
    materials: Sequence[Material],
    models: Models,
) -> tuple[State, ...]:
    """Return the states of a product, sorted by name, with the parts that they change."""
    made = []
    for name, spec in sorted(specs.items()):
        parts = matching(product, *spec.globs)
        if spec.wear is not None:
            # The renderer wears nothing else; a state of glass alone shows nothing.
            parts = [number for number in parts if materials[number].kind == "opaque"]
        made.append(
            State(
                name=name,
                spec=spec,
                parts=frozenset(parts),
                stand_ins=_stand_ins(spec, parts, product, materials, models.get(name)),
            )
        )
    return tuple(made)


def matching(product: Product, *globs: str) -> list[int]:
    """Return the numbers of the parts that one of the globs matches, in the order of paths."""
    found = [
        number
        for number, part in enumerate(product.parts)
        if any(fnmatchcase(part.path, glob) for glob in globs)
    ]
    return sorted(found, key=lambda number: product.parts[number].path)


def shows(state: State) -> bool:
    """Whether the product has what a state changes."""
    return bool(state.parts) and (state.spec.replacement is None or bool(state.stand_ins))


def in_effect(states: Sequence[State], drawn: SceneSample) -> dict[str, frozenset[int]]:
    """Return the states that one image shows, with the parts on which it shows them.

    Of several that put something else in a part's place, the first by name is made; on a missing
    part no other state is seen.
    """
    names = {state.name for state in drawn.states}
    held = [state for state in states if state.name in names and shows(state)]
    missing = frozenset[int]().union(*(state.parts for state in held if state.spec.missing))
    found = {}
    replaced: frozenset[int] = frozenset()
    for state in held:
        parts = state.parts if state.spec.missing else state.parts - missing
        if state.stand_ins:
            parts -= replaced
        if state.stand_ins:
            replaced |= state.parts
        if parts:
            found[state.name] = parts
    return found


def held_classes(
    classes: ClassMap,
    part_ids: NDArray[np.uint16] | None,
    states: Sequence[State],
    drawn: SceneSample,
) -> ClassMap:
    """Return the classes of the catalogue's parts in one image, with those that states add (`is`).

    `states` are those of the product in the image, whose parts `part_ids` numbers as the catalogue
    does; None where it is the catalogue. Parts that are ignored stay so.
    """
    of_part = list(classes.of_part)
    shown = in_effect(states, drawn)
    for state in states:
        if state.name not in shown or state.spec.also is None or state.spec.condition is not None:
            continue
        added = frozenset({classes.names.index(state.spec.also)})
        for part in shown[state.name]:
            number = part if part_ids is None else int(part_ids[part + 1]) - 1
            members = of_part[number]
            of_part[number] = None if members is None else members | added
    return replace(classes, of_part=tuple(of_part))


def marks(classes: ClassMap, specs: Mapping[str, StateSpec]) -> dict[str, int]:
    """Return the classes that conditions of the surface give to what they cover."""
    return {
        name: classes.names.index(spec.also)
        for name, spec in specs.items()
        if spec.also is not None and spec.condition is not None
    }


def _stand_ins(
    spec: StateSpec,
    parts: Sequence[int],
    product: Product,
    materials: Sequence[Material],
    model: tuple[Product, tuple[Material, ...]] | None,
) -> dict[int, StandIn]:
    if spec.material is not None:
        other = material(spec.material)
        return {n: StandIn((product.parts[n].mesh,), (other,)) for n in parts}
    how = spec.replacement
    if how is None:
        return {}
    if model is not None:
        meshes = [part.mesh for part in model[0].parts]
        return {n: StandIn(fit(meshes, product.parts[n].mesh, how), model[1]) for n in parts}
    others = parts if spec.mirrored is not None else matching(product, how.parts)
    # A vehicle of a family may lack what the catalogue has: then nothing is replaced.
    return {
        n: StandIn(
            fit([product.parts[other].mesh], product.parts[n].mesh, how), (materials[other],)
        )
        for n, other in zip(parts, cycle(others), strict=False)
    }


def check_states(specs: Mapping[str, StateSpec], product: Product, document: Document) -> None:
    """Raise SpecError where a state matches no part or names no material of the library."""
    for name, spec in specs.items():
        for glob in spec.globs:
            _match_some(f"state {name!r}", glob, product, document.where(("states", name, "parts")))
        if spec.replaced_by is not None and spec.replaced_by.file is None:
            where = document.where(("states", name, "replaced_by"))
            _match_some(f"`replaced_by` of {name!r}", spec.replaced_by.parts, product, where)
        if spec.material is not None and spec.material not in LIBRARY:
            raise SpecError(
                f"no such material: {spec.material!r}",
                where=document.where(("states", name, "material")),
                do=did_you_mean(spec.material, LIBRARY),
            )


def state_models(specs: Mapping[str, StateSpec], base: Path, document: Document) -> Models:
    """Load the files whose parts states fit; files are relative to `base`.

    Raises:
        ProductError: a file cannot be read.
        SpecError: none of a file's parts is to be fitted.
    """
    loaded: dict[str, tuple[Product, tuple[Material, ...]]] = {}
    for name, spec in sorted(specs.items()):
        if spec.replaced_by is None or spec.replaced_by.file is None:
            continue
        where = document.where(("states", name, "replaced_by"))
        every = _model(spec.replaced_by.file, base, where)
        glob = spec.replaced_by.parts
        _match_some(f"`replaced_by` of {name!r}", glob, every, where)
        kept = [every.parts[number] for number in matching(every, glob)]
        product = replace(every, parts=tuple(kept))
        loaded[name] = product, complete_materials(product, [None] * len(kept), LIBRARY)
    return loaded


def occluder_models(
    spec: OccluderSpec, base: Path
) -> tuple[tuple[Product, tuple[Material, ...]], ...]:
    """Load the models that stand around the product; files are relative to `base`.

    Raises:
        ProductError: a file cannot be read.
    """
    loaded = []
    for file in spec.models:
        product = _model(file, base, "occluders")
        loaded.append((product, complete_materials(product, [None] * len(product.parts), LIBRARY)))
    return tuple(loaded)


def _model(file: Path, base: Path, where: str) -> Product:
    return load_file_product(ProductSpec(file=file), base, where=lambda _: where)


def _match_some(what: str, glob: str, product: Product, where: str) -> None:
    if not matching(product, glob):
        raise SpecError(
            f"{what} matches no part: {glob!r}",
            where=where,
            do=did_you_mean(glob, [part.path for part in product.parts]),
        )
