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
from clearcoat.materials.optics import METAL_SOURCES
from clearcoat.materials.paints import PAINTS
from clearcoat.materials.polymers import PLASTICS, RUBBERS

_ALL = PAINTS + METALS + GLAZING + LAMPS + PLASTICS + RUBBERS + INTERIOR + OTHERS

LIBRARY: Mapping[str, Material] = {material.name: material for material in _ALL}
"""Every library material by name."""


_FIXED = {"name", "source", "is_paint", "category", "file", "textures"}


def material(name: str, overrides: Mapping[str, object] | None = None) -> Material:
    """Return a library material, with some of its values replaced.

    Raises:
        SpecError: no such material, a value that a material does not have, or one of the wrong
            type or out of range, or an impossible film.
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
    made = replace(chosen, **values)  # type: ignore[arg-type]
    _check_values(made)
    _check_film(made)
    if made.is_paint:
        _check_paint(made, values)
    return made


_SHARE = (0.0, 1.0)
_KINDS = ("opaque", "thin_glass")
_NUMBERS = {
    **dict.fromkeys(("metallic", "roughness", "specular", "anisotropic", "sheen"), _SHARE),
    **dict.fromkeys(("clearcoat", "clearcoat_gloss", "thin_film_weight"), _SHARE),
    **dict.fromkeys(("ior", "thin_film_ior"), (1.0, 5.0)),
    "thin_film_thickness_nm": (0.0, 5000.0),
}
_COLORS = {"base_color": _SHARE, "tint": _SHARE, "emission": (0.0, 1e6)}


def _check_values(made: Material) -> None:
    for key, limits in _NUMBERS.items():
        _check_number(key, getattr(made, key), *limits)
    for key, limits in _COLORS.items():
        color = getattr(made, key)
        if not isinstance(color, tuple) or len(color) != 3:
            raise SpecError(f"{key} is no colour", found=repr(color)[:80], expected="three numbers")
        for value in color:
            _check_number(key, value, *limits)
    if made.kind not in _KINDS:
        raise SpecError(
            f"no such kind of material: {made.kind!r}", expected="one of " + ", ".join(_KINDS)
        )


def _check_number(key: str, value: object, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"{key} is no number", found=repr(value)[:80])
    if not least <= value <= most:
        raise SpecError(
            f"{key} is out of range", found=repr(value)[:80], expected=f"{least:g} to {most:g}"
        )


def _check_film(made: Material) -> None:
    below = made.thin_film_substrate
    if not isinstance(below, str):
        raise SpecError("thin_film_substrate is no name of a metal", found=repr(below)[:80])
    if below and below not in METAL_SOURCES:
        raise SpecError(
            f"no such metal: {below!r}",
            expected="one of " + ", ".join(METAL_SOURCES),
            do=did_you_mean(str(below), METAL_SOURCES),
        )
    if below and made.metallic == 0:
        raise SpecError(
            f"thin_film_substrate names a metal, but {made.name!r} is none",
            do="leave it out, or set metallic: 1",
        )


_SAMPLED = ("base_color", "metallic", "roughness")
"""What every image draws for the paint."""


def _check_paint(made: Material, values: Mapping[str, object]) -> None:
    """Refuse what the sampled paint overwrites or, as two layers, cannot have."""
    if made.has_film:
        raise SpecError(
            f"material {made.name!r} takes the sampled paint, which has no thin film",
            do="use one of the other paints, such as paint_interference_blue",
        )
    if drawn := [key for key in _SAMPLED if key in values]:
        raise SpecError(
            f"material {made.name!r} takes the sampled paint, which every image draws anew",
            found=", ".join(drawn),
            do="say it under `paint`, or use one of the other paints, such as paint_red",
        )
    if made.kind != "opaque" or made.clearcoat <= 0.5:
        raise SpecError(
            f"material {made.name!r} is a base coat under a clear coat",
            found=f"kind {made.kind}, clearcoat {made.clearcoat:g}",
            expected="kind opaque, clearcoat above 0.5",
            do="use another material, such as plastic_black, or one of the other paints",
        )
