"""The numbers that make a vehicle, their limits per body style, and draws from them."""

from __future__ import annotations

import ast
import inspect
import itertools
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from clearcoat.errors import UsageError, did_you_mean
from clearcoat.vehicles.styles import Limits, Tail, blended, body_style


@dataclass(frozen=True, kw_only=True)
class VehicleParameters:
    """What a car designer would write on the package drawing; angles are from the vertical."""

    style: str
    """Body style: one of `STYLES`, or two of them as in `hatchback+suv`."""
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
    feature_line_drop_mm: float
    """From the belt line down to the crease along the doors, at the front door."""
    feature_line_rise_mm: float
    """How much that crease rises against the belt line towards the rear axle."""
    side_crease_mm: float
    """Height of the crease that runs along the doors."""
    door_scallop_mm: float
    """How far the lower doors are hollowed out above the sill."""
    flare_mm: float
    """How far the arches stand out."""
    arch_gap_mm: float
    """Between tyre and arch."""
    hood_crease_mm: float
    """Height of the two creases along the hood."""
    nose_bow_mm: float
    """How far the nose recedes from the centre line to the corners."""
    bumper_projection_mm: float
    """How far the front bumper stands out before the grille."""
    grille_width_mm: float
    """Of the upper grille."""
    grille_height_mm: float
    """Of the upper grille."""
    grille_slats: float
    """Number of bars, rounded."""
    intake_width_mm: float
    """Of the lower air intake in the front bumper."""
    intake_height_mm: float
    """Of the lower air intake."""
    lamp_height_mm: float
    """Of the head lamps."""
    lamp_slant_deg: float
    """How the head lamp rises outwards."""
    lamp_reach_mm: float
    """How far behind the corner of the nose the head lamp ends."""
    lamp_sweep_mm: float
    """How far the head lamp is drawn up over the shoulder; below 0 it stays lower."""
    rear_bumper_share: float
    """Upper edge of the rear bumper between floor (0) and the base of the backlight (1)."""
    tail_lamp_width_mm: float
    """Of the tail lamp, seen from behind."""
    tail_lamp_height_mm: float
    """Of the tail lamp."""
    tail_lamp_wrap_mm: float
    """How far the tail lamp reaches round the corner."""
    tail_lamp_slant: float
    """How the tail lamp's inner edge leans outwards on its way down, metres per metre."""
    deck_lip_mm: float
    """How far the rear edge of a boot lid turns up."""
    rim_spokes: float
    """Number of spokes, rounded."""

    @property
    def tail(self) -> Tail:
        """Whether the body ends in a boot (notch), a tailgate (hatch) or an open bed."""
        return body_style(self.style).tail

    @property
    def doors(self) -> int:
        """Number of side doors, 2 or 4."""
        return body_style(self.style).doors


NAMES: tuple[str, ...] = tuple(f.name for f in fields(VehicleParameters) if f.name != "style")


def descriptions() -> Mapping[str, str]:
    """What each parameter is, in a sentence, by name."""
    # Docstrings under fields are not kept at run time.
    tree = ast.parse(inspect.getsource(VehicleParameters))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef)).body
    return {
        field.target.id: " ".join(str(note.value.value).split())
        for field, note in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(note, ast.Expr)
        and isinstance(note.value, ast.Constant)
    }


def limits(style: str) -> Mapping[str, Limits]:
    """Least and greatest value of every parameter of a style, or of a blend of two.

    Raises UsageError for an unknown style.
    """
    return body_style(style).limits


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

    Values are drawn from a symmetric Beta(2, 2) within the limits; a blend of two styles first
    draws how much of each it is. Raises UsageError for an
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
                found=f"{value:.12g}",
                expected=f"{low:g} to {high:g}",
            )
    share = float(stream(style, seed, "blend").uniform(0.2, 0.8))
    values = {
        name: float(given[name])
        if name in given
        else low + (high - low) * float(stream(style, seed, name).beta(2.0, 2.0))
        for name, (low, high) in blended(style, share).items()
    }
    return VehicleParameters(style=style, **values)
