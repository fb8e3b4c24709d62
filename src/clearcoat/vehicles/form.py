"""The outer skin as one smooth implicit surface, before any line is cut into it.

A vehicle is the filleted union of two convex-ish solids, the body below the belt and the
greenhouse above it, and each is the rounded intersection of a few faces (top, side, front, …)
that are given as smooth functions. Every face's field is kept: shut lines and window borders
are drawn as offsets of them, so they fit the form whatever its parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from clearcoat.vehicles.anchors import Anchors, anchors
from clearcoat.vehicles.curves import (
    Array,
    Curve,
    bump,
    ramp,
    ridge,
    smooth_max,
    smooth_min,
)
from clearcoat.vehicles.parameters import VehicleParameters

FACES: tuple[str, ...] = (
    "top", "side", "front", "rear", "floor", "screen", "back", "roof", "window", "greenhouse",
)  # fmt: skip
"""Fields of the form; each is negative inside and about a distance in metres.

`top`, `side`, `front`, `rear`, `floor` bound the body; `screen`, `back`, `roof`, `window` the
greenhouse; `greenhouse` is the greenhouse less the body: positive where the body is outside.
"""

_GRADIENT_STEP_M = 2e-4


def _top(a: Anchors, p: VehicleParameters) -> Curve:
    """Height of hood, belt and deck on the plane of symmetry along x."""
    notch = p.tail == "notch"
    bed = p.tail == "bed"
    tail_z = a.backlight_z - (0.015 if notch else 0.0)
    nose_rise = a.cowl_z - a.nose_z
    shoulder = 0.035
    return Curve(
        [
            (a.rear_x, tail_z - (0.01 if notch else 0.0)),
            (a.rear_x + 0.25, tail_z),
            (a.backlight_x, a.backlight_z),
            (a.backlight_x + (0.2 if bed else 0.35), a.belt_rear_z + shoulder),
            (a.cowl_x - 0.55, a.belt_z + shoulder),
            (a.cowl_x - 0.1, a.cowl_z - 0.02),
            (a.cowl_x, a.cowl_z - 0.008),
            (a.front_axle_x, a.nose_z + 0.78 * nose_rise),
            (a.front_x - 0.40, a.nose_z + 0.46 * nose_rise),
            (a.front_x - 0.08, a.nose_z),
            (a.front_x + 0.10, a.nose_z - 0.16),
        ],
        0.11,
    )


def _crown(a: Anchors, p: VehicleParameters) -> Curve:
    """How far the top falls from the middle to the side along x."""
    deck_crown = {"notch": 0.055, "bed": 0.008}.get(p.tail, 0.05)
    return Curve(
        [
            (a.rear_x, deck_crown),
            (a.backlight_x, deck_crown),
            (a.backlight_x + 0.4, 0.035),
            (a.cowl_x - 0.6, 0.035),
            (a.cowl_x + 0.1, 0.075),
            (a.front_axle_x, 0.10),
            (a.front_x, 0.07),
        ],
        0.15,
    )


def _plan(a: Anchors, p: VehicleParameters) -> Curve:
    """Half width of the body along x."""
    bed = p.tail == "bed"
    width = a.half_width - p.flare_mm / 1000 * 0.75
    tail_taper = 0.02 if bed else 0.075
    return Curve(
        [
            (a.rear_x, width - tail_taper),
            (a.rear_axle_x - 0.25, width - 0.25 * tail_taper),
            (a.rear_axle_x + 0.35, width),
            (a.door_front_x, width),
            (a.front_axle_x, width - 0.008),
            (a.front_axle_x + 0.45, width - 0.035),
            (a.front_x, width - 0.10),
        ],
        0.30,
    )


def _window_foot(a: Anchors, p: VehicleParameters) -> Curve:
    """Half width at the foot of the side windows along x."""
    notch = p.tail == "notch"
    bed = p.tail == "bed"
    foot = a.half_width - p.shoulder_width_mm / 1000 - 0.015
    rear_foot = 0.005 if bed else (0.05 if notch else 0.04)
    return Curve(
        [
            (a.rear_x, foot - rear_foot - (0.08 if notch else 0.0 if bed else 0.03)),
            (a.rear_axle_x, foot - rear_foot),
            (a.pillar_b_x, foot),
            (a.header_x, foot),
            (a.cowl_x, foot - 0.015),
            (a.front_axle_x, foot - 0.06),
        ],
        0.30,
    )


def _roof(a: Anchors, p: VehicleParameters) -> Curve:
    """Height of the roof on the plane of symmetry along x."""
    notch = p.tail == "notch"
    apex = 0.42 * a.header_x + 0.58 * a.rear_header_x + 0.30
    drop = 0.055 if notch else 0.04
    # Over a fast backlight the roof must not fall in with the glass, or no glass is left.
    fall = 2.6 - 1.2 * float(ramp(np.array(a.back_slope), 1.55, 2.15))
    return Curve(
        [
            (a.rear_header_x - 0.4, a.roof_z - fall * drop),
            (a.rear_header_x, a.roof_z - drop),
            (apex, a.roof_z + 0.012),
            (a.header_x, a.roof_z - 0.038),
            (a.header_x + 0.3, a.roof_z - 0.11),
        ],
        0.22,
    )


def _floor(a: Anchors) -> Curve:
    """Height of the floor along x."""
    return Curve(
        [
            (a.rear_x, a.floor_z + 0.13),
            (a.rear_axle_x - a.arch_radius, a.floor_z + 0.03),
            (a.rear_axle_x, a.floor_z),
            (a.front_axle_x, a.floor_z),
            (a.front_axle_x + a.arch_radius, a.floor_z + 0.01),
            (a.front_x, a.floor_z + 0.05),
        ],
        0.10,
    )


class Form:
    """The implicit outer skin of one vehicle."""

    def __init__(self, parameters: VehicleParameters) -> None:
        """Lay out the guiding curves of the vehicle."""
        self.parameters = parameters
        self.anchors = anchors(parameters)
        a, p = self.anchors, parameters
        self._top = _top(a, p)
        self._crown = _crown(a, p)
        self._plan = _plan(a, p)
        self._window_foot = _window_foot(a, p)
        self._roof = _roof(a, p)
        self._floor = _floor(a)

    def belt(self, x: Array) -> Array:
        """Height of the belt line along x."""
        a = self.anchors
        t = np.clip((a.door_front_x - x) / (a.door_front_x - a.rear_axle_x), -0.5, 1.4)
        return a.belt_z + (a.belt_rear_z - a.belt_z) * t

    def crease(self, x: Array) -> Array:
        """Height of the crease along the doors."""
        a, p = self.anchors, self.parameters
        t = np.clip((a.door_front_x - x) / (a.door_front_x - a.rear_axle_x), -0.4, 1.3)
        rise = p.feature_line_rise_mm / 1000 * t
        return (
            self.belt(x)
            - p.feature_line_drop_mm / 1000
            + np.minimum(rise, 0.0)
            + 0.7 * np.maximum(rise, 0.0)
        )

    def centre_line(self, x: Array) -> Array:
        """Height of the skin on the plane of symmetry, edges not yet rounded."""
        a = self.anchors
        screen = a.cowl_z + (a.cowl_x - x) / a.screen_slope
        back = a.backlight_z + (x - a.backlight_x) / a.back_slope
        return np.maximum(self._top(x), np.minimum(np.minimum(screen, back), self._roof(x)))

    def half_widths(self, x: Array) -> tuple[Array, Array]:
        """Half widths of body and window foot along x."""
        return self._plan(x), self._window_foot(x)

    def floor(self, x: Array) -> Array:
        """Height of the floor along x."""
        return self._floor(x)

    def faces(self, points: Array) -> Mapping[str, Array]:
        """Fields of `FACES` and `skin` (negative inside) at (N, 3) points."""
        a = self.anchors
        x, y, z = points[:, 0], np.abs(points[:, 1]), points[:, 2]
        share = y / a.half_width
        top = 0.97 * (
            z
            - self._top(x)
            - self._pressings(x, y)
            + self._crown(x) * share**2 * (0.6 + 0.4 * share**2)
        )
        side = y - self._flank(x, z)
        front = x - self._nose(share, z)
        rear = self._tail(share, z) - x
        floor = self._floor(x) - z
        body = smooth_max(top, side, 0.11)
        body = smooth_max(body, smooth_max(front, rear, 0.1), 0.20)
        # The plan view's corners are far rounder than the edges of the hood.
        tail_corner = 0.20 if self.parameters.tail == "bed" else 0.36
        body = np.maximum(body, smooth_max(front, side, 0.36))
        body = np.maximum(body, smooth_max(rear, side, tail_corner))
        body = smooth_max(body, floor, 0.12)

        window, roof, screen, back = self._glass(x, y, z)
        cab = smooth_max(smooth_max(screen, back, 0.1), roof, 0.10)
        cab = smooth_max(cab, window, 0.11)
        # Inside the body the greenhouse ends, or its sloping screens would run out of the tail.
        cab = np.maximum(cab, a.belt_z - 0.22 - z)
        if self.parameters.tail != "hatch":
            cab = np.maximum(cab, np.minimum(rear + 0.06, a.backlight_z - 0.02 - z))
        else:
            cab = smooth_max(cab, rear, 0.07)
        skin = smooth_min(body, cab, 0.045)
        return {
            "top": top,
            "side": side,
            "front": front,
            "rear": rear,
            "floor": floor,
            "screen": screen,
            "back": back,
            "roof": roof,
            "window": window,
            "greenhouse": cab - body,
            "skin": skin,
        }

    def distance(self, points: Array) -> Array:
        """The skin's field at (N, 3) points: negative inside, about metres."""
        return self.faces(points)["skin"]

    def normals(self, points: Array) -> Array:
        """(N, 3) outward unit normals of the skin's level sets."""
        gradient = np.empty_like(points)
        for axis in range(3):
            step = np.zeros(3)
            step[axis] = _GRADIENT_STEP_M
            gradient[:, axis] = self.distance(points + step) - self.distance(points - step)
        gradient[points[:, 1] == 0.0, 1] = 0.0
        unit: Array = gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
        return unit

    def _pressings(self, x: Array, y: Array) -> Array:
        """How far creases of the hood and the lip of a boot lid stand above the plain form."""
        a, p = self.anchors, self.parameters
        along = ramp(x, a.front_x - 0.10, a.front_x - 0.45) * ramp(
            x, a.cowl_x - 0.12, a.cowl_x + 0.25
        )
        towards = np.clip((x - a.cowl_x) / (a.front_x - a.cowl_x), -0.2, 1.0)
        line = 0.64 * a.half_width + (0.36 * a.half_width - 0.64 * a.half_width) * towards
        off = y - line
        # A power bulge: nearly level between the creases, falling off outside.
        bulge = np.where(off < 0.0, ridge(off, 0.40, 0.012), ridge(off, 0.10, 0.012))
        raised = p.hood_crease_mm / 1000 * along * bulge
        if p.tail == "notch":
            edge = ramp(x, a.rear_x + 0.26, a.rear_x + 0.06)
            raised = raised + p.deck_lip_mm / 1000 * edge * (1.0 - ramp(y, 0.35, 0.72))
        return raised

    def _flank(self, x: Array, z: Array) -> Array:
        """Half width of the body side at (x, z)."""
        a, p = self.anchors, self.parameters
        waist = 0.5 * (a.floor_z + a.belt_z) + 0.06
        above = np.maximum(z - waist, 0.0) / (a.belt_z - waist)
        below = np.maximum(waist - z, 0.0) / (waist - a.floor_z)
        width = self._plan(x) - 0.045 * above**2.5 - 0.060 * below**2.2
        along = ramp(x, a.front_x - 0.25, a.front_axle_x - 0.2) * ramp(
            x, a.rear_x + 0.05, a.rear_axle_x
        )
        height = p.side_crease_mm / 1000
        off = z - self.crease(x)
        width += (
            height * along * np.where(off > 0.0, ridge(off, 0.075, 0.007), ridge(off, 0.055, 0.007))
        )
        sill = a.floor_z + 0.20 + 0.02 * ramp(x, a.door_front_x, a.door_rear_x)
        doors = ramp(x, a.front_axle_x - 0.2, a.door_front_x - 0.1) * ramp(
            x, a.rear_axle_x + 0.2, a.door_rear_x + 0.2
        )
        width += doors * (
            0.6 * height * ridge(z - sill, 0.05, 0.010)
            - p.door_scallop_mm / 1000 * bump(z, sill + 0.14, 0.09)
        )
        for axle_x in a.axles_x:
            radius = np.hypot(x - axle_x, z - a.wheel_radius)
            lip = np.exp(-((np.maximum(radius - a.arch_radius, 0.0) / 0.10) ** 2))
            width += p.flare_mm / 1000 * lip * ramp(z, 0.15, 0.45)
        return width

    def _nose(self, share: Array, z: Array) -> Array:
        """x of the front face."""
        a, p = self.anchors, self.parameters
        bow = p.nose_bow_mm / 1000
        mid = a.front_bumper_z
        upper = np.maximum(z - mid, 0.0)
        lower = np.maximum(mid - z, 0.0)
        height = max(a.nose_z - mid, 0.1)
        lean = (0.10 - 0.03 * float(ramp(np.array(a.nose_z), 0.82, 0.95))) * (upper / height) ** 1.6
        chin = 0.09 * (lower / (mid - a.floor_z)) ** 2.0
        # The bumper stands out before grille and lamps, less so towards the corners.
        out = p.bumper_projection_mm / 1000
        shelf = out * (1 - ramp(z, mid + 0.005, mid + 0.085)) * (1 - 0.5 * share**4)
        return a.front_x - out - bow * (0.45 * share**2 + 0.55 * share**4) - lean - chin + shelf

    def _tail(self, share: Array, z: Array) -> Array:
        """x of the rear face."""
        a, p = self.anchors, self.parameters
        mid = a.rear_bumper_z
        bow = 0.03 if p.tail == "bed" else 0.10
        lean = {"notch": 0.09, "bed": 0.02}.get(p.tail, 0.06)
        upper = np.maximum(z - mid, 0.0) / (a.backlight_z - mid)
        lower = np.maximum(mid - 0.08 - z, 0.0) / (mid - a.floor_z)
        step = 0.0 if p.tail == "bed" else 0.045
        recess = step * ramp(z, mid - 0.03, mid + 0.05)
        # A sedan's boot lid ends in a slight lip.
        hollow = 0.02 * bump(upper, 0.62, 0.3) if p.tail == "notch" else 0.0
        return (
            a.rear_x
            + bow * (0.35 * share**2 + 0.65 * share**4)
            + lean * upper**1.3
            + 0.11 * lower**1.6
            + recess
            + hollow
        )

    def _glass(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array, Array]:
        """Fields of side windows, roof, windscreen and backlight."""
        a = self.anchors
        rise = z - a.belt_z
        tall = a.roof_z - a.belt_z
        inset = a.side_slope * rise * (0.80 + 0.28 * rise / tall)
        window = (y - (self._window_foot(x) - inset)) / np.hypot(1.0, a.side_slope)
        top_half = a.half_width - 0.30
        roof = z - (self._roof(x) - 0.035 * (y / top_half) ** 2)
        s = np.clip((z - a.cowl_z) / (a.roof_z - a.cowl_z), -0.5, 1.3)
        screen_x = a.cowl_x - (z - a.cowl_z) * a.screen_slope + 0.10 * s * (1 - s)
        screen = (x - screen_x + 0.20 * (y / 0.75) ** 2) / np.hypot(1.0, a.screen_slope)
        s = np.clip((z - a.backlight_z) / (a.roof_z - a.backlight_z), -0.5, 1.3)
        back_x = a.backlight_x + (z - a.backlight_z) * a.back_slope - 0.06 * s * (1 - s)
        bow = 0.04 if self.parameters.tail == "bed" else 0.11
        back = (back_x + bow * (y / 0.75) ** 2 - x) / np.hypot(1.0, a.back_slope)
        return window, roof, screen, back
