"""Textures and a BSDF that Mitsuba lacks: dirt, wear, scratches, drops, as functions of space."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from clearcoat.render import patterns

DIRT, WEAR, SCRATCHES, DROPS = (
    f"clearcoat_{kind}" for kind in ("dirt", "wear", "scratches", "drops")
)
BEAD, LENS, FRESNEL, WATER = (
    f"clearcoat_drop_{what}" for what in ("bead", "lens", "fresnel", "water")
)

WATER_IOR = 1.333
SPRAYS = 4
"""Places behind which mud is thrown up, at most."""
_RIM_SINE = 0.72
"""Sine of the slope of a bead at its rim: a contact angle of 46 degrees, as on a fresh coat."""
DROP_GRIDS = (1.0, 0.78, 0.6, 0.47)
SCRATCH_GRIDS = (1.0, 0.7, 0.45, 0.3)
"""Cell sizes of the grids, as shares of the largest."""


@lru_cache(maxsize=4)
def register(mi: Any, variant: str) -> None:
    """Define the plugins for the variant that is set; Mitsuba's classes differ by variant."""
    import drjit

    # Dr.Jit's annotations describe arrays more generally than this module uses them.
    dr: Any = drjit
    pattern = _pattern(mi, dr)
    textures = _clouds(mi, dr, pattern) | _grids(mi, dr, pattern) | _of_drops(mi, dr, pattern)
    for name, made in textures.items():
        mi.register_texture(name, made)
    mi.register_bsdf(WATER, _water(mi, dr))


def _pattern(mi: Any, dr: Any) -> Any:
    """The class of all textures here."""

    class Pattern(mi.Texture):  # type: ignore[misc]
        """A share of the surface; `values` are its numbers, none of which is compiled in."""

        count = 0

        def __init__(self, properties: Any) -> None:
            mi.Texture.__init__(self, properties)
            self.values: list[Any] = []
            self.show([0.0] * self.count)

        def show(self, values: list[float]) -> None:
            if len(values) != self.count:
                raise ValueError(f"{self.count} values expected, got {len(values)}")
            self.values = [mi.Float(float(value)) for value in values]
            dr.make_opaque(self.values)

        def cover(self, si: Any) -> Any:
            raise NotImplementedError

        def eval_1(self, si: Any, active: Any = True) -> Any:
            return self.cover(si)

        def eval(self, si: Any, active: Any = True) -> Any:
            return mi.Color3f(self.cover(si))

        def eval_3(self, si: Any, active: Any = True) -> Any:
            return mi.Color3f(self.cover(si))

        def mean(self) -> Any:
            return mi.Float(0.2)

        def is_spatially_varying(self) -> bool:
            return True

        def to_string(self) -> str:
            return f"{type(self).__name__}[]"

    return Pattern


def _clouds(mi: Any, dr: Any, pattern: Any) -> dict[str, Any]:
    """Textures made of noise: dirt and wear."""

    class Cloudy(pattern):  # type: ignore[misc]
        def __init__(self, properties: Any) -> None:
            pattern.__init__(self, properties)
            block = mi.TensorXf(np.ascontiguousarray(patterns.noise_block()))
            self.noise = mi.Texture3f(block, wrap_mode=dr.WrapMode.Repeat)

        def cloud(self, point: Any) -> Any:
            return self.noise.eval(point)[0]

    class Dirt(Cloudy):
        # on, dust, mud, height, patch, a frame, then x, y, z of the sprays
        count = 17 + 3 * SPRAYS

        def cover(self, si: Any) -> Any:
            on, dust, mud, height, patch, *rest = self.values
            height = dr.maximum(height, 1e-3)
            frame, sprays = rest[:12], rest[12:]
            p, n = si.p, si.sh_frame.n
            thick = dr.exp(-dr.maximum(p.z, 0) / height)
            for place in range(SPRAYS):
                x, y, z = sprays[3 * place : 3 * place + 3]
                # Thrown backwards and up, along the side that the wheel is on.
                back = (p.x - x) / height + 0.9
                up = (p.z - z) / height - 0.2
                beside = (p.y - y) / height
                near = dr.exp(-(back * back) - up * up - 0.35 * beside * beside)
                thick = dr.maximum(thick, 0.9 * near)
            scale = 0.1 / dr.maximum(patch, 1e-3)
            place = patterns.turned(mi, frame, mi.Point3f(p * scale))
            coarse, fine, finest = (self.cloud(place * factor) for factor in (1.0, 5.3, 23.0))
            # Splashes: fine grains where there is little mud, sheets where there is much.
            grain = 0.4 * coarse + 0.3 * fine + 0.3 * finest
            level = 1.05 - 0.95 * dr.power(mud * thick, 0.7)
            splash = dr.clip((grain - level) / 0.14 + 0.5, 0, 1)
            # Rain has drawn the dust of upright surfaces downwards.
            drawn = mi.Point3f(p.x, p.y, p.z * (0.15 + 0.85 * dr.abs(n.z)))
            streak = self.cloud(drawn * (scale * 2.1))
            upward = 0.5 + 0.5 * dr.maximum(n.z, 0)
            film = dr.clip(dust * upward * (0.6 + 0.5 * streak + 0.3 * coarse), 0, 1)
            return on * (1 - (1 - splash) * (1 - film))

    class Wear(Cloudy):
        # on, amount, patch, a frame
        count = 15

        def cover(self, si: Any) -> Any:
            on, amount, patch, *frame = self.values
            scale = 0.1 / dr.maximum(patch, 1e-3)
            place = patterns.turned(mi, frame, mi.Point3f(si.p * scale))
            grain = 0.8 * self.cloud(place) + 0.2 * self.cloud(place * 9.1)
            return on * dr.clip((grain - (1 - amount)) / 0.08 + 0.5, 0, 1)

    return {DIRT: Dirt, WEAR: Wear}


def _grids(mi: Any, dr: Any, pattern: Any) -> dict[str, Any]:
    """Textures that have one thing in each cell of some grids: scratches and drops."""

    class Grids(pattern):  # type: ignore[misc]
        """Amount, cell size, width; then twelve numbers per grid."""

        shares: tuple[float, ...] = ()

        def grids(self) -> list[tuple[Any, Any, int]]:
            frames = [self.values[3 + 12 * i : 15 + 12 * i] for i in range(len(self.shares))]
            return [
                (frame, dr.maximum(self.values[1], 1e-4) * share, number)
                for number, (frame, share) in enumerate(zip(frames, self.shares, strict=True))
            ]

    class Scratches(Grids):
        shares = SCRATCH_GRIDS
        count = 3 + 12 * len(SCRATCH_GRIDS)

        def cover(self, si: Any) -> Any:
            amount, _, width = self.values[:3]
            there = mi.Bool(False)
            for frame, cell, salt in self.grids():
                there |= patterns.scratch(dr, mi, si, frame, cell, width, amount, salt)
            return dr.select(there, mi.Float(1), mi.Float(0))

    class Drops(Grids):
        shares = DROP_GRIDS
        count = 3 + 12 * len(DROP_GRIDS)

        def bead(self, si: Any) -> tuple[Any, Any, Any]:
            """Whether a point is in a drop, and x, y of the drop's normal in the local frame."""
            there, slope_x, slope_y = mi.Bool(False), mi.Float(0), mi.Float(0)
            for frame, cell, salt in self.grids():
                wet, x, y = patterns.drop(dr, mi, si, frame, cell, self.values[0], salt)
                new = wet & ~there
                slope_x = dr.select(new, x * _RIM_SINE, slope_x)
                slope_y = dr.select(new, y * _RIM_SINE, slope_y)
                there |= wet
            return there, slope_x, slope_y

        def normal(self, si: Any, sign: float = 1.0) -> Any:
            _, x, y = self.bead(si)
            x, y = sign * x, sign * y
            return mi.Vector3f(x, y, dr.safe_sqrt(1 - x * x - y * y))

        def cover(self, si: Any) -> Any:
            return dr.select(self.bead(si)[0], mi.Float(1), mi.Float(0))

    return {SCRATCHES: Scratches, DROPS: Drops}


def _of_drops(mi: Any, dr: Any, pattern: Any) -> dict[str, Any]:
    """Textures that follow from the one of drops: how they bend and mirror light."""

    class OfDrops(pattern):  # type: ignore[misc]
        """What follows from the texture `drops`."""

        def __init__(self, properties: Any) -> None:
            pattern.__init__(self, properties)
            self.drops = properties["drops"]

    class Bead(OfDrops):
        """Normals of the drops' outsides, coded for a normal map."""

        def eval_3(self, si: Any, active: Any = True) -> Any:
            return mi.Color3f(0.5 + 0.5 * self.drops.normal(si))

        def eval(self, si: Any, active: Any = True) -> Any:
            return self.eval_3(si, active)

    class Lens(OfDrops):
        """What is below a drop looks as if tilted the other way: the drop gathers light there."""

        def eval_3(self, si: Any, active: Any = True) -> Any:
            return mi.Color3f(0.5 + 0.5 * self.drops.normal(si, -0.6))

        def eval(self, si: Any, active: Any = True) -> Any:
            return self.eval_3(si, active)

    class Fresnel(OfDrops):
        """Share that the outside of a drop reflects towards the viewer; 0 beside drops."""

        def cover(self, si: Any) -> Any:
            wet, x, y = self.drops.bead(si)
            cosine = si.wi.x * x + si.wi.y * y + dr.abs(si.wi.z) * dr.safe_sqrt(1 - x * x - y * y)
            return dr.select(wet, mi.fresnel(dr.maximum(cosine, 0.02), WATER_IOR)[0], 0)

    return {BEAD: Bead, LENS: Lens, FRESNEL: Fresnel}


def _water(mi: Any, dr: Any) -> Any:
    """The class of drops on panes."""

    class Water(mi.BSDF):  # type: ignore[misc]
        """A drop on a pane: its outside reflects and refracts, its flat side lets the light out.

        Both sides are air, so nothing is scaled. What its flat side would hold back by total
        reflection goes straight on.
        """

        def __init__(self, properties: Any) -> None:
            mi.BSDF.__init__(self, properties)
            self.drops = properties["drops"]
            sides = mi.BSDFFlags.FrontSide | mi.BSDFFlags.BackSide
            self.m_components = [
                mi.BSDFFlags.DeltaReflection | sides,
                mi.BSDFFlags.DeltaTransmission | sides,
            ]
            self.m_flags = self.m_components[0] | self.m_components[1]

        def sample(
            self, context: Any, si: Any, sample_1: Any, sample_2: Any, active: Any = True
        ) -> tuple[Any, Any]:
            up = dr.sign(si.wi.z)
            wi = mi.Vector3f(si.wi.x, si.wi.y, dr.abs(si.wi.z))
            normal = self.drops.normal(si)
            cosine = dr.maximum(dr.dot(wi, normal), 1e-3)
            share, inner, _, eta = mi.fresnel(cosine, WATER_IOR)
            mirrored = 2 * cosine * normal - wi
            within = normal * (cosine * eta + inner) - wi * eta
            # Through the flat side, whose normal is the pane's.
            sine = mi.Vector2f(within.x, within.y) * WATER_IOR
            squared = dr.squared_norm(sine)
            bent = mi.Vector3f(sine.x, sine.y, -dr.safe_sqrt(1 - squared))
            onward = dr.select((squared < 1) & (within.z < 0), bent, -wi)
            reflects = sample_1 <= share
            wo = dr.select(reflects, mirrored, onward)
            real = ~reflects | (mirrored.z > 0)
            out = dr.zeros(mi.BSDFSample3f)
            out.wo = mi.Vector3f(wo.x, wo.y, wo.z * up)
            out.eta = 1.0
            out.pdf = dr.select(reflects, share, 1 - share)
            out.sampled_component = dr.select(reflects, mi.UInt32(0), mi.UInt32(1))
            out.sampled_type = dr.select(
                reflects,
                mi.UInt32(int(mi.BSDFFlags.DeltaReflection)),
                mi.UInt32(int(mi.BSDFFlags.DeltaTransmission)),
            )
            return out, dr.select(active & real, mi.Spectrum(1.0), mi.Spectrum(0.0))

        def eval(self, context: Any, si: Any, wo: Any, active: Any = True) -> Any:
            return mi.Spectrum(0.0)

        def pdf(self, context: Any, si: Any, wo: Any, active: Any = True) -> Any:
            return mi.Float(0.0)

        def eval_pdf(self, context: Any, si: Any, wo: Any, active: Any = True) -> Any:
            return mi.Spectrum(0.0), mi.Float(0.0)

        def to_string(self) -> str:
            return "Water[]"

    return Water
