"""The ground's albedo as a Mitsuba texture: a coarse map, a fine pattern, painted lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.ground_pattern import Pattern

Float32Array = NDArray[np.float32]

HALF_WIDTH_M = 60.0
_ALBEDO, _OPACITY = "clearcoat_ground", "clearcoat_ground_opacity"


def positions(texels: int) -> Float32Array:
    """(texels,): metres from the origin of the rows and columns of a coarse map.

    They lie the closer the nearer they are, since what is near is seen larger.
    """
    axis = (np.arange(texels) + 0.5) / texels * 2 - 1
    metres: Float32Array = (np.sign(axis) * axis**2 * HALF_WIDTH_M).astype(np.float32)
    return metres


@dataclass(frozen=True)
class Lines:
    """Parallel painted lines on the ground: parking bays, lanes, the ways of a hall."""

    angle_rad: float
    """Direction of the lines: 0 along the product."""
    offset_m: tuple[float, float]
    """Of the pattern, along and across the lines."""
    spacing_m: float
    width_m: float
    dash_m: float
    """Period of dashes half as long; 0 paints through."""
    reach_m: float
    """How far the lines go along their direction from the pattern's origin."""
    color: tuple[float, float, float]
    """Albedo of the paint."""
    wear: float
    """0 is fresh, 1 hardly there."""


@dataclass(frozen=True, eq=False)
class GroundLook:
    """Everything that the ground of one image shows."""

    coarse: Float32Array
    """(n, n, 3): albedo at y = positions(n)[row], x = positions(n)[column]."""
    pattern: Float32Array
    """(m, m): multiple of the albedo, repeats."""
    period_m: float
    contrast: float
    """Share of the pattern that is seen: 0 is none."""
    angle_rad: float
    """How the pattern is turned."""
    roughness: float
    ends_m: tuple[float, float]
    """From the first to the second radius the ground dissolves into the panorama."""
    lines: Lines | None = None


class Ground:
    """The ground's texture in one scene; `show` changes what it shows."""

    def __init__(self, mi: Any) -> None:
        import drjit

        self.mi, self.dr = mi, drjit
        _register(mi, mi.variant())
        self.texture = mi.load_dict({"type": _ALBEDO})
        self.opacity = mi.load_dict({"type": _OPACITY})
        self._patterns: dict[int, Pattern] = {}

    def show(self, look: GroundLook, eye_m: tuple[float, float, float], pixel_rad: float) -> None:
        """Make the ground look so from the next frame on.

        Args:
            look: what it shows.
            eye_m: where it is seen from.
            pixel_rad: angle between neighbouring pixels; finer patterns are averaged. 0: none are.
        """
        mi, texture = self.mi, self.texture
        texture.coarse.set_tensor(mi.TensorXf(np.ascontiguousarray(look.coarse)))
        texture.pattern = self._pattern(look.pattern)
        lines = look.lines
        values = [
            np.cos(look.angle_rad) / look.period_m,
            np.sin(look.angle_rad) / look.period_m,
            look.contrast,
            *([0.0] * 12),
        ]
        if lines is not None:
            values[3:] = [
                np.cos(lines.angle_rad), np.sin(lines.angle_rad), *lines.offset_m,
                lines.spacing_m, lines.width_m / 2, lines.dash_m, lines.reach_m, *lines.color,
                1 - lines.wear,
            ]  # fmt: skip
        texture.values = [mi.Float(float(value)) for value in values]
        texels_m = look.pattern.shape[1] / look.period_m
        texture.eye = [mi.Float(float(value)) for value in (*eye_m, pixel_rad * texels_m)]
        self.opacity.ends = [mi.Float(float(radius)) for radius in look.ends_m]
        # A literal would be compiled into the kernel, and each image would compile its own.
        self.dr.make_opaque(texture.values, texture.eye, self.opacity.ends)

    def _pattern(self, pattern: Float32Array) -> Pattern:
        """The pattern in the renderer, kept: there are no more than kinds of floors."""
        kept = self._patterns.get(id(pattern))
        if kept is None or kept.source is not pattern:
            kept = self._patterns[id(pattern)] = Pattern(pattern, self.mi)
        return kept


@lru_cache(maxsize=4)
def _register(mi: Any, variant: str) -> None:
    """Define the plugins for the variant that is set; Mitsuba's classes differ by variant."""
    import drjit

    # Dr.Jit's annotations describe arrays more generally than this module uses them.
    dr: Any = drjit

    class GroundTexture(mi.Texture):  # type: ignore[misc]
        def __init__(self, properties: Any) -> None:
            mi.Texture.__init__(self, properties)
            gray = mi.TensorXf(np.full((4, 4, 3), 0.2, np.float32))
            self.coarse = mi.Texture2f(gray, wrap_mode=dr.WrapMode.Clamp)
            self.pattern = Pattern(np.ones((4, 4), np.float32), mi)
            self.values = [mi.Float(0.0) for _ in range(15)]
            self.eye = [mi.Float(0.0) for _ in range(4)]
            dr.make_opaque(self.values, self.eye)

        def eval(self, si: Any, active: Any = True) -> Any:
            turn_x, turn_y, contrast, *lines = self.values
            x = (si.uv.x * 2 - 1) * HALF_WIDTH_M
            y = (si.uv.y * 2 - 1) * HALF_WIDTH_M
            place = mi.Point2f(x * turn_x + y * turn_y, y * turn_x - x * turn_y)
            # Seen in a mirror it is farther away than that, hence still as sharp as it may be.
            *eye, per_metre = self.eye
            away = dr.norm(mi.Vector3f(x - eye[0], y - eye[1], eye[2]))
            fine = self.pattern.eval(place, away * per_metre, active)
            warped = [0.5 + 0.5 * dr.sign(v) * dr.sqrt(dr.abs(v) / HALF_WIDTH_M) for v in (x, y)]
            coarse = self.coarse.eval(mi.Point2f(*warped), active)
            shade = 1 + contrast * (fine - 1)
            color = mi.Color3f(coarse[0], coarse[1], coarse[2]) * shade
            paint = mi.Color3f(*lines[8:11]) * (0.7 + 0.3 * fine)
            cover = _painted(dr, x, y, fine, lines)
            return dr.clip(color + cover * (paint - color), 0, 0.95)

        def eval_3(self, si: Any, active: Any = True) -> Any:
            return self.eval(si, active)

        def mean(self) -> Any:
            return mi.Float(0.2)

        def is_spatially_varying(self) -> bool:
            return True

        def to_string(self) -> str:
            return "GroundTexture[]"

    class GroundOpacity(mi.Texture):  # type: ignore[misc]
        def __init__(self, properties: Any) -> None:
            mi.Texture.__init__(self, properties)
            self.ends = [mi.Float(40.0), mi.Float(60.0)]
            dr.make_opaque(self.ends)

        def eval_1(self, si: Any, active: Any = True) -> Any:
            radius = dr.norm(si.uv * 2 - 1) * HALF_WIDTH_M
            share = dr.clip((radius - self.ends[0]) / (self.ends[1] - self.ends[0]), 0, 1)
            return 1 - share * share * (3 - 2 * share)

        def eval(self, si: Any, active: Any = True) -> Any:
            return mi.Color3f(self.eval_1(si, active))

        def mean(self) -> Any:
            return mi.Float(1.0)

        def is_spatially_varying(self) -> bool:
            return True

        def to_string(self) -> str:
            return "GroundOpacity[]"

    mi.register_texture(_ALBEDO, GroundTexture)
    mi.register_texture(_OPACITY, GroundOpacity)


def _painted(dr: Any, x: Any, y: Any, fine: Any, lines: list[Any]) -> Any:
    """Share of paint at a point: a line's centre lies halfway between multiples of the spacing."""
    cos, sin, along_0, across_0, spacing, half_width, dash, reach, *_, strength = lines
    along = x * cos + y * sin - along_0
    across = y * cos - x * sin - across_0
    period = dr.maximum(spacing, 1e-3)
    away = dr.abs(across - dr.floor(across / period) * period - 0.5 * period)
    step = dr.maximum(dash, 1e-3)
    on = (dash <= 0) | (along - dr.floor(along / step) * step < 0.5 * step)
    edge = dr.clip((half_width - away) / 0.01 + 0.5, 0, 1)
    worn = dr.clip((strength * 1.6 - 0.6 * (2 - fine)) * 2, 0, 1)
    there = on & (dr.abs(along) < reach) & (half_width > 0)
    return dr.select(there, edge * worn, 0.0)
