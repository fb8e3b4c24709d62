"""From a library material, or the file's own, to a Mitsuba BSDF."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from clearcoat.materials import Material, check_measured
from clearcoat.materials.optics import specular
from clearcoat.product import SourceMaterial
from clearcoat.product.textures import Textures
from clearcoat.render.film import filmed
from clearcoat.render.textures import with_textures


def from_source(source: SourceMaterial | None, *, has_uv: bool = False) -> Material:
    """Return the material that a CAD file's own description stands for.

    Raises nothing: a part without any description is mid-grey plastic, as CAD viewers show it.
    """
    if source is None:
        return Material("unassigned", "the file names no material", roughness=0.5)
    if source.transmission >= 0.5 or source.alpha < 0.5:
        clear = max(source.transmission, 1 - source.alpha)
        red, green, blue = (clear * channel for channel in source.base_color)
        pane = Material(
            source.name,
            "CAD file",
            kind="thin_glass",
            tint=(red, green, blue),
            emission=source.emissive,
            textures=_of_emission(source.textures, has_uv),
        )
        return _with_film(_with_index(pane, source), source, has_uv)
    opaque = Material(
        source.name,
        "CAD file",
        base_color=source.base_color,
        metallic=source.metallic,
        roughness=source.roughness,
        clearcoat=source.clearcoat,
        # The principled model's sheen has a strength and no colour of its own.
        sheen=max(source.sheen_color),
        emission=source.emissive,
        # Paint under a clear coat has flakes finer than a picture; its mean colour stays.
        textures=source.textures
        if has_uv and source.clearcoat <= 0.5
        else _of_emission(source.textures, has_uv),
    )
    return _with_film(_with_index(opaque, source), source, has_uv)


def _of_emission(textures: Textures | None, has_uv: bool) -> Textures | None:
    """Return the picture of what a surface emits alone, whose mean would light all of it."""
    if textures is None or textures.emissive is None or not has_uv:
        return None
    return Textures(emissive=textures.emissive)


def _with_index(material: Material, source: SourceMaterial) -> Material:
    """Return the material with the refractive index that the file has for it, if it has one.

    The principled model reflects 8 % head on at most, as an index of 1.79 does.
    """
    if (source.ior, source.specular) == (1.5, 1.0):
        return material
    reflecting = min(specular(source.ior) * source.specular, 1.0)
    return replace(material, ior=source.ior, specular=reflecting)


def _with_film(material: Material, source: SourceMaterial, has_uv: bool) -> Material:
    """Return the material under the film that the file describes, if it does."""
    if source.iridescence == 0 or source.iridescence_thickness_nm == 0:
        return material
    textures = material.textures
    if material.kind == "thin_glass" and has_uv and source.textures is not None:
        kept = source.textures
        textures = Textures(film_thickness=kept.film_thickness, emissive=kept.emissive) or None
    return replace(
        material,
        textures=textures,
        thin_film_thickness_nm=source.iridescence_thickness_nm,
        thin_film_ior=source.iridescence_ior,
        thin_film_weight=source.iridescence,
    )


def describe(material: Material, mi: Any = None) -> dict[str, Any]:
    """Return the Mitsuba description of a material; with `mi`, its textures and film too.

    Opaque surfaces are two-sided because CAD shells are often wound inside out.

    Raises:
        RenderError: the file of a measured material is missing or damaged.
    """
    surface = one_sided(material, mi)
    return surface if material.kind == "thin_glass" else {"type": "twosided", "bsdf": surface}


def one_sided(material: Material, mi: Any = None) -> dict[str, Any]:
    """Return the description of an opaque surface seen from outside, or of a pane."""
    if material.kind == "measured":
        return {"type": "measured", "filename": str(check_measured(material.file, material.name))}
    if material.has_film:
        if mi is None:
            raise ValueError(f"{material.name}: a thin film cannot be described without Mitsuba")
        return filmed(material, mi)
    if material.kind == "thin_glass":
        return {
            "type": "thindielectric",
            "int_ior": material.ior,
            "specular_transmittance": _rgb(material.tint),
        }
    surface = coated(material) if is_coated(material) else principled(material)
    if mi is not None:
        surface = with_textures(surface, material.textures, mi)
    return surface


def is_coated(material: Material) -> bool:
    """Whether a clear coat covers the material so that it takes the BSDF of one."""
    return material.clearcoat > 0.5


def coated(material: Material) -> dict[str, Any]:
    """Return the BSDF of a base coat under a clear coat, as on a car.

    The principled model's own coat has a quarter of the reflectance of a real one (Burley 2012,
    section 5.5), and its paint looks matt. Here a pigmented base is a dielectric layer over a
    diffuser, whose inner reflections are accounted for; a metallic base is flake under a coat of
    full strength; the share of metal blends the two.
    """
    pigment = {
        "type": "roughplastic",
        "distribution": "ggx",
        "alpha": 0.1 - 0.08 * material.clearcoat_gloss,
        "int_ior": 1.5,
        "diffuse_reflectance": _rgb(material.base_color),
        "nonlinear": True,
    }
    if material.metallic == 0 and not material.is_paint:
        return pigment
    flakes = principled(material) | {
        "base_color": _rgb(under_coat(material.base_color)),
        "metallic": 1.0,
        "clearcoat": 4 * material.clearcoat,
    }
    # The share of metal in paint moves from image to image, so it has both whatever it is now.
    return {
        "type": "blendbsdf",
        "weight": material.metallic,
        "pigment": pigment,
        "flakes": flakes,
    }


def flake_share(metallic: float, color: tuple[float, float, float]) -> float:
    """Share of metal flake that a base coat of a colour can hold.

    Aluminium flake reflects most light, so a dark coat holds little of it; with much, its grazing
    reflection would make a black car look like brushed steel.
    """
    brightness = 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]
    return min(metallic, 0.08 + 2.5 * brightness)


def under_coat(color: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return what is seen of a colour through a clear coat: light crosses it twice at 96 %."""
    red, green, blue = (channel * 0.96**2 for channel in color)
    return red, green, blue


def principled(material: Material) -> dict[str, Any]:
    """Return the one-sided principled BSDF of an opaque material."""
    return {
        "type": "principled",
        "base_color": _rgb(material.base_color),
        "metallic": material.metallic,
        # A mirror-smooth microfacet distribution is a division by zero.
        "roughness": max(material.roughness, 0.02),
        "specular": material.specular,
        "anisotropic": material.anisotropic,
        "sheen": material.sheen,
        "clearcoat": material.clearcoat,
        "clearcoat_gloss": material.clearcoat_gloss,
    }


def _rgb(color: tuple[float, float, float]) -> dict[str, Any]:
    return {"type": "rgb", "value": [min(max(float(channel), 0.0), 1.0) for channel in color]}
