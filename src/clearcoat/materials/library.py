"""The material library: what manufactured products are made of.

Reflectances are linear sRGB. Sources: the `Filament material chart` is that of the renderer's
documentation (sRGB values converted); refractive indices are named with what they are of, and
docs/materials.md has the references; an `estimate` is a value chosen by eye within the physical
range. Values of a name never change: data sets are made with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.materials.glazing import GLAZING, LAMPS
from clearcoat.materials.interior import INTERIOR, OTHERS
from clearcoat.materials.material import Material
from clearcoat.materials.metals import METALS
from clearcoat.materials.paints import PAINTS
from clearcoat.materials.polymers import PLASTICS, RUBBERS

_ALL = PAINTS + METALS + GLAZING + LAMPS + PLASTICS + RUBBERS + INTERIOR + OTHERS

LIBRARY: Mapping[str, Material] = {material.name: material for material in _ALL}
"""Every library material by name."""


_FIXED = {"name", "source", "is_paint", "category", "file", "textures"}


def material(name: str, overrides: Mapping[str, object] | None = None) -> Material:
    """Return a library material, with some of its values replaced.

    Raises:
        SpecError: no such material, or a value that a material does not have.
    """
    if name not in LIBRARY:
        raise SpecError(f"no such material: {name!r}", do=did_you_mean(name, LIBRARY))
    chosen = LIBRARY[name]
    known = {field.name for field in fields(Material)} - _FIXED
    values: dict[str, object] = {}
    for key, value in (overrides or {}).items():
        if key not in known:
            raise SpecError(f"material {name!r} has no value {key!r}", do=did_you_mean(key, known))
        values[key] = tuple(value) if isinstance(value, list) else value
    return replace(chosen, **values)  # type: ignore[arg-type]
