"""Which entities of an IGES file contain which, and what stands at its top."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import NamedTuple

from clearcoat.product.raw import Notes
from clearcoat.product.readers.iges.file import IgesFile, decode
from clearcoat.product.readers.iges.layout import GROUP_FORMS, integer

SOLID = 186
INSTANCE, DEFINITION, GROUP, ASSEMBLY, SOLID_INSTANCE = 408, 308, 402, 184, 430
_SURFACES = frozenset({114, 118, 120, 122, 128, 140, 143, 144, 510, 514})
_CONTAINERS = frozenset({INSTANCE, DEFINITION, GROUP, ASSEMBLY, SOLID_INSTANCE})
# What consists of others, which are not shown by themselves then.
_OWNERS = frozenset({140, 143, 144, SOLID, 510, 514})
_CONSTRUCTIVE = frozenset({150, 152, 154, 156, 158, 160, 162, 164, 168, 180})
_ARRAYS = frozenset({412, 414})
_EXTERNAL = 416


class Member(NamedTuple):
    """Something in a container, and the matrix that it has there (0: none)."""

    number: int
    matrix: int = 0


class Structure:
    """The containers of a file: groups, subfigures, assemblies of solids."""

    def __init__(self, file: IgesFile) -> None:
        self._file = file
        entities = file.entities.values()
        self.containers = {e.number for e in entities if self._is_container(e.number)}
        dependent = {n for e in entities if e.kind in _OWNERS for n in file.pointers(e)}
        shapes = {e.number for e in entities if e.kind in _SURFACES or e.kind == SOLID}
        self.shapes = shapes - dependent
        """Surfaces and solids, without those that others consist of."""
        self._definitions: dict[int, set[int]] = defaultdict(set)
        """Definitions and assemblies by what they list."""
        for number in self.containers:
            if file.entities[number].kind in {DEFINITION, ASSEMBLY, SOLID_INSTANCE}:
                for member in file.pointers(file.entities[number]):
                    self._definitions[member].add(number)
        self._group = self._groups()
        self.members = cache(self._members)

    def children(self) -> dict[int, list[int]]:
        """Containers by the container that lists them."""
        return {
            number: [
                n for n in self._file.pointers(self._file.entities[number]) if n in self.containers
            ]
            for number in self.containers
        }

    def roots(self, notes: Notes) -> list[Member]:
        """Return what belongs to nothing else, in the order of the file."""
        file = self._file
        owned = {*self._group, *self._definitions}
        placed = set()
        for entity in file.entities.values():
            if entity.kind == INSTANCE:
                placed.update(file.pointers(entity))
        shown = (self.shapes | self.containers) - owned - placed
        found = [number for number in file.entities if number in shown]
        unplaced = [
            n for n in found if file.entities[n].kind == DEFINITION and any(self.members(n))
        ]
        for number in unplaced:
            text = "definitions that the file places nowhere shown once, where they are defined"
            notes.add(text, part=f"D{number}")
        return [Member(number) for number in found]

    def unread(self, notes: Notes) -> None:
        """Note what the file has and the reader lacks."""
        entities = self._file.entities.values()
        solids = sum(entity.kind in _CONSTRUCTIVE for entity in entities)
        notes.add(f"{solids:,} solids of constructive geometry are not read", solids)
        arrays = sum(entity.kind in _ARRAYS for entity in entities)
        notes.add(f"{arrays:,} arrays of subfigures (412, 414) are not read", arrays)
        external = [entity for entity in entities if entity.kind == _EXTERNAL]
        for entity in external:
            name = decode(next(iter(self._file.parameters(entity)), b"")).strip()
            notes.add("shapes in files beside this one are not read", part=name or "unnamed")

    def _is_container(self, number: int) -> bool:
        entity = self._file.entities[number]
        return entity.kind in _CONTAINERS and (entity.kind != GROUP or entity.form in GROUP_FORMS)

    def _groups(self) -> dict[int, int]:
        """The group of every grouped entity: the first that lists it, within its definition."""
        file = self._file
        found: dict[int, int] = {}
        for entity in file.entities.values():
            if entity.kind != GROUP or entity.number not in self.containers:
                continue
            own = self._definitions.get(entity.number, set())
            for member in file.pointers(entity):
                # A group across definitions would take a shape out of its copies.
                among = self._definitions.get(member, set())
                if member not in found and (not among or among & own):
                    found[member] = entity.number
        return found

    def _members(self, number: int) -> tuple[Member, ...]:
        """Return what a container shows, each once."""
        file = self._file
        entity = file.entities[number]
        if entity.kind == ASSEMBLY:
            values = file.parameters(entity)
            count = max(integer(values, 0), 0)
            pairs = [
                (integer(values, 1 + n), integer(values, 1 + count + n))
                for n in range(min(count, len(values)))
            ]
            return tuple(Member(item, matrix) for item, matrix in pairs if self._shows(item))
        listed = dict.fromkeys(file.pointers(entity))
        if entity.kind == GROUP:
            kept = [n for n in listed if self._group.get(n) == number]
        else:
            kept = [n for n in listed if self._group.get(n) not in listed]
        return tuple(Member(n) for n in kept if self._shows(n))

    def _shows(self, number: int) -> bool:
        return number in self.shapes or number in self.containers
