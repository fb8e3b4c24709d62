"""What a spec's states and occluders refer to: parts, materials, files."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.materials import LIBRARY, Material, material
from clearcoat.product import Product, ProductSpec, load_file_product
from clearcoat.render import State
from clearcoat.render import resolve_materials as complete_materials
from clearcoat.scene import OccluderSpec, StateSpec
from clearcoat.spec.document import Document


def states(specs: Mapping[str, StateSpec], product: Product) -> tuple[State, ...]:
    """Return the states of a product, sorted by name, with the parts that they change."""
    return tuple(
        State(
            name=name,
            spec=spec,
            parts=frozenset(
                number
                for number, part in enumerate(product.parts)
                if any(fnmatchcase(part.path, glob) for glob in spec.globs)
            ),
            material=None if spec.material is None else material(spec.material),
        )
        for name, spec in sorted(specs.items())
    )


def check_states(specs: Mapping[str, StateSpec], product: Product, document: Document) -> None:
    """Raise SpecError where a state matches no part or names no material of the library."""
    for name, spec in specs.items():
        for glob in spec.globs:
            if not any(fnmatchcase(part.path, glob) for part in product.parts):
                raise SpecError(
                    f"state {name!r} matches no part: {glob!r}",
                    where=document.where(("states", name, "parts")),
                    do=did_you_mean(glob, [part.path for part in product.parts]),
                )
        if spec.material is not None and spec.material not in LIBRARY:
            raise SpecError(
                f"no such material: {spec.material!r}",
                where=document.where(("states", name, "material")),
                do=did_you_mean(spec.material, LIBRARY),
            )


def occluder_models(
    spec: OccluderSpec, base: Path
) -> tuple[tuple[Product, tuple[Material, ...]], ...]:
    """Load the models that stand around the product; files are relative to `base`.

    Raises:
        ProductError: a file cannot be read.
    """
    loaded = []
    for file in spec.models:
        product = load_file_product(ProductSpec(file=file), base, where=lambda _: "occluders")
        loaded.append((product, complete_materials(product, [None] * len(product.parts), LIBRARY)))
    return tuple(loaded)
