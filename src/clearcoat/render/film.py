"""Surfaces under a thin film: their reflectance is a colour per angle, looked up in a table.

Mitsuba has no such BSDF, and one of its own whose colour follows the viewer's angle would not be
reciprocal. See docs/decisions/0086-thin-films.md.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.materials import Material, thin_film
from clearcoat.render.textures import bitmap, with_textures

FILM, BY_ANGLE = "clearcoat_film", "clearcoat_by_angle"
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


@lru_cache(maxsize=4)
def register(mi: Any, variant: str) -> None:
    """Define the plugins for the variant that is set; Mitsuba's classes differ by variant."""
    import drjit

    # Dr.Jit's annotations describe arrays more generally than this module uses them.
    dr: Any = drjit
    mi.register_texture(BY_ANGLE, _by_angle(mi, dr))
    mi.register_bsdf(FILM, _film(mi, dr))


def _table(properties: Any, name: str, row: Any, mi: Any, dr: Any) -> Any:
    """The function from a cosine, at a place, to a colour that a table stands for."""
    clamp = dr.WrapMode.Clamp
    if row is None:
        line = mi.Texture1f(properties[name], wrap_mode=clamp)
        return lambda cosine, si, active=True: mi.Color3f(line.eval(mi.Point1f(cosine)))
    plane = mi.Texture2f(properties[name], wrap_mode=clamp)

    def looked_up(cosine: Any, si: Any, active: Any = True) -> Any:
        return mi.Color3f(plane.eval(mi.Point2f(cosine, row.eval_1(si, active))))

    return looked_up


def _row(properties: Any) -> Any:
    """The texture of the table's row; None where the film is of one thickness."""
    return properties.get("row", None)


def _by_angle(mi: Any, dr: Any) -> Any:
    class ByAngle(mi.Texture):  # type: ignore[misc]
        """A colour that depends on the angle between the surface's normal and the viewer."""

        def __init__(self, properties: Any) -> None:
            mi.Texture.__init__(self, properties)
            self.color = _table(properties, "table", _row(properties), mi, dr)

        def eval(self, si: Any, active: Any = True) -> Any:
            return self.color(dr.abs(si.wi.z), si, active)

        def eval_3(self, si: Any, active: Any = True) -> Any:
            return self.eval(si, active)

        def mean(self) -> Any:
            return mi.Float(0.5)

        def is_spatially_varying(self) -> bool:
            return True

        def to_string(self) -> str:
            return "ByAngle[]"

    return ByAngle


def _film(mi: Any, dr: Any) -> Any:
    class Film(mi.BSDF):  # type: ignore[misc]
        """Facets under a film, a diffuser below them, and a smooth clear coat on top."""

        def __init__(self, properties: Any) -> None:
            mi.BSDF.__init__(self, properties)
            row = _row(properties)
            self.facets = _table(properties, "facets", row, mi, dr)
            self.through = _table(properties, "through", row, mi, dr)
            self.base_color = properties["base_color"]
            self.roughness = properties["roughness"]
            self.diffuse = properties["diffuse"]
            # Burley 2012, section 5.4.
            self.aspect = (1 - 0.9 * properties["anisotropic"]) ** 0.5
            self.coat, self.coat_alpha = properties["coat"], properties["coat_alpha"]
            front = mi.BSDFFlags.FrontSide
            self.m_components = [mi.BSDFFlags.GlossyReflection | front]
            if self.diffuse > 0:
                self.m_components.append(mi.BSDFFlags.DiffuseReflection | front)
            self.m_flags = self.m_components[0] | self.m_components[-1]

        def spread(self, si: Any, active: Any) -> Any:
            """Distribution of the facets' normals."""
            textured = isinstance(self.roughness, mi.Texture)
            rough = self.roughness.eval_1(si, active) if textured else self.roughness
            alpha = mi.Float(rough * rough)
            return mi.MicrofacetDistribution(
                mi.MicrofacetType.GGX,
                dr.maximum(alpha / self.aspect, 1e-3),
                dr.maximum(alpha * self.aspect, 1e-3),
            )

        def color(self, si: Any, active: Any) -> Any:
            """Reflectance of the diffuser."""
            textured = isinstance(self.base_color, mi.Texture)
            color = self.base_color.eval(si, active) if textured else self.base_color
            return self.diffuse * mi.Color3f(color)

        def coating(self) -> Any:
            return mi.MicrofacetDistribution(mi.MicrofacetType.GGX, mi.Float(self.coat_alpha))

        def outside(self, cosine: Any) -> Any:
            """Share that the coat reflects."""
            return self.coat * mi.fresnel(dr.maximum(cosine, 1e-4), thin_film.COAT_INDEX)[0]

        def odds(self, si: Any) -> tuple[Any, Any, Any]:
            """Probabilities of sampling the coat, the facets and the diffuser."""
            coat = self.outside(si.wi.z) if self.coat > 0 else mi.Float(0)
            facets = (1 - coat) * dr.mean(self.facets(si.wi.z, si))
            below = self.diffuse * dr.maximum(1 - coat - facets, 0)
            total = dr.maximum(coat + facets + below, 1e-6)
            return coat / total, facets / total, below / total

        def eval_pdf(self, context: Any, si: Any, wo: Any, active: Any = True) -> tuple[Any, Any]:
            front = mi.Bool(active) & (si.wi.z > 0) & (wo.z > 0)
            coat, facets, below = self.odds(si)
            half = dr.normalize(si.wi + wo)
            cosine = dr.dot(si.wi, half)
            spread = self.spread(si, front)
            lobe, density = _reflected(spread, si.wi, wo, half, dr)
            value = self.facets(cosine, si, front) * lobe
            if self.coat > 0:
                value *= (1 - self.outside(si.wi.z)) * (1 - self.outside(wo.z))
                lobe, coat_density = _reflected(self.coating(), si.wi, wo, half, dr)
                value += self.outside(cosine) * lobe
                density = facets * density + coat * coat_density
            else:
                density = facets * density
            if self.diffuse > 0:
                scattered = self.through(si.wi.z, si, front) * self.through(wo.z, si, front)
                value += self.color(si, front) * scattered * (dr.inv_pi * wo.z)
                density += below * (dr.inv_pi * wo.z)
            return dr.select(front, value, 0), dr.select(front, density, 0)

        def eval(self, context: Any, si: Any, wo: Any, active: Any = True) -> Any:
            return self.eval_pdf(context, si, wo, active)[0]

        def pdf(self, context: Any, si: Any, wo: Any, active: Any = True) -> Any:
            return self.eval_pdf(context, si, wo, active)[1]

        def sample(
            self, context: Any, si: Any, sample_1: Any, sample_2: Any, active: Any = True
        ) -> tuple[Any, Any]:
            active = mi.Bool(active) & (si.wi.z > 0)
            coat, facets, _ = self.odds(si)
            normal = self.spread(si, active).sample(si.wi, sample_2)[0]
            if self.coat > 0:
                on_coat = self.coating().sample(si.wi, sample_2)[0]
                normal = dr.select(sample_1 < coat, on_coat, normal)
            wo = mi.Vector3f(2 * dr.dot(si.wi, normal) * normal - si.wi)
            glossy = mi.Bool(True)
            if self.diffuse > 0:
                glossy = sample_1 < coat + facets
                wo = dr.select(glossy, wo, mi.warp.square_to_cosine_hemisphere(sample_2))
            value, density = self.eval_pdf(context, si, wo, active)
            out = dr.zeros(mi.BSDFSample3f)
            out.wo, out.pdf, out.eta = wo, density, 1.0
            out.sampled_component = dr.select(glossy, mi.UInt32(0), mi.UInt32(1))
            out.sampled_type = dr.select(
                glossy,
                mi.UInt32(int(mi.BSDFFlags.GlossyReflection)),
                mi.UInt32(int(mi.BSDFFlags.DiffuseReflection)),
            )
            there = active & (density > 0)
            return out, dr.select(there, value / density, 0)

        def eval_diffuse_reflectance(self, si: Any, active: Any = True) -> Any:
            """What guides the denoiser: all that is reflected towards the viewer."""
            color = self.facets(dr.abs(si.wi.z), si, active)
            if self.diffuse > 0:
                color += (1 - color) * self.color(si, active)
            return color

        def to_string(self) -> str:
            return "Film[]"

    return Film


def _reflected(spread: Any, wi: Any, wo: Any, half: Any, dr: Any) -> tuple[Any, Any]:
    """Microfacet reflection without its reflectance, times cosine; and its sampling density."""
    lobe = spread.eval(half) * spread.G(wi, wo, half) / (4 * dr.maximum(wi.z, 1e-6))
    density = spread.pdf(wi, half) / (4 * dr.maximum(dr.dot(wo, half), 1e-6))
    return lobe, density
