"""From the structure of an IGES file to shapes in their places, with names, colours, layers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from clearcoat.errors import ProductError
from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import Float64Array, Notes
from clearcoat.product.readers.gltf.nodes import MOST_PARTS
from clearcoat.product.readers.iges.attributes import Attributes
from clearcoat.product.readers.iges.file import Entity, IgesFile, decode
from clearcoat.product.readers.iges.layout import real
from clearcoat.product.readers.iges.structure import (
    ASSEMBLY,
    DEFINITION,
    GROUP,
    INSTANCE,
    SOLID,
    Member,
    Structure,
)
from clearcoat.product.readers.naming import unique
from clearcoat.product.readers.part21 import check_tree
from clearcoat.product.readers.pieces import name_of

_UNNAMED = {GROUP: "group", ASSEMBLY: "assembly", DEFINITION: "part", INSTANCE: "part"}


@dataclass(frozen=True)
class Shape:
    """What is cut into triangles together."""

    roots: tuple[int, ...]
    """Surfaces or one solid, by number."""
    faces: frozenset[int] | None = None
    """The faces of the solid that it has; None: all."""


@dataclass(frozen=True)
class Piece:
    """A shape of one colour and layer."""

    shape: Shape
    material: SourceMaterial | None
    layer: str


@dataclass(frozen=True)
class Body:
    """Pieces that are one thing; its name is empty where the file gives none."""

    name: str
    default: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, eq=False)
class Placed:
    """A piece in its place, as `RawPart` describes it."""

    piece: Piece
    path: str
    body: str
    definition: str
    transform: Float64Array
    """(4, 4), for column vectors, file units."""


@dataclass(frozen=True, eq=False)
class _Frame:
    """A container that is to be shown, with what it hands down."""

    members: Sequence[Member]
    number: int
    stem: str
    path: str
    transform: Float64Array
    material: SourceMaterial | None = None
    layer: str = ""
    definition: str = ""


def placements(file: IgesFile, notes: Notes) -> list[Placed]:
    """Return every shape in every place.

    Raises:
        ProductError: a group or subfigure contains itself, or there are too many parts.
    """
    return _Walk(file, notes).run()


class _Walk:
    def __init__(self, file: IgesFile, notes: Notes) -> None:
        self._file = file
        self._notes = notes
        self._attributes = Attributes(file)
        self._structure = Structure(file)
        self._bodies: dict[tuple[int, str, str], list[Body]] = {}
        self._definitions: dict[int, str] = {}
        self._taken: dict[str, int] = {}
        self._taken_definitions: dict[str, int] = {}
        self._found: list[Placed] = []

    def run(self) -> list[Placed]:
        check_tree(self._structure.children(), self._file.path, sign="D")
        self._structure.unread(self._notes)
        stack = [_Frame(self._structure.roots(self._notes), 0, "", "", np.eye(4))]
        while stack:
            frame = stack.pop()
            shapes: list[Member] = []
            containers: list[Member] = []
            for member in frame.members:
                inside = member.number in self._structure.containers
                (containers if inside else shapes).append(member)
            fixed = [member.number for member in shapes if not member.matrix]
            if fixed:
                lonely = len(fixed) == len(frame.members)
                self._show(frame, self._bodies_of(frame, fixed), lonely=lonely)
            for member in shapes:
                if member.matrix:
                    transform = frame.transform @ self._attributes.matrix(member.matrix)
                    moved = replace(frame, transform=transform)
                    self._show(moved, self._sorted(frame, [member.number]), lonely=False)
            below = [self._enter(frame, member) for member in containers]
            stack.extend(found for found in reversed(below) if found is not None)
        return self._found

    def _enter(self, frame: _Frame, member: Member) -> _Frame | None:
        """Return the frame of a container in another; None where it is hidden."""
        attributes = self._attributes
        entity = self._file.entities[member.number]
        if entity.hidden and entity.kind == INSTANCE:
            self._notes.add("hidden shapes left out", part=f"D{entity.number}")
            return None
        transform = frame.transform @ attributes.matrix(member.matrix)
        name = attributes.name(entity) or name_of(entity.label, "")
        definition, number = frame.definition, entity.number
        if entity.kind == INSTANCE:
            values = self._file.parameters(entity)
            transform = transform @ attributes.matrix(entity.matrix) @ _at(values)
            number = next(iter(self._file.pointers(entity)), 0)
            if not number or self._file.entities[number].kind != DEFINITION:
                lost = "instances of definitions that the file lacks left out"
                self._notes.add(lost, part=f"D{entity.number}")
                return None
            definition = self._definition(number)
            name = attributes.name(entity) or definition
        elif entity.kind == DEFINITION:
            name = definition = self._definition(number)
        elif entity.kind not in {GROUP, ASSEMBLY}:
            transform = transform @ attributes.matrix(entity.matrix)
        if definition and entity.kind not in {INSTANCE, DEFINITION}:
            definition = f"{definition}/{name or _UNNAMED.get(entity.kind, 'solid')}"
        stem = _join(frame.path, name or _UNNAMED.get(entity.kind, "solid"))
        return _Frame(
            members=self._structure.members(number),
            number=number,
            stem=stem,
            path=unique(stem, self._taken),
            transform=transform,
            material=attributes.material(entity.color) or frame.material,
            layer=attributes.layer(entity.level) or frame.layer,
            definition=definition,
        )

    def _definition(self, number: int) -> str:
        """Return the name of a subfigure definition, different from those of others."""
        if number not in self._definitions:
            entity = self._file.entities[number]
            values = self._file.parameters(entity)
            own = name_of(decode(values[1]), "") if len(values) > 1 else ""
            name = own or self._attributes.name(entity) or name_of(entity.label, "part")
            self._definitions[number] = unique(name, self._taken_definitions)
        return self._definitions[number]

    def _bodies_of(self, frame: _Frame, numbers: Sequence[int]) -> list[Body]:
        """Return the bodies of a container, which is sorted once however often it is placed."""
        key = (frame.number, "" if frame.material is None else frame.material.name, frame.layer)
        if key not in self._bodies:
            self._bodies[key] = self._sorted(frame, numbers)
        return self._bodies[key]

    def _show(self, frame: _Frame, bodies: Sequence[Body], *, lonely: bool) -> None:
        """Add bodies; `lonely` are those in a container that holds nothing else."""
        for body in bodies:
            name = body.name or body.default
            stem, path, definition = _join(frame.path, name), "", frame.definition
            if lonely and frame.path and len(bodies) == 1 and not body.name:
                stem, path = frame.stem, frame.path
            elif definition:
                definition = f"{definition}/{name}"
            first = path = path or unique(stem, self._taken)
            for piece in body.pieces:
                if len(self._found) >= MOST_PARTS:
                    raise ProductError(
                        "the file is too large once its instances are placed",
                        where=self._file.path,
                        found=f"more than {MOST_PARTS:,} parts",
                        do="export a lighter file, or fewer instances",
                    )
                path = path or unique(stem, self._taken)
                whole = first if len(body.pieces) > 1 else ""
                self._found.append(Placed(piece, path, whole, definition, frame.transform))
                path = ""

    def _sorted(self, frame: _Frame, numbers: Iterable[int]) -> list[Body]:
        """Sort shapes into bodies: each solid is one, and so are all surfaces of one name."""
        attributes = self._attributes
        bodies: list[Body] = []
        surfaces: dict[str, dict[tuple[str, SourceMaterial | None], list[int]]] = {}
        for number in numbers:
            entity = self._file.entities[number]
            if entity.hidden:
                self._notes.add("hidden shapes left out", part=f"D{number}")
                continue
            material = attributes.material(entity.color) or frame.material
            layer = attributes.layer(entity.level) or frame.layer
            name = attributes.name(entity)
            if entity.kind == SOLID:
                name = name or name_of(entity.label, "")
                bodies.append(Body(name, "solid", self._coloured(entity, material, layer)))
                continue
            # Numbers behind labels count surfaces; thousands of parts would help nobody.
            name = name or name_of(re.sub(r"[_\s]*\d*$", "", entity.label), "")
            surfaces.setdefault(name, {}).setdefault((layer, material), []).append(number)
        for name, found in surfaces.items():
            pieces = [
                Piece(Shape(tuple(roots)), material, layer)
                for (layer, material), roots in found.items()
            ]
            if name or frame.path:
                bodies.append(Body(name, "surfaces", tuple(pieces)))
            else:
                # At the top, nothing makes surfaces without a name one thing.
                bodies += [Body("", _unnamed(piece.layer), (piece,)) for piece in pieces]
        return bodies

    def _coloured(
        self, solid: Entity, material: SourceMaterial | None, layer: str
    ) -> tuple[Piece, ...]:
        """Return a solid cut by the colours of its faces."""
        entities = self._file.entities
        faces: dict[SourceMaterial | None, list[int]] = defaultdict(list)
        for shell in self._file.pointers(solid):
            for number in self._file.pointers(entities[shell]):
                own = self._attributes.material(entities[number].color)
                faces[own or material].append(number)
        if len(faces) < 2:
            colour = next(iter(faces), material)
            return (Piece(Shape((solid.number,)), colour, layer),)
        return tuple(
            Piece(Shape((solid.number,), frozenset(numbers)), colour, layer)
            for colour, numbers in faces.items()
        )


def _at(values: list[bytes]) -> Float64Array:
    """(4, 4): where an instance puts its definition: scaled, then moved."""
    transform = np.eye(4)
    scale = real(values, 4, 1.0)
    transform[:3, :3] *= scale
    transform[:3, 3] = [real(values, place, 0.0) for place in (1, 2, 3)]
    return transform


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _unnamed(layer: str) -> str:
    if not layer:
        return "surfaces"
    return f"level_{layer}" if layer.isdigit() else name_of(layer, "surfaces")
