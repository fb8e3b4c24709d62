"""Paths in a file that others extend: each is relative to the file that it is written in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel


def path_keys(model: type[BaseModel]) -> frozenset[str]:
    """Return the keys, at whatever depth of a model, whose values are paths or lists of them."""
    found: set[str] = set()
    seen: set[type[BaseModel]] = set()

    def visit(annotation: Any, key: str) -> None:
        if isinstance(annotation, type) and issubclass(annotation, Path):
            found.add(key)
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if annotation not in seen:
                seen.add(annotation)
                for name, field in annotation.model_fields.items():
                    visit(field.annotation, field.alias or name)
        else:
            for part in get_args(annotation):
                visit(part, key)

    visit(model, "")
    return frozenset(found)


def expanded(path: Path) -> Path:
    """Return a path with `~` or `~user` at its front replaced by that home folder.

    Where there is no such user the tilde is the first character of a name.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def rebased(data: Any, keys: frozenset[str], source: Path, target: Path) -> Any:
    """Return plain data of a file in folder `source` with its paths relative to `target`."""
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

    def visited(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: moved(item) if key in keys else visited(item) for key, item in value.items()
            }
        return [visited(item) for item in value] if isinstance(value, list) else value

    return visited(data)
