"""What a part may be, by the words in its names and by its colour."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from clearcoat.product.color import color_difference
from clearcoat.product.match import part_color
from clearcoat.product.model import Part

_NOISE = frozenset(
    [
        "mesh",
        "part",
        "body",
        "solid",
        "node",
        "shape",
        "group",
        "component",
        "prt",
        "asm",
        "assembly",
        "product",
        "item",
        "instance",
        "left",
        "right",
        "lh",
        "rh",
        "fl",
        "fr",
        "rl",
        "rr",
        "the",
        "and",
        "of",
        "for",
        "mat",
        "material",
        "geometry",
        "object",
        "face",
        "surface",
    ]
)
"""Words that say nothing of what a part is."""

_ALIKE = (
    {"tyre", "tire", "tires", "tyres"},
    {"rim", "rims", "alloy", "wheel", "wheels", "felge"},
    {"glass", "window", "windshield", "windscreen", "glazing", "pane", "backlight", "quarterlight"},
    {"hood", "bonnet"},
    {"trunk", "boot", "tailgate", "decklid", "liftgate"},
    {"bumper", "fascia"},
    {"fender", "wing", "mudguard"},
    {"light", "lamp", "headlight", "headlamp", "taillight", "foglight", "lights", "lamps"},
    {"seal", "gasket", "weatherstrip", "oring"},
    {"bolt", "screw", "nut", "washer", "stud", "rivet", "fastener", "galvanised", "zinc"},
    {"plate", "sheet", "bracket", "steel"},
    {"casting", "cast", "housing"},
    {"hose", "pipe", "tube"},
    {"seat", "cushion", "upholstery", "fabric"},
    {"leather", "hide"},
    {"chrome", "chromium", "trim"},
    {"aluminium", "aluminum", "alu"},
    {"brake", "disc", "rotor"},
    {"rubber", "epdm", "elastomer"},
    {"plastic", "abs", "pp", "polymer", "nylon"},
    {"license", "licence", "number", "plate"},
    {"mirror", "mirrors"},
)
"""Words of engineers for one thing, or for a thing and what it is made of."""

_COLOR_SCALE = 12.0
"""Colour difference at which two colours hint at nothing any more, about: CIE Delta E*ab."""
_LEAST_SCORE = 0.3


@dataclass(frozen=True)
class Candidate:
    """Something that a rule could give: a class, or a material of the library."""

    label: str
    words: frozenset[str]
    """Words of its name, and of the parts that rules already give it."""
    color: tuple[float, float, float] | None = None
    """Linear sRGB, where colour tells anything."""
    clear: bool = False
    """Whether light goes through it."""
    metal: bool = False


@dataclass(frozen=True)
class Guess:
    """A suggestion."""

    label: str
    score: float
    """0 to 1: how much speaks for it."""
    because: str


def words(*texts: str) -> frozenset[str]:
    """Return the words in names: split at case, digits and punctuation, without empty ones."""
    found = {
        word.lower() for text in texts for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)
    }
    return frozenset(word for word in found if len(word) > 1) - _NOISE


def guess(
    part: Part, candidates: Sequence[Candidate], common: frozenset[str] = frozenset()
) -> Guess | None:
    """Return the candidate that a part's names and colour speak for most; None if nothing does.

    Words of `common` are those of nearly all parts and tell nothing.
    """
    source = part.material
    own = words(part.path, "" if source is None else source.name, part.layer, part.definition)
    own -= common
    near = words(part.name)
    color = part_color(part)
    clear = source is not None and (source.transmission > 0.5 or source.alpha < 0.5)
    metal = source is not None and source.metallic > 0.5
    best: Guess | None = None
    for candidate in candidates:
        shared = _shared(own, candidate.words)
        # The part's own name says more than those of the assemblies above it.
        weight = sum(1.0 if word in near else 0.6 for word in shared)
        by_name = 1 - math.exp(-weight)
        by_color = 0.0
        if color is not None and candidate.color is not None:
            by_color = math.exp(-color_difference(color, candidate.color) / _COLOR_SCALE)
        score = 0.75 * by_name + 0.25 * by_color
        if clear:
            score *= 1.25 if candidate.clear else 0.4
        elif candidate.clear and not shared:
            # An opaque colour alone speaks against glass; a name outweighs it, as STEP has no more.
            score *= 0.4
        if metal and candidate.metal:
            score += 0.15
        score = min(score / (1 + 0.02 * len(candidate.words - own)), 1.0)
        if best is None or score > best.score:
            best = Guess(candidate.label, score, _because(shared, by_color, clear, metal))
    return best if best is not None and best.score >= _LEAST_SCORE else None


def _because(shared: Iterable[str], by_color: float, clear: bool, metal: bool) -> str:
    reasons = [f"name: {', '.join(sorted(shared))}"] if shared else []
    if by_color > 0.4:
        reasons.append("CAD colour")
    reasons += ["transparent in the CAD"] * clear + ["metallic in the CAD"] * metal
    return "; ".join(reasons)


def _shared(own: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in own if any(_alike(word, other) for other in others))


@lru_cache(maxsize=65536)
def _alike(one: str, other: str) -> bool:
    if one == other or any(one in group and other in group for group in _ALIKE):
        return True
    if min(len(one), len(other)) < 4:
        return False
    # Plurals, compounds and spelling: tyres, doorpanel, aluminum.
    return (
        one.startswith(other)
        or other.startswith(one)
        or SequenceMatcher(None, one, other).ratio() > 0.84
    )
