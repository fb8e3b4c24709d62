"""Bare and plated metals, and mirrors made of them."""

from __future__ import annotations

from clearcoat.materials.material import Material
from clearcoat.materials.optics import METAL_SOURCES, metal, scaled, specular

_CHART = "Filament material chart"


def _metal(
    name: str,
    of: str,
    roughness: float,
    *,
    note: str = "",
    share: float = 1.0,
    anisotropic: float = 0.0,
) -> Material:
    kept = f"; {1 - share:.0%} lost to {note}" if share < 1 else f"; {note}" if note else ""
    return Material(
        name, METAL_SOURCES[of] + kept + "; roughness estimated",
        base_color=scaled(metal(of), share), metallic=1.0, roughness=roughness,
        anisotropic=anisotropic, category="metal",
    )  # fmt: skip


def _oxidised(
    name: str, of: str, oxide: str, n: float, thickness_nm: float, roughness: float, how: str
) -> Material:
    return Material(
        name, f"{METAL_SOURCES[of]}; film of {oxide}, n = {n:g}, {thickness_nm:g} nm: {how}; "
        "roughness estimated",
        base_color=metal(of), metallic=1.0, roughness=roughness, category="metal",
        thin_film_thickness_nm=thickness_nm, thin_film_ior=n, thin_film_substrate=of,
    )  # fmt: skip


METALS = (
    Material("chrome", _CHART, base_color=(0.55, 0.556, 0.554), metallic=1.0, roughness=0.06,
             category="metal"),
    _metal("chrome_polished", "chromium", 0.03, note="plated on bright nickel"),
    _metal("chrome_satin", "chromium", 0.3, note="plated on satin nickel"),
    _metal("chrome_dark", "chromium", 0.1, share=0.25, note="the dark (Cr III) deposit"),
    Material("aluminium", _CHART, base_color=(0.905, 0.913, 0.913), metallic=1.0, roughness=0.3,
             category="metal"),
    _metal("aluminium_polished", "aluminium", 0.1),
    _metal("aluminium_brushed", "aluminium", 0.35, anisotropic=0.85, share=0.9,
           note="oxide and scratches"),
    _metal("aluminium_cast", "aluminium", 0.6, share=0.6, note="the grainy, oxidised skin"),
    _metal("aluminium_anodised", "aluminium", 0.42, share=0.75, note="the etch and oxide layer"),
    Material(
        "aluminium_anodised_black", "dyed aluminium oxide, n = 1.65; colour estimated",
        base_color=(0.014, 0.014, 0.015), roughness=0.4, specular=specular(1.65),
        category="metal",
    ),
    Material(
        "rim_alloy", _CHART + " (aluminium, lacquered)", base_color=(0.66, 0.67, 0.68),
        metallic=1.0, roughness=0.28, clearcoat=0.6, clearcoat_gloss=0.95, category="metal",
    ),
    Material("steel", _CHART + " (iron)", base_color=(0.527, 0.509, 0.491), metallic=1.0,
             roughness=0.35, category="metal"),
    _metal("steel_sheet", "iron", 0.45, note="cold rolled, oiled"),
    _metal("stainless", "stainless", 0.2),
    _metal("stainless_brushed", "stainless", 0.38, anisotropic=0.85),
    _metal("galvanised", "zinc", 0.5, share=0.7, note="its grey patina"),
    _metal("zinc_plated", "zinc", 0.25, share=0.85, note="the passivation"),
    _metal("cast_iron", "iron", 0.75, share=0.35, note="graphite and the casting skin"),
    Material("brake_disc", _CHART + " (iron, turned)", base_color=(0.40, 0.39, 0.38), metallic=1.0,
             roughness=0.4, anisotropic=0.6, category="metal"),
    Material("rust", "iron oxide, colour estimated", base_color=(0.16, 0.045, 0.016),
             roughness=0.95, specular=0.5, category="metal"),
    _oxidised("stainless_heat_tinted_straw", "stainless", "Cr2O3", 2.5, 19, 0.25, "straw"),
    _oxidised("stainless_heat_tinted_blue", "stainless", "Cr2O3", 2.5, 42, 0.25, "blue"),
    _oxidised("steel_tempered_straw", "iron", "Fe3O4", 2.42, 22, 0.25, "straw"),
    _oxidised("steel_tempered_blue", "iron", "Fe3O4", 2.42, 50, 0.25, "blue"),
    _metal("titanium", "titanium", 0.3),
    _oxidised("titanium_anodised_gold", "titanium", "TiO2", 2.43, 25, 0.25, "gold"),
    _oxidised("titanium_anodised_purple", "titanium", "TiO2", 2.43, 40, 0.25, "purple"),
    _oxidised("titanium_anodised_blue", "titanium", "TiO2", 2.43, 52, 0.25, "blue"),
    _metal("brass", "brass", 0.18),
    _metal("copper", "copper", 0.2),
    _metal("gold", "gold", 0.12),
    _metal("silver_plated", "silver", 0.12, share=0.95, note="tarnish"),
    Material("mirror_glass", "silvered float glass", base_color=(0.86, 0.87, 0.86), metallic=1.0,
             roughness=0.02, category="metal"),
    _metal("mirror_chrome", "chromium", 0.02, note="on glass, as in dipping mirrors"),
)  # fmt: skip
