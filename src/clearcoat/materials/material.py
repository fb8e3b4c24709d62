"""What a physically based material is, whatever renders it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from clearcoat.product.textures import Textures

Color = tuple[float, float, float]
Category = Literal["paint", "metal", "glass", "lamp", "plastic", "rubber", "interior", "other"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
"""The groups of the library, in the order in which it is listed."""


@dataclass(frozen=True)
class Material:
    """A surface after Burley's principled model (SIGGRAPH 2012 and 2015 courses).

    `opaque` surfaces reflect only. A `thin_glass` surface is a pane whose thickness is not
    modelled: it reflects by Fresnel's equations and lets `tint` of the rest through unbent.
    A `measured` surface is a BRDF file.
    """

    name: str
    source: str
    """Where the values come from."""
    kind: Literal["opaque", "thin_glass", "measured"] = "opaque"
    base_color: Color = (0.5, 0.5, 0.5)
    """Linear sRGB, 0 to 1: diffuse reflectance, or specular reflectance of a metal."""
    metallic: float = 0.0
    roughness: float = 0.5
    """Perceptual roughness, 0 to 1; the microfacet width alpha is its square."""
    specular: float = 0.5
    """Reflectance at normal incidence of a dielectric; 0.5 stands for 4 %, a refractive index
    of 1.5."""
    anisotropic: float = 0.0
    sheen: float = 0.0
    clearcoat: float = 0.0
    clearcoat_gloss: float = 1.0
    ior: float = 1.52
    """Refractive index of a pane."""
    tint: Color = field(default=(1.0, 1.0, 1.0))
    """Share of the light that a pane lets through in each channel, beside its reflections."""
    is_paint: bool = False
    """Whether the sampled exterior paint replaces colour, metal share and roughness."""
    category: Category = "other"
    """What the library lists it under."""
    file: Path | None = None
    """BRDF file of a measured surface, in the RGL format (Dupuy and Jakob 2018), RGB variant."""
    emission: Color = (0.0, 0.0, 0.0)
    """Radiance that the surface emits itself, linear, 1 being that of white at exposure 0."""
    thin_film_thickness_nm: float = 0.0
    """Of a transparent film on the surface, below the clear coat if there is one; 0: no film."""
    thin_film_ior: float = 1.4
    """Refractive index of the film; name, meaning and default are OpenPBR's (1.1)."""
    thin_film_weight: float = 1.0
    """Share of the surface that the film covers."""
    thin_film_substrate: str = ""
    """Metal whose n and k are below the film, one of `optics.METAL_SOURCES`; empty: a real index
    that has the colour's reflectance."""
    textures: Textures | None = None
    """Pictures on an opaque surface without a clear coat: a CAD file's, or a plate's characters."""

    @property
    def has_film(self) -> bool:
        """Whether a thin film changes what the surface reflects."""
        return self.thin_film_thickness_nm > 0 and self.thin_film_weight > 0
