"""Rims: a barrel, and a face of one of several designs of spokes."""

from __future__ import annotations

import numpy as np

from clearcoat.vehicles.curves import Array
from clearcoat.vehicles.parameters import VehicleParameters
from clearcoat.vehicles.solids import loft, revolve
from clearcoat.vehicles.surface import Surface, join
from clearcoat.vehicles.trim import RimDesign

_SEGMENTS = 56


def rim(p: VehicleParameters, design: RimDesign) -> tuple[Surface, Surface]:
    """Barrel, and lip with spokes and hub; the outer face looks along +y, centre at the origin."""
    radius = p.wheel_diameter_mm / 2000 * p.rim_ratio
    half = p.tyre_width_mm / 2000
    lip = [
        (radius - 0.004, half - 0.030), (radius + 0.006, half - 0.018),
        (radius + 0.004, half - 0.009), (radius - 0.006, half - 0.008),
        (radius - 0.014, half - 0.018), (radius - 0.017, half - 0.035),
    ]  # fmt: skip
    well = [
        (radius - 0.017, half - 0.035), (radius - 0.024, half - 0.070),
        (radius - 0.030, -half + 0.05), (radius - 0.012, -half + 0.01),
    ]  # fmt: skip
    hub_y = half - 0.040
    hub = revolve(
        [(0.0005, hub_y + 0.004), (0.026, hub_y + 0.002), (0.031, hub_y - 0.002),
         (0.031, hub_y - 0.002), (0.036, hub_y - 0.006), (0.060, hub_y - 0.012),
         (0.072, hub_y - 0.030), (0.075, hub_y - 0.060)],
        40,
    )  # fmt: skip
    nuts = _nuts(hub_y)
    spokes = _spokes(round(p.rim_spokes), design, radius, half)
    # The lip's sides look towards the axle and away from it: its front alone tells which is out.
    face = join([_facing_out(revolve(lip, _SEGMENTS)), _facing_out(hub), *nuts, *spokes])
    return _towards_axle(revolve(well, _SEGMENTS)), face


def _facing_out(surface: Surface) -> Surface:
    return surface if float(surface.normals[:, 1].sum()) > 0 else surface.flipped()


def _towards_axle(surface: Surface) -> Surface:
    # The barrel is seen from within.
    inward = float(np.einsum("ij,ij->", surface.vertices * [1.0, 0.0, 1.0], surface.normals)) < 0
    return surface if inward else surface.flipped()


def _nuts(hub_y: float) -> list[Surface]:
    nuts = []
    for angle in np.linspace(0.0, 2.0 * np.pi, 5, endpoint=False):
        nut = _facing_out(revolve([(0.0005, 0.012), (0.009, 0.010), (0.010, 0.0)], 8))
        nuts.append(nut.moved((0.050 * np.cos(angle), hub_y - 0.012, 0.050 * np.sin(angle))))
    return nuts


def _spokes(count: int, design: RimDesign, radius: float, half: float) -> list[Surface]:
    r = np.linspace(0.045, radius - 0.012, 12)
    t = (r - r[0]) / (r[-1] - r[0])
    if design in ("star", "double"):
        count = 5 if count <= 7 else 6
    elif design == "mesh":
        count = 10 + count % 3
    elif design == "steel":
        count = 7 + count % 4
    elif design == "single":
        count = max(count, 6)
    share = 2 * np.pi / count
    zero = np.zeros_like(t)
    # Per design: how each spoke's branches turn about the axle along the radius, and how wide.
    thin = 0.016 + 0.005 * np.abs(2 * t - 1)
    branches: dict[RimDesign, tuple[list[Array], Array, float]] = {
        "single": ([zero], 0.024 + 0.006 * np.abs(2 * t - 1), 0.62),
        "double": ([-share * (0.10 + 0.13 * t), share * (0.10 + 0.13 * t)], thin, 0.36),
        "star": ([zero], 0.046 - 0.018 * t + 0.02 * t**4, 0.80),
        "mesh": ([-0.45 * share * t, 0.45 * share * t], np.full(12, 0.0095), 0.40),
        "blade": ([0.55 * share * t**1.4], 0.030 - 0.008 * t, 0.66),
        "steel": ([zero], 0.060 + 0.02 * t, 0.86),
    }
    turns, width, room_share = branches[design]
    dish = 0.012 if design == "steel" else 0.026
    face_y = half - 0.046 + dish * t**1.5
    thick = 0.006 + 0 * t if design == "steel" else 0.011 + 0.006 * (1 - t)
    spokes = []
    for k in range(count):
        for turn in turns:
            angle = share * k + np.pi / 2 + turn
            radial = np.stack([np.cos(angle), zero, np.sin(angle)], axis=1)
            side = np.stack([-np.sin(angle), zero, np.cos(angle)], axis=1)
            up = np.broadcast_to([0.0, 1.0, 0.0], side.shape)
            path = r[:, None] * radial + (face_y - thick)[:, None] * up
            room = 0.5 * share * r * room_share
            spokes.append(loft(path, side, up, np.minimum(room, width), thick, 12, 0.6))
    return spokes
