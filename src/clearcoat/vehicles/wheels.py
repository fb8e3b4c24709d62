"""Wheels: tyre, rim with spokes, brake disc and calliper, and the dark well behind them."""

from __future__ import annotations

import numpy as np

from clearcoat.vehicles.anchors import FRONT_WELL_Y_M, TYRE_INSET_M
from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.parameters import VehicleParameters
from clearcoat.vehicles.rims import rim
from clearcoat.vehicles.solids import grid_surface, revolve, rounded_box
from clearcoat.vehicles.surface import Surface, join
from clearcoat.vehicles.trim import Trim

_SEGMENTS = 56


def add_wheels(form: Form, trim: Trim, assembly: Assembly) -> None:
    """Add four wheels that stand on z = 0, and their wells."""
    p, a = form.parameters, form.anchors
    outer_y = a.half_width - TYRE_INSET_M
    tyre, (barrel, face) = _tyre(p), rim(p, trim.rim)
    dark = "plastic_black_gloss" if trim.dark_rims else "rim_alloy"
    inside = "chrome_dark" if trim.two_tone_rims else dark
    disc, calliper = _brake(p)
    for end, axle_x in zip(("front", "rear"), a.axles_x, strict=True):
        centre = (axle_x, outer_y - p.tyre_width_mm / 2000, a.wheel_radius)
        folder = f"wheels/{end}_{{side}}"
        assembly.add_pair(f"{folder}/tyre", "tyre_rubber", tyre.moved(centre))
        assembly.add_pair(f"{folder}/rim", dark, face.moved(centre))
        assembly.add_pair(f"{folder}/barrel", inside, barrel.moved(centre))
        assembly.add_pair(f"{folder}/brake_disc", "brake_disc", disc.moved(centre))
        assembly.add_pair(f"{folder}/calliper", "plastic_black", calliper.moved(centre))
        assembly.add_pair(f"body/wheel_well_{end}_{{side}}", "underbody", _well(form, axle_x))


def _tyre(p: VehicleParameters) -> Surface:
    """Tread with four grooves, rounded shoulders, bulging side walls; centre at the origin."""
    radius, half = p.wheel_diameter_mm / 2000, p.tyre_width_mm / 2000
    bead = radius * p.rim_ratio
    wall = radius - bead
    shoulder: list[tuple[float, float]] = []
    for t in np.linspace(0.0, 1.0, 7):
        angle = np.pi / 2 * t
        shoulder.append(
            (radius - 0.028 * (1 - np.cos(angle)) - 0.004, half - 0.028 + 0.026 * np.sin(angle))
        )
    side = [
        (bead + wall * s, half + 0.006 * np.sin(np.pi * s) - 0.012 * (1 - s))
        for s in np.linspace((wall - 0.042) / wall, 0.02, 5)
    ]
    inner_lip = [(bead - 0.006, half - 0.022), (bead - 0.008, half - 0.05)]
    tread: list[tuple[float, float]] = []
    for y in np.linspace(0.0, half - 0.04, 3)[1:]:
        groove = 0.004
        tread += [
            (radius, y - groove), (radius, y - groove),
            (radius - 0.008, y - groove + 0.001), (radius - 0.008, y - groove + 0.001),
            (radius - 0.008, y + groove - 0.001), (radius - 0.008, y + groove - 0.001),
            (radius, y + groove), (radius, y + groove),
        ]  # fmt: skip
    right = [(radius, 0.0), *tread, (radius, half - 0.032), *shoulder, *side, *inner_lip]
    left = [(r, -y) for r, y in reversed(right[1:])]
    return _facing_out(revolve([*left, *right], _SEGMENTS))


def _facing_out(surface: Surface) -> Surface:
    radial = surface.vertices * [1.0, 0.0, 1.0]
    outwards = float(np.einsum("ij,ij->", radial, surface.normals)) > 0
    return surface if outwards else surface.flipped()


def _brake(p: VehicleParameters) -> tuple[Surface, Surface]:
    radius = p.wheel_diameter_mm / 2000 * p.rim_ratio
    y = p.tyre_width_mm / 2000 - 0.090
    outer = 0.78 * radius
    disc = revolve(
        [(outer, y - 0.024), (outer, y - 0.024), (outer, y), (outer, y), (0.5 * outer, y),
         (0.5 * outer, y), (0.47 * outer, y + 0.012), (0.03, y + 0.012)],
        48,
    )  # fmt: skip
    disc = disc if float(disc.normals[:, 1].sum()) > 0 else disc.flipped()
    # Clear of the spokes' backs.
    box = rounded_box((0.30 * radius, 0.058, 0.72 * radius), 0.02)
    return disc, box.moved((-0.64 * outer - 0.02, y - 0.017, 0.02))


def _well(form: Form, axle_x: float) -> Surface:
    """The inside of a wheel arch, seen from below and outside."""
    a = form.anchors
    angle = np.linspace(-0.42, np.pi + 0.42, 40)
    depth = np.linspace(0.0, 1.0, 9)
    inner_y = FRONT_WELL_Y_M if axle_x > 0 else a.rear_well_y
    outer_y = a.half_width - 0.075
    radius = a.arch_radius + 0.006

    def ring(r: Array | float, y: Array | float) -> Array:
        rise = np.sin(angle) * radius
        x = np.cos(angle) * r
        # Below the axle the opening runs nearly straight down.
        x = np.where(rise < 0, np.sign(x) * r, x)
        z = a.wheel_radius + np.where(rise < 0, rise, np.sin(angle) * r)
        return np.stack([axle_x + x, np.broadcast_to(y, x.shape), z], axis=-1)

    drum = np.stack([ring(radius, outer_y + (inner_y - outer_y) * d) for d in depth])
    wall = np.stack([ring(radius * d, inner_y) for d in np.linspace(1.0, 0.05, 5)])
    shell = join([grid_surface(drum), grid_surface(wall)])
    # Where the bumper's lower edge rises, nothing of the well may hang out below it.
    inside = form.distance(shell.vertices) < 0.0
    shell = Surface(shell.vertices, shell.normals, shell.faces[inside[shell.faces].all(axis=1)])
    towards = a.wheel_radius * np.array([0.0, 0.0, 1.0]) + [axle_x, 0.75, 0.0] - shell.vertices
    inwards = float(np.einsum("ij,ij->", towards, shell.normals)) > 0
    return shell if inwards else shell.flipped()
