"""Rules that name parts: which class they are, which material they get, which are dropped."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field, JsonValue, field_validator, model_validator

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.product.match import (
    Groups,
    Rule,
    Where,
    advice_for,
    first_matches,
    path_names,
)
from clearcoat.product.model import Product
from clearcoat.spec import Model

_WORDS = ("ignore", "background")


class ClassRule(Rule):
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
    """The first match of the highest priority wins. Parts that no rule matches have no class
    (background)."""

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
                    raise SpecError(
                        f"class rule {number + 1} names class {name!r}, which is not under `names`",
                        key=("rules", number, "is"),
                        do=did_you_mean(name, self.names),
                    )
        return self


MEASURED = "measured"
"""The value of `use` that stands for a measured BRDF file."""


class MaterialRule(Rule):
    """Gives the parts it matches a material of the library, or one that was measured."""

    use: str
    """Name of the library material; `measured` for the BRDF in `file`."""
    file: Path | None = None
    """Measured BRDF of `use: measured`, relative to the spec: an RGB file (`*_rgb.bsdf`) of the
    RGL material database (Dupuy and Jakob 2018)."""
    parameters: dict[str, JsonValue] = Field(default={}, alias="with")
    """Parameters of the material that differ from the library's."""

    @model_validator(mode="after")
    def _measured(self) -> MaterialRule:
        if self.use == MEASURED and self.file is None:
            raise ValueError("`use: measured` needs a `file`: an RGB .bsdf file")
        if self.use != MEASURED and self.file is not None:
            raise ValueError(f"`file` goes with `use: {MEASURED}`, not with {self.use!r}")
        if self.file is not None and self.parameters:
            raise ValueError("a measured material has no parameters: leave `with` out")
        return self


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

    def of(self, parts: Sequence[int]) -> ClassMap:
        """Return the classes of a product that has these parts of the map's, in this order."""
        return replace(
            self,
            of_part=tuple(self.of_part[number] for number in parts),
            rule_of_part=tuple(self.rule_of_part[number] for number in parts),
        )


def resolve_classes(
    product: Product,
    rules: ClassRules,
    *,
    groups: Groups | None = None,
    where: Where | None = None,
) -> ClassMap:
    """Decide the classes of every part; the part decides, classes of two parts never merge.

    Raises:
        SpecError: a rule that is not optional matches no part, or only parts that earlier
            rules have taken.
    """
    winners = first_matches(
        product.parts, rules.rules, kind="class rule", groups=groups, where=where
    )
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
    product: Product,
    rules: Sequence[MaterialRule],
    *,
    groups: Groups | None = None,
    where: Where | None = None,
) -> tuple[MaterialRule | None, ...]:
    """Return the material rule of every part; None where no rule matches.

    Raises:
        SpecError: as `resolve_classes`.
    """
    winners = first_matches(product.parts, rules, kind="material rule", groups=groups, where=where)
    return tuple(None if winner is None else rules[winner] for winner in winners)


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
                do=advice_for(pattern, path_names(paths)),
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
