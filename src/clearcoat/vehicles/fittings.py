"""What is bolted on: mirrors, handles, plates, wipers, bars, rails, exhaust, antenna."""

from __future__ import annotations

import itertools

import numpy as np

from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.glyphs import strokes
from clearcoat.vehicles.layout import Layout
from clearcoat.vehicles.probe import on_end, on_side, on_top, sampled
from clearcoat.vehicles.solids import loft, revolve, rounded_box, smooth, tube
from clearcoat.vehicles.surface import Surface, join
from clearcoat.vehicles.trim import Trim


def add_fittings(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    """Add everything that stands on the outer skin."""
    _mirrors(form, layout, assembly)
    _handles(form, trim, assembly)
    _plates(form, layout, trim, assembly)
    _wipers(form, assembly)
    _badges(form, layout, trim, assembly)
    _small(form, layout, trim, assembly)


def _axes(count: int, side: tuple[float, ...], up: tuple[float, ...]) -> tuple[Array, Array]:
    return np.tile(side, (count, 1)), np.tile(up, (count, 1))


def _mirrors(form: Form, layout: Layout, assembly: Assembly) -> None:
    a = form.anchors
    x = np.linspace(min(a.door_front_x + 0.1, a.cowl_x - 0.15), a.pillar_b_x, 60)
    foot_z = a.belt_z + 0.055
    window = layout.daylight(sampled(form, on_side(form, x, np.full(60, foot_z))))
    # Where the glass begins; the foot of the mirror stands in its front corner.
    corner_x = float(x[np.argmax(window < 0.0)]) - 0.035
    skin_y = float(on_side(form, np.array([corner_x]), np.array([foot_z]))[0, 1])
    tall = a.roof_z > 1.6
    half_y, half_z = (0.105, 0.092) if tall else (0.112, 0.073)
    centre = np.array([corner_x + 0.015, skin_y + half_y + 0.055, foot_z + half_z - 0.015])

    depth = np.array([-0.052, -0.050, -0.030, 0.0, 0.03, 0.055, 0.072, 0.082, 0.086])
    fill = np.array([0.965, 0.995, 1.0, 0.985, 0.92, 0.78, 0.58, 0.34, 0.12])
    side, up = _axes(len(depth), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    # The housing leans outwards to the rear, as if swept by the wind.
    path = centre + np.stack([depth, -0.25 * (depth + 0.05), -0.10 * (depth + 0.05)], axis=1)
    housing = loft(path, side, up, fill * half_y, fill * half_z, 32, 0.72)
    assembly.add_pair("doors/front_{side}/mirror/housing", "paint", housing)

    angle = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    rim = np.stack(
        [
            np.full(40, -0.0535),
            0.90 * half_y * np.sign(c) * np.abs(c) ** 0.72,
            0.88 * half_z * np.sign(s) * np.abs(s) ** 0.72,
        ],
        axis=1,
    )
    i = np.arange(40)
    fan = np.stack([np.zeros(40, np.int64), 1 + (i + 1) % 40, 1 + i], axis=1)
    glass = smooth(np.concatenate([[[-0.0535, 0.0, 0.0]], rim]), fan)
    if float(glass.normals[0, 0]) > 0:
        glass = glass.flipped()
    assembly.add_pair("doors/front_{side}/mirror/glass", "mirror_glass", glass.moved(centre))

    arm = np.linspace([corner_x + 0.01, skin_y - 0.02, foot_z - 0.01],
                      centre + np.array([0.01, -0.6 * half_y, -0.72 * half_z]), 6)  # fmt: skip
    side, up = _axes(6, (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    width, height = np.linspace(0.055, 0.045, 6), np.linspace(0.026, 0.016, 6)
    foot = loft(arm, side, up, width, height, 16, 0.8)
    assembly.add_pair("doors/front_{side}/mirror/foot", "plastic_black_gloss", foot)


def _handles(form: Form, trim: Trim, assembly: Assembly) -> None:
    a = form.anchors
    finish = "chrome" if trim.chrome_handles else "paint"
    rear_x = min(a.door_rear_x + 0.19, a.pillar_b_x - 0.3)
    places = (("front", a.pillar_b_x + 0.165), ("rear", rear_x))
    for which, x in places[: form.parameters.doors // 2]:
        along = np.linspace(-0.105, 0.105, 15)
        z = form.belt(np.full(15, x)) - 0.085
        skin = on_side(form, x + along, z)
        t = np.abs(along) / 0.105
        path = skin + np.array([0.0, 1.0, 0.0]) * (0.030 * (1 - t**4) - 0.004)[:, None]
        side, up = _axes(15, (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        if trim.handle == "pull":
            grip = loft(path, side, up, 0.009 + 0.003 * t**2, 0.016 - 0.004 * (1 - t), 14, 0.8)
        else:
            flap = skin + np.array([0.0, 0.004, -0.006])
            grip = loft(flap, side, up, np.full(15, 0.006), 0.024 - 0.008 * t**6, 14, 0.6)
        assembly.add_pair(f"doors/{which}_{{side}}/handle", finish, grip)
        cup = on_side(form, *_disc(x, float(z[0]), 0.062, 0.026))
        normals = form.normals(cup)
        count = len(cup) - 1
        i = np.arange(count)
        fan = np.stack([np.zeros(count, np.int64), 1 + (i + 1) % count, 1 + i], axis=1)
        dish = Surface(cup + 0.0012 * normals, normals, fan)
        assembly.add_pair(f"doors/{which}_{{side}}/handle_cup", "plastic_black", _facing(dish))


def _disc(x: float, z: float, half_x: float, half_z: float) -> tuple[Array, Array]:
    angle = np.linspace(0.0, 2.0 * np.pi, 28, endpoint=False)
    ring_x, ring_z = x + half_x * np.cos(angle), z + half_z * np.sin(angle)
    return np.concatenate([[x], ring_x]), np.concatenate([[z], ring_z])


def _facing(surface: Surface) -> Surface:
    """The surface with its triangles wound to agree with its normals."""
    corner = surface.vertices[surface.faces[0]]
    cross = np.cross(corner[1] - corner[0], corner[2] - corner[0])
    if float(cross @ surface.normals[surface.faces[0, 0]]) > 0:
        return surface
    return Surface(surface.vertices, surface.normals, surface.faces[:, ::-1])


def _plate_size(trim: Trim) -> tuple[float, float]:
    """Width and height."""
    return (0.52, 0.112) if trim.wide_plates else (0.34, 0.15)


def _rear_plate_z(form: Form, layout: Layout) -> float:
    return form.anchors.rear_bumper_z + (-0.10 if layout.tail == "bed" else 0.17)


def _plates(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    a = form.anchors
    width, height = _plate_size(trim)
    rear_z = _rear_plate_z(form, layout)
    front_z = min(a.front_bumper_z + 0.02, layout.grille_low_z - 0.5 * height - 0.02)
    for name, z, front in (("front", front_z, True), ("rear", rear_z, False)):
        y = np.array([0.0, 0.5 * width, 0.0, 0.0])
        points = on_end(form, y, z + np.array([0.0, 0.0, 0.4 * height, -0.4 * height]), front=front)
        tilt = np.arctan2(points[2, 0] - points[3, 0], points[2, 2] - points[3, 2])
        c, s = np.cos(tilt), np.sin(tilt)
        rotation = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
        sign = 1.0 if front else -1.0
        at = np.array([points[0, 0] + sign * 0.008, 0.0, z])
        frame = rounded_box((0.022, width + 0.024, height + 0.024), 0.006).turned(rotation)
        plate = rounded_box((0.012, width, height), 0.005).turned(rotation)
        # Named with what carries it, since people label it so.
        on_bumper = front or layout.tail == "bed"
        path = f"bumpers/{name}_plate" if on_bumper else f"{layout.carrier}/plate"
        assembly.add(f"{path}_frame", "plastic_black", frame.moved(at))
        ahead = np.array([sign * 0.008, 0.0, 0.0])
        assembly.add(path, "number_plate", plate.moved(at + ahead))
        text = _characters(width, height, trim.plate_text)
        text = text if front else text.turned(np.diag([-1.0, -1.0, 1.0]))
        text = text.turned(rotation).moved(at + 1.7 * ahead)
        assembly.add(f"{path}_text", "plastic_black", text)
        if name == "rear" and trim.garnish:
            y = np.linspace(-0.36, 0.36, 25)
            bar = on_end(form, y, np.full(25, z + 0.5 * height + 0.045), front=False)
            side, up = _axes(25, (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
            thin = np.full(25, 0.012), np.full(25, 0.017)
            assembly.add(f"{layout.carrier}/garnish", "chrome", loft(bar, side, up, *thin, 12, 0.8))


def _characters(width: float, height: float, text: str) -> Surface:
    """Embossed characters of a registration, on a plate that faces +x."""
    bars = []
    thick = 0.045 * height
    for line in strokes(text, 0.84 * width, 0.62 * height):
        for (y0, z0), (y1, z1) in itertools.pairwise(line):
            length = float(np.hypot(y1 - y0, z1 - z0))
            along = np.array([[1.0, 0.0, 0.0], [0.0, y1 - y0, z0 - z1], [0.0, z1 - z0, y1 - y0]])
            along[1:, 1:] /= length
            bar = rounded_box((0.003, length + 2 * thick, 2 * thick), 0.0012, 1).turned(along)
            bars.append(bar.moved((0.0, 0.5 * (y0 + y1), 0.5 * (z0 + z1))))
    return join(bars)


def _rear_plate_top(form: Form, layout: Layout, trim: Trim) -> float:
    return _rear_plate_z(form, layout) + 0.5 * _plate_size(trim)[1] + 0.012


def _badges(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    """A plain ring on nose and tail, where every maker puts a sign."""
    angle = np.linspace(0.0, 2.0 * np.pi, 11)
    circle = [(0.046 + 0.006 * float(np.cos(t)), 0.006 * float(np.sin(t))) for t in angle]
    ring = revolve(circle, 36)
    quarter = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    ring = ring.turned(quarter)
    rear = max(layout.tail_top_z - 0.05, _rear_plate_top(form, layout, trim) + 0.062)
    heights = (0.5 * (layout.grille_top_z + layout.grille_low_z), rear)
    for z, front in ((heights[0], True), (heights[1], False)):
        point = on_end(form, np.zeros(1), np.array([z]), front=front)
        normal = form.normals(point)[0]
        c, s = np.hypot(normal[0], 0.0), normal[2]
        lean = np.array([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])
        if not front:
            lean = np.diag([-1.0, -1.0, 1.0]) @ lean
        badge = ring.turned(lean).moved(point[0] + 0.004 * normal)
        assembly.add("grille/badge" if front else f"{layout.carrier}/badge", "chrome", badge)


def _wipers(form: Form, assembly: Assembly) -> None:
    a = form.anchors
    for name, start, end in (("left", 0.62, -0.02), ("right", 0.02, -0.60)):
        y = np.linspace(start, end, 25)
        climb = np.linspace(0.0, 0.05, 25)
        x = a.cowl_x - 0.045 - 0.20 * (y / 0.75) ** 2 - climb
        path = on_top(form, x, y) + np.array([0.004, 0.0, 0.012])
        blade = tube(path, 0.007, 8)
        tip = path[12] + np.array([0.0, 0.0, 0.010])
        root_y = 0.5 * (start + end) + 0.22
        root = on_top(form, np.array([a.cowl_x + 0.02 - 0.2 * (root_y / 0.75) ** 2]),
                      np.array([root_y]))[0]  # fmt: skip
        arm = tube(np.linspace(root, tip, 6), 0.008, 8)
        assembly.add(f"glass/wiper_{name}", "plastic_black", join([blade, arm]))


def _small(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    a = form.anchors
    fin_x = a.rear_header_x + 0.16
    top = on_top(form, np.array([fin_x]), np.array([0.0]))[0]
    t = np.linspace(0.0, 1.0, 8)
    path = top + np.stack([0.06 - 0.10 * t, 0 * t, -0.012 + 0.058 * t], axis=1)
    side, up = _axes(8, (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    fin = loft(path, side, up, 0.022 * (1 - 0.85 * t), 0.075 * (1 - 0.72 * t), 16, 1.0)
    if trim.antenna == "rod":
        rod = top + np.linspace([0.0, 0.0, -0.01], [-0.16, 0.0, 0.24], 5)
        fin = join([tube(rod, 0.0035, 8), rounded_box((0.06, 0.035, 0.03), 0.012).moved(top)])
    assembly.add("body/antenna", "plastic_black_gloss", fin)

    # The pipe hangs below the floor behind the wheel well and ends short of the bumper's edge.
    start_x = min(a.rear_x + 0.55, a.rear_axle_x - a.arch_radius - 0.04)
    x = np.linspace(start_x, a.rear_x + 0.13, 4)
    pipe = np.stack([x, np.full(4, -0.50), form.floor(x) - 0.026], axis=1)
    outside, bore = _open_tube(pipe, 0.032)
    assembly.add("body/exhaust", "chrome", outside)
    assembly.add("body/exhaust_bore", "underbody", bore)

    if trim.roof_rails:
        x = np.linspace(a.header_x - 0.12, a.rear_header_x + 0.10, 31)
        _, foot = form.half_widths(x)
        y = foot - a.side_slope * (a.roof_z - a.belt_z) - 0.035
        path = on_top(form, x, y)
        u = np.abs(np.linspace(-1.0, 1.0, 31))
        path[:, 2] += 0.045 * (1 - u**8) - 0.012
        side, up = _axes(31, (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        rail = loft(path, side, up, np.full(31, 0.014), np.full(31, 0.013), 12, 0.8)
        finish = "chrome" if trim.chrome_handles else "plastic_black"
        assembly.add_pair("body/roof_rail_{side}", finish, rail)


def _open_tube(path: Array, radius: float) -> tuple[Surface, Surface]:
    """A pipe without its last end, and the wall and bottom that one sees in there: soot."""
    depth, wall = 0.06, 0.003
    last = path[-2] - path[-1]
    inwards = path[-1] + np.linspace(0.0, depth, 3)[:, None] * last / np.linalg.norm(last)
    bore = _without_last_end(tube(inwards[::-1], radius - wall, 24), 24).flipped()
    return _without_last_end(tube(path, radius, 24), 24), bore


def _without_last_end(closed: Surface, segments: int) -> Surface:
    return Surface(
        closed.vertices[: -segments - 1], closed.normals[: -segments - 1], closed.faces[:-segments]
    )
