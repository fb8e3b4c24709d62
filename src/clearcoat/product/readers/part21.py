"""The text of a STEP file (ISO 10303-21) where the shapes are not wanted: entities by keyword.

OpenCASCADE reads the shapes; what it does not hand over, or would choke on, is looked up here.
"""

from __future__ import annotations

import itertools
import mmap
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from clearcoat.errors import ProductError

Entities = dict[int, bytes]
"""Number -> what stands between `=` and `;`."""

MOST_OCCURRENCES = 200_000
_LARGEST_COORDINATE = 1e10
_REST_OF_NUMBER = re.compile(rb"\d*\.?\d*(?:[eE][-+]?\d+)?")


def entities(text: mmap.mmap | bytes, words: Iterable[bytes]) -> Entities:
    """Return the entities in which a keyword occurs; others are not looked at."""
    found: Entities = {}
    for word in words:
        place = text.find(word)
        while place >= 0:
            end = text.find(b";", place)
            statement = re.search(
                rb"#(\d+)\s*=(.*)", text[text.rfind(b";", 0, place) + 1 : end], re.DOTALL
            )
            if statement is not None:
                found[int(statement[1])] = statement[2]
            place = text.find(word, max(end, place + 1))
    return found


def references(body: bytes) -> list[int]:
    """Numbers of the entities that one refers to, in its order; those in strings are not."""
    return [int(number) for number in re.findall(rb"#(\d+)", re.sub(rb"'(?:[^']|'')*'", b"", body))]


def strings(body: bytes) -> list[str]:
    """Return the strings of an entity in its order, decoded."""
    return [decode(found) for found in re.findall(rb"'((?:[^']|'')*)'", body)]


def decode(content: bytes) -> str:
    r"""Return the text of a string: `''`, `\\`, and the `\X2\…\X0\` of other alphabets."""
    text = content.replace(b"''", b"'").decode("latin-1")
    text = re.sub(
        r"\\X2\\((?:[0-9A-Fa-f]{4})+)\\X0\\",
        lambda match: bytes.fromhex(match[1]).decode("utf-16-be", errors="replace"),
        text,
    )
    text = re.sub(r"\\X\\([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), text)
    return text.replace("\\\\", "\\")


def check_coordinates(text: mmap.mmap | bytes, path: Path) -> None:
    """Make sure that no point lies where a surface would be cut into triangles for ever.

    Raises:
        ProductError: a coordinate of 1e10 units or more (10,000 km in millimetres).
    """
    # One literal letter in front lets the search run at the speed of a memory scan. Numbers are
    # large by their exponent, or by eleven digits and more before the point.
    for match in itertools.chain(
        *(re.finditer(letter + rb"\+?0*[1-9]\d+", text) for letter in (b"E", b"e")),
        *(re.finditer(sign + rb"\s*[-+]?0*[1-9]\d{10,}", text) for sign in (rb"\(", b",")),
    ):
        start = text.rfind(b"=", 0, match.start())
        rest = _REST_OF_NUMBER.match(text, match.end())
        statement = text[start + 1 : match.end() if rest is None else rest.end()]
        number = re.search(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?$", statement)
        if number is None or b";" in statement or b"CARTESIAN_POINT" not in statement:
            continue
        if abs(float(number[0])) < _LARGEST_COORDINATE or statement.count(b"'") % 2:
            continue
        owner = re.search(rb"#\d+\s*$", text[max(start - 24, 0) : start])
        name = owner[0].decode().strip() if owner else "a point"
        raise ProductError(
            "the product's coordinates are too large to be cut into triangles",
            where=path,
            found=f"{number[0].decode()} in {name}",
            expected="coordinates below 1e10 units",
            do="drop the stray geometry in the CAD system and export again",
        )


def check_assembly(text: mmap.mmap | bytes, path: Path) -> None:
    """Make sure that the assembly is a tree of a size that can be read.

    A few hundred lines can name more copies of copies than fit into any memory.

    Raises:
        ProductError: an assembly contains itself, or there are too many occurrences.
    """
    children: dict[int, list[int]] = {}
    for body in entities(text, [b"NEXT_ASSEMBLY_USAGE_OCCURRENCE"]).values():
        ends = references(body)[:2]
        if len(ends) == 2:
            children.setdefault(ends[0], []).append(ends[1])
    check_tree(children, path, sign="#")


def check_tree(children: Mapping[int, Sequence[int]], path: Path, *, sign: str) -> None:
    """Make sure that what contains what is a tree of a size that can be read.

    Args:
        children: numbers of entities by the number of the one that contains them.
        path: the file.
        sign: what the format writes before numbers of entities, for errors.

    Raises:
        ProductError: something contains itself, or there are too many occurrences.
    """
    below = {child for found in children.values() for child in found}
    count = _occurrences(children, path, sign)
    total = sum(count[root] for root in set(children) - below)
    if total > MOST_OCCURRENCES:
        raise ProductError(
            "the assembly has too many occurrences",
            where=path,
            found=f"{total:,} placed parts and assemblies",
            expected=f"at most {MOST_OCCURRENCES:,}",
            do="export fewer instances, or a part of the assembly",
        )


def _occurrences(children: Mapping[int, Sequence[int]], path: Path, sign: str) -> dict[int, int]:
    """Number of occurrences below every assembly, each counted as often as it is placed."""
    count: dict[int, int] = {}
    for root in children:
        if root in count:
            continue
        # Depth first without recursion: trees may be deeper than Python's stack.
        stack, open_ = [(root, iter(children[root]))], {root}
        while stack:
            number, left = stack[-1]
            child = next((child for child in left if child not in count), None)
            if child is None:
                count[number] = sum(1 + count[child] for child in children.get(number, ()))
                open_.discard(number)
                stack.pop()
            elif child in open_:
                raise ProductError(
                    "an assembly of the product contains itself",
                    where=path,
                    found=f"{sign}{number} is placed in what it is made of",
                    do="export the file again",
                )
            else:
                open_.add(child)
                stack.append((child, iter(children.get(child, ()))))
    return count
