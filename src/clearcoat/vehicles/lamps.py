"""What is inside the lamps: projectors with their rings, and the fog lamps."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.layout import Layout
from clearcoat.vehicles.probe import has_end, on_end, sampled
from clearcoat.vehicles.solids import loft, revolve, tube
from clearcoat.vehicles.surface import Surface, join
from clearcoat.vehicles.trim import Trim

_FORWARDS = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def add_lamps(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    """Add what is behind the head lamps' lenses, rings in the tail lamps, and fog lamps."""
    a = form.anchors
    span = a.half_width - layout.lamp_in_y
    places = [(_inside(form, layout, layout.lamp_in_y + y * span), radius)
              for y, radius in ((0.26, 0.044), (0.58, 0.038))]  # fmt: skip
    if not any(at for at, _ in places):
        # A slit of a lamp: one projector, where there is most room.
        tried = [_inside(form, layout, layout.lamp_in_y + y * span, least_m=0.004)
                 for y in np.linspace(0.1, 0.8, 8)]  # fmt: skip
        widest = max((at for at in tried if at is not None), key=lambda at: at[2], default=None)
        places = [(widest, 0.038)]
    for at, radius in places:
        if at is None:
            continue
        point, inwards, room = at
        size = min(radius, 0.78 * room)
        _projector(assembly, "lamps/head_{side}", size, point + (1.1 * size + 0.010) * inwards)
    at = _inside(form, layout, layout.lamp_in_y + 0.80 * span)
    if at is not None:
        point, inwards, room = at
        size = min(0.026, 0.6 * room)
        dome = _forwards(revolve([(size * float(np.sin(s)), size * float(np.cos(s)))
                                  for s in np.linspace(0.02, np.pi / 2, 8)], 24))  # fmt: skip
        place = point + (size + 0.012) * inwards
        assembly.add_pair("lamps/head_{side}/indicator", "lamp_amber", dome.moved(place))
    if trim.daytime_strip:
        _daytime_strip(form, layout, assembly)
    if trim.tail == "rings":
        _tail_rings(form, layout, assembly)
    if not trim.fog_lamps:
        return
    fog_z = a.floor_z + 0.17 + (0.06 if trim.fog == "round" else 0.045)
    inner, outer = layout.fog_in_y + 0.5 * (fog_z - a.floor_z - 0.17), layout.fog_out_y
    across = np.linspace(inner + 0.015, outer - 0.015, 13)
    fog = on_end(form, across, np.full(13, fog_z), front=True)
    if trim.fog == "round":
        size = min(0.036, 0.4 * (outer - inner))
        # Along the normal, as the walls of its pocket are folded.
        _projector(assembly, "lamps/fog_{side}", size, fog[6] - 0.042 * form.normals(fog[6:7])[0])
    else:
        side, up = np.tile([1.0, 0.0, 0.0], (13, 1)), np.tile([0.0, 0.0, 1.0], (13, 1))
        bar = loft(fog - [0.026, 0, 0], side, up, np.full(13, 0.012), np.full(13, 0.011), 12, 0.7)
        assembly.add_pair("lamps/fog_{side}/strip", "light_guide", bar)


def _daytime_strip(form: Form, layout: Layout, assembly: Assembly) -> None:
    a = form.anchors
    y = np.linspace(layout.lamp_in_y + 0.03, layout.lamp_in_y + 0.22, 12)
    z = np.linspace(a.front_bumper_z, a.nose_z - 0.06, 60)
    points = on_end(form, np.repeat(y, 60), np.tile(z, 12), front=True)
    inside = (layout.head_lamp(sampled(form, points)) < -0.014).reshape(12, 60)
    points = points.reshape(12, 60, 3)
    # The lowest point of the lamp at each y.
    path = [points[i, int(np.argmax(inside[i]))] for i in range(12) if inside[i].any()]
    if len(path) < 5:
        return
    # Straightened, so that the grid along z does not show as steps.
    line = np.array(path)
    line = uniform_filter1d(line, 5, axis=0, mode="nearest") - np.array([0.020, 0.0, -0.004])
    assembly.add_pair("lamps/head_{side}/daytime", "light_guide", tube(line, 0.0055, 8))


def _tail_rings(form: Form, layout: Layout, assembly: Assembly) -> None:
    a = form.anchors
    low, high = layout.tail_low_z, layout.tail_top_z
    y = layout.tail_in_y + 0.5 * (a.half_width - 0.05 - layout.tail_in_y)
    largest = min(0.30 * (a.half_width - 0.05 - layout.tail_in_y), 0.17 * (high - low), 0.055)
    rings = []
    for share in (0.48, 0.80):
        z = low + share * (high - low)
        if not has_end(form, np.array([y]), np.array([z]), front=False)[0]:
            # The upper half of a lamp that lies in a sloping tailgate.
            continue
        at = on_end(form, np.array([y]), np.array([z]), front=False)
        room = -float(layout.tail_lamp(sampled(form, at))[0])
        size = min(largest, 0.8 * room - 0.017)
        if size < 0.018:
            continue
        angle = np.linspace(0.0, 2.0 * np.pi, 9)
        profile = [(size + 0.007 * float(np.cos(t)), 0.007 * float(np.sin(t))) for t in angle]
        ring = revolve(profile, 28).turned(_FORWARDS)
        # Square to the lens, so that no side of a ring comes through it.
        normal = form.normals(at)[0]
        across = np.cross(normal, [0.0, 0.0, 1.0])
        across /= np.linalg.norm(across)
        square = np.stack([normal, across, np.cross(normal, across)], axis=1)
        ring = ring.turned(square).moved(at[0] - 0.012 * normal)
        outside = float(form.distance(ring.vertices).max())
        rings.append(ring.moved(-max(outside + 0.007, 0.0) * normal))
    if rings:
        assembly.add_pair("lamps/tail_{side}/rings", "chrome", join(rings))


def _inside(
    form: Form, layout: Layout, y: float, least_m: float = 0.018
) -> tuple[Array, Array, float] | None:
    """The middle of the head lamp at one y, the normal inwards there, and the room around it."""
    a = form.anchors
    z = np.linspace(a.front_bumper_z, a.nose_z - 0.06, 60)
    points = on_end(form, np.full(60, y), z, front=True)
    region = layout.head_lamp(sampled(form, points))
    deepest = int(np.argmin(region))
    if region[deepest] > -least_m:
        return None
    point = points[deepest]
    return point, -form.normals(point[None])[0], float(-region[deepest])


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
