"""Trim along the body: mouldings, steps, mud flaps, spoilers, rear wiper, sports bar."""

from __future__ import annotations

import numpy as np

from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.layout import Layout
from clearcoat.vehicles.probe import on_end, on_side, on_top, sampled
from clearcoat.vehicles.skin import solve
from clearcoat.vehicles.solids import loft, rounded_box, tube
from clearcoat.vehicles.surface import Surface, both_sides, join
from clearcoat.vehicles.trim import Trim


def add_dressing(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    """Add what a vehicle's trim level brings along its sides and at its tail."""
    _mouldings(form, layout, trim, assembly)
    _below(form, layout, trim, assembly)
    _tail(form, layout, trim, assembly)
    _reflectors(form, assembly)


def _strip(path: Array, out: float, height: float, roundness: float = 0.7) -> Surface:
    """A flat strip along a line on the left flank."""
    count = len(path)
    t = np.abs(np.linspace(-1.0, 1.0, count))
    taper = 1.0 - 0.7 * t**12
    side, up = np.tile([0.0, 1.0, 0.0], (count, 1)), np.tile([0.0, 0.0, 1.0], (count, 1))
    return loft(path, side, up, out * taper, 0.5 * height * taper, 10, roundness)


def _mouldings(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    a = form.anchors
    doors = [("front", a.door_front_x - 0.01, a.pillar_b_x + 0.006)]
    if layout.doors == 4:
        doors.append(("rear", a.pillar_b_x - 0.006, a.door_rear_x + 0.02))
    for which, start, end in doors:
        x = np.linspace(start, end, 33)
        if trim.belt_moulding:
            path = _window_foot(form, layout, x)
            if len(path) > 4:
                piece = _strip(path, 0.006, 0.014)
                assembly.add_pair(f"doors/{which}_{{side}}/belt_moulding", "chrome", piece)
        if trim.side_moulding:
            z, height = a.sill_z + 0.20, 0.05
            # A rear door ends at the arch, whose rim comes nearest at the strip's lower edge.
            arch = layout.ahead_of_rear_arch(z - 0.5 * height) + 0.012
            last = end + 0.012 if which == "front" else max(end + 0.30, arch)
            path = on_side(form, np.linspace(start - 0.05, last, 33), np.full(33, z))
            piece = _strip(path, 0.008, height)
            assembly.add_pair(f"doors/{which}_{{side}}/side_moulding", "plastic_black", piece)


def _window_foot(form: Form, layout: Layout, x: Array) -> Array:
    """Points just below the side windows' lower edge along x, ahead of their rear corner."""
    z = form.belt(x)[:, None] + np.linspace(-0.05, 0.09, 36)[None, :]
    z = np.minimum(z, form.centre_line(x)[:, None] - 0.06)
    grid_x = np.broadcast_to(x[:, None], z.shape)
    points = on_side(form, grid_x.ravel(), z.ravel())
    inside = (layout.daylight(sampled(form, points)) < 0.0).reshape(z.shape)
    first = np.argmax(inside, axis=1)
    found = inside.any(axis=1) & (first > 1)
    rows = np.flatnonzero(found)
    if len(rows) == 0:
        return np.zeros((0, 3))
    path: Array = points.reshape(*z.shape, 3)[rows, first[rows] - 1]
    return path


def _below(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    a = form.anchors
    if trim.side_steps:
        front, rear = a.front_axle_x - a.arch_radius - 0.12, a.rear_axle_x + a.arch_radius + 0.10
        x = np.linspace(rear, front, 13)
        t = np.abs(np.linspace(-1.0, 1.0, 13)) ** 10
        y = a.half_width - 0.01 - 0.10 * t
        path = np.stack([x, y, np.full(13, a.floor_z + 0.0)], axis=1)
        side = np.tile([0.0, 1.0, 0.0], (13, 1))
        up = np.tile([0.0, 0.0, 1.0], (13, 1))
        board = loft(path, side, up, np.full(13, 0.065), np.full(13, 0.022), 14, 0.55)
        brackets = [
            rounded_box((0.05, 0.30, 0.03), 0.01).moved((at, a.half_width - 0.19, a.floor_z + 0.01))
            for at in (rear + 0.25, front - 0.25)
        ]
        assembly.add_pair("body/side_step_{side}", "plastic_black", join([board, *brackets]))
    if trim.mud_flaps:
        for end, axle in zip(("front", "rear"), a.axles_x, strict=True):
            at = axle - a.arch_radius - 0.012
            height = 0.20 + 0.25 * a.floor_z
            flap = rounded_box((0.012, 0.24, height), 0.005)
            z = a.floor_z + 0.06
            place = (at, a.half_width - 0.16, z - 0.25 * height)
            assembly.add_pair(f"body/mud_flap_{end}_{{side}}", "plastic_black", flap.moved(place))
    if trim.skid_plate:
        y = np.linspace(-0.42, 0.42, 29) * a.half_width
        z = layout.intake_low_z - 0.042
        path = on_end(form, np.abs(y), np.full(29, z), front=True)
        path[:, 1] = y
        t = np.abs(np.linspace(-1.0, 1.0, 29)) ** 8
        side, up = np.tile([1.0, 0.0, 0.0], (29, 1)), np.tile([0.0, 0.0, 1.0], (29, 1))
        plate = loft(path, side, up, 0.012 * (1 - 0.5 * t), 0.036 * (1 - 0.6 * t), 12, 0.6)
        assembly.add("bumpers/front_skid_plate", "rim_alloy", plate)


def _tail(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    a = form.anchors
    if layout.tail == "notch" and trim.boot_spoiler:
        half = 0.80 * (a.half_width - 0.10)
        y = np.linspace(-half, half, 33)
        t = np.abs(y) / half
        path = on_top(form, a.rear_x + 0.16 + 0.09 * t**2, y)
        path[:, 2] += 0.075 * (1.0 - 0.55 * t**4) - 0.005
        chord = 0.075 * (1 - 0.35 * t**4)
        side, up = np.tile([1.0, 0.0, 0.14], (33, 1)), np.tile([-0.14, 0.0, 1.0], (33, 1))
        wing = loft(path, side, up, chord, 0.014 + 0 * t, 16, 0.85)
        posts = []
        # On the lid, not on the lamps beside it.
        outer = min(0.95 * half, layout.tail_in_y - 0.04)
        for at in (0.55 * outer, outer):
            foot = on_top(form, np.array([a.rear_x + 0.20]), np.array([at]))[0]
            post = rounded_box((0.09, 0.035, 0.085), 0.012).moved(
                foot + np.array([0.0, 0.0, 0.018])
            )
            posts.append(post)
        assembly.add(
            f"{layout.carrier}/spoiler", "paint", join([wing, *(both_sides(p) for p in posts)])
        )
    if layout.tail == "hatch":
        if trim.roof_spoiler:
            _roof_spoiler(form, layout, assembly)
        if trim.rear_wiper:
            _rear_wiper(form, assembly)
    _brake_light(form, layout, trim, assembly)


def _header(form: Form, y: Array, below_m: float) -> Array:
    """Points of the backlight's upper edge, `below_m` under the roof."""
    a = form.anchors
    z = a.roof_z - 0.05 - below_m - 0.05 * (np.abs(y) / 0.6) ** 2
    inner = np.full(y.shape, a.rear_header_x + 0.9)
    low = np.full(y.shape, 0.9)
    start = np.stack([inner, 0.8 * y, low], -1)
    towards = np.stack([np.full(y.shape, a.rear_header_x - 0.05), y, z], -1)
    return solve(form, start, towards)


def _roof_spoiler(form: Form, layout: Layout, assembly: Assembly) -> None:
    a = form.anchors
    half = 0.5 * a.half_width + 0.06
    y = np.linspace(-half, half, 29)
    path = _header(form, np.abs(y), 0.0)
    path[:, 1] = y
    t = (np.abs(y) / half) ** 6
    path = path + np.stack([-0.035 * (1 - t), 0 * y, 0.004 + 0 * y], axis=1)
    side, up = np.tile([1.0, 0.0, -0.10], (29, 1)), np.tile([0.10, 0.0, 1.0], (29, 1))
    wing = loft(path, side, up, 0.11 * (1 - 0.35 * t), 0.018 * (1 - 0.4 * t), 16, 0.8)
    assembly.add("tailgate/spoiler", "paint", wing)


def _rear_wiper(form: Form, assembly: Assembly) -> None:
    a = form.anchors
    y = np.linspace(-0.04, 0.36, 15)
    z = a.backlight_z + 0.085 + 0.03 * (y / 0.36)
    path = on_end_back(form, y, z)
    path[:, 0] -= 0.012
    arm = tube(path, 0.007, 8)
    hub = rounded_box((0.04, 0.05, 0.05), 0.015).moved(path[0] + [0.0, 0.0, -0.015])
    assembly.add("glass/wiper_rear", "plastic_black", join([arm, hub]))


def on_end_back(form: Form, y: Array, z: Array) -> Array:
    """Points of the backlight or tail at y and z, from a start within the cabin."""
    a = form.anchors
    start = np.stack([np.full(y.shape, a.rear_axle_x + 0.75), 0.6 * y, np.minimum(z, 1.0)], -1)
    return solve(form, start, np.stack([np.full(y.shape, a.rear_x + 0.05), y, z], -1))


def _brake_light(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    a = form.anchors
    y = np.linspace(-0.14, 0.14, 9)
    if layout.tail == "notch":
        # On the parcel shelf, against the foot of the glass.
        path = on_top(form, np.full(9, a.backlight_x + 0.10), y) + np.array([0.02, 0.0, -0.035])
    else:
        below = 0.028 if layout.tail == "hatch" else 0.045
        path = _header(form, np.abs(y), below)
        path[:, 1] = y
        path[:, 0] -= 0.002
    side, up = np.tile([1.0, 0.0, 0.0], (9, 1)), np.tile([0.0, 0.0, 1.0], (9, 1))
    bar = loft(path, side, up, np.full(9, 0.012), np.full(9, 0.011), 10, 0.7)
    assembly.add("lamps/brake_high", "lamp_red", bar)


def _reflectors(form: Form, assembly: Assembly) -> None:
    a = form.anchors
    z = a.floor_z + 0.36 * (a.rear_bumper_z - a.floor_z) + 0.05
    y = np.linspace(0.60, 0.74, 9) * a.half_width
    path = on_end(form, y, np.full(9, z), front=False)
    path[:, 0] += 0.004
    side, up = np.tile([1.0, 0.0, 0.0], (9, 1)), np.tile([0.0, 0.0, 1.0], (9, 1))
    piece = loft(path, side, up, np.full(9, 0.008), np.full(9, 0.014), 10, 0.7)
    assembly.add_pair("bumpers/rear_reflector_{side}", "retroreflector_red", piece)
    x = np.linspace(-0.03, 0.03, 5) + a.front_axle_x - a.arch_radius - 0.07
    side_lamp = on_side(form, x, np.full(5, a.belt_z - 0.24))
    assembly.add_pair("lamps/repeater_{side}", "lamp_amber", _strip(side_lamp, 0.006, 0.026))
