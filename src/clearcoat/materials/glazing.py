"""Panes, lamp lenses, and what is inside a lamp."""

from __future__ import annotations

from clearcoat.materials.material import Category, Color, Material
from clearcoat.materials.optics import METAL_SOURCES, metal, scaled, specular

_GLASS = "soda-lime glass, n = 1.52 at 588 nm; tint: ECE R43 asks for 70 % or more in front"
_SODA_LIME = "soda-lime glass, n = 1.52 at 588 nm; tint estimated"
_PC = "polycarbonate, n = 1.585 at 588 nm; tint estimated"
_PMMA = "PMMA, n = 1.49 at 588 nm; tint estimated"


def _pane(name: str, source: str, ior: float, tint: Color, category: Category) -> Material:
    return Material(name, source, kind="thin_glass", ior=ior, tint=tint, category=category)


GLAZING = (
    Material("glass", _GLASS, kind="thin_glass", tint=(0.88, 0.92, 0.90), category="glass"),
    Material("glass_tinted", _GLASS, kind="thin_glass", tint=(0.38, 0.42, 0.40), category="glass"),
    Material("glass_privacy", _GLASS, kind="thin_glass", tint=(0.10, 0.11, 0.11),
             category="glass"),
    _pane("glass_clear", _SODA_LIME, 1.52, (0.97, 0.98, 0.97), "glass"),
    _pane("glass_green", _SODA_LIME, 1.52, (0.68, 0.80, 0.72), "glass"),
    _pane("glass_bronze", _SODA_LIME, 1.52, (0.48, 0.40, 0.32), "glass"),
    _pane("glass_blue", _SODA_LIME, 1.52, (0.45, 0.60, 0.72), "glass"),
    _pane("acrylic_clear", _PMMA, 1.49, (0.97, 0.97, 0.97), "glass"),
    _pane("polycarbonate_smoked", _PC, 1.585, (0.20, 0.19, 0.18), "glass"),
    Material(
        "glass_antireflective", "soda-lime glass, n = 1.52; outside 100 nm of MgF2, n = 1.38",
        kind="thin_glass", ior=1.52, tint=(0.97, 0.98, 0.97), category="glass",
        thin_film_thickness_nm=100, thin_film_ior=1.38,
    ),
    Material(
        "glass_frit", "black enamel behind soda-lime glass, n = 1.52; colour estimated",
        base_color=(0.008, 0.008, 0.008), roughness=0.05, specular=specular(1.52),
        category="glass",
    ),
)  # fmt: skip

LAMPS = (
    Material("lamp_lens_clear", "polycarbonate, n = 1.585 at 588 nm", kind="thin_glass", ior=1.585,
             tint=(0.95, 0.95, 0.95), category="lamp"),
    Material("lamp_lens_red", "polycarbonate, n = 1.585; tint estimated", kind="thin_glass",
             ior=1.585, tint=(0.80, 0.018, 0.014), category="lamp"),
    Material("lamp_lens_amber", "polycarbonate, n = 1.585; tint estimated", kind="thin_glass",
             ior=1.585, tint=(0.80, 0.26, 0.012), category="lamp"),
    _pane("lamp_lens_smoked", _PMMA, 1.49, (0.22, 0.22, 0.22), "lamp"),
    Material("lamp_red", "estimate: red lens over a white body", base_color=(0.45, 0.013, 0.010),
             roughness=0.12, clearcoat=1.0, clearcoat_gloss=0.99, category="lamp"),
    Material("lamp_amber", "estimate: amber lens over a white body",
             base_color=(0.62, 0.16, 0.008), roughness=0.12, clearcoat=1.0, clearcoat_gloss=0.99,
             category="lamp"),
    Material("lamp_reflector", "vapour-deposited aluminium", base_color=(0.86, 0.87, 0.87),
             metallic=1.0, roughness=0.12, category="lamp"),
    Material("lamp_reflector_faceted", METAL_SOURCES["aluminium"] + "; facets as roughness",
             base_color=scaled(metal("aluminium"), 0.95), metallic=1.0, roughness=0.4,
             category="lamp"),
    Material("lamp_bezel", "estimate: black polycarbonate, n = 1.585",
             base_color=(0.012, 0.012, 0.013), roughness=0.2, specular=specular(1.585),
             category="lamp"),
    Material("light_guide", "PMMA, n = 1.49, scattering, unlit; colour estimated",
             base_color=(0.62, 0.63, 0.64), roughness=0.25, specular=specular(1.49),
             category="lamp"),
    Material("led", "unlit: yellow phosphor under silicone, n = 1.41; colour estimated",
             base_color=(0.72, 0.58, 0.10), roughness=0.15, specular=specular(1.41),
             category="lamp"),
    Material("retroreflector_red", "PMMA, n = 1.49, as seen away from the light that it returns; "
             "colour estimated", base_color=(0.30, 0.012, 0.010), metallic=0.5, roughness=0.25,
             clearcoat=1.0, clearcoat_gloss=0.98, category="lamp"),
    Material("retroreflector_white", "PMMA, n = 1.49, as seen away from the light that it "
             "returns; colour estimated", base_color=(0.68, 0.68, 0.67), metallic=0.5,
             roughness=0.25, clearcoat=1.0, clearcoat_gloss=0.98, category="lamp"),
)  # fmt: skip
