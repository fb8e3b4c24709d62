"""The text of a STEP file (ISO 10303-21) where the shapes are not wanted: entities by keyword.

OpenCASCADE reads the shapes; what it does not hand over, or would choke on, is looked up here.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from clearcoat.errors import ProductError

Entities = dict[int, bytes]
"""Number -> what stands between `=` and `;`."""

MOST_OCCURRENCES = 200_000
_LARGEST_COORDINATE = 1e10
# Strings and comments have an end in sight: a quote alone would let each search run to that of the
# file. To these patterns a string with '' in it is two strings.
_COMMENT = rb"/\*(?:[^*]|\*(?!/)){0,65535}+\*/"
_STRING = rb"'[^']{0,65535}+'"
_BEGINNING = re.compile(rb"(?:\s|" + _COMMENT + rb")*+#(\d+)\s*=")
_REST = re.compile(rb"(?:[^';/]++|" + _STRING + rb"|" + _COMMENT + rb"|/(?!\*))*+")
"""Up to the end of a statement; a semicolon in a string or a comment ends none."""
_NUMBER = re.compile(rb"[-+]?\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?")
_MOST_SEMICOLONS = 100
"""In strings, before a keyword of the same statement."""


def entities(text: mmap.mmap | bytes, words: Iterable[bytes]) -> Entities:
    """Return the entities in which a keyword occurs; others are not looked at."""
    found: Entities = {}
    for word in words:
        place = text.find(word)
        while place >= 0:
            statement = _statement(text, place)
            end = place + 1
            if statement is not None:
                number, begin, end = statement
                found[number] = bytes(text[begin:end])
            place = text.find(word, max(end, place + 1))
    return found


def _statement(text: mmap.mmap | bytes, place: int) -> tuple[int, int, int] | None:
    """Return the number of the entity that has `place`, and where its text begins and ends."""
    before = place
    for _ in range(_MOST_SEMICOLONS):
        before = text.rfind(b";", 0, before)
        head = _BEGINNING.match(text, before + 1)
        if head is not None:
            rest = _REST.match(text, head.end())
            end = head.end() if rest is None else rest.end()
            # Else this one began in a string.
            if head.end() <= place < end:
                return int(head[1]), head.end(), end
        if before < 0:
            break
    return None


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
    for pattern in (
        *(letter + rb"\+?0*+[1-9]\d+" for letter in (b"E", b"e")),
        *(sign + rb"\s*[-+]?0*+[1-9]\d{10,}" for sign in (rb"\(", b",")),
    ):
        looked_at = 0
        for match in re.finditer(pattern, text):
            if match.start() < looked_at:
                continue
            statement = _statement(text, match.start() + 1)
            if statement is None:
                continue
            number, begin, looked_at = statement
            if b"CARTESIAN_POINT" not in text[begin : min(begin + 64, looked_at)]:
                continue
            for found in _NUMBER.findall(re.sub(_STRING, b"", text[begin:looked_at])):
                if abs(float(found)) >= _LARGEST_COORDINATE:
                    raise ProductError(
                        "the product's coordinates are too large to be cut into triangles",
                        where=path,
                        found=f"{found.decode()[:40]} in #{number}",
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
