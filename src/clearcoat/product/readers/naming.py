"""Names of parts that all readers give by one rule."""

from __future__ import annotations


def unique(path: str, taken: dict[str, int]) -> str:
    """Return `path`, or `path#2`, `path#3`, … where it is taken; and take it."""
    number = taken.get(path, 0) + 1
    result = path if number == 1 else f"{path}#{number}"
    while result in taken:
        number += 1
        result = f"{path}#{number}"
    # Where to go on, so that thousands of equal names do not try each other's numbers.
    taken[path] = number
    taken.setdefault(result, 1)
    return result
