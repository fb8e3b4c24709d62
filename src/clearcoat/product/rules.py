"""Rules that name parts: which class they are, which material they get, which are dropped.

One machinery for all: a rule holds conditions, all of which must hold; the first rule that
holds wins. A rule that never takes effect is an error, since it is most often a misspelling.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import Field, JsonValue, field_validator, model_validator

from clearcoat.errors import SpecError, did_you_mean, nearest
from clearcoat.product.model import Part, Product
from clearcoat.spec import Model

Where = Callable[[int], str]
"""Names the place (file and line) of the i-th rule."""

_WORDS = ("ignore", "background")


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

    @model_validator(mode="after")
    def _has_condition(self) -> PartMatch:
        if not self.conditions:
            raise ValueError(
                "a rule needs a condition: part, part_regex, material or material_regex"
            )
        return self

    @property
    def conditions(self) -> dict[str, str]:
        """The conditions that are given, by key."""
        keys = ("part", "part_regex", "material", "material_regex")
        found = {key: getattr(self, key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    def matches(self, part: Part) -> bool:
        """Whether all conditions hold; a part without material meets none on materials."""
        return all(_holds(key, value, part) for key, value in self.conditions.items())


class ClassRule(PartMatch):
    """Gives the parts it matches one class, several, none (`background`), or `ignore`."""

    classes: str | tuple[str, ...] = Field(alias="is")
    """A class, a list of classes, `background` (no class), or `ignore` (counts in no score)."""

    @field_validator("classes")
    @classmethod
    def _sensible(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not isinstance(value, str):
            if not value:
                raise ValueError("an empty list; write `background` for parts without a class")
            if set(value) & set(_WORDS):
                raise ValueError("`ignore` and `background` stand alone, not in a list")
            if len(set(value)) < len(value):
                raise ValueError("a class stands twice in the list")
        return value

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes; empty for `background`, None for `ignore`."""
        if isinstance(self.classes, tuple):
            return self.classes
        if self.classes in _WORDS:
            return None if self.classes == "ignore" else ()
        return (self.classes,)


class ClassRules(Model):
    """The list of classes and the rules that give them to parts."""

    names: tuple[str, ...] = Field(min_length=1)
    """All classes in their order, also those that this product lacks."""
    rules: tuple[ClassRule, ...] = ()
    """First match wins; parts that no rule matches have no class (background)."""

    @field_validator("names")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for position, name in enumerate(value):
            if name in _WORDS:
                raise ValueError(f"{name!r} has a meaning of its own and cannot name a class")
            if not name.strip():
                raise ValueError("a class without a name")
            if name in value[:position]:
                raise ValueError(f"class {name!r} stands twice")
        return value

    @model_validator(mode="after")
    def _known(self) -> ClassRules:
        for number, rule in enumerate(self.rules):
            for name in rule.class_names or ():
                if name not in self.names:
                    raise ValueError(
                        f"rule {number + 1} names class {name!r}, which is not under `names`: "
                        + did_you_mean(name, self.names)
                    )
        return self


class MaterialRule(PartMatch):
    """Gives the parts it matches a material of the library."""

    use: str
    """Name of the library material."""
    parameters: dict[str, JsonValue] = Field(default={}, alias="with")
    """Parameters of the material that differ from the library's."""


@dataclass(frozen=True)
class ClassMap:
    """The classes of every part of one product."""

    names: tuple[str, ...]
    of_part: tuple[frozenset[int] | None, ...]
    """Per part: numbers of its classes (indices into `names`); empty: background; None: ignore."""
    rule_of_part: tuple[int | None, ...]
    """Per part: number of the rule that decided; None where no rule matched."""

    @property
    def absent(self) -> tuple[str, ...]:
        """Classes that no part has."""
        present = {number for classes in self.of_part for number in classes or ()}
        return tuple(name for number, name in enumerate(self.names) if number not in present)


def resolve_classes(product: Product, rules: ClassRules, *, where: Where | None = None) -> ClassMap:
    """Decide the classes of every part; the part decides, classes of two parts never merge.

    Raises:
        SpecError: a rule that is not optional matches no part, or only parts that earlier
            rules have taken.
    """
    winners = first_matches(product.parts, rules.rules, kind="class rule", where=where)
    number_of = {name: number for number, name in enumerate(rules.names)}
    by_rule = [
        None if rule.class_names is None else frozenset(number_of[n] for n in rule.class_names)
        for rule in rules.rules
    ]
    background: frozenset[int] = frozenset()
    return ClassMap(
        names=rules.names,
        of_part=tuple(background if winner is None else by_rule[winner] for winner in winners),
        rule_of_part=winners,
    )


def resolve_materials(
    product: Product, rules: Sequence[MaterialRule], *, where: Where | None = None
) -> tuple[MaterialRule | None, ...]:
    """Return the material rule of every part; None where no rule matches.

    Raises:
        SpecError: as `resolve_classes`.
    """
    winners = first_matches(product.parts, rules, kind="material rule", where=where)
    return tuple(None if winner is None else rules[winner] for winner in winners)


def first_matches(
    parts: Sequence[Part], rules: Sequence[PartMatch], *, kind: str, where: Where | None = None
) -> tuple[int | None, ...]:
    """Return, per part, the number of the first rule that matches it.

    Raises:
        SpecError: a rule that is not optional takes no part; `kind` names it.
    """
    matched = [[rule.matches(part) for part in parts] for rule in rules]
    winners = tuple(
        next((number for number, row in enumerate(matched) if row[position]), None)
        for position in range(len(parts))
    )
    for number, (rule, row) in enumerate(zip(rules, matched, strict=True)):
        if rule.optional or number in winners:
            continue
        place = _place(number, where)
        if not any(row):
            raise _empty(rule, parts, kind, place)
        taken = {winner for winner, hit in zip(winners, row, strict=True) if hit}
        thieves = sorted(thief for thief in taken if thief is not None)
        raise SpecError(
            f"{kind} takes no part: {_spelled(rule)}",
            where=place,
            found=f"all {sum(row)} parts that it matches are taken by "
            + ", ".join(f"{_spelled(rules[thief])} ({_place(thief, where)})" for thief in thieves),
            expected="a rule that is first for at least one part (the first match wins)",
            do="move it above, remove it, or mark it `optional: true`",
        )
    return winners


def keep_parts(
    paths: Sequence[str], drop: Sequence[str], *, where: Where | None = None
) -> list[int]:
    """Return the numbers of the parts that no glob of `drop` matches.

    Raises:
        SpecError: a glob matches no part.
    """
    for number, pattern in enumerate(drop):
        if not any(fnmatch.fnmatchcase(path, pattern) for path in paths):
            raise SpecError(
                f"`drop` matches no part: {pattern!r}",
                where=None if where is None else where(number),
                found=f"{len(paths)} parts",
                do=_advice(pattern, _part_names(paths)),
            )
    return [
        number
        for number, path in enumerate(paths)
        if not any(fnmatch.fnmatchcase(path, pattern) for pattern in drop)
    ]


def drop_parts(product: Product, drop: Sequence[str], *, where: Where | None = None) -> Product:
    """Return the product without the parts that a glob of `drop` matches.

    Raises:
        SpecError: a glob matches no part, or no part is left.
    """
    kept = keep_parts([part.path for part in product.parts], drop, where=where)
    if not kept:
        raise SpecError(
            "every part of the product is dropped",
            found="drop: " + ", ".join(drop),
            do="narrow the patterns under `drop`",
        )
    return replace(product, parts=tuple(product.parts[number] for number in kept))


def _holds(key: str, value: str, part: Part) -> bool:
    if key.startswith("part"):
        text = part.path
    elif part.material is None:
        return False
    else:
        text = part.material.name
    if key.endswith("regex"):
        return re.search(value, text) is not None
    return fnmatch.fnmatchcase(text, value)


def _place(number: int, where: Where | None) -> str:
    return f"rule {number + 1}" if where is None else where(number)


def _spelled(rule: PartMatch) -> str:
    return ", ".join(f"{key} {value!r}" for key, value in rule.conditions.items())


def _empty(rule: PartMatch, parts: Sequence[Part], kind: str, place: str) -> SpecError:
    advice = "see the names with `clearcoat inspect`"
    alone = {
        key: sum(_holds(key, value, part) for part in parts)
        for key, value in rule.conditions.items()
    }
    for key, value in rule.conditions.items():
        if not alone[key]:
            names = (
                _part_names([part.path for part in parts])
                if key.startswith("part")
                else {part.material.name for part in parts if part.material is not None}
            )
            advice = _advice(value, names)
            break
    found = ", ".join(f"{key} alone matches {count}" for key, count in alone.items())
    return SpecError(
        f"{kind} matches no part: {_spelled(rule)}",
        where=place,
        found=found if len(alone) > 1 else f"{len(parts)} parts, none of that name",
        do=advice + "; or mark the rule `optional: true`",
    )


def _advice(pattern: str, names: set[str]) -> str:
    """Advice for a pattern that matches nothing: the nearest name, if one is near."""
    letters = re.sub(r"[*?\[\]^$\\.()+|]+", "", pattern)
    best = nearest(letters, sorted(names))
    if best is None:
        return "see the names with `clearcoat inspect`"
    return f"did you mean {best!r}? (see the names with `clearcoat inspect`)"


def _part_names(paths: Sequence[str]) -> set[str]:
    """Paths, their components, those without a trailing number, and the words in them."""
    names: set[str] = set(paths)
    for path in paths:
        for component in path.split("/"):
            names |= {component, re.sub(r"(__.*|[#_. -]?\d+)$", "", component)}
            names |= {word for word in re.split(r"[#_. -]+", component) if not word.isdigit()}
    return names - {""}
