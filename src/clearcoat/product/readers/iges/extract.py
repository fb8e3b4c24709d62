"""A file of its own for some shapes of an IGES file: they, what they are made of, nothing else.

OpenCASCADE joins all that it finds in a file, so each part is handed to it alone. Entities get new
numbers there, since a directory must have no gaps.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from clearcoat.errors import ProductError
from clearcoat.product.readers.iges.file import Entity, IgesFile
from clearcoat.product.readers.iges.layout import integer, is_known, real

_SHELL = 514
# Numbers that may be too large, in the notations that are to be expected.
_HUGE = re.compile(
    rb"[-+]?(?:(?:\d++(?:\.\d*+)?|\.\d++)[EeDd]\+?0*+[1-9]\d+|0*+[1-9]\d{10,}+(?:\.\d*+)?)"
)
_TOO_FAR = 1e10


@dataclass(eq=False)
class Extractor:
    """Writes parts of one file as files; counts the pointers that lead nowhere."""

    file: IgesFile
    broken: int = 0
    _checked: set[int] = field(default_factory=set)

    def extract(self, roots: Sequence[int], faces: frozenset[int] | None = None) -> bytes:
        """Return an IGES file of the entities `roots` and all that they are made of.

        Args:
            roots: numbers of surfaces and solids.
            faces: what to keep of their shells; None: all.

        Raises:
            ProductError: coordinates beyond all measure.
        """
        records: dict[int, tuple[Entity, list[bytes], tuple[int, ...]]] = {}
        new_number: dict[int, int] = {}
        # Depth first, what is pointed at before what points; without recursion, since files may
        # chain entities deeper than Python's stack.
        open_: set[int] = set()
        stack = [iter(roots)]
        owners: list[int] = []
        while stack:
            target = next(stack[-1], None)
            if target is None:
                stack.pop()
                if owners:
                    done = owners.pop()
                    open_.discard(done)
                    new_number[done] = 2 * len(new_number) + 1
                continue
            if target in records:
                continue
            entity = self.file.entities[target]
            parameters, places = self._record(entity, faces)
            records[target] = entity, parameters, places
            open_.add(target)
            owners.append(target)
            stack.append(self._below(entity, parameters, places, open_))
        return self._write(
            (number, *records[old], new_number) for old, number in new_number.items()
        )

    def _record(
        self, entity: Entity, faces: frozenset[int] | None
    ) -> tuple[list[bytes], tuple[int, ...]]:
        """Return an entity's own parameters and where its pointers stand."""
        parameters = self.file.parameters(entity)
        if entity.number not in self._checked:
            self._checked.add(entity.number)
            self._check(entity, parameters)
        found = self.file.layout(entity, parameters)
        if found is None:
            return [], ()
        parameters = parameters[: found.count]
        if faces is not None and entity.kind == _SHELL:
            kept = [
                parameters[place : place + 2]
                for place in found.pointers
                if integer(parameters, place) in faces
            ]
            parameters = [b"%d" % len(kept), *(value for pair in kept for value in pair)]
            return parameters, tuple(range(1, len(parameters), 2))
        return parameters, found.pointers

    def _check(self, entity: Entity, parameters: Sequence[bytes]) -> None:
        for place, value in enumerate(parameters):
            if not _HUGE.fullmatch(value):
                continue
            if abs(real(parameters, place, math.inf)) >= _TOO_FAR:
                raise ProductError(
                    "the product's coordinates are too large to be cut into triangles",
                    where=self.file.path,
                    found=f"{value.decode('latin-1')} in D{entity.number}",
                    expected="coordinates below 1e10 units",
                    do="drop the stray geometry in the CAD system and export again",
                )

    def _below(
        self, entity: Entity, parameters: list[bytes], places: tuple[int, ...], open_: set[int]
    ) -> Iterator[int]:
        """Yield what an entity points at; pointers that lead nowhere or back are set to 0."""
        for place in places:
            target = abs(integer(parameters, place))
            if self._usable(target, open_):
                yield target
            elif target:
                self.broken += 1
                parameters[place] = b"0"
        if entity.matrix:
            if self._usable(entity.matrix, open_):
                yield entity.matrix
            else:
                self.broken += 1

    def _usable(self, target: int, open_: set[int]) -> bool:
        entity = self.file.entities.get(target)
        return entity is not None and target not in open_ and is_known(entity.kind, entity.form)

    def _write(
        self,
        records: Iterable[tuple[int, Entity, list[bytes], tuple[int, ...], dict[int, int]]],
    ) -> bytes:
        directory: list[bytes] = []
        lines: list[bytes] = []
        for number, entity, parameters, places, new_number in records:
            values = list(parameters)
            for place in places:
                target = integer(values, place)
                values[place] = b"%d" % new_number.get(abs(target), 0)
            first_line = len(lines) + 1
            for text in _wrapped([b"%d" % entity.kind, *values], self.file):
                lines.append(b"%-64b%8dP%7d" % (text, number, len(lines) + 1))
            matrix = new_number.get(entity.matrix, 0)
            # Its attributes stay behind; it is shown, and otherwise used as before.
            status = b"00" + entity.status[2:].encode("latin-1")
            count = len(lines) + 1 - first_line
            first = (entity.kind, first_line, 0, 0, 0, 0, matrix, 0, status, number)
            second = (entity.kind, 0, 0, count, entity.form, 0, number + 1)
            directory.append(b"%8d%8d%8d%8d%8d%8d%8d%8d%8bD%7d" % first)
            directory.append(b"%8d%8d%8d%8d%8d%32dD%7d" % second)
        start = [b"%-72bS%7d" % (b"part of a file", 1)]
        counts = (len(start), len(self.file.global_lines), len(directory), len(lines))
        end = b"%-72bT%7d" % (b"S%7dG%7dD%7dP%7d" % counts, 1)
        return b"\n".join([*start, *self.file.global_lines, *directory, *lines, end, b""])


def _wrapped(values: Sequence[bytes], file: IgesFile) -> Iterator[bytes]:
    """Yield the record in lines of up to 64 columns; no value goes over the end of one."""
    line = b""
    last = len(values) - 1
    for index, value in enumerate(values):
        text = value + (file.end if index == last else file.delimiter)
        if line and len(line) + len(text) > 64:
            yield line
            line = b""
        line += text
    yield line
