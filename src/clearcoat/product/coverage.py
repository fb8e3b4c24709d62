"""Coverage: which parts no rule takes, how much of the picture they are, what they may be.

Pure: from names, colours and counts of visible pixels to groups and suggested rules.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.color import hex_color
from clearcoat.product.match import part_color
from clearcoat.product.model import Part
from clearcoat.product.similarity import Candidate, Guess, guess, words


@dataclass(frozen=True)
class PartGroup:
    """Parts that one rule could take and none does: of one name but for numbers, one material."""

    parts: tuple[int, ...]
    """Places of the parts in the product, the most visible first."""
    pixels: int
    """Pixels that show them, over all views."""
    share: float
    """Those of all pixels of the product, 0 to 1."""
    condition: Mapping[str, str]
    """What a rule says to match these parts."""
    material: str | None
    color: str | None
    """CAD colour, #rrggbb."""
    guess: Guess | None
    """What they may be; None where nothing hints at it."""

    @property
    def name(self) -> str:
        """The pattern of the parts' paths."""
        return self.condition.get("part") or self.condition["part_regex"]


@dataclass(frozen=True)
class Coverage:
    """How much of the visible product the rules of one kind take."""

    covered_share: float
    """Share of the product's pixels whose part a rule takes, 0 to 1."""
    covered_parts: int
    parts: int
    visible_parts: int
    """Parts that at least one view shows."""
    groups: tuple[PartGroup, ...]
    """What no rule takes, the most visible first."""


def coverage(
    parts: Sequence[Part],
    covered: Sequence[bool],
    pixels: NDArray[np.int64],
    candidates: Sequence[Candidate],
) -> Coverage:
    """Audit one kind of rule.

    Args:
        parts: of the product.
        covered: per part, whether a rule takes it.
        pixels: (parts,) pixels that show each part, over all views.
        candidates: what a rule could give.
    """
    total = max(int(pixels.sum()), 1)
    members: dict[tuple[str, str | None, str | None], list[int]] = {}
    for number, part in enumerate(parts):
        if not covered[number]:
            members.setdefault(_key(part), []).append(number)
    # One name in two materials or colours needs the material or colour in its rule.
    repeated = {name for name, n in Counter(name for name, _, _ in members).items() if n > 1}
    common = _common([parts[numbers[0]] for numbers in members.values()])
    of_name: dict[str, list[str]] = {}
    for (name, _, _), numbers in members.items():
        of_name.setdefault(name, []).extend(parts[number].path for number in numbers)
    one_of = {name: paths[0] for name, paths in of_name.items()}
    patterns = {name: _pattern(name, paths, one_of) for name, paths in of_name.items()}
    groups = []
    for (name, material, color), numbers in members.items():
        condition = dict(patterns[name])
        if name in repeated and material is not None:
            condition["material"] = escaped(material)
        elif name in repeated and color is not None:
            condition["color"] = color
        seen = int(pixels[numbers].sum())
        example = parts[numbers[0]]
        groups.append(
            PartGroup(
                parts=tuple(sorted(numbers, key=lambda number: -pixels[number])),
                pixels=seen,
                share=seen / total,
                condition=condition,
                material=material,
                color=color,
                guess=guess(example, candidates, common),
            )
        )
    taken = np.array(covered, dtype=bool)
    return Coverage(
        covered_share=float(pixels[taken].sum() / total),
        covered_parts=int(taken.sum()),
        parts=len(parts),
        visible_parts=int((pixels > 0).sum()),
        groups=tuple(sorted(groups, key=lambda group: (-group.pixels, group.name))),
    )


def _common(examples: Sequence[Part]) -> frozenset[str]:
    """Return the words that most groups have, which therefore tell nothing."""
    counts = Counter(word for part in examples for word in words(part.path))
    return frozenset(w for w, n in counts.items() if n >= 6 and n > len(examples) / 3)


def escaped(text: str) -> str:
    """Return the glob that matches a text literally."""
    return re.sub(r"([*?\[])", r"[\1]", text)


def _pattern(name: str, paths: Sequence[str], one_of: Mapping[str, str]) -> dict[str, str]:
    """Return what a rule says to take the parts of a name: a glob, or where that would take parts
    of others, of which `one_of` has a path each, a regular expression."""
    glob = _glob(name, paths)
    takes = re.compile(fnmatch.translate(glob)).match
    if glob == escaped(paths[0]) or not any(
        takes(path) for other, path in one_of.items() if other != name
    ):
        return {"part": glob}
    levels = re.sub(r"#\d+", "", paths[0]).split("/")
    exact = [r"\d+".join(map(re.escape, re.split(r"\d+", level))) for level in levels]
    return {"part_regex": "^" + "/".join(rf"{level}(#\d+)?" for level in exact) + "$"}


def _glob(name: str, paths: Sequence[str]) -> str:
    """Return the pattern of a group: with room for a `#2` where a path has one."""
    if all(fnmatch.fnmatchcase(path, name) for path in paths):
        return name
    return "/".join(level if level.endswith("*") else level + "*" for level in name.split("/"))


def _key(part: Part) -> tuple[str, str | None, str | None]:
    # Numbers tell copies of one thing apart, here as everywhere in CAD.
    pieces = re.split(r"\d+", re.sub(r"#\d+", "", part.path))
    color = part_color(part)
    return (
        "*".join(escaped(piece) for piece in pieces),
        None if part.material is None else part.material.name,
        None if color is None else hex_color(color),
    )
