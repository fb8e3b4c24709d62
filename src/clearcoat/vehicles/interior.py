"""A plausible interior, seen through the glass: liner, seats, dashboard, steering wheel."""

from __future__ import annotations

from functools import partial
from math import radians

import numpy as np

from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.layout import Layout
from clearcoat.vehicles.panels import beyond
from clearcoat.vehicles.skin import clip, make_skin
from clearcoat.vehicles.solids import revolve, rounded_box
from clearcoat.vehicles.surface import Surface, both_sides, join, of_skin, whole
from clearcoat.vehicles.trim import Trim

_LINER_CELLS = (60, 12, 22)
_LINER_DEPTH_M = 0.040


def _pitch(angle_deg: float) -> Array:
    """Rotation about y that leans what stands upright backwards."""
    c, s = np.cos(radians(angle_deg)), np.sin(radians(angle_deg))
    return np.array([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])


def add_interior(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    """Add what is seen through the windows."""
    assembly.add("interior/liner", "interior_plastic", _liner(form, layout))
    a = form.anchors
    floor = a.floor_z + 0.12
    seat_x, seat_y = a.pillar_b_x + (0.12 if layout.doors == 4 else 0.34), 0.36
    scale = (a.roof_z - a.floor_z) / 1.28
    seat = _seat(scale).moved((seat_x, seat_y, floor))
    assembly.add_pair("interior/seat_front_{side}", "interior_fabric", seat)
    bench_x = min(a.pillar_b_x - 0.72, a.rear_axle_x + 0.62)
    if layout.doors == 2:
        bench_x = seat_x - 0.72
    # Behind, the roof falls: no seat reaches through the backlight.
    room = float(form.centre_line(np.array([bench_x - 0.42]))[0]) - 0.10 - floor
    bench_scale = min(scale, room / 0.98)
    if layout.tail == "bed":
        bench_x = a.backlight_x + 0.62
    middle = rounded_box((0.45, 0.5, 0.14), 0.05).moved((0.05, 0.0, 0.26 * bench_scale))
    # Between the wheel wells.
    place_y = min(0.28, a.rear_well_y - 0.025 - 0.24)
    bench = join([_seat(bench_scale).moved((0.0, place_y, 0.0)), middle])
    assembly.add(
        "interior/seat_rear", "interior_fabric", both_sides(bench).moved((bench_x, 0.0, floor))
    )
    half = float(form.half_widths(np.array([a.cowl_x]))[0][0]) - 0.21
    dash_x, dash_z = a.cowl_x - 0.38, a.belt_z - 0.13
    dash = rounded_box((0.50, 2 * half, 0.22), 0.09, 5).moved((dash_x, 0.0, dash_z))
    console = rounded_box((0.9, 0.22, 0.30), 0.06).moved((seat_x + 0.25, 0.0, floor + 0.16))
    firewall = rounded_box((0.06, 2 * half, a.belt_z - floor), 0.02).moved(
        # In a van the screen stands over the wheels, and the firewall behind them.
        (
            min(a.cowl_x - 0.16, a.front_axle_x - a.arch_radius - 0.05),
            0.0,
            0.5 * (a.belt_z + floor) - 0.04,
        )
    )
    assembly.add("interior/dashboard", "interior_plastic", join([dash, console, firewall]))
    side = -1.0 if trim.right_hand_drive else 1.0
    wheel = _steering_wheel().turned(_pitch(24.0))
    assembly.add(
        "interior/steering_wheel",
        "interior_plastic",
        wheel.moved((dash_x - 0.34, side * seat_y, a.belt_z - 0.06)),
    )
    if layout.tail == "notch":
        shelf = rounded_box((0.55, 1.1, 0.05), 0.02)
        at = (a.backlight_x + 0.30, 0.0, a.backlight_z - 0.13)
        assembly.add("interior/parcel_shelf", "interior_fabric", shelf.moved(at))


def _liner(form: Form, layout: Layout) -> Surface:
    """The cabin's inner wall: the skin's form a few centimetres further in, less the windows."""
    a = form.anchors
    skin = make_skin(form, _LINER_CELLS, _LINER_DEPTH_M)
    skin = clip(skin, skin["x"] - a.cowl_x - 0.12)
    end = layout.bed_end_x + 0.02 if layout.tail == "bed" else a.rear_x + 0.06
    skin = clip(skin, end - skin["x"])
    sides = partial(layout.daylight, depth_m=_LINER_DEPTH_M)
    for opening in (layout.windscreen, layout.backlight, sides):
        skin = beyond(skin, opening, 0.004)
    skin = clip(skin, 0.05 - layout.well(skin))
    return whole(of_skin(skin)).flipped()


def _seat(scale: float) -> Surface:
    """A seat whose cushion begins at the origin and whose back leans 20 degrees."""
    cushion = rounded_box((0.50, 0.48, 0.15), 0.06).moved((0.08, 0.0, 0.27 * scale))
    back = rounded_box((0.13, 0.47, 0.60 * scale), 0.055).moved((0.0, 0.0, 0.30 * scale))
    head = rounded_box((0.09, 0.25, 0.17), 0.04).moved((0.02, 0.0, 0.70 * scale))
    stem = rounded_box((0.02, 0.12, 0.10), 0.009).moved((0.01, 0.0, 0.61 * scale))
    upper = join([back, head, stem]).turned(_pitch(20.0))
    return join([cushion, upper.moved((-0.15, 0.0, 0.26 * scale))])


def _steering_wheel() -> Surface:
    """A rim of 370 mm about the x axis, with three spokes and a hub."""
    angle = np.linspace(0.0, 2.0 * np.pi, 13)
    circle = [(0.17 + 0.015 * float(np.cos(t)), 0.015 * float(np.sin(t))) for t in angle]
    ring = revolve(circle, 40)
    from_axis = ring.vertices * [1.0, 0.0, 1.0]
    from_axis *= 1.0 - 0.17 / np.linalg.norm(from_axis, axis=1, keepdims=True)
    if float(np.einsum("ij,ij->", from_axis, ring.normals)) < 0:
        ring = ring.flipped()
    quarter = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    hub = rounded_box((0.05, 0.13, 0.10), 0.02)
    spoke = rounded_box((0.016, 0.32, 0.035), 0.007)
    return join([ring.turned(quarter), hub, spoke])
