"""The sections of an IGES file (5.3, chapter 2): globals, directory entries, parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from clearcoat.errors import ProductError
from clearcoat.product.readers.iges.layout import Layout, integer, layout

# Section 2.2.4.3.14.
_UNIT_M = {
    **{1: 0.0254, 2: 0.001, 4: 0.3048, 5: 1609.344, 6: 1.0, 7: 1000.0, 8: 2.54e-5, 9: 1e-6},
    **{10: 0.01, 11: 2.54e-8},
}
_UNIT_FLAG = 13
_STRINGS = re.compile(rb"\s*(\d{1,9})H")
# Types whose parameters hold strings, in which delimiters may stand.
_WITH_STRINGS = frozenset({308, 314, 406, 416})


class Entity(NamedTuple):
    """A directory entry: two lines of ten fields."""

    number: int
    """Sequence number of its first line, by which pointers name it."""
    kind: int
    form: int
    first_line: int
    """Of its parameters, counted from 1."""
    line_count: int
    level: int
    """Negative: the directory entry of a list of levels."""
    matrix: int
    color: int
    """1 to 8: a standard colour; negative: the directory entry of a definition; 0: none."""
    status: str
    label: str
    """With its subscript behind it, as `label_subscript`."""

    @property
    def hidden(self) -> bool:
        """Whether it is not to be displayed; what depends on others is shown as they are."""
        return self.status[:2] == "01" and self.status[2:4] in {"00", "02"}


@dataclass(eq=False)
class IgesFile:
    """An IGES file taken apart; parameters are parsed when they are asked for."""

    path: Path
    global_lines: list[bytes]
    delimiter: bytes
    end: bytes
    unit_m: float
    """Metres per unit."""
    entities: dict[int, Entity]
    parameter_lines: list[bytes]
    notes: list[str] = field(default_factory=list)

    def lines(self, entity: Entity) -> list[bytes]:
        """Return what its parameter lines hold in their columns 1 to 64."""
        start = entity.first_line - 1
        if start < 0:
            return []
        return [line[:64] for line in self.parameter_lines[start : start + entity.line_count]]

    def parameters(self, entity: Entity) -> list[bytes]:
        """Return its parameters without the entity type, strings without their count."""
        text = b"".join(line.ljust(64) for line in self.lines(entity))
        if entity.kind in _WITH_STRINGS:
            return split(text, self.delimiter, self.end)[0][1:]
        text = text.partition(self.end)[0]
        return [value.strip() for value in text.split(self.delimiter)[1:]]

    def layout(self, entity: Entity, parameters: list[bytes]) -> Layout | None:
        """Return where the pointers among the parameters stand."""
        return layout(entity.kind, entity.form, parameters)

    def pointers(self, entity: Entity) -> list[int]:
        """Return the entities that its parameters point at, without 0 and those that are none."""
        parameters = self.parameters(entity)
        found = self.layout(entity, parameters)
        places = () if found is None else found.pointers
        targets = [abs(integer(parameters, place)) for place in places]
        return [target for target in targets if target in self.entities]

    def properties(self, entity: Entity) -> list[Entity]:
        """Return the properties that are attached to an entity."""
        parameters = self.parameters(entity)
        found = self.layout(entity, parameters)
        if found is None:
            return []
        # Two counted lists: associativities, then properties.
        place = found.count + 1 + max(integer(parameters, found.count), 0)
        end = place + 1 + max(integer(parameters, place), 0)
        targets = [
            abs(integer(parameters, at)) for at in range(place + 1, min(end, len(parameters)))
        ]
        return [self.entities[target] for target in targets if target in self.entities]


def open_iges(path: Path) -> IgesFile:
    """Read the sections of an IGES file.

    Raises:
        ProductError: not an IGES file in its ASCII form, truncated, or a damaged directory.
    """
    content = path.read_bytes()
    sections: dict[bytes, list[bytes]] = {letter: [] for letter in (b"S", b"G", b"D", b"P", b"T")}
    last = b""
    for line in content.splitlines():
        if not line.strip():
            continue
        letter = line[72:73]
        if not last and letter in {b"B", b"C"}:
            raise ProductError(
                "IGES files in binary or compressed form are not read",
                where=path,
                do="export it in the usual ASCII form, with lines of 80 columns",
            )
        if letter in sections:
            sections[letter].append(line)
        last = letter
        if not sections[b"S"]:
            break
    if not sections[b"S"] or not sections[b"G"]:
        raise ProductError(
            "not an IGES file",
            where=path,
            found=repr(content[:24]),
            expected="lines of 80 columns, the first with S in column 73",
        )
    if last != b"T":
        raise ProductError(
            "the IGES file is truncated",
            where=path,
            found="no terminate section at its end",
            do="copy or export it again",
        )
    text = b"".join(line[:72].ljust(72) for line in sections[b"G"])
    globals_, delimiter, end = split(text, b",", b";", declares=True)
    unit_m, notes = _unit(globals_)
    return IgesFile(
        path=path,
        global_lines=sections[b"G"],
        delimiter=delimiter,
        end=end,
        unit_m=unit_m,
        entities=_directory(sections[b"D"], path),
        parameter_lines=sections[b"P"],
        notes=notes,
    )


def _unit(parameters: list[bytes]) -> tuple[float, list[str]]:
    unit = _UNIT_M.get(integer(parameters, _UNIT_FLAG))
    if unit is not None:
        return unit, []
    return 0.001, ["the file names no length unit that is known: millimetres assumed"]


def _directory(lines: list[bytes], path: Path) -> dict[int, Entity]:
    if len(lines) % 2:
        raise ProductError(
            "the IGES file is damaged",
            where=path,
            found=f"a directory of {len(lines):,} lines",
            expected="two lines for every entity",
            do="copy or export it again",
        )
    entities = {}
    for index in range(0, len(lines), 2):
        number = index + 1
        try:
            entities[number] = _entity(number, lines[index], lines[index + 1])
        except ValueError as error:
            raise ProductError(
                "the IGES file is damaged",
                where=path,
                found=f"directory lines {number} and {number + 1}: {error}",
                expected="fields of 8 columns that hold integers",
                do="copy or export it again",
            ) from error
    return entities


def _entity(number: int, first: bytes, second: bytes) -> Entity:
    def field_(line: bytes, index: int) -> int:
        return int(line[8 * index : 8 * index + 8].strip() or b"0")

    label = decode(second[56:64]).strip()
    subscript = second[64:72].strip()
    if label and subscript.strip(b"0"):
        label = f"{label}_{decode(subscript)}"
    return Entity(
        number=number,
        kind=field_(first, 0),
        form=field_(second, 4),
        first_line=field_(first, 1),
        line_count=max(field_(second, 3), 1),
        level=field_(first, 4),
        matrix=field_(first, 6),
        color=field_(second, 2),
        # Blanks stand for zeros.
        status=decode(first[64:72]).replace(" ", "0").rjust(8, "0"),
        label=label,
    )


def decode(text: bytes) -> str:
    """Return a string of the file, whose alphabet the standard leaves open beyond ASCII."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def split(
    text: bytes, delimiter: bytes, end: bytes, *, declares: bool = False
) -> tuple[list[bytes], bytes, bytes]:
    """Split a record at its delimiters; strings (`3Habc`) may hold them.

    Args:
        text: the record.
        delimiter: what parts parameters.
        end: what ends the record.
        declares: whether its first two parameters, where given, are the delimiters.

    Returns:
        The parameters, strings without their count, and the two delimiters.
    """
    found: list[bytes] = []
    place = 0
    while place < len(text):
        string = _STRINGS.match(text, place)
        if string is not None:
            value = text[string.end() : string.end() + int(string[1])]
            place = string.end() + int(string[1])
            if declares and value and len(found) < 2:
                delimiter, end = (value[:1], end) if not found else (delimiter, value[:1])
            stop = _next(text, place, delimiter, end)
        else:
            stop = _next(text, place, delimiter, end)
            value = text[place:stop].strip()
        found.append(value)
        if stop >= len(text) or text[stop : stop + 1] == end:
            break
        place = stop + 1
    return found, delimiter, end


def _next(text: bytes, place: int, delimiter: bytes, end: bytes) -> int:
    """Return the place of the next delimiter."""
    stops = [stop for stop in (text.find(delimiter, place), text.find(end, place)) if stop >= 0]
    return min(stops, default=len(text))
