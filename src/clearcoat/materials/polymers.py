"""Plastics and rubbers."""

from __future__ import annotations

from clearcoat.materials.material import Category, Color, Material
from clearcoat.materials.optics import specular

_CHART = "Filament material chart"
_ESTIMATE = "estimate"
_ABS = ("ABS, n = 1.54; colour and roughness estimated", 1.54)
_PP = ("polypropylene, n = 1.49; colour and roughness estimated", 1.49)
_PC = ("polycarbonate, n = 1.585; colour and roughness estimated", 1.585)
_PA = ("polyamide 6.6, n = 1.53; colour and roughness estimated", 1.53)
_PE = ("polyethylene, n = 1.51; colour and roughness estimated", 1.51)
_RUBBER = ("natural rubber, n = 1.52; colour and roughness estimated", 1.52)
_EPDM = ("EPDM, n = 1.48, carbon black; colour and roughness estimated", 1.48)

_BLACK = (0.016, 0.016, 0.016)
_GREY = (0.17, 0.17, 0.17)
_WHITE = (0.74, 0.74, 0.72)


def _polymer(
    name: str,
    of: tuple[str, float],
    color: Color,
    roughness: float,
    category: Category = "plastic",
) -> Material:
    source, n = of
    return Material(
        name, source, base_color=color, roughness=roughness, specular=specular(n),
        category=category,
    )  # fmt: skip


PLASTICS = (
    Material("plastic_black", _ESTIMATE, base_color=(0.020, 0.020, 0.021), roughness=0.55,
             category="plastic"),
    Material("plastic_black_gloss", _ESTIMATE, base_color=(0.010, 0.010, 0.010), roughness=0.12,
             category="plastic"),
    Material("plastic_grey", _ESTIMATE, base_color=(0.18, 0.18, 0.18), roughness=0.5,
             category="plastic"),
    Material("plastic_white", _ESTIMATE, base_color=(0.75, 0.75, 0.73), roughness=0.35,
             category="plastic"),
    _polymer("plastic_grey_gloss", _ABS, _GREY, 0.12),
    _polymer("plastic_white_gloss", _ABS, _WHITE, 0.12),
    _polymer("plastic_black_matt", _PP, _BLACK, 0.72),
    _polymer("plastic_grey_matt", _PP, _GREY, 0.72),
    _polymer("plastic_white_matt", _PP, _WHITE, 0.72),
    # A moulded grain is finer than a pixel: it widens and weakens the highlight.
    _polymer("plastic_black_textured", _PP, (0.026, 0.026, 0.026), 0.88),
    _polymer("plastic_grey_textured", _PP, (0.15, 0.15, 0.15), 0.88),
    _polymer("plastic_white_textured", _PP, (0.70, 0.70, 0.68), 0.88),
    _polymer("plastic_red", _ABS, (0.36, 0.012, 0.010), 0.25),
    _polymer("plastic_yellow", _PA, (0.68, 0.38, 0.008), 0.35),
    _polymer("plastic_blue", _ABS, (0.012, 0.07, 0.30), 0.25),
    _polymer("plastic_orange", _PE, (0.66, 0.12, 0.006), 0.4),
    _polymer("plastic_natural", _PE, (0.58, 0.57, 0.52), 0.45),
    _polymer("plastic_piano_black", _PC, (0.006, 0.006, 0.006), 0.04),
    _polymer("nylon_glass_filled", _PA, (0.028, 0.028, 0.028), 0.6),
    Material("grille", _ESTIMATE, base_color=(0.012, 0.012, 0.013), roughness=0.4,
             category="plastic"),
)  # fmt: skip

RUBBERS = (
    Material(
        "tyre_rubber", _CHART + " (rubber, darkened by carbon black)",
        base_color=(0.022, 0.022, 0.022), roughness=0.75, specular=0.35, category="rubber",
    ),
    _polymer("tyre_worn", _RUBBER, (0.045, 0.044, 0.042), 0.9, "rubber"),
    Material("rubber", _CHART, base_color=(0.035, 0.035, 0.035), roughness=0.65,
             category="rubber"),
    Material("seal_rubber", _ESTIMATE, base_color=(0.012, 0.012, 0.012), roughness=0.6,
             category="rubber"),
    _polymer("epdm_foam", _EPDM, (0.020, 0.020, 0.020), 0.95, "rubber"),
    _polymer("rubber_hose", _EPDM, (0.014, 0.014, 0.014), 0.45, "rubber"),
    _polymer("rubber_red", ("silicone rubber, n = 1.41; colour and roughness estimated", 1.41),
             (0.30, 0.022, 0.016), 0.6, "rubber"),
)  # fmt: skip
