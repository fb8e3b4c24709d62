"""Class maps: which of our classes the category names of somebody else's labels stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clearcoat.dataset.labels import ClassSet
from clearcoat.dataset.record import BACKGROUND, BACKGROUND_NAMES, IGNORE
from clearcoat.dataset.writer import check_class_names
from clearcoat.errors import DatasetError, SpecError, did_you_mean
from clearcoat.spec import Model, parse
from clearcoat.spec.document import read


class ClassMapFile(Model):
    """The content of a class map file."""

    classes: list[str]
    """Classes of the data set, in order."""
    map: dict[str, str | list[str]]
    """Category name -> a class, a list of classes, `ignore` or `background`."""


@dataclass(frozen=True)
class ClassMap:
    """What each category stands for, and where that was said."""

    classes: tuple[str, ...]
    targets: Mapping[str, ClassSet | None]
    """Category name -> class numbers; empty for background, None for *ignore*."""
    source: str
    where: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Category name -> file:line of its rule."""


def load_class_map(path: Path) -> ClassMap:
    """Read a class map file.

    Raises SpecError, with the line, where the file is malformed or a target is no class.
    """
    document = read(Path(path))
    content = parse(document, ClassMapFile)
    try:
        check_class_names(content.classes)
    except DatasetError as error:
        raise SpecError(
            error.what,
            where=document.where(("classes",)),
            found=error.found,
            expected=error.expected,
            do=error.do,
        ) from error
    numbers = {name: number for number, name in enumerate(content.classes)}
    targets: dict[str, ClassSet | None] = {}
    for category, target in content.map.items():
        names = [target] if isinstance(target, str) else target
        if names in ([IGNORE], [BACKGROUND]):
            targets[category] = None if names == [IGNORE] else frozenset()
            continue
        for name in names:
            if name not in numbers:
                raise SpecError(
                    f"the map names an unknown class: {name!r}",
                    where=document.where(("map", category)),
                    expected="classes of the list, or `ignore` or `background` alone",
                    do=f"give {category!r} the target `{name}` and no other"
                    if name in (IGNORE, BACKGROUND)
                    else did_you_mean(name, [*content.classes, IGNORE, BACKGROUND]),
                )
        targets[category] = frozenset(numbers[name] for name in names)
    return ClassMap(
        classes=tuple(content.classes),
        targets=targets,
        source=str(path),
        where={name: document.where(("map", name)) for name in content.map},
    )


def identity_map(categories: Sequence[str], source: str) -> ClassMap:
    """Return the map under which every category is a class of its own, in the order given.

    Categories called `ignore`, `background` or `_background_` mean what they say. Raises
    DatasetError where no class remains.
    """
    special = BACKGROUND_NAMES | {IGNORE}
    classes = tuple(name for name in dict.fromkeys(categories) if name not in special)
    check_class_names(classes)
    numbers = {name: number for number, name in enumerate(classes)}
    targets: dict[str, ClassSet | None] = {
        name: None if name == IGNORE else frozenset({numbers[name]} if name in numbers else ())
        for name in categories
    }
    return ClassMap(classes=classes, targets=targets, source=source)


def check_covers(class_map: ClassMap, categories: Sequence[str], source: str) -> None:
    """Raise SpecError unless the map names exactly the categories of a label file."""
    for name in class_map.targets:
        if name not in categories:
            raise SpecError(
                f"the map names a category that the labels do not have: {name!r}",
                where=class_map.where.get(name, class_map.source),
                expected=f"the categories of {source}",
                do=did_you_mean(name, categories),
            )
    missing = [name for name in categories if name not in class_map.targets]
    if missing:
        raise SpecError(
            f"the map does not say what category {missing[0]!r} stands for",
            where=class_map.source,
            found=f"{len(missing)} categories without a rule: " + ", ".join(missing),
            do=f"add it under `map`, for instance `{missing[0]}: ignore`; "
            + did_you_mean(missing[0], class_map.classes),
        )
