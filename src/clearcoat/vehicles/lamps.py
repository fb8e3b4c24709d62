"""What is inside the lamps: projectors with their rings, and the fog lamps."""

from __future__ import annotations

import numpy as np

from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.layout import Layout
from clearcoat.vehicles.probe import on_end, sampled
from clearcoat.vehicles.solids import revolve
from clearcoat.vehicles.surface import Surface

_FORWARDS = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def add_lamps(form: Form, layout: Layout, assembly: Assembly) -> None:
    """Add projectors behind the head lamps' lenses, and fog lamps in their pockets."""
    a = form.anchors
    for y, radius in ((0.30, 0.040), (0.62, 0.036)):
        at = _inside(form, layout, layout.lamp_in_y + y * (a.half_width - layout.lamp_in_y))
        if at is None:
            continue
        centre, room = at
        size = min(radius, 0.78 * room)
        _projector(assembly, "lamps/head_{side}", size, centre - [size + 0.012, 0.0, 0.0])
    fog_z = a.floor_z + 0.17 + 0.06
    fog = on_end(form, np.array([0.71 * a.half_width]), np.array([fog_z]), front=True)[0]
    _projector(assembly, "lamps/fog_{side}", 0.034, fog - [0.042, 0.0, 0.0])


def _inside(form: Form, layout: Layout, y: float) -> tuple[Array, float] | None:
    """The middle of the head lamp at one y, and how far its border is above and below."""
    a = form.anchors
    z = np.linspace(a.front_bumper_z, a.nose_z - 0.06, 60)
    points = on_end(form, np.full(60, y), z, front=True)
    region = layout.head_lamp(sampled(form, points))
    deepest = int(np.argmin(region))
    if region[deepest] > -0.018:
        return None
    return points[deepest], float(-region[deepest])


def _projector(assembly: Assembly, folder: str, radius: float, at: Array) -> None:
    def scaled(*profile: tuple[float, float]) -> Surface:
        return revolve([(radius * r, radius * y) for r, y in profile], 32)

    ring = scaled((0.72, -0.6), (0.78, 0.30), (0.86, 0.42), (0.96, 0.38), (1.0, 0.25), (0.95, -0.7))
    t = np.linspace(0.02, np.pi / 2, 8)
    lens = scaled(*((0.74 * float(np.sin(s)), 0.55 * float(np.cos(s))) for s in t))
    cup = scaled((0.74, 0.0), (0.5, -0.5), (0.02, -0.6))
    for name, material, piece in (
        ("projector", "chrome", ring),
        ("projector_lens", "lamp_lens_clear", lens),
        ("projector_cup", "plastic_black_gloss", cup),
    ):
        assembly.add_pair(f"{folder}/{name}", material, _forwards(piece).moved(at))


def _forwards(surface: Surface) -> Surface:
    seen = surface if float(surface.normals[:, 1].sum()) > 0 else surface.flipped()
    return seen.turned(_FORWARDS)
