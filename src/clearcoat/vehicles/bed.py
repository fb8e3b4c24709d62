"""A pickup's bed: liner with humps over the wheels, and the bar behind the cab."""

from __future__ import annotations

import numpy as np

from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.layout import Layout
from clearcoat.vehicles.probe import on_end
from clearcoat.vehicles.solids import grid_surface, loft, revolve, tube
from clearcoat.vehicles.surface import Surface, both_sides, join
from clearcoat.vehicles.trim import Trim

_CELL_M = 0.035
_DEPTH_M = 0.50
_HUMP_M = 0.035
"""From the arch of the wheel well up to the hump over it."""


def add_bed(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    """Add the inside of a pickup's bed, a box without a lid, and what stands on its rails."""
    a = form.anchors
    front, rear = layout.bed_end_x - 0.03, a.rear_x + 0.10
    top = a.backlight_z - 0.015
    low = top - _DEPTH_M
    half = float(form.half_widths(np.array([a.rear_axle_x]))[0][0]) - 0.12
    box = _open_box((rear, -half, low), (front, half, top))
    # The wheels stand in it; the humps cover what is taken out here.
    off = np.hypot(box.vertices[:, 0] - a.rear_axle_x, box.vertices[:, 2] - a.wheel_radius)
    inside = (off < a.arch_radius + 0.012) & (np.abs(box.vertices[:, 1]) > a.rear_well_y - 0.01)
    faces = box.faces[~inside[box.faces].any(axis=1)]
    assembly.add("bed/liner", "plastic_black", Surface(box.vertices, box.normals, faces))
    hump = _hump(a.arch_radius + _HUMP_M, a.rear_well_y - 0.025, half)
    hump = hump.moved((a.rear_axle_x, 0.0, a.wheel_radius))
    above = hump.vertices[hump.faces][:, :, 2].max(axis=1) > low
    hump = Surface(hump.vertices, hump.normals, hump.faces[above])
    assembly.add("bed/humps", "plastic_black", both_sides(hump))
    _gate_handle(form, trim, assembly)
    if trim.sports_bar:
        _sports_bar(form, layout, assembly)


def _gate_handle(form: Form, trim: Trim, assembly: Assembly) -> None:
    """The latch in the middle of the gate: a grip across a dark cup."""
    z = form.anchors.backlight_z - 0.24
    y = np.linspace(-0.13, 0.13, 15)
    path = on_end(form, np.abs(y), np.full(15, z), front=False)
    path[:, 1] = y
    u = np.abs(y) / 0.13
    side, up = np.tile([1.0, 0.0, 0.0], (15, 1)), np.tile([0.0, 0.0, 1.0], (15, 1))
    cup = loft(path, side, up, np.full(15, 0.004), 0.040 - 0.010 * u**6, 20, 0.5)
    assembly.add("bed/handle_cup", "plastic_black", cup)
    finish = "chrome" if trim.chrome_handles else "plastic_black_gloss"
    grip = path[2:-2] + np.array([-0.012, 0.0, 0.012])
    bar = loft(grip, side[2:-2], up[2:-2], np.full(11, 0.010), np.full(11, 0.014), 14, 0.7)
    assembly.add("bed/handle", finish, bar)


def _open_box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Surface:
    """Floor and four walls of a box without a lid, seen from within, in small cells."""
    x, y, z = (
        np.linspace(a, b, 1 + int(np.ceil((b - a) / _CELL_M)))
        for a, b in zip(low, high, strict=True)
    )

    def sheet(u: Array, v: Array, axis: int, at: float, flip: bool) -> Surface:
        grid_u, grid_v = np.meshgrid(u, v, indexing="ij")
        points = np.empty((*grid_u.shape, 3))
        others = [other for other in range(3) if other != axis]
        points[..., axis], points[..., others[0]], points[..., others[1]] = at, grid_u, grid_v
        surface = grid_surface(points)
        inwards = -1.0 if flip else 1.0
        return surface if surface.normals[0, axis] * inwards > 0 else surface.flipped()

    return join(
        [
            sheet(x, y, 2, low[2], False),
            sheet(y, z, 0, low[0], False),
            sheet(y, z, 0, high[0], True),
            sheet(x, z, 1, low[1], False),
            sheet(x, z, 1, high[1], True),
        ]
    )


def _hump(radius: float, inner_y: float, outer_y: float) -> Surface:
    """A drum about the left wheel's axle with a rounded edge, closed towards the middle."""
    angle = np.linspace(0.0, np.pi / 2, 5)
    edge = 0.04
    rounded = zip(radius - edge * (1 - np.sin(angle)), inner_y + edge * (1 - np.cos(angle)),
                  strict=True)  # fmt: skip
    across = [(radius, float(y)) for y in np.linspace(inner_y + edge, outer_y, 5)[1:]]
    drum = revolve([(0.05, inner_y), *((float(r), float(y)) for r, y in rounded), *across], 96)
    outwards = float(np.einsum("ij,ij->", drum.vertices * [1.0, 0.0, 1.0], drum.normals)) > 0
    return drum if outwards else drum.flipped()


def _sports_bar(form: Form, layout: Layout, assembly: Assembly) -> None:
    a = form.anchors
    foot_y = float(form.half_widths(np.array([layout.bed_end_x - 0.2]))[0][0]) - 0.10
    top_z, low_z = a.roof_z - 0.16, a.backlight_z - 0.02
    x = layout.bed_end_x - 0.16
    angle = np.linspace(0.0, np.pi, 25)
    width = foot_y - 0.12 + 0.12 * np.abs(np.cos(angle)) ** 0.3
    y = width * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.45
    z = low_z + (top_z - low_z) * np.sin(angle) ** 0.45
    hoop = tube(np.stack([np.full(25, x), y, z], axis=1), 0.035, 14)
    stay = np.linspace([x, foot_y - 0.05, top_z - 0.12], [x - 0.62, foot_y, low_z], 9)
    stays = both_sides(tube(stay, 0.028, 12))
    assembly.add("bed/sports_bar", "plastic_black_gloss", join([hoop, stays]))
