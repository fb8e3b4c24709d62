"""Where the lines run: shut lines, window borders, lamps and openings.

Every function takes a piece of skin and returns one number per vertex, negative inside the
region and about a distance in metres, so that gaps of constant width are level sets of it.
"""

from __future__ import annotations

from math import radians, tan

import numpy as np

from clearcoat.vehicles.anchors import FRONT_WELL_Y_M
from clearcoat.vehicles.curves import Array, meet, ramp, smooth_min
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.skin import Skin
from clearcoat.vehicles.trim import Trim

ARCH_RIM_M = 0.055
"""From the edge of a wheel well out to where doors end and cladding begins."""
_CORNER_M = 0.06


class Layout:
    """The lines of one vehicle."""

    def __init__(self, form: Form, trim: Trim) -> None:
        """Place the lines that several regions share."""
        self.form = form
        self.intake_design, self.fog_design = trim.intake, trim.fog
        a, p = form.anchors, form.parameters
        self.tail = p.tail
        self.doors = p.doors
        self.carrier = {"notch": "trunk_lid", "hatch": "tailgate", "bed": "bed"}[p.tail]
        """Folder of the parts that open with the tail."""
        self.middle_x = 0.5 * (a.header_x + a.rear_header_x)
        self.lamp_in_y = max(0.5 * p.grille_width_mm / 1000 + 0.030, 0.46 * a.half_width)
        self.lamp_reach_x = a.front_x - p.nose_bow_mm / 1000 - p.lamp_reach_mm / 1000
        self.lamp_top_z = a.nose_z - 0.045
        self.grille_top_z = a.nose_z - 0.075 + 0.02 * float(ramp(np.array(a.nose_z), 0.82, 0.95))
        self.grille_low_z = self.grille_top_z - p.grille_height_mm / 1000
        self.tail_in_y = a.half_width - 0.02 - p.tail_lamp_width_mm / 1000
        self.tail_top_z = a.backlight_z - {"notch": 0.075, "bed": 0.06}.get(p.tail, 0.03)
        self.tail_low_z = max(
            self.tail_top_z - p.tail_lamp_height_mm / 1000, a.rear_bumper_z + 0.07
        )
        self.bed_end_x = a.backlight_x - 0.025
        self.fog_out_y = 0.84 * a.half_width
        beside_intake = 0.5 * p.intake_width_mm / 1000 + 0.06
        # Beside the widest intakes too there is room for a lamp.
        self.fog_in_y = min(max(0.61 * a.half_width, beside_intake), self.fog_out_y - 0.115)
        self.intake_low_z = a.floor_z + 0.115
        high = min(a.front_bumper_z - 0.02, self.grille_low_z - 0.13)
        self.intake_high_z = max(
            min(high, self.intake_low_z + p.intake_height_mm / 1000), self.intake_low_z + 0.07
        )

    def well(self, s: Skin, margin: float = 0.0) -> Array:
        """Both wheel wells, seen from the side, straight-sided below the axles."""
        a = self.form.anchors
        rise = s["z"] - a.wheel_radius
        rise = np.where(rise < 0.0, 0.25 * rise, rise)
        rings = [np.hypot(s["x"] - x, rise) for x in a.axles_x]
        ring = np.minimum(rings[0], rings[1]) - a.arch_radius - margin
        inner = np.where(s["x"] > 0.0, FRONT_WELL_Y_M, a.rear_well_y) - 0.02
        return np.maximum(ring, inner - s["y"])

    def ahead_of_rear_arch(self, z: float) -> float:
        """The x at which the rim of the rear arch begins at height `z`."""
        a = self.form.anchors
        rise = max(z - a.wheel_radius, 0.0)
        return a.rear_axle_x + float(np.sqrt((a.arch_radius + ARCH_RIM_M) ** 2 - rise**2))

    def underbody(self, s: Skin) -> Array:
        """The floor."""
        return -s["floor"] - 0.035

    def windscreen(self, s: Skin) -> Array:
        """The opening of the windscreen."""
        region = meet([s["window"] + 0.052, s["roof"] + 0.050, s["greenhouse"] - 0.004], _CORNER_M)
        return np.maximum(region, self.middle_x - s["x"])

    def backlight(self, s: Skin) -> Array:
        """The opening of the rear window."""
        a = self.form.anchors
        edge = {"notch": 0.065, "bed": 0.10}.get(self.tail, 0.075)
        top = {"notch": 0.05, "bed": 0.09}.get(self.tail, 0.075)
        foot = a.backlight_z + (-1.0 if self.tail == "notch" else 0.035)
        region = meet(
            [s["window"] + edge, s["roof"] + top, s["greenhouse"] + 0.004, foot - s["z"]],
            0.06 if self.tail == "notch" else 0.10,
        )
        return np.maximum(region, s["x"] - self.middle_x)

    def daylight(self, s: Skin, depth_m: float = 0.0) -> Array:
        """The opening of all side windows together, pillars B and C not yet taken out.

        `depth_m`: how far below the skin the piece lies.
        """
        behind = 0.15 if self.tail == "notch" else 0.12
        region = meet(
            [
                s["screen"] + 0.060,
                s["roof"] + 0.068,
                s["back"] + behind,
                s["greenhouse"] + 0.006,
            ],
            _CORNER_M,
        )
        region = np.maximum(region, -0.035 - depth_m - s["window"])
        # Where the tail is hollow the greenhouse comes out of the body once more, far below.
        return np.maximum(region, self.form.belt(s["x"]) - 0.12 - s["z"])

    def window(self, s: Skin, which: str) -> Array:
        """The opening of one side window: `front`, `rear` or `quarter`."""
        a = self.form.anchors
        x = s["x"]
        if which == "front":
            bounds = [a.pillar_b_x + 0.050 - x]
        elif which == "rear":
            bounds = [x - (a.pillar_b_x - 0.030), self.quarter_x(s) + 0.028 - x]
        else:
            ahead = 0.020 if self.doors == 4 else 0.060
            bounds = [x - (self.quarter_x(s) - ahead)]
        return meet([self.daylight(s), *bounds], 0.035)

    def quarter_x(self, s: Skin) -> Array:
        """Where the rear door's glass ends: the line leans forward with height."""
        a = self.form.anchors
        if self.tail == "bed":
            return np.full(len(s.values), a.door_rear_x - 0.5)
        if self.doors == 2:
            return np.full(len(s.values), a.pillar_b_x)
        return a.door_rear_x - 0.06 + 0.18 * (s["z"] - a.belt_rear_z)

    def _side_facing(self, s: Skin) -> Array:
        return np.maximum(0.45 * self.form.anchors.half_width - s["y"], -0.20 - s["side"])

    def door(self, s: Skin, which: str) -> Array:
        """A door's outer contour, window frame included: `front` or `rear`."""
        a = self.form.anchors
        x, z = s["x"], s["z"]
        # Steeper below the belt, so that the frame does not bend the panel's border there.
        frame = np.maximum(self.daylight(s) - 0.040, 2.0 * (self.form.belt(x) - z))
        sill = a.sill_z - z
        # The panel runs up to the glass, uncut by any border of its own.
        shoulder = -s["greenhouse"] - 0.02
        if which == "front":
            ahead = x - a.door_front_x + 0.03 * (z - a.sill_z)
            # Between door and hood a strip of the body runs up to the foot of the pillar.
            inboard = smooth_min(-0.045 - s["side"], s["screen"] + 0.020, _CORNER_M)
            low = meet([sill, ahead, inboard], 0.07)
            region = smooth_min(np.maximum(low, shoulder), frame, 0.06)
            region = np.maximum(region, a.pillar_b_x - x)
        else:
            behind = a.door_rear_x - x
            low = meet([sill, behind, ARCH_RIM_M - self.well(s)], 0.09)
            upper = np.maximum(frame, self.quarter_x(s) - 0.012 - x)
            region = smooth_min(np.maximum(low, shoulder), upper, 0.08)
            region = np.maximum(region, x - a.pillar_b_x)
        return np.maximum(region, self._side_facing(s))

    def hood(self, s: Skin) -> Array:
        """The hood, from the nose to the cowl."""
        return meet([s["side"] + 0.085, -s["top"] - 0.052, self._behind_hood(s)], 0.05)

    def _behind_hood(self, s: Skin) -> Array:
        """Positive behind the hood's rear edge, of which a far raked screen leaves a strip free."""
        edge = self.form.anchors.cowl_x + 0.055 - 0.22 * (s["y"] / 0.75) ** 2
        return np.maximum(edge - s["x"], 0.008 - s["greenhouse"])

    def cowl(self, s: Skin) -> Array:
        """The black strip between hood and windscreen."""
        region = meet([s["side"] + 0.085, -self._behind_hood(s), -s["greenhouse"] - 0.01], 0.02)
        return np.maximum(region, self.middle_x - s["x"])

    def roof(self, s: Skin) -> Array:
        """The roof panel, between the ditches above the doors."""
        region = meet([s["window"] + 0.055, -s["roof"] - 0.075], 0.04)
        return np.maximum(region, self.form.anchors.belt_z + 0.1 - s["z"])

    def trunk_lid(self, s: Skin) -> Array:
        """A sedan's boot lid: deck and upper part of the tail."""
        a = self.form.anchors
        return meet(
            [
                s["side"] + 0.13,
                a.rear_bumper_z + 0.055 - s["z"],
                -s["greenhouse"] + 0.012,
                s["x"] - a.backlight_x - 0.25,
            ],
            0.05,
        )

    def tailgate(self, s: Skin) -> Array:
        """The tailgate of a hatchback, an SUV or a pickup."""
        a = self.form.anchors
        low = a.rear_bumper_z + 0.055 - s["z"]
        if self.tail == "bed":
            inner = s["y"] - self.tail_in_y - 0.008
            return meet([inner, low, -0.06 - s["rear"]], 0.03)
        above = np.maximum(s["window"] + 0.045, s["roof"] + 0.022)
        below = s["side"] + 0.11
        blend = ramp(s["z"], a.backlight_z - 0.10, a.backlight_z + 0.04)
        edge = blend * above + (1.0 - blend) * below
        facing = -0.14 - np.maximum(s["rear"], s["back"])
        return meet([edge, low, facing], 0.05)

    def head_lamp(self, s: Skin) -> Array:
        """A head lamp, from beside the grille round the corner into the fender."""
        p = self.form.parameters
        out = 0.55 * (s["y"] - self.lamp_in_y) + 0.80 * np.maximum(
            self.form.anchors.front_x - 0.05 - s["x"], 0.0
        )
        sweep = p.lamp_sweep_mm / 1000
        # Drawn up over the shoulder it has to rise more steeply, or it would not get there.
        rise = tan(radians(p.lamp_slant_deg)) + 2.0 * max(sweep, 0.0)
        top = self.lamp_top_z + rise * out
        height = p.lamp_height_mm / 1000
        # The inner edge leans outwards downwards, and upwards where the hood lies beside it.
        below = self.lamp_top_z - s["z"]
        inner = self.lamp_in_y + np.maximum(0.45 * below, -1.5 * below)
        low = top - height * (0.78 + 0.35 * ramp(out, 0.0, 0.25)) + 0.25 * rise * out
        return meet(
            [
                s["z"] - top,
                low - s["z"],
                inner - s["y"],
                self.lamp_reach_x + 1.1 * (top - s["z"]) - s["x"],
                s["top"] + 0.060 - sweep,
            ],
            0.045,
        )

    def grille(self, s: Skin) -> Array:
        """The upper grille."""
        half = 0.5 * self.form.parameters.grille_width_mm / 1000
        taper = 0.35 * (self.grille_top_z - s["z"])
        return meet(
            [
                s["y"] - half + taper,
                s["z"] - self.grille_top_z,
                self.grille_low_z - s["z"],
                s["top"] + 0.062,
                self.form.anchors.front_axle_x - s["x"],
            ],
            0.06,
        )

    def intake(self, s: Skin) -> Array:
        """The lower air intake in the front bumper."""
        half = 0.5 * self.form.parameters.intake_width_mm / 1000
        lean = {"wide": -0.7, "smile": 0.9, "mouth": 0.0}[self.intake_design]
        middle = 0.5 * (self.intake_low_z + self.intake_high_z)
        return meet(
            [
                s["y"] - half - lean * (s["z"] - middle),
                s["z"] - self.intake_high_z,
                self.intake_low_z - s["z"],
                self.form.anchors.front_axle_x - s["x"],
            ],
            0.05,
        )

    def fog_pocket(self, s: Skin) -> Array:
        """The dark pocket of a fog lamp."""
        a = self.form.anchors
        low = a.floor_z + 0.17
        tall = 0.13 if self.fog_design == "round" else 0.09
        return meet(
            [
                self.fog_in_y + 0.5 * (s["z"] - low) - s["y"],
                s["y"] - self.fog_out_y,
                low - s["z"],
                s["z"] - low - tall,
                a.front_axle_x - s["x"],
            ],
            0.05,
        )

    def front_bumper(self, s: Skin) -> Array:
        """Everything ahead of the line from the arch to the lamp and below the hood."""
        a = self.form.anchors
        foot_x, foot_z = a.front_axle_x + 0.86 * a.arch_radius, a.wheel_radius
        head_z = self.lamp_top_z - 0.10
        along = (s["z"] - foot_z) / (head_z - foot_z)
        line = foot_x + (self.lamp_reach_x + 0.12 - foot_x) * np.clip(along, -0.2, 1.0)
        # Above the lamps the metal belongs to the fender.
        over = np.minimum(s["z"] - self.lamp_top_z - 0.01, s["y"] - self.lamp_in_y)
        return meet([line - s["x"], over, s["top"] + 0.052], 0.02)

    def front_valance(self, s: Skin) -> Array:
        """The unpainted lower lip of the front bumper."""
        a = self.form.anchors
        low = np.maximum(s["z"] - self.form.floor(s["x"]) - 0.075, s["y"] - 0.8 * a.half_width)
        return np.maximum(low, a.front_axle_x + a.arch_radius - s["x"])

    def rear_valance(self, s: Skin) -> Array:
        """The unpainted lower middle of the rear bumper."""
        a = self.form.anchors
        height = s["z"] - self.form.floor(s["x"])
        return meet([height - 0.10, s["y"] - 0.62 * a.half_width - height, s["x"] - a.rear_axle_x
                     + a.arch_radius], 0.03)  # fmt: skip

    def tail_lamp(self, s: Skin) -> Array:
        """A tail lamp, from the tail round the corner into the quarter panel."""
        a = self.form.anchors
        p = self.form.parameters
        reach = p.tail_lamp_wrap_mm / 1000
        slant = min(p.tail_lamp_slant, 0.5 * p.tail_lamp_width_mm / p.tail_lamp_height_mm)
        lean = 0.0 if self.tail == "bed" else 0.5
        return meet(
            [
self.tail_in_y + slant * (self.tail_top_z - s["z"]) - s["y"],
                s["z"] - self.tail_top_z,
                self.tail_low_z - s["z"],
                s["x"] - a.rear_x - reach + lean * (self.tail_top_z - s["z"]),
            ],
            0.05,
        )  # fmt: skip

    def rear_bumper(self, s: Skin) -> Array:
        """Everything behind the rear arch and below the tailgate; its corners rise to the lamps."""
        a = self.form.anchors
        low = a.rear_bumper_z + 0.045
        if self.tail == "bed":
            return meet([s["x"] - a.rear_x - 0.30, s["z"] - low], 0.03)
        arch_x = a.rear_axle_x - 0.9 * a.arch_radius
        # What the lid and the lamps leave of the corner is the bumper's.
        high = max(self.tail_low_z + 0.012, low)
        lamp_x = a.rear_x + 0.5 * self.form.parameters.tail_lamp_wrap_mm / 1000
        rise = ramp(s["x"], arch_x, min(lamp_x, arch_x - 0.10))
        return meet([s["x"] - arch_x, s["z"] - low - (high - low) * rise], 0.03)

    def fender(self, s: Skin) -> Array:
        """The front fender: ahead of the door, below the A-pillar."""
        a = self.form.anchors
        end = np.where(s["z"] < a.sill_z + 0.02, a.door_front_x, a.door_front_x - 0.25)
        return np.maximum(end - s["x"], -s["greenhouse"])

    def sill(self, s: Skin) -> Array:
        """The sill below the doors."""
        a = self.form.anchors
        return meet([s["z"] - a.sill_z + 0.004, a.rear_axle_x - s["x"]], 0.02)

    def rear_body(self, s: Skin) -> Array:
        """The rear quarter: on a pickup the bed's side, elsewhere below the pillars."""
        if self.tail == "bed":
            return s["x"] - self.bed_end_x
        return np.maximum(s["x"] - self.form.anchors.rear_axle_x - 0.35, -s["greenhouse"])

    def bed(self, s: Skin) -> Array:
        """The opening of a pickup's bed."""
        a = self.form.anchors
        return meet(
            [
                s["side"] + 0.075,
                s["x"] - self.bed_end_x + 0.035,
                a.rear_x + 0.075 - s["x"],
                -s["top"] - 0.045,
            ],
            0.03,
        )
