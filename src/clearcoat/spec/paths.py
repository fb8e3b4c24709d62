"""Paths in a file that others extend: each is relative to the file that it is written in."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

_ANY = "*"

Place = tuple[str, ...]
"""Keys from the top of a document down; `*` stands for any key of a mapping or item of a list."""


def path_places(model: type[BaseModel]) -> frozenset[Place]:
    """Return where a model's values are paths, or lists or mappings of them."""
    found: set[Place] = set()

    def visit(annotation: Any, place: Place, above: tuple[type[BaseModel], ...]) -> None:
        if isinstance(annotation, type) and issubclass(annotation, Path):
            # Of a list or mapping of paths its own key: all that is in it is one.
            while place and place[-1] == _ANY:
                place = place[:-1]
            found.add(place)
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if annotation not in above:
                for name, field in annotation.model_fields.items():
                    visit(field.annotation, (*place, field.alias or name), (*above, annotation))
        else:
            origin = get_origin(annotation)
            several = isinstance(origin, type) and issubclass(origin, Collection)
            for part in get_args(annotation):
                visit(part, (*place, _ANY) if several else place, above)

    visit(model, (), ())
    return frozenset(found)


def expanded(path: Path) -> Path:
    """Return a path with `~` or `~user` at its front replaced by that home folder.

    Where there is no such user the tilde is the first character of a name.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def rebased(data: Any, places: frozenset[Place], source: Path, target: Path) -> Any:
    """Return plain data of a file in folder `source` with its paths relative to `target`.

    `places` are those of paths. Keys of the same names elsewhere, as of a rule's `metadata` or of
    states that a user names, are none.
    """
    if source.resolve() == target.resolve():
        return data

    def moved(value: Any) -> Any:
        if isinstance(value, list):
            return [moved(item) for item in value]
        if isinstance(value, dict):
            return {key: moved(item) for key, item in value.items()}
        if not isinstance(value, str) or expanded(Path(value)).is_absolute():
            return value
        return Path(os.path.relpath(source / value, target)).as_posix()

    def visited(value: Any, places: frozenset[Place]) -> Any:
        if () in places:
            return moved(value)
        if isinstance(value, dict):
            return {key: visited(item, _below(places, str(key))) for key, item in value.items()}
        if isinstance(value, list):
            return [visited(item, _below(places, _ANY)) for item in value]
        return value

    return visited(data, places)


def _below(places: frozenset[Place], key: str) -> frozenset[Place]:
    return frozenset(place[1:] for place in places if place[0] in (key, _ANY))
