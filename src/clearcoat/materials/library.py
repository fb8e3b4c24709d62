"""The material library: what manufactured products are made of.

Reflectances are linear sRGB. Sources: `chart` is the material chart of the Filament renderer's
documentation (sRGB values converted); `glass` the refractive index 1.52 of soda-lime glass at
588 nm; `estimate` a value chosen by eye within the physical range named there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.materials.material import Material

_CHART = "Filament material chart"
_GLASS = "soda-lime glass, n = 1.52 at 588 nm; tint: ECE R43 asks for 70 % or more in front"
_ESTIMATE = "estimate"

_ALL = (
    Material(
        "paint",
        "two-layer car paint; clear coat n = 1.5 (polyurethane)",
        base_color=(0.4, 0.4, 0.4),
        metallic=0.3,
        roughness=0.35,
        clearcoat=1.0,
        clearcoat_gloss=0.98,
        is_paint=True,
    ),
    Material(
        "paint_black",
        "estimate; clear coat n = 1.5 (polyurethane)",
        base_color=(0.006, 0.006, 0.007),
        roughness=0.4,
        clearcoat=1.0,
        clearcoat_gloss=0.98,
    ),
    Material("glass", _GLASS, kind="thin_glass", tint=(0.88, 0.92, 0.90)),
    Material("glass_tinted", _GLASS, kind="thin_glass", tint=(0.38, 0.42, 0.40)),
    Material("glass_privacy", _GLASS, kind="thin_glass", tint=(0.10, 0.11, 0.11)),
    Material(
        "tyre_rubber", _CHART + " (rubber, darkened by carbon black)",
        base_color=(0.022, 0.022, 0.022), roughness=0.75, specular=0.35,
    ),
    Material("rubber", _CHART, base_color=(0.035, 0.035, 0.035), roughness=0.65),
    Material("seal_rubber", _ESTIMATE, base_color=(0.012, 0.012, 0.012), roughness=0.6),
    Material("chrome", _CHART, base_color=(0.55, 0.556, 0.554), metallic=1.0, roughness=0.06),
    Material("aluminium", _CHART, base_color=(0.905, 0.913, 0.913), metallic=1.0, roughness=0.3),
    Material(
        "rim_alloy", _CHART + " (aluminium, lacquered)", base_color=(0.66, 0.67, 0.68),
        metallic=1.0, roughness=0.28, clearcoat=0.6, clearcoat_gloss=0.95,
    ),
    Material("steel", _CHART + " (iron)", base_color=(0.527, 0.509, 0.491), metallic=1.0,
             roughness=0.35),
    Material("brake_disc", _CHART + " (iron, turned)", base_color=(0.40, 0.39, 0.38), metallic=1.0,
             roughness=0.4, anisotropic=0.6),
    Material("plastic_black", _ESTIMATE, base_color=(0.020, 0.020, 0.021), roughness=0.55),
    Material("plastic_black_gloss", _ESTIMATE, base_color=(0.010, 0.010, 0.010), roughness=0.12),
    Material("plastic_grey", _ESTIMATE, base_color=(0.18, 0.18, 0.18), roughness=0.5),
    Material("plastic_white", _ESTIMATE, base_color=(0.75, 0.75, 0.73), roughness=0.35),
    Material("grille", _ESTIMATE, base_color=(0.012, 0.012, 0.013), roughness=0.4),
    Material("underbody", _ESTIMATE, base_color=(0.015, 0.015, 0.015), roughness=0.9),
    Material("carbon_fibre", "estimate; clear coat n = 1.5", base_color=(0.018, 0.018, 0.02),
             roughness=0.35, clearcoat=1.0, clearcoat_gloss=0.97),
    Material("lamp_lens_clear", "polycarbonate, n = 1.585 at 588 nm", kind="thin_glass", ior=1.585,
             tint=(0.95, 0.95, 0.95)),
    Material("lamp_lens_red", "polycarbonate, n = 1.585; tint estimated", kind="thin_glass",
             ior=1.585, tint=(0.62, 0.015, 0.012)),
    Material("lamp_lens_amber", "polycarbonate, n = 1.585; tint estimated", kind="thin_glass",
             ior=1.585, tint=(0.80, 0.26, 0.012)),
    Material("lamp_red", "estimate: red lens over a white body", base_color=(0.33, 0.010, 0.008),
             roughness=0.12, clearcoat=1.0, clearcoat_gloss=0.99),
    Material("lamp_reflector", "vapour-deposited aluminium", base_color=(0.86, 0.87, 0.87),
             metallic=1.0, roughness=0.12),
    Material("mirror_glass", "silvered float glass", base_color=(0.86, 0.87, 0.86), metallic=1.0,
             roughness=0.02),
    Material("number_plate", "retroreflective sheeting, diffuse part estimated",
             base_color=(0.72, 0.72, 0.70), roughness=0.45),
    Material("interior_fabric", _ESTIMATE, base_color=(0.05, 0.05, 0.052), roughness=0.95,
             sheen=0.4),
    Material("interior_plastic", _ESTIMATE, base_color=(0.035, 0.035, 0.036), roughness=0.7),
    Material("leather_black", _ESTIMATE, base_color=(0.02, 0.019, 0.018), roughness=0.5),
    Material("leather_beige", _ESTIMATE, base_color=(0.42, 0.33, 0.24), roughness=0.5),
    Material("concrete", _CHART, base_color=(0.52, 0.515, 0.50), roughness=0.9),
)  # fmt: skip

LIBRARY: Mapping[str, Material] = {material.name: material for material in _ALL}
"""Every library material by name."""


def material(name: str, overrides: Mapping[str, object] | None = None) -> Material:
    """Return a library material, with some of its values replaced.

    Raises:
        SpecError: no such material, or a value that a material does not have.
    """
    if name not in LIBRARY:
        raise SpecError(f"no such material: {name!r}", do=did_you_mean(name, LIBRARY))
    chosen = LIBRARY[name]
    known = {field.name for field in fields(Material)} - {"name", "source", "is_paint"}
    values: dict[str, object] = {}
    for key, value in (overrides or {}).items():
        if key not in known:
            raise SpecError(f"material {name!r} has no value {key!r}", do=did_you_mean(key, known))
        values[key] = tuple(value) if isinstance(value, list) else value
    return replace(chosen, **values)  # type: ignore[arg-type]
