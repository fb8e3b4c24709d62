"""Surfaces under a thin film: their reflectance is a colour per angle, looked up in a table.

Mitsuba has no such BSDF, and one of its own whose colour follows the viewer's angle would not be
reciprocal. See docs/decisions/0086-thin-films.md.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.materials import Material, thin_film
from clearcoat.render.film_bsdf import BY_ANGLE, FILM, register
from clearcoat.render.textures import bitmap, with_textures

_ENTRIES = 256
"""Angles of a table; between them its colours are off by less than 0.001."""
_STEP_NM = 10.0
_MOST_ROWS = 128
"""A table of a film of varying thickness has a row per step of its optical thickness, up to so
many; between them colours are off by about 0.01."""
_BENDING_IOR = 1.3
"""Least index that Mitsuba samples a pane's reflections with: at 1 it would sample none."""


def filmed(material: Material, mi: Any) -> dict[str, Any]:
    """Return the description of an opaque surface or a pane under a thin film.

    An opaque one is a one-sided microfacet surface whose facets have the film's reflectance. What
    they let through reaches a diffuser where the material is no metal. Of a CAD file's pictures
    the colour of metal and the share of metal are drawn as their means.

    Raises ValueError where the material has no film.
    """
    if not material.has_film:
        raise ValueError(f"{material.name}: no film")
    register(mi, mi.variant())
    if material.kind == "thin_glass":
        return _pane(material, mi)
    cosine = _cosines()
    facets, varying = _reflectance(material, cosine, mi)
    coat = min(material.clearcoat, 1.0) if material.clearcoat > 0.5 else 0.0
    outside = coat * thin_film.film_reflectance(
        cosine, 550.0, thickness_nm=0.0, film=thin_film.COAT_INDEX, substrate=thin_film.COAT_INDEX
    )
    through = (1 - facets) * (1 - outside)[:, None]
    # Light that comes out again has crossed the surface twice, in directions of its own. Divided
    # by the mean over the hemisphere, a white diffuser returns all that reaches it.
    mean = (2 * through * cosine[:, None]).mean(axis=-2, keepdims=True)
    surface = {
        "type": FILM,
        "facets": _tensor(facets, mi),
        "through": _tensor(through / np.sqrt(np.maximum(mean, 1e-6)), mi),
        "base_color": {
            "type": "rgb",
            "value": [float(np.clip(c, 0, 1)) for c in material.base_color],
        },
        "roughness": max(material.roughness, 0.02),
        "diffuse": 1.0 - material.metallic,
        "anisotropic": material.anisotropic,
        "coat": coat,
        "coat_alpha": 0.1 - 0.08 * material.clearcoat_gloss,
        **varying,
    }
    drawn = with_textures(surface, material.textures, mi)
    drawn.get("bsdf", drawn).pop("metallic", None)
    return drawn


def _pane(material: Material, mi: Any) -> dict[str, Any]:
    """Describe a pane whose reflections are corrected, angle by angle, for a film on it."""
    n, cosine = max(material.ior, _BENDING_IOR), _cosines()
    plain = thin_film.pane_reflectance(cosine, n)[:, None]
    facets, varying = _reflectance(material, cosine, mi)
    through = np.array(material.tint) * (1 - facets) / np.maximum(1 - plain, 1e-4)
    return {
        "type": "thindielectric",
        "int_ior": n,
        "ext_ior": 1.0,
        "specular_reflectance": {
            "type": BY_ANGLE, "table": _tensor(facets / plain, mi), **varying,
        },
        "specular_transmittance": {"type": BY_ANGLE, "table": _tensor(through, mi), **varying},
    }  # fmt: skip


def _reflectance(
    material: Material, cosine: NDArray[np.float64], mi: Any
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Return the reflectance per angle, (N, 3), and nothing else to describe.

    Where there is a picture of the thickness it is (rows, N, 3), and described along with it is
    the texture of the row, 0 to 1.
    """
    picture = material.textures.film_thickness if material.textures else None
    thickness_nm = None if picture is None else picture.linear()[..., 1:2]
    if picture is None or thickness_nm is None:
        return thin_film.reflectance(material, cosine), {}
    low, high = float(thickness_nm.min()), float(thickness_nm.max())
    rows = min(math.ceil((high - low) * material.thin_film_ior / _STEP_NM) + 2, _MOST_ROWS)
    table = np.stack(
        [
            thin_film.reflectance(replace(material, thin_film_thickness_nm=float(at)), cosine)
            for at in np.linspace(low, high, rows)
        ]
    )
    # From row to row a texture runs between the middles of its texels.
    place = ((thickness_nm - low) / max(high - low, 1e-3) * (rows - 1) + 0.5) / rows
    return table, {"row": bitmap(place.astype(np.float32), picture, mi)}


def _cosines() -> NDArray[np.float64]:
    """(_ENTRIES,): cosines at the middles of a texture's texels."""
    return (np.arange(_ENTRIES) + 0.5) / _ENTRIES


def _tensor(table: NDArray[np.float64], mi: Any) -> Any:
    return mi.TensorXf(np.ascontiguousarray(table, np.float32))
