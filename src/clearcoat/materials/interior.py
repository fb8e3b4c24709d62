"""Trim and textiles of a cabin, and what fits no other group."""

from __future__ import annotations

from clearcoat.materials.material import Material
from clearcoat.materials.optics import specular

_CHART = "Filament material chart"
_ESTIMATE = "estimate"
_LEATHER = "finished leather, top coat n = 1.5; colour and roughness estimated"
_TEXTILE = "polyester or nylon fibres; colour, roughness and sheen estimated"

INTERIOR = (
    Material("interior_fabric", _ESTIMATE, base_color=(0.05, 0.05, 0.052), roughness=0.95,
             sheen=0.4, category="interior"),
    Material("interior_plastic", _ESTIMATE, base_color=(0.035, 0.035, 0.036), roughness=0.7,
             category="interior"),
    Material("leather_black", _ESTIMATE, base_color=(0.02, 0.019, 0.018), roughness=0.5,
             category="interior"),
    Material("leather_beige", _ESTIMATE, base_color=(0.42, 0.33, 0.24), roughness=0.5,
             category="interior"),
    Material("leather_brown", _LEATHER, base_color=(0.12, 0.050, 0.022), roughness=0.48,
             category="interior"),
    Material("leather_red", _LEATHER, base_color=(0.20, 0.014, 0.012), roughness=0.48,
             category="interior"),
    Material("fabric_grey", _TEXTILE, base_color=(0.16, 0.16, 0.165), roughness=1.0,
             specular=0.2, sheen=0.3, category="interior"),
    Material("fabric_beige", _TEXTILE, base_color=(0.38, 0.32, 0.24), roughness=1.0,
             specular=0.2, sheen=0.3, category="interior"),
    Material("alcantara", _TEXTILE, base_color=(0.035, 0.035, 0.037), roughness=1.0,
             specular=0.1, sheen=1.0, category="interior"),
    Material("carpet", _TEXTILE, base_color=(0.022, 0.022, 0.023), roughness=1.0, specular=0.1,
             sheen=0.3, category="interior"),
    Material("headliner", _TEXTILE, base_color=(0.52, 0.50, 0.46), roughness=1.0, specular=0.1,
             sheen=0.2, category="interior"),
    Material("seat_belt", _TEXTILE, base_color=(0.018, 0.018, 0.019), roughness=0.6,
             specular=0.4, sheen=0.3, category="interior"),
    Material("airbag_nylon", _TEXTILE, base_color=(0.72, 0.72, 0.70), roughness=0.85,
             specular=0.3, category="interior"),
    Material("wood_veneer", "walnut, colour estimated; lacquer n = 1.5",
             base_color=(0.115, 0.048, 0.020), roughness=0.35, clearcoat=1.0, clearcoat_gloss=0.98,
             category="interior"),
    Material("wood_veneer_matt", "oak, colour estimated; oiled, n = 1.48",
             base_color=(0.34, 0.21, 0.11), roughness=0.6, specular=specular(1.48),
             category="interior"),
)  # fmt: skip

OTHERS = (
    Material("carbon_fibre", "estimate; clear coat n = 1.5", base_color=(0.018, 0.018, 0.02),
             roughness=0.35, clearcoat=1.0, clearcoat_gloss=0.97),
    Material("carbon_fibre_matt", "estimate; epoxy n = 1.57; the weave is not modelled",
             base_color=(0.035, 0.035, 0.037), metallic=0.5, roughness=0.45, anisotropic=0.5),
    Material("gfrp", "estimate; polyester resin n = 1.56", base_color=(0.42, 0.44, 0.34),
             roughness=0.4, specular=specular(1.56)),
    Material("number_plate", "retroreflective sheeting, diffuse part estimated",
             base_color=(0.72, 0.72, 0.70), roughness=0.45),
    Material("number_plate_yellow", "retroreflective sheeting, diffuse part estimated",
             base_color=(0.70, 0.42, 0.010), roughness=0.45),
    Material("sticker_white", "estimate; PVC film, n = 1.54", base_color=(0.76, 0.76, 0.75),
             roughness=0.3, specular=specular(1.54)),
    Material("sticker_warning", "estimate; PVC film, n = 1.54", base_color=(0.72, 0.46, 0.008),
             roughness=0.3, specular=specular(1.54)),
    Material("paper", "estimate; uncoated, cellulose n = 1.47", base_color=(0.78, 0.77, 0.73),
             roughness=1.0, specular=0.15),
    Material("cardboard", "estimate; cellulose n = 1.47", base_color=(0.36, 0.23, 0.12),
             roughness=1.0, specular=0.15),
    Material("ceramic_white", "estimate; glaze n = 1.5", base_color=(0.91, 0.91, 0.89),
             roughness=0.3, clearcoat=1.0, clearcoat_gloss=1.0),
    Material("sealant", "estimate; polyurethane n = 1.5", base_color=(0.05, 0.05, 0.05),
             roughness=0.5, specular=specular(1.5)),
    Material("circuit_board", "estimate; epoxy solder mask n = 1.57",
             base_color=(0.006, 0.075, 0.025), roughness=0.3, specular=specular(1.57)),
    Material("concrete", _CHART, base_color=(0.52, 0.515, 0.50), roughness=0.9),
)  # fmt: skip
