"""What Mitsuba lacks for thin films: a texture that follows the angle, and a BSDF of layers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from clearcoat.materials import thin_film

FILM, BY_ANGLE = "clearcoat_film", "clearcoat_by_angle"


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


class Layers:
    """A surface under a film: a smooth clear coat on top, facets, a diffuser below them.

    Args:
        properties: of the plugin, as `film.filmed` describes it.
        mi: Mitsuba with its variant set.
        dr: Dr.Jit.

    Directions are in the local frame of the surface, on its outside.
    """

    def __init__(self, properties: Any, mi: Any, dr: Any) -> None:
        self.mi, self.dr = mi, dr
        row = _row(properties)
        self.facets = _table(properties, "facets", row, mi, dr)
        self.through = _table(properties, "through", row, mi, dr)
        self.base_color = properties["base_color"]
        self.roughness = properties["roughness"]
        self.diffuse = properties["diffuse"]
        # Burley 2012, section 5.4.
        self.aspect = (1 - 0.9 * properties["anisotropic"]) ** 0.5
        self.coat, self.coat_alpha = properties["coat"], properties["coat_alpha"]

    def spread(self, si: Any, active: Any) -> Any:
        """Distribution of the facets' normals."""
        mi, dr = self.mi, self.dr
        textured = isinstance(self.roughness, mi.Texture)
        rough = self.roughness.eval_1(si, active) if textured else self.roughness
        alpha = mi.Float(rough * rough)
        return mi.MicrofacetDistribution(
            mi.MicrofacetType.GGX,
            dr.maximum(alpha / self.aspect, 1e-3),
            dr.maximum(alpha * self.aspect, 1e-3),
        )

    def coating(self) -> Any:
        """Distribution of the coat's normals."""
        return self.mi.MicrofacetDistribution(
            self.mi.MicrofacetType.GGX, self.mi.Float(self.coat_alpha)
        )

    def color(self, si: Any, active: Any) -> Any:
        """Reflectance of the diffuser."""
        textured = isinstance(self.base_color, self.mi.Texture)
        color = self.base_color.eval(si, active) if textured else self.base_color
        return self.diffuse * self.mi.Color3f(color)

    def outside(self, cosine: Any) -> Any:
        """Share that the coat reflects."""
        cosine = self.dr.maximum(cosine, 1e-4)
        return self.coat * self.mi.fresnel(cosine, thin_film.COAT_INDEX)[0]

    def odds(self, si: Any) -> tuple[Any, Any, Any]:
        """Probabilities of sampling the coat, the facets and the diffuser."""
        dr = self.dr
        coat = self.outside(si.wi.z) if self.coat > 0 else self.mi.Float(0)
        facets = (1 - coat) * dr.mean(self.facets(si.wi.z, si))
        below = self.diffuse * dr.maximum(1 - coat - facets, 0)
        total = dr.maximum(coat + facets + below, 1e-6)
        return coat / total, facets / total, below / total

    def value_and_density(self, si: Any, wo: Any, active: Any) -> tuple[Any, Any]:
        """Reflectance towards `wo` times its cosine, and the density of sampling it."""
        dr = self.dr
        coat, facets, below = self.odds(si)
        half = dr.normalize(si.wi + wo)
        cosine = dr.dot(si.wi, half)
        spread = self.spread(si, active)
        lobe, density = _reflected(spread, si.wi, wo, half, dr)
        value = self.facets(cosine, si, active) * lobe
        if self.coat > 0:
            value *= (1 - self.outside(si.wi.z)) * (1 - self.outside(wo.z))
            lobe, coat_density = _reflected(self.coating(), si.wi, wo, half, dr)
            value += self.outside(cosine) * lobe
            density = facets * density + coat * coat_density
        else:
            density = facets * density
        if self.diffuse > 0:
            scattered = self.through(si.wi.z, si, active) * self.through(wo.z, si, active)
            value += self.color(si, active) * scattered * (dr.inv_pi * wo.z)
            density += below * (dr.inv_pi * wo.z)
        return value, density

    def direction(self, si: Any, sample_1: Any, sample_2: Any, active: Any) -> tuple[Any, Any]:
        """A direction drawn with that density, and whether a smooth layer reflects there."""
        mi, dr = self.mi, self.dr
        coat, facets, _ = self.odds(si)
        normal = self.spread(si, active).sample(si.wi, sample_2)[0]
        if self.coat > 0:
            on_coat = self.coating().sample(si.wi, sample_2)[0]
            normal = dr.select(sample_1 < coat, on_coat, normal)
        wo = mi.Vector3f(2 * dr.dot(si.wi, normal) * normal - si.wi)
        if self.diffuse == 0:
            return wo, mi.Bool(True)
        glossy = sample_1 < coat + facets
        return dr.select(glossy, wo, mi.warp.square_to_cosine_hemisphere(sample_2)), glossy

    def seen(self, si: Any, active: Any) -> Any:
        """All that is reflected towards the viewer."""
        color = self.facets(self.dr.abs(si.wi.z), si, active)
        if self.diffuse > 0:
            color += (1 - color) * self.color(si, active)
        return color


def _film(mi: Any, dr: Any) -> Any:
    class Film(mi.BSDF):  # type: ignore[misc]
        """Layers as a plugin of Mitsuba."""

        def __init__(self, properties: Any) -> None:
            mi.BSDF.__init__(self, properties)
            self.layers = Layers(properties, mi, dr)
            front = mi.BSDFFlags.FrontSide
            self.m_components = [mi.BSDFFlags.GlossyReflection | front]
            if self.layers.diffuse > 0:
                self.m_components.append(mi.BSDFFlags.DiffuseReflection | front)
            self.m_flags = self.m_components[0] | self.m_components[-1]

        def eval_pdf(self, context: Any, si: Any, wo: Any, active: Any = True) -> tuple[Any, Any]:
            front = mi.Bool(active) & (si.wi.z > 0) & (wo.z > 0)
            value, density = self.layers.value_and_density(si, wo, front)
            return dr.select(front, value, 0), dr.select(front, density, 0)

        def eval(self, context: Any, si: Any, wo: Any, active: Any = True) -> Any:
            return self.eval_pdf(context, si, wo, active)[0]

        def pdf(self, context: Any, si: Any, wo: Any, active: Any = True) -> Any:
            return self.eval_pdf(context, si, wo, active)[1]

        def sample(
            self, context: Any, si: Any, sample_1: Any, sample_2: Any, active: Any = True
        ) -> tuple[Any, Any]:
            active = mi.Bool(active) & (si.wi.z > 0)
            wo, glossy = self.layers.direction(si, sample_1, sample_2, active)
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
            """What guides the denoiser."""
            return self.layers.seen(si, active)

        def to_string(self) -> str:
            return "Film[]"

    return Film


def _reflected(spread: Any, wi: Any, wo: Any, half: Any, dr: Any) -> tuple[Any, Any]:
    """Microfacet reflection without its reflectance, times cosine; and its sampling density."""
    lobe = spread.eval(half) * spread.G(wi, wo, half) / (4 * dr.maximum(wi.z, 1e-6))
    density = spread.pdf(wi, half) / (4 * dr.maximum(dr.dot(wo, half), 1e-6))
    return lobe, density
