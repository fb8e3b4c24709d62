"""The body styles: how each is built, and between which limits its dimensions are drawn.

Limits are this project's own estimate of what production cars of about 2005 to 2020 measure:
rounded, compiled from no list of sources, and trimmed where a draw at the limit looked wrong.
Noses, lamps, lids and rear bumpers follow the masks of photographs
(docs/decisions/0092-fitted-to-masks.md). A Beta(2, 2) within the limits puts most vehicles near
their middle. Replace a style's limits by `parameters` where real dimensions are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from clearcoat.errors import UsageError, did_you_mean

Limits = tuple[float, float]
Tail = Literal["notch", "hatch", "bed"]
"""A boot with a lid, a tailgate with the rear window in it, or an open bed."""


@dataclass(frozen=True, kw_only=True)
class BodyStyle:
    """One body style, or the blend of two."""

    name: str
    tail: Tail
    doors: int
    """Side doors: 2 or 4."""
    limits: Mapping[str, Limits]
    """Least and greatest value of every parameter."""
    fittings: Mapping[str, float]
    """How often a vehicle of this style has a fitting, 0 to 1; see `trim`."""


_SEDAN: dict[str, Limits] = {
    "wheelbase_mm": (2520, 2860),
    "overhang_front_mm": (810, 930),
    "overhang_rear_mm": (950, 1120),
    "width_mm": (1690, 1890),
    "overall_height_mm": (1410, 1510),
    "ground_clearance_mm": (140, 175),
    "wheel_diameter_mm": (605, 680),
    "rim_ratio": (0.62, 0.72),
    "tyre_width_mm": (185, 240),
    "beltline_height_mm": (895, 950),
    "beltline_rise_mm": (20, 85),
    "hood_front_height_mm": (790, 875),
    "cowl_height_mm": (960, 1010),
    "cowl_setback_mm": (330, 480),
    "deck_height_mm": (1045, 1110),
    "deck_length_mm": (380, 560),
    "windscreen_rake_deg": (57, 64),
    "backlight_rake_deg": (57, 66),
    "tumblehome_deg": (17, 25),
    "shoulder_width_mm": (55, 95),
    "feature_line_drop_mm": (70, 190),
    "feature_line_rise_mm": (-20, 60),
    "side_crease_mm": (6, 20),
    "door_scallop_mm": (4, 18),
    "flare_mm": (8, 22),
    "arch_gap_mm": (26, 46),
    "hood_crease_mm": (0, 12),
    "nose_bow_mm": (110, 220),
    "bumper_projection_mm": (14, 44),
    "grille_width_mm": (620, 1000),
    "grille_height_mm": (90, 230),
    "grille_slats": (3, 8),
    "intake_width_mm": (760, 1240),
    "intake_height_mm": (90, 210),
    "lamp_height_mm": (165, 265),
    "lamp_slant_deg": (8, 28),
    "lamp_reach_mm": (330, 680),
    "lamp_sweep_mm": (-20, 100),
    "rear_bumper_share": (0.28, 0.44),
    "tail_lamp_width_mm": (370, 570),
    "tail_lamp_height_mm": (170, 290),
    "tail_lamp_wrap_mm": (240, 460),
    "tail_lamp_slant": (-0.1, 0.7),
    "deck_lip_mm": (0, 26),
    "rim_spokes": (5, 10),
}

_HATCHBACK: dict[str, Limits] = _SEDAN | {
    "wheelbase_mm": (2430, 2680),
    "overhang_rear_mm": (600, 780),
    "width_mm": (1680, 1820),
    "overall_height_mm": (1440, 1550),
    "beltline_height_mm": (905, 965),
    "beltline_rise_mm": (40, 120),
    "cowl_height_mm": (970, 1030),
    "deck_height_mm": (1010, 1090),
    "deck_length_mm": (90, 170),
    "backlight_rake_deg": (28, 48),
    "tail_lamp_width_mm": (260, 420),
    "tail_lamp_height_mm": (220, 360),
    "tail_lamp_wrap_mm": (280, 460),
    "tail_lamp_slant": (-0.1, 0.5),
    "deck_lip_mm": (0, 12),
    "rear_bumper_share": (0.42, 0.54),
}

_ESTATE: dict[str, Limits] = _HATCHBACK | {
    "wheelbase_mm": (2600, 2880),
    "overhang_rear_mm": (900, 1080),
    "width_mm": (1730, 1890),
    "overall_height_mm": (1440, 1530),
    "beltline_rise_mm": (25, 80),
    "deck_height_mm": (1000, 1070),
    "backlight_rake_deg": (32, 48),
}

_COUPE: dict[str, Limits] = _SEDAN | {
    "wheelbase_mm": (2480, 2760),
    "overhang_rear_mm": (830, 1020),
    "width_mm": (1740, 1910),
    "overall_height_mm": (1300, 1400),
    "ground_clearance_mm": (115, 150),
    "wheel_diameter_mm": (630, 690),
    "rim_ratio": (0.68, 0.76),
    "tyre_width_mm": (215, 275),
    "beltline_height_mm": (860, 920),
    "beltline_rise_mm": (40, 90),
    "hood_front_height_mm": (725, 800),
    "cowl_height_mm": (900, 950),
    "deck_height_mm": (990, 1040),
    "deck_length_mm": (280, 440),
    "windscreen_rake_deg": (60, 66),
    "backlight_rake_deg": (62, 69),
    "tumblehome_deg": (22, 29),
    "shoulder_width_mm": (75, 115),
    "flare_mm": (14, 32),
    "rear_bumper_share": (0.34, 0.50),
    "tail_lamp_height_mm": (130, 220),
    "deck_lip_mm": (6, 34),
}

_SUV: dict[str, Limits] = _SEDAN | {
    "wheelbase_mm": (2600, 2860),
    "overhang_front_mm": (830, 950),
    "overhang_rear_mm": (780, 1020),
    "width_mm": (1780, 1930),
    "overall_height_mm": (1640, 1830),
    "ground_clearance_mm": (185, 240),
    "wheel_diameter_mm": (695, 780),
    "rim_ratio": (0.58, 0.70),
    "tyre_width_mm": (220, 270),
    "beltline_height_mm": (1055, 1140),
    "beltline_rise_mm": (10, 100),
    "hood_front_height_mm": (945, 1050),
    "cowl_height_mm": (1120, 1195),
    "cowl_setback_mm": (340, 500),
    "deck_height_mm": (1140, 1230),
    "deck_length_mm": (80, 150),
    "windscreen_rake_deg": (48, 57),
    "backlight_rake_deg": (18, 36),
    "tumblehome_deg": (13, 20),
    "flare_mm": (14, 34),
    "arch_gap_mm": (38, 66),
    "grille_height_mm": (170, 310),
    "intake_height_mm": (90, 190),
    "lamp_height_mm": (155, 260),
    "lamp_slant_deg": (5, 20),
    "rear_bumper_share": (0.36, 0.46),
    "tail_lamp_width_mm": (260, 470),
    "tail_lamp_height_mm": (170, 380),
    "tail_lamp_wrap_mm": (280, 480),
    "tail_lamp_slant": (-0.1, 0.5),
    "deck_lip_mm": (0, 12),
}

_VAN: dict[str, Limits] = _SUV | {
    "wheelbase_mm": (2700, 2980),
    "overhang_front_mm": (850, 960),
    "overhang_rear_mm": (820, 1020),
    "width_mm": (1710, 1890),
    "overall_height_mm": (1660, 1830),
    "ground_clearance_mm": (140, 180),
    "wheel_diameter_mm": (620, 700),
    "tyre_width_mm": (190, 235),
    "beltline_height_mm": (960, 1040),
    "beltline_rise_mm": (0, 60),
    "hood_front_height_mm": (875, 960),
    "cowl_height_mm": (1060, 1130),
    "cowl_setback_mm": (130, 280),
    "deck_height_mm": (1060, 1140),
    "windscreen_rake_deg": (56, 63),
    "backlight_rake_deg": (12, 26),
    "tumblehome_deg": (9, 15),
    "shoulder_width_mm": (45, 75),
    "flare_mm": (6, 18),
    "arch_gap_mm": (28, 48),
    "tail_lamp_width_mm": (220, 340),
    "tail_lamp_height_mm": (260, 480),
}

_PICKUP: dict[str, Limits] = _SEDAN | {
    "wheelbase_mm": (2980, 3230),
    "overhang_front_mm": (850, 940),
    "overhang_rear_mm": (1080, 1280),
    "width_mm": (1780, 1900),
    "overall_height_mm": (1730, 1850),
    "ground_clearance_mm": (215, 270),
    "wheel_diameter_mm": (735, 810),
    "rim_ratio": (0.56, 0.66),
    "tyre_width_mm": (235, 275),
    "beltline_height_mm": (1120, 1170),
    "beltline_rise_mm": (0, 30),
    "hood_front_height_mm": (1015, 1095),
    "cowl_height_mm": (1180, 1240),
    "cowl_setback_mm": (400, 540),
    "deck_height_mm": (1150, 1230),
    "deck_length_mm": (1480, 1680),
    "windscreen_rake_deg": (46, 54),
    "backlight_rake_deg": (8, 16),
    "tumblehome_deg": (12, 18),
    "flare_mm": (18, 40),
    "arch_gap_mm": (48, 78),
    "nose_bow_mm": (100, 180),
    "grille_height_mm": (190, 320),
    "intake_height_mm": (80, 160),
    "lamp_height_mm": (175, 280),
    "lamp_slant_deg": (4, 17),
    "lamp_sweep_mm": (-20, 60),
    "rear_bumper_share": (0.32, 0.40),
    "tail_lamp_width_mm": (145, 240),
    "tail_lamp_height_mm": (300, 460),
    "tail_lamp_wrap_mm": (80, 190),
    "tail_lamp_slant": (0.0, 0.1),
    "deck_lip_mm": (0, 6),
    "rim_spokes": (5, 8),
}

_CAR = {
    "chrome_handles": 0.35, "chrome_slats": 0.5, "chrome_grille_frame": 0.6, "garnish": 0.6,
    "belt_moulding": 0.45, "side_moulding": 0.15, "dark_glass": 0.45, "black_screen": 0.15,
    "mud_flaps": 0.1, "boot_spoiler": 0.3, "fog_lamps": 0.75,
    "daytime_strip": 0.4, "right_hand_drive": 0.5, "wide_plates": 0.5,
    "dark_rims": 0.15, "dark_lamps": 0.25, "two_tone_rims": 0.3,
}  # fmt: skip
_TALL = _CAR | {
    "cladding": 0.55, "roof_rails": 0.7, "skid_plate": 0.6, "side_steps": 0.35, "mud_flaps": 0.3,
    "roof_spoiler": 0.8, "rear_wiper": 0.85, "boot_spoiler": 0.0,
}  # fmt: skip

_STYLES: dict[str, BodyStyle] = {
    style.name: style
    for style in (
        BodyStyle(name="sedan", tail="notch", doors=4, limits=_SEDAN, fittings=_CAR),
        BodyStyle(name="hatchback", tail="hatch", doors=4, limits=_HATCHBACK,
                  fittings=_CAR | {"roof_spoiler": 0.7, "rear_wiper": 0.8, "boot_spoiler": 0.0}),
        BodyStyle(name="estate", tail="hatch", doors=4, limits=_ESTATE,
                  fittings=_CAR | {"roof_rails": 0.7, "rear_wiper": 0.95, "roof_spoiler": 0.5,
                                   "cladding": 0.1, "boot_spoiler": 0.0}),
        BodyStyle(name="coupe", tail="notch", doors=2, limits=_COUPE,
                  fittings=_CAR | {"chrome_slats": 0.15, "side_moulding": 0.0,
                                   "dark_rims": 0.35, "boot_spoiler": 0.45}),
        BodyStyle(name="suv", tail="hatch", doors=4, limits=_SUV, fittings=_TALL),
        BodyStyle(name="van", tail="hatch", doors=4, limits=_VAN,
                  fittings=_TALL | {"cladding": 0.05, "roof_rails": 0.3, "skid_plate": 0.05,
                                    "side_steps": 0.0}),
        BodyStyle(name="pickup", tail="bed", doors=4, limits=_PICKUP,
                  fittings=_TALL | {"roof_rails": 0.1, "roof_spoiler": 0.0, "rear_wiper": 0.0,
                                    "side_steps": 0.6, "sports_bar": 0.35, "garnish": 0.0}),
    )
}  # fmt: skip

STYLES: tuple[str, ...] = tuple(_STYLES)
"""Names of the body styles. Two of one kind may be blended: `hatchback+suv` is a crossover."""


@cache  # Forms ask for it with every point that they are probed at.
def body_style(name: str) -> BodyStyle:
    """Return a body style by name, or the blend `a+b` of two.

    A blend's limits reach from the lesser to the greater of both; which of both fittings'
    chances holds is their mean. Raises UsageError for an unknown style or two that do not blend.
    """
    first, plus, second = name.partition("+")
    one = _known(first)
    if not plus:
        return one
    other = _known(second)
    if (one.tail, one.doors) != (other.tail, other.doors) or one is other:
        fitting = [s.name for s in _STYLES.values()
                   if (s.tail, s.doors) == (one.tail, one.doors) and s is not one]  # fmt: skip
        raise UsageError(
            f"{first} and {second} do not blend",
            where="style",
            found=name,
            expected=f"{first} with one of {', '.join(fitting)}" if fitting else f"{first} alone",
        )
    names = {**one.fittings, **other.fittings}
    return BodyStyle(
        name=name,
        tail=one.tail,
        doors=one.doors,
        limits={
            key: (min(one.limits[key][0], other.limits[key][0]),
                  max(one.limits[key][1], other.limits[key][1]))
            for key in one.limits
        },
        fittings={key: 0.5 * (one.fittings.get(key, 0.0) + other.fittings.get(key, 0.0))
                  for key in names},
    )  # fmt: skip


def blended(name: str, share: float) -> Mapping[str, Limits]:
    """Limits from which a vehicle is drawn; a blend's are a weighted mean of both styles'."""
    first, plus, second = name.partition("+")
    one = _known(first).limits
    if not plus:
        return one
    other = _known(second).limits
    return {
        key: ((1 - share) * low + share * other[key][0], (1 - share) * high + share * other[key][1])
        for key, (low, high) in one.items()
    }


def _known(name: str) -> BodyStyle:
    if name not in _STYLES:
        raise UsageError(
            f"there is no body style {name!r}",
            where="style",
            found=name,
            expected="one of " + ", ".join(STYLES) + ", or two of them as in hatchback+suv",
            do=did_you_mean(name, STYLES),
        )
    return _STYLES[name]
