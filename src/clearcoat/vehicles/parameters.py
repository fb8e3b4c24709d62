"""The numbers that make a vehicle, their limits per body style, and draws from them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from clearcoat.errors import UsageError, did_you_mean


@dataclass(frozen=True, kw_only=True)
class VehicleParameters:
    """What a car designer would write on the package drawing; angles are from the vertical."""

    style: str
    """Body style, one of `STYLES`."""
    wheelbase_mm: float
    """Between the axles."""
    overhang_front_mm: float
    """From the front axle to the foremost point."""
    overhang_rear_mm: float
    """From the rear axle to the rearmost point."""
    width_mm: float
    """Over the body, without mirrors."""
    overall_height_mm: float
    """From the ground to the roof, without antenna and rails."""
    ground_clearance_mm: float
    """From the ground to the floor between the axles."""
    wheel_diameter_mm: float
    """Of the tyre."""
    rim_ratio: float
    """Rim diameter over tyre diameter."""
    tyre_width_mm: float
    """Section width."""
    beltline_height_mm: float
    """Lower edge of the side windows at the front door."""
    beltline_rise_mm: float
    """How much higher the belt is above the rear axle."""
    hood_front_height_mm: float
    """Leading edge of the hood."""
    cowl_height_mm: float
    """Base of the windscreen on the centre line."""
    cowl_setback_mm: float
    """From the front axle back to the base of the windscreen."""
    deck_height_mm: float
    """Base of the backlight on the centre line: boot lid, tailgate or bed rail."""
    deck_length_mm: float
    """From the rearmost point to the base of the backlight."""
    windscreen_rake_deg: float
    """Slope of the windscreen."""
    backlight_rake_deg: float
    """Slope of the rear window."""
    tumblehome_deg: float
    """Slope of the side windows."""
    shoulder_width_mm: float
    """From the side window's foot out to the widest point."""
    side_crease_mm: float
    """Height of the crease that runs along the doors."""
    flare_mm: float
    """How far the arches stand out."""
    arch_gap_mm: float
    """Between tyre and arch."""
    nose_bow_mm: float
    """How far the nose recedes from the centre line to the corners."""
    grille_width_mm: float
    """Of the upper grille."""
    grille_height_mm: float
    """Of the upper grille."""
    grille_slats: float
    """Number of horizontal bars, rounded."""
    lamp_height_mm: float
    """Of the head lamps."""
    lamp_slant_deg: float
    """How the head lamp rises outwards."""
    rim_spokes: float
    """Number of spokes, rounded."""


STYLES: tuple[str, ...] = ("sedan", "hatchback", "suv", "pickup")

Limits = tuple[float, float]

_SEDAN: dict[str, Limits] = {
    "wheelbase_mm": (2560, 2860),
    "overhang_front_mm": (820, 930),
    "overhang_rear_mm": (950, 1120),
    "width_mm": (1720, 1890),
    "overall_height_mm": (1410, 1500),
    "ground_clearance_mm": (140, 175),
    "wheel_diameter_mm": (615, 675),
    "rim_ratio": (0.62, 0.72),
    "tyre_width_mm": (190, 240),
    "beltline_height_mm": (895, 950),
    "beltline_rise_mm": (20, 75),
    "hood_front_height_mm": (745, 825),
    "cowl_height_mm": (960, 1010),
    "cowl_setback_mm": (330, 480),
    "deck_height_mm": (1045, 1110),
    "deck_length_mm": (380, 560),
    "windscreen_rake_deg": (57, 63),
    "backlight_rake_deg": (57, 65),
    "tumblehome_deg": (17, 25),
    "shoulder_width_mm": (55, 95),
    "side_crease_mm": (5, 16),
    "flare_mm": (8, 22),
    "arch_gap_mm": (32, 52),
    "nose_bow_mm": (130, 230),
    "grille_width_mm": (650, 1000),
    "grille_height_mm": (90, 230),
    "grille_slats": (3, 8),
    "lamp_height_mm": (150, 235),
    "lamp_slant_deg": (4, 22),
    "rim_spokes": (5, 10),
}

_LIMITS: dict[str, dict[str, Limits]] = {
    "sedan": _SEDAN,
    "hatchback": _SEDAN
    | {
        "wheelbase_mm": (2480, 2720),
        "overhang_rear_mm": (620, 780),
        "overall_height_mm": (1430, 1540),
        "beltline_height_mm": (905, 965),
        "beltline_rise_mm": (40, 110),
        "cowl_height_mm": (970, 1030),
        "deck_height_mm": (1020, 1100),
        "deck_length_mm": (90, 170),
        "backlight_rake_deg": (30, 48),
    },
    "suv": _SEDAN
    | {
        "wheelbase_mm": (2620, 2860),
        "overhang_front_mm": (850, 950),
        "overhang_rear_mm": (820, 990),
        "width_mm": (1790, 1930),
        "overall_height_mm": (1650, 1810),
        "ground_clearance_mm": (190, 235),
        "wheel_diameter_mm": (695, 770),
        "tyre_width_mm": (220, 265),
        "beltline_height_mm": (1055, 1130),
        "beltline_rise_mm": (20, 90),
        "hood_front_height_mm": (900, 1000),
        "cowl_height_mm": (1120, 1190),
        "cowl_setback_mm": (340, 500),
        "deck_height_mm": (1140, 1230),
        "deck_length_mm": (80, 150),
        "windscreen_rake_deg": (48, 57),
        "backlight_rake_deg": (18, 34),
        "tumblehome_deg": (13, 20),
        "flare_mm": (14, 32),
        "arch_gap_mm": (45, 70),
        "grille_height_mm": (180, 300),
        "lamp_height_mm": (160, 230),
        "lamp_slant_deg": (2, 14),
    },
    "pickup": _SEDAN
    | {
        "wheelbase_mm": (2980, 3230),
        "overhang_front_mm": (850, 940),
        "overhang_rear_mm": (1080, 1280),
        "width_mm": (1790, 1900),
        "overall_height_mm": (1740, 1840),
        "ground_clearance_mm": (215, 260),
        "wheel_diameter_mm": (740, 800),
        "rim_ratio": (0.56, 0.64),
        "tyre_width_mm": (240, 275),
        "beltline_height_mm": (1120, 1170),
        "beltline_rise_mm": (0, 30),
        "hood_front_height_mm": (990, 1070),
        "cowl_height_mm": (1180, 1240),
        "cowl_setback_mm": (400, 540),
        "deck_height_mm": (1150, 1210),
        "deck_length_mm": (1480, 1680),
        "windscreen_rake_deg": (46, 54),
        "backlight_rake_deg": (8, 16),
        "tumblehome_deg": (12, 18),
        "flare_mm": (18, 38),
        "arch_gap_mm": (55, 80),
        "nose_bow_mm": (110, 180),
        "grille_height_mm": (200, 310),
        "lamp_height_mm": (170, 240),
        "lamp_slant_deg": (1, 10),
        "rim_spokes": (5, 8),
    },
}

NAMES: tuple[str, ...] = tuple(f.name for f in fields(VehicleParameters) if f.name != "style")


def limits(style: str) -> Mapping[str, Limits]:
    """Least and greatest value of every parameter of a style.

    Raises UsageError for an unknown style.
    """
    if style not in _LIMITS:
        raise UsageError(
            f"there is no body style {style!r}",
            where="style",
            found=style,
            expected="one of " + ", ".join(STYLES),
            do=did_you_mean(style, STYLES),
        )
    return _LIMITS[style]


def stream(style: str, seed: int, quantity: str) -> np.random.Generator:
    """A random stream of its own for each drawn quantity, so that a new one moves no other.

    Raises UsageError for a negative seed.
    """
    if seed < 0:
        raise UsageError("a seed is not negative", where="seed", found=seed, expected="0, 1, 2, …")
    words = [seed, zlib.crc32(style.encode()), zlib.crc32(quantity.encode())]
    return np.random.default_rng(np.random.SeedSequence(words))


def draw_parameters(
    style: str, seed: int, parameters: Mapping[str, float] | None = None
) -> VehicleParameters:
    """Draw a vehicle of a style: a pure function of (style, seed), except for those given.

    Values are drawn from a symmetric Beta(2, 2) within the limits. Raises UsageError for an
    unknown style or parameter and for a value outside its limits.
    """
    table = limits(style)
    given = dict(parameters or {})
    for name, value in given.items():
        if name not in table:
            raise UsageError(
                f"a vehicle has no parameter {name!r}",
                where=f"parameters of a {style}",
                found=name,
                do=did_you_mean(name, table),
            )
        low, high = table[name]
        if not low <= value <= high:
            raise UsageError(
                f"{name} is outside its limits",
                where=f"parameters of a {style}",
                found=f"{value:g}",
                expected=f"{low:g} to {high:g}",
            )
    values = {
        name: float(given[name])
        if name in given
        else low + (high - low) * float(stream(style, seed, name).beta(2.0, 2.0))
        for name, (low, high) in table.items()
    }
    return VehicleParameters(style=style, **values)
