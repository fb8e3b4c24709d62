"""Choices that are not numbers: which of several designs and fittings a vehicle has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from clearcoat.vehicles.parameters import stream
from clearcoat.vehicles.styles import body_style

OptionT = TypeVar("OptionT")

GrilleDesign = Literal["slats", "bars", "mesh", "blades"]
HandleDesign = Literal["pull", "flap"]
RimDesign = Literal["single", "double", "star", "mesh", "blade", "steel"]
IntakeDesign = Literal["wide", "smile", "mouth"]
FogDesign = Literal["round", "strip"]
TailDesign = Literal["stacked", "rings", "bands"]
AntennaDesign = Literal["fin", "rod"]


@dataclass(frozen=True, kw_only=True)
class Trim:
    """Designs and fittings of one vehicle."""

    grille: GrilleDesign
    """Wide slats, upright bars, a mesh, or two thick blades."""
    handle: HandleDesign
    """A grip to pull, or a flap in a shell."""
    rim: RimDesign
    intake: IntakeDesign
    """Lower edge wider than the upper, narrower, or as wide."""
    fog: FogDesign
    tail: TailDesign
    """How a tail lamp is divided."""
    antenna: AntennaDesign
    chrome_handles: bool
    chrome_slats: bool
    chrome_grille_frame: bool
    cladding: bool
    """Black arches and sills."""
    roof_rails: bool
    garnish: bool
    """A bright bar above the rear number plate."""
    belt_moulding: bool
    """A bright strip under the side windows."""
    side_moulding: bool
    """A rubbing strip along the doors."""
    dark_glass: bool
    """Strongly tinted side and rear windows."""
    black_screen: bool
    """A tinted windscreen."""
    fog_lamps: bool
    dark_lamps: bool
    """Head lamps black inside rather than bright."""
    daytime_strip: bool
    """A row of light-emitting diodes along the lower edge of the head lamp."""
    skid_plate: bool
    """A bright plate under the front bumper."""
    side_steps: bool
    mud_flaps: bool
    boot_spoiler: bool
    roof_spoiler: bool
    rear_wiper: bool
    sports_bar: bool
    """A hoop behind a pickup's cab."""
    dark_rims: bool
    two_tone_rims: bool
    right_hand_drive: bool
    wide_plates: bool
    """European plates of 520 × 110 mm rather than 340 × 150 mm."""
    plate_text: str
    """The registration."""
    paint: tuple[float, float, float]
    """Linear sRGB."""


_PAINTS: tuple[tuple[float, float, float], ...] = (
    (0.80, 0.80, 0.79), (0.45, 0.46, 0.48), (0.16, 0.17, 0.18), (0.012, 0.012, 0.014),
    (0.36, 0.015, 0.018), (0.020, 0.055, 0.22), (0.10, 0.075, 0.055), (0.05, 0.10, 0.13),
)  # fmt: skip
# Without vowels, so that no registration is a word.
_LETTERS = "BCDFGHJKLMNPRSTVWXYZ"


def draw_trim(style: str, seed: int) -> Trim:
    """Draw the fittings of a vehicle: a pure function of (style, seed)."""
    shares = body_style(style).fittings

    def chance(name: str) -> bool:
        return bool(stream(style, seed, f"trim.{name}").random() < shares.get(name, 0.0))

    def one(name: str, options: Sequence[OptionT], weights: Sequence[float]) -> OptionT:
        total = sum(weights)
        at = stream(style, seed, f"trim.{name}").choice(
            len(options), p=[w / total for w in weights]
        )
        return options[int(at)]

    flags: dict[str, Any] = {
        name: chance(name) for name, kind in Trim.__annotations__.items() if kind == "bool"
    }
    return Trim(
        grille=one("grille", ("slats", "bars", "mesh", "blades"), (0.42, 0.12, 0.28, 0.18)),
        handle=one("handle", ("pull", "flap"), (0.8, 0.2)),
        rim=one("rim", ("single", "double", "star", "mesh", "blade", "steel"),
                (0.24, 0.26, 0.16, 0.12, 0.16, 0.06)),
        intake=one("intake", ("wide", "smile", "mouth"), (0.45, 0.3, 0.25)),
        fog=one("fog", ("round", "strip"), (0.75, 0.25)),
        tail=one("tail", ("stacked", "rings", "bands"), (0.5, 0.2, 0.3)),
        antenna=one("antenna", ("fin", "rod"), (0.6, 0.4)),
        **flags,
        plate_text=_registration(style, seed),
        paint=_PAINTS[int(stream(style, seed, "trim.paint").integers(len(_PAINTS)))],
    )  # fmt: skip


def _registration(style: str, seed: int) -> str:
    rng = stream(style, seed, "trim.plate_text")
    letters = "".join(_LETTERS[int(i)] for i in rng.integers(len(_LETTERS), size=5))
    digits = "".join(str(int(i)) for i in rng.integers(10, size=4))
    patterns = (
        f"{letters[:2]}{digits[:2]} {letters[2:5]}", f"{letters[:2]} {digits}",
        f"{letters[:3]} {digits}", f"{digits[:1]}{letters[:2]} {digits}",
        f"{letters[0]} {letters[1:3]} {digits[:3]}",
    )  # fmt: skip
    return patterns[int(rng.integers(len(patterns)))]
