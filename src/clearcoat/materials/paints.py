"""Paints, primers and coatings on sheet metal."""

from __future__ import annotations

from clearcoat.materials.material import Color, Material
from clearcoat.materials.optics import specular

_COAT = "colour estimated; clear coat n = 1.5 (polyurethane)"


def _solid(name: str, color: Color) -> Material:
    return Material(
        name, _COAT, base_color=color, roughness=0.4, clearcoat=1.0, clearcoat_gloss=0.98,
        category="paint",
    )  # fmt: skip


def _metallic(name: str, color: Color, metallic: float, roughness: float) -> Material:
    return Material(
        name, _COAT + "; flake share and spread estimated", base_color=color, metallic=metallic,
        roughness=roughness, clearcoat=1.0, clearcoat_gloss=0.98, category="paint",
    )  # fmt: skip


def _interference(name: str, thickness_nm: float) -> Material:
    """Mica flakes with a layer of titania in the clear coat; a dark ground shows between them."""
    return Material(
        name, f"mica (n = 1.58) with {thickness_nm:g} nm of anatase (n = 2.5) on 80 % of a black "
        "ground, share estimated; clear coat n = 1.5 (polyurethane)",
        base_color=(0.01, 0.01, 0.012), roughness=0.4, specular=specular(1.58), clearcoat=1.0,
        clearcoat_gloss=0.98, category="paint", thin_film_thickness_nm=thickness_nm,
        thin_film_ior=2.5, thin_film_weight=0.8,
    )  # fmt: skip


def _matt(
    name: str, color: Color, roughness: float, binder: str = "polyurethane", n: float = 1.5
) -> Material:
    return Material(
        name, f"colour and roughness estimated; binder n = {n:g} ({binder}), no clear coat",
        base_color=color, roughness=roughness, specular=specular(n), category="paint",
    )  # fmt: skip


PAINTS = (
    Material(
        "paint",
        "two-layer car paint; clear coat n = 1.5 (polyurethane)",
        base_color=(0.4, 0.4, 0.4),
        metallic=0.3,
        roughness=0.35,
        clearcoat=1.0,
        clearcoat_gloss=0.98,
        is_paint=True,
        category="paint",
    ),
    Material(
        "paint_black",
        "estimate; clear coat n = 1.5 (polyurethane)",
        base_color=(0.006, 0.006, 0.007),
        roughness=0.4,
        clearcoat=1.0,
        clearcoat_gloss=0.98,
        category="paint",
    ),
    # Under a clear coat a base of 0.90 returns 0.79 in all: inner reflections darken it.
    _solid("paint_white", (0.90, 0.90, 0.88)),
    _solid("paint_grey", (0.20, 0.21, 0.22)),
    _solid("paint_red", (0.42, 0.010, 0.010)),
    _solid("paint_blue", (0.010, 0.045, 0.22)),
    _solid("paint_yellow", (0.72, 0.42, 0.010)),
    _solid("paint_green", (0.015, 0.12, 0.035)),
    _metallic("paint_metallic_silver", (0.62, 0.63, 0.64), 0.85, 0.38),
    _metallic("paint_metallic_grey", (0.13, 0.135, 0.14), 0.8, 0.38),
    _metallic("paint_metallic_blue", (0.02, 0.08, 0.30), 0.7, 0.35),
    _metallic("paint_metallic_red", (0.36, 0.015, 0.015), 0.6, 0.35),
    _metallic("paint_metallic_black", (0.02, 0.02, 0.022), 0.5, 0.32),
    # Mica flakes reflect over a white or coloured ground that shows between them.
    _metallic("paint_pearl_white", (0.88, 0.87, 0.82), 0.25, 0.45),
    _metallic("paint_pearl_bronze", (0.30, 0.18, 0.09), 0.45, 0.42),
    _interference("paint_interference_red", 100),
    _interference("paint_interference_blue", 125),
    _interference("paint_interference_green", 155),
    _matt("paint_matt_grey", (0.16, 0.165, 0.17), 0.5),
    _matt("paint_matt_black", (0.014, 0.014, 0.015), 0.5),
    _matt("paint_powder_black", (0.018, 0.018, 0.018), 0.62, "polyester powder", 1.56),
    _matt("primer_grey", (0.30, 0.30, 0.30), 0.85, "epoxy", 1.57),
    _matt("primer_red", (0.22, 0.055, 0.035), 0.85, "epoxy", 1.57),
    _matt("ecoat", (0.055, 0.058, 0.055), 0.5, "epoxy", 1.57),
    _matt("underbody_coating", (0.022, 0.022, 0.022), 0.95, "PVC", 1.53),
    Material("underbody", "estimate", base_color=(0.015, 0.015, 0.015), roughness=0.9,
             category="paint"),
)  # fmt: skip
