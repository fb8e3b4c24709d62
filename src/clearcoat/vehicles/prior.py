"""Which styles the family draws, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clearcoat.errors import SpecError, UsageError
from clearcoat.vehicles.parameters import stream
from clearcoat.vehicles.styles import body_style

ANY = "any"

SHARES: Mapping[str, float] = {
    "sedan": 0.30,
    "hatchback": 0.08,
    "estate": 0.05,
    "coupe": 0.06,
    "suv": 0.20,
    "van": 0.06,
    "pickup": 0.17,
    "hatchback+suv": 0.05,
    "suv+van": 0.03,
}
"""How often `any` draws each style; about what stands on the streets of the real photographs."""

Choice = str | Sequence[str] | Mapping[str, float]
"""`any`, a style, several styles alike, or styles with weights."""


def shares(choice: Choice) -> Mapping[str, float]:
    """Weights per style of a choice.

    Raises SpecError for a style that does not exist, no style, or weights that are not positive.
    """
    if choice == ANY:
        return SHARES
    if isinstance(choice, str):
        weights: Mapping[str, float] = {choice: 1.0}
    elif isinstance(choice, Mapping):
        # In one order: specs that differ in the order of their keys have one digest.
        weights = {style: choice[style] for style in sorted(choice, key=_place)}
    else:
        weights = dict.fromkeys(choice, 1.0)
    for style in weights:
        try:
            body_style(style)
        except UsageError as error:
            raise SpecError(
                error.what, found=error.found, expected=error.expected, do=error.do
            ) from error
    if any(weight < 0 for weight in weights.values()) or not sum(weights.values()) > 0:
        raise SpecError(
            "weights of styles must not be negative, and one at least must be above zero",
            found=dict(weights),
        )
    return weights


def _place(style: str) -> tuple[int, str]:
    """Where a style comes: as in `SHARES`, then by name."""
    known = list(SHARES)
    return (known.index(style) if style in SHARES else len(known)), style


def draw_style(choice: Choice, seed: int) -> str:
    """Draw a style of a choice: a pure function of its arguments. Raises as `shares`."""
    weights = shares(choice)
    total = sum(weights.values())
    left = float(stream("family", seed, "style").random()) * total
    for style, weight in weights.items():
        left -= weight
        if left < 0:
            return style
    return next(style for style, weight in reversed(list(weights.items())) if weight > 0)
