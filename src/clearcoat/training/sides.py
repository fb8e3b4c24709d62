"""Classes that name a side: in a mirrored image the left mirror is the right one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from clearcoat.dataset.labels import ClassSet

_OPPOSITE = {"left": "right", "l": "r", "lh": "rh", "lhs": "rhs", "fl": "fr", "rl": "rr"}
_OPPOSITE |= {value: key for key, value in _OPPOSITE.items()}
_SIDE = re.compile(
    # As a word of its own (front_left_door, "mirror L", doors.LH) or in camel case.
    r"(?<![A-Za-z])(?i:left|right|lhs|rhs|lh|rh|fl|fr|rl|rr|l|r)(?![A-Za-z])"
    r"|(?<=[a-z])(?:LHS|RHS|LH|RH|FL|FR|RL|RR|L|R)(?![A-Za-z])"
    r"|(?<=[a-z])(?:Left|Right)(?![a-z])"
    r"|(?<![A-Za-z])(?:[Ll]eft|[Rr]ight)(?=[A-Z])"
)


def opposite_name(name: str) -> str:
    """Return the name with its sides changed; names without a side stay as they are."""
    return _SIDE.sub(lambda found: _in_the_case_of(found[0], _OPPOSITE[found[0].lower()]), name)


def _in_the_case_of(pattern: str, word: str) -> str:
    if pattern.isupper():
        return word.upper()
    return word.capitalize() if pattern[0].isupper() else word


def opposite_classes(classes: Sequence[str]) -> dict[int, int]:
    """Return the number of the other side's class for each class that has one."""
    numbers = {name: number for number, name in enumerate(classes)}
    return {
        number: numbers[other]
        for number, name in enumerate(classes)
        if (other := opposite_name(name)) != name and other in numbers
    }


def without_opposite(classes: Sequence[str]) -> list[str]:
    """Return the classes that name a side and have no class for the other."""
    paired = opposite_classes(classes)
    return [
        name
        for number, name in enumerate(classes)
        # A single letter may mean anything where no second class says that it is a side.
        if number not in paired and any(len(found[0]) > 2 for found in _SIDE.finditer(name))
    ]


def mirrored_sets(
    sets: Sequence[ClassSet | None], classes: Sequence[str]
) -> tuple[tuple[ClassSet | None, ...], Tensor | None]:
    """Return the table of class sets with all that mirrored images need, and the way there.

    The way is (K,) int32: position of a set to that of the set with all sides changed; None
    where no class has an opposite, and the table is as it was. The sets that were there keep
    their positions.
    """
    opposite = opposite_classes(classes)
    if not opposite:
        return tuple(sets), None
    table = {known: position for position, known in enumerate(sets)}

    def mirrored(known: ClassSet | None) -> ClassSet | None:
        return None if known is None else frozenset(opposite.get(n, n) for n in known)

    for known in sets:
        table.setdefault(mirrored(known), len(table))
    way = [table[mirrored(known)] for known in table]
    return tuple(table), torch.tensor(way, dtype=torch.int32)
