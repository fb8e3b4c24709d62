"""The materials of the built-in vehicles, by the names of the material library."""

from __future__ import annotations

from clearcoat.errors import did_you_mean
from clearcoat.product.model import SourceMaterial

_ALL = (
    SourceMaterial("paint", (0.45, 0.46, 0.48), roughness=0.35, clearcoat=1.0),
    SourceMaterial("glass", (0.95, 0.97, 0.96), alpha=0.15, roughness=0.0, transmission=1.0),
    SourceMaterial("glass_tinted", (0.10, 0.11, 0.11), alpha=0.6, roughness=0.0, transmission=0.7),
    SourceMaterial("tyre_rubber", (0.020, 0.020, 0.021), roughness=0.85),
    SourceMaterial("rim_alloy", (0.58, 0.58, 0.59), metallic=1.0, roughness=0.25),
    SourceMaterial("chrome", (0.78, 0.79, 0.80), metallic=1.0, roughness=0.05),
    SourceMaterial("plastic_black", (0.022, 0.022, 0.023), roughness=0.60),
    SourceMaterial("plastic_black_gloss", (0.008, 0.008, 0.009), roughness=0.08),
    SourceMaterial("seal_rubber", (0.012, 0.012, 0.012), roughness=0.75),
    SourceMaterial("lamp_lens_clear", (0.96, 0.97, 0.97), alpha=0.12, transmission=1.0,
                   roughness=0.0),
    SourceMaterial("lamp_lens_red", (0.50, 0.008, 0.010), alpha=0.6, transmission=0.6,
                   roughness=0.05),
    SourceMaterial("lamp_lens_amber", (0.80, 0.25, 0.010), alpha=0.6, transmission=0.6,
                   roughness=0.05),
    SourceMaterial("lamp_reflector", (0.75, 0.76, 0.77), metallic=1.0, roughness=0.12),
    SourceMaterial("lamp_reflector_faceted", (0.75, 0.76, 0.77), metallic=1.0, roughness=0.40),
    SourceMaterial("glass_privacy", (0.04, 0.045, 0.045), alpha=0.85, roughness=0.0,
                   transmission=0.4),
    SourceMaterial("lamp_red", (0.33, 0.010, 0.008), roughness=0.12, clearcoat=1.0),
    SourceMaterial("lamp_amber", (0.62, 0.16, 0.008), roughness=0.12, clearcoat=1.0),
    SourceMaterial("lamp_bezel", (0.012, 0.012, 0.013), roughness=0.20),
    SourceMaterial("light_guide", (0.62, 0.63, 0.64), roughness=0.25),
    SourceMaterial("retroreflector_red", (0.30, 0.012, 0.010), metallic=0.5, roughness=0.25,
                   clearcoat=1.0),
    SourceMaterial("chrome_dark", (0.25, 0.25, 0.26), metallic=1.0, roughness=0.15),
    SourceMaterial("mirror_glass", (0.85, 0.87, 0.88), metallic=1.0, roughness=0.0),
    SourceMaterial("number_plate", (0.75, 0.75, 0.73), roughness=0.45),
    SourceMaterial("interior_fabric", (0.130, 0.125, 0.118), roughness=0.90),
    SourceMaterial("interior_plastic", (0.060, 0.059, 0.058), roughness=0.65),
    SourceMaterial("brake_disc", (0.33, 0.32, 0.31), metallic=1.0, roughness=0.40),
    SourceMaterial("underbody", (0.014, 0.014, 0.015), roughness=0.90),
    SourceMaterial("grille", (0.010, 0.010, 0.011), roughness=0.45),
)  # fmt: skip

MATERIALS: dict[str, SourceMaterial] = {material.name: material for material in _ALL}
"""Every material that a built-in vehicle may use, by name."""


def material(name: str) -> SourceMaterial:
    """The material of that name; a wrong name is a bug here, hence a KeyError."""
    if name not in MATERIALS:
        raise KeyError(f"no material {name!r}; {did_you_mean(name, MATERIALS)}")
    return MATERIALS[name]
