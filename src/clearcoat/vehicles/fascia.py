"""What fills the openings of the nose: grille patterns, intake bars, fog lamps' rings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.layout import Layout
from clearcoat.vehicles.probe import has_end, on_end, sampled
from clearcoat.vehicles.skin import Skin
from clearcoat.vehicles.solids import loft
from clearcoat.vehicles.surface import Surface, both_sides, join
from clearcoat.vehicles.trim import Trim

_STEPS = 41
Line = tuple[Array, Array]
"""y and z of points along a bar, from the middle outwards or upwards, metres."""


def add_fascia(form: Form, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    """Add the bars of grille and intake."""
    p = form.parameters
    half = 0.5 * p.grille_width_mm / 1000
    low, high = layout.grille_low_z, layout.grille_top_z
    finish = "chrome" if trim.chrome_slats else "plastic_black_gloss"
    lines, thick, deep = _pattern(trim, round(p.grille_slats), half, low, high)
    bars = _bars(form, layout.grille, lines, thick, deep, inset_m=0.010, margin_m=0.012)
    if bars:
        fine = trim.grille == "mesh"
        assembly.add("grille/slats", "plastic_black_gloss" if fine else finish, join(bars))
    centre = 0.5 * (layout.intake_low_z + layout.intake_high_z)
    reach = 0.55 * p.intake_width_mm / 1000
    count = max(1, round((layout.intake_high_z - layout.intake_low_z) / 0.055))
    y = np.linspace(0.0, reach, _STEPS)
    levels = centre + 0.055 * (np.arange(count) - 0.5 * (count - 1))
    across = [(y, np.full(_STEPS, z)) for z in levels]
    struts = _bars(form, layout.intake, across, 0.005, 0.012, inset_m=0.022, margin_m=0.004)
    if struts:
        assembly.add("grille/intake_bars", "plastic_black", join(struts))


def _pattern(
    trim: Trim, count: int, half: float, low: float, high: float
) -> tuple[list[Line], float, float]:
    """Lines of the left half of a grille, and half thickness and depth of its bars."""
    tall = high - low
    y = np.linspace(0.0, half, _STEPS)
    if trim.grille == "bars":
        places = np.linspace(0.0, half, 2 * count)[:-1] + 0.5 * half / (2 * count)
        upright = np.linspace(low, high, _STEPS)
        return [(np.full(_STEPS, at), upright) for at in places], 0.005, 0.014
    if trim.grille == "mesh":
        pitch = 0.042
        lines = []
        for start in np.arange(-tall, half + tall, pitch):
            for sign in (-1.0, 1.0):
                run = np.linspace(0.0, tall, _STEPS)
                lines.append((start + sign * (run - 0.5 * tall) + 0.0 * run, low + run))
        return lines, 0.0028, 0.006
    if trim.grille == "blades":
        levels = low + tall * np.array([0.33, 0.67])
        sag = 0.16 * tall * (y / half) ** 2
        return [(y, z + sag) for z in levels], min(0.022, 0.11 * tall), 0.016
    levels = np.linspace(low, high, count + 2)[1:-1]
    thick = min(0.011, 0.16 * tall / count + 0.004)
    return [(y, np.full(_STEPS, z)) for z in levels], thick, 0.012


def _bars(
    form: Form,
    region: Callable[[Skin], Array],
    lines: Sequence[Line],
    thick: float,
    deep: float,
    *,
    inset_m: float,
    margin_m: float,
) -> list[Surface]:
    """Lofts along the stretches of lines that lie inside a region of the nose, on both sides."""
    if not lines:
        return []
    y = np.concatenate([line[0] for line in lines])
    z = np.concatenate([line[1] for line in lines])
    # One call for all lines: the field costs more per call than per point.
    # Lines are drawn beyond the ends of the grille, and those of a wide one beyond the body.
    inside = has_end(form, np.abs(y), z, front=True) & (y >= -1e-9)
    points = np.full((len(y), 3), np.nan)
    points[inside] = on_end(form, y[inside], z[inside], front=True)
    inside[inside] = region(sampled(form, points[inside])) < -margin_m
    points[:, 0] -= inset_m
    bars = []
    for number in range(len(lines)):
        part = slice(number * _STEPS, (number + 1) * _STEPS)
        where = np.flatnonzero(inside[part])
        if len(where) < 5 or np.any(np.diff(where) > 1):
            continue
        path = points[part][where]
        if len(path) > 21:
            path = path[np.linspace(0, len(path) - 1, 21).round().astype(int)]
        tangent = path[-1] - path[0]
        side = np.tile([1.0, 0.0, 0.0], (len(path), 1))
        up = np.cross(tangent, side[0])
        up = np.tile(up / np.linalg.norm(up), (len(path), 1))
        size = np.full(len(path), deep), np.full(len(path), thick)
        bars.append(both_sides(loft(path, side, up, *size, 6 if thick < 0.004 else 10, 0.8)))
    return bars
