"""Points that every other measure hangs on, in metres in the product frame."""

from __future__ import annotations

from dataclasses import dataclass
from math import radians, tan

from clearcoat.vehicles.parameters import VehicleParameters

TYRE_INSET_M = 0.018
"""From the widest point of the body in to the tyre's side wall."""
FRONT_WELL_Y_M = 0.42
"""Inner wall of the front wheel wells, which leave room for steering."""


@dataclass(frozen=True, kw_only=True)
class Anchors:
    """Package points of one vehicle: x forward from the middle, z up from the ground, metres."""

    front_x: float
    rear_x: float
    front_axle_x: float
    rear_axle_x: float
    half_width: float
    roof_z: float
    floor_z: float
    wheel_radius: float
    arch_radius: float
    rear_well_y: float
    """Inner wall of the rear wheel wells, close to the tyres, since those do not steer."""
    belt_z: float
    belt_rear_z: float
    nose_z: float
    cowl_x: float
    cowl_z: float
    header_x: float
    backlight_x: float
    backlight_z: float
    rear_header_x: float
    screen_slope: float
    back_slope: float
    side_slope: float
    front_bumper_z: float
    rear_bumper_z: float
    sill_z: float
    door_front_x: float
    pillar_b_x: float
    door_rear_x: float

    @property
    def length(self) -> float:
        """Over the bumpers."""
        return self.front_x - self.rear_x

    @property
    def axles_x(self) -> tuple[float, float]:
        """Front and rear."""
        return self.front_axle_x, self.rear_axle_x


def anchors(p: VehicleParameters) -> Anchors:
    """Derive the package points from the parameters."""
    length = (p.overhang_front_mm + p.wheelbase_mm + p.overhang_rear_mm) / 1000
    front_x = length / 2
    front_axle = front_x - p.overhang_front_mm / 1000
    rear_axle = front_axle - p.wheelbase_mm / 1000
    radius = p.wheel_diameter_mm / 2000
    arch = radius + p.arch_gap_mm / 1000
    roof = p.overall_height_mm / 1000
    cowl_x = front_axle - p.cowl_setback_mm / 1000
    cowl_z = p.cowl_height_mm / 1000
    screen = tan(radians(p.windscreen_rake_deg))
    back = tan(radians(p.backlight_rake_deg))
    backlight_x = -length / 2 + p.deck_length_mm / 1000
    backlight_z = p.deck_height_mm / 1000
    floor = p.ground_clearance_mm / 1000
    door_front = front_axle - arch - 0.13
    # The last door line stays ahead of the cab's end on a pickup.
    door_rear = rear_axle + 0.12
    if p.tail == "bed":
        door_rear = backlight_x + 0.16
    pillar_b = door_front - 0.535 * (door_front - door_rear)
    if p.doors == 2:
        # One long door; behind it the glass goes on as a quarter window.
        door_rear = rear_axle + arch + 0.10
        pillar_b = door_rear
    return Anchors(
        front_x=front_x,
        rear_x=-length / 2,
        front_axle_x=front_axle,
        rear_axle_x=rear_axle,
        half_width=p.width_mm / 2000,
        roof_z=roof,
        floor_z=floor,
        wheel_radius=radius,
        arch_radius=arch,
        rear_well_y=p.width_mm / 2000 - p.tyre_width_mm / 1000 - TYRE_INSET_M - 0.055,
        belt_z=p.beltline_height_mm / 1000,
        belt_rear_z=(p.beltline_height_mm + p.beltline_rise_mm) / 1000,
        nose_z=p.hood_front_height_mm / 1000,
        cowl_x=cowl_x,
        cowl_z=cowl_z,
        header_x=cowl_x - (roof - 0.05 - cowl_z) * screen,
        backlight_x=backlight_x,
        backlight_z=backlight_z,
        rear_header_x=backlight_x + (roof - 0.06 - backlight_z) * back,
        screen_slope=screen,
        back_slope=back,
        side_slope=tan(radians(p.tumblehome_deg)),
        front_bumper_z=0.55 * (floor + 0.05) + 0.45 * (p.hood_front_height_mm / 1000),
        rear_bumper_z=floor + p.rear_bumper_share * (backlight_z - floor),
        sill_z=floor + 0.14,
        door_front_x=door_front,
        pillar_b_x=pillar_b,
        door_rear_x=door_rear,
    )
