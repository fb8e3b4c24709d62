"""Choices that are not numbers: which of several finishes and fittings a vehicle has."""

from __future__ import annotations

from dataclasses import dataclass

from clearcoat.vehicles.parameters import stream


@dataclass(frozen=True, kw_only=True)
class Trim:
    """Finishes and fittings of one vehicle."""

    chrome_handles: bool
    chrome_slats: bool
    chrome_grille_frame: bool
    cladding: bool
    """Black arches and sills."""
    roof_rails: bool
    garnish: bool
    """A bright bar above the rear number plate."""
    right_hand_drive: bool
    wide_plates: bool
    """European plates of 520 × 110 mm rather than 340 × 150 mm."""
    plate_text: tuple[float, ...]
    """Widths of the characters on the number plates, 0 to 1."""
    paint: tuple[float, float, float]
    """Linear sRGB."""


_PAINTS: tuple[tuple[float, float, float], ...] = (
    (0.80, 0.80, 0.79), (0.45, 0.46, 0.48), (0.16, 0.17, 0.18), (0.012, 0.012, 0.014),
    (0.36, 0.015, 0.018), (0.020, 0.055, 0.22), (0.10, 0.075, 0.055), (0.05, 0.10, 0.13),
)  # fmt: skip


def draw_trim(style: str, seed: int) -> Trim:
    """Draw the fittings of a vehicle: a pure function of (style, seed)."""

    def chance(name: str, share: float) -> bool:
        return bool(stream(style, seed, f"trim.{name}").random() < share)

    tall = style in ("suv", "pickup")
    paint = int(stream(style, seed, "trim.paint").integers(len(_PAINTS)))
    return Trim(
        chrome_handles=chance("chrome_handles", 0.35),
        chrome_slats=chance("chrome_slats", 0.5),
        chrome_grille_frame=chance("chrome_grille_frame", 0.7),
        cladding=chance("cladding", 0.5 if tall else 0.0),
        roof_rails=chance("roof_rails", 0.7 if style == "suv" else 0.0),
        garnish=chance("garnish", 0.5 if style != "pickup" else 0.0),
        right_hand_drive=chance("right_hand_drive", 0.5),
        wide_plates=chance("wide_plates", 0.5),
        plate_text=tuple(stream(style, seed, "trim.plate_text").random(7).tolist()),
        paint=_PAINTS[paint],
    )
