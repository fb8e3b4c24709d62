"""Conditions on parts, and which of several rules takes a part.

One machinery for class and material rules: a rule holds conditions, all of which must hold. Among
the rules that hold the one of highest priority wins, and of equals the first. A rule that never
takes effect is an error, since it is most often a misspelling.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from clearcoat.errors import SpecError, did_you_mean, nearest
from clearcoat.product.color import color_difference, parse_hex
from clearcoat.product.model import Part
from clearcoat.spec import Model

Where = Callable[[int], str]
"""Names the place (file and line) of the i-th rule."""

Test = Callable[[Part], bool]
_KEYS = ("part", "part_regex", "material", "material_regex", "color", "layer", "metadata", "group")


class PartMatch(Model):
    """Conditions on a part; all that are given must hold, and one at least must be given."""

    part: str | None = None
    """Glob on the part's path, case-sensitive; `*` also crosses '/'."""
    part_regex: str | None = None
    """Regular expression searched in the part's path; anchor with ^ and $."""
    material: str | None = None
    """Glob on the name of the material in the product file, case-sensitive."""
    material_regex: str | None = None
    """Regular expression searched in the name of the material in the product file."""
    color: str | None = None
    """The CAD colour, sRGB as '#rrggbb'; colours within `color_within` of it match."""
    color_within: Annotated[float, Field(ge=0, le=200)] = 3.0
    """Largest colour difference, CIE 1976 Delta E*ab: 2.3 is just visible."""
    layer: str | None = None
    """Glob on the name of a layer that the product file has the part on, case-sensitive."""
    metadata: dict[str, str] | None = None
    """Globs on what the product file says of the part, by key; all must match."""
    group: str | None = None
    """Name of a group (under `groups`), one of whose patterns must match."""
    optional: bool = False
    """Whether the rule may take no part: for rules that several products share."""

    @field_validator("part_regex", "material_regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value

    @field_validator("color")
    @classmethod
    def _is_color(cls, value: str | None) -> str | None:
        if value is not None:
            parse_hex(value)
        return value

    @model_validator(mode="after")
    def _has_condition(self) -> PartMatch:
        if not self.conditions:
            raise ValueError(
                "a rule needs a condition: " + ", ".join(_KEYS[:-1]) + f" or {_KEYS[-1]}"
            )
        return self

    @property
    def conditions(self) -> dict[str, str]:
        """The conditions that are given, as text by key."""
        found: dict[str, str] = {}
        for key in _KEYS:
            value = getattr(self, key)
            if isinstance(value, dict):
                found |= {f"metadata {name}": pattern for name, pattern in value.items()}
            elif value is not None:
                found[key] = value
        return found

    @cached_property
    def tests(self) -> Mapping[str, Test]:
        """A function per condition, the group's excepted."""
        tests: dict[str, Test] = {}
        if self.part is not None:
            tests["part"] = _on_path(_whole(self.part))
        if self.part_regex is not None:
            tests["part_regex"] = _on_path(self.part_regex)
        if self.material is not None:
            tests["material"] = _on_material(_whole(self.material))
        if self.material_regex is not None:
            tests["material_regex"] = _on_material(self.material_regex)
        if self.color is not None:
            tests["color"] = _on_color(self.color, self.color_within)
        if self.layer is not None:
            tests["layer"] = _on_layer(self.layer)
        for name, pattern in (self.metadata or {}).items():
            tests[f"metadata {name}"] = _on_metadata(name, pattern)
        return tests

    def matches(self, part: Part, groups: Groups | None = None) -> bool:
        """Whether all conditions hold; a part without material meets none on materials."""
        if not all(test(part) for test in self.tests.values()):
            return False
        return self.group is None or any(
            pattern.matches(part) for pattern in (groups or {}).get(self.group, ())
        )


class PartPattern(PartMatch):
    """A member of a group: a glob on part paths, or a mapping of conditions."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"part": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(core)]}

    @model_validator(mode="after")
    def _flat(self) -> PartPattern:
        if self.group is not None:
            raise ValueError("a group cannot hold a group: list its patterns")
        return self


Groups = Mapping[str, Sequence[PartPattern]]
"""Patterns by the name under which rules refer to them."""


class Rule(PartMatch):
    """Conditions, and their rank among other rules."""

    priority: int = 0
    """Rules of higher priority are asked first; of equal ones, in the order of the file."""


def part_color(part: Part) -> tuple[float, float, float] | None:
    """Return the CAD colour of a part, linear sRGB: its own, else that of its material."""
    if part.color is not None:
        return part.color
    return None if part.material is None else part.material.base_color


def check_groups(
    rules: Sequence[PartMatch], groups: Groups, kind: str, key: tuple[str, ...] = ()
) -> None:
    """Raise SpecError where a rule names a group that there is not; `key` is that of the rules."""
    for number, rule in enumerate(rules):
        if rule.group is not None and rule.group not in groups:
            raise SpecError(
                f"{kind} {number + 1} names the group {rule.group!r}, which is not under `groups`",
                key=(*key, number, "group"),
                do=did_you_mean(rule.group, groups) if groups else "add it under `groups`",
            )


def first_matches(
    parts: Sequence[Part],
    rules: Sequence[Rule],
    *,
    kind: str,
    groups: Groups | None = None,
    where: Where | None = None,
) -> tuple[int | None, ...]:
    """Return, per part, the number of the rule that takes it.

    Raises:
        SpecError: a rule that is not optional takes no part; `kind` names it.
    """
    groups = groups or {}
    matched = [[rule.matches(part, groups) for part in parts] for rule in rules]
    order = sorted(range(len(rules)), key=lambda number: -rules[number].priority)
    winners = tuple(
        next((number for number in order if matched[number][position]), None)
        for position in range(len(parts))
    )
    for number, (rule, row) in enumerate(zip(rules, matched, strict=True)):
        if rule.optional or number in winners:
            continue
        place = _place(number, where)
        if not any(row):
            raise _empty(rule, parts, groups, kind, place)
        taken = {winner for winner, hit in zip(winners, row, strict=True) if hit}
        thieves = sorted(thief for thief in taken if thief is not None)
        raise SpecError(
            f"{kind} takes no part: {_spelled(rule)}",
            where=place,
            found=f"all {sum(row)} parts that it matches are taken by "
            + ", ".join(f"{_spelled(rules[thief])} ({_place(thief, where)})" for thief in thieves),
            expected="a rule that is first for at least one part (the first match wins)",
            do="move it above, give it a higher `priority`, remove it, or mark it `optional: true`",
        )
    return winners


def advice_for(pattern: str, names: set[str]) -> str:
    """Advice for a pattern that matches nothing: the nearest name, if one is near."""
    letters = re.sub(r"[*?\[\]^$\\.()+|]+", "", pattern)
    best = nearest(letters, sorted(names))
    if best is None:
        return "see the names with `clearcoat inspect`"
    return f"did you mean {best!r}? (see the names with `clearcoat inspect`)"


def path_names(paths: Sequence[str]) -> set[str]:
    """Paths, their components, those without a trailing number, and the words in them."""
    names: set[str] = set(paths)
    for path in paths:
        for component in path.split("/"):
            names |= {component, re.sub(r"(__.*|[#_. -]?\d+)$", "", component)}
            names |= {word for word in re.split(r"[#_. -]+", component) if not word.isdigit()}
    return names - {""}


def _whole(glob: str) -> str:
    """Return the regular expression that finds only what a glob matches as a whole."""
    return r"\A" + fnmatch.translate(glob)


def _on_path(pattern: str) -> Test:
    search = re.compile(pattern).search
    return lambda part: search(part.path) is not None


def _on_material(pattern: str) -> Test:
    search = re.compile(pattern).search
    return lambda part: part.material is not None and search(part.material.name) is not None


def _on_color(color: str, within: float) -> Test:
    wanted = parse_hex(color)

    def test(part: Part) -> bool:
        found = part_color(part)
        return found is not None and color_difference(wanted, found) <= within

    return test


def _on_layer(pattern: str) -> Test:
    search = re.compile(_whole(pattern)).search
    return lambda part: any(
        search(name) is not None for name in (part.layer, *part.layer.split(", ")) if name
    )


def _on_metadata(name: str, pattern: str) -> Test:
    search = re.compile(_whole(pattern)).search
    return lambda part: name in part.metadata and search(part.metadata[name]) is not None


def _place(number: int, where: Where | None) -> str:
    return f"rule {number + 1}" if where is None else where(number)


def _spelled(rule: PartMatch) -> str:
    return ", ".join(f"{key} {value!r}" for key, value in rule.conditions.items())


def _empty(
    rule: PartMatch, parts: Sequence[Part], groups: Groups, kind: str, place: str
) -> SpecError:
    advice = "see the names with `clearcoat inspect`"
    tests = dict(rule.tests)
    if rule.group is not None:
        members = groups.get(rule.group, ())
        tests["group"] = lambda part: any(member.matches(part) for member in members)
    alone = {key: sum(test(part) for part in parts) for key, test in tests.items()}
    for key, value in rule.conditions.items():
        if not alone[key]:
            advice = advice_for(value, _names(key, parts))
            break
    found = ", ".join(f"{key} alone matches {count}" for key, count in alone.items())
    return SpecError(
        f"{kind} matches no part: {_spelled(rule)}",
        where=place,
        found=found if len(alone) > 1 else f"{len(parts)} parts, none of that {_noun(rule)}",
        do=advice + "; or mark the rule `optional: true`",
    )


def _noun(rule: PartMatch) -> str:
    key = next(iter(rule.conditions))
    return key if key in ("color", "layer", "group") else "name"


def _names(key: str, parts: Sequence[Part]) -> set[str]:
    """Return what a condition could have been meant to say."""
    if key.startswith("part"):
        return path_names([part.path for part in parts])
    if key.startswith("material"):
        return {part.material.name for part in parts if part.material is not None}
    if key == "layer":
        return {name for part in parts for name in part.layer.split(", ") if name}
    if key.startswith("metadata "):
        name = key.partition(" ")[2]
        values = {part.metadata[name] for part in parts if name in part.metadata}
        return values or {other for part in parts for other in part.metadata}
    return set()
