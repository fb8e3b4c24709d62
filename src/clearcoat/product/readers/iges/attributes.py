"""What IGES entities carry beside their shape: names, colours, levels, matrices."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from clearcoat.product.color import parse_hex
from clearcoat.product.model import SourceMaterial
from clearcoat.product.readers.iges.file import Entity, IgesFile, decode
from clearcoat.product.readers.iges.layout import integer, real
from clearcoat.product.readers.pieces import by_colour, name_of

if TYPE_CHECKING:
    from clearcoat.product.raw import Float64Array

# Section 2.2.4.4.13.
_STANDARD_COLOURS = {
    **{1: "#000000", 2: "#ff0000", 3: "#00ff00", 4: "#0000ff", 5: "#ffff00", 6: "#ff00ff"},
    **{7: "#00ffff", 8: "#ffffff"},
}
_MATRIX, _COLOUR, _PROPERTY = 124, 314, 406
_LEVELS, _LEVEL_FUNCTION, _NAME = 1, 3, 15
_LONGEST_CHAIN = 64


class Attributes:
    """Looks up attributes in a file."""

    def __init__(self, file: IgesFile) -> None:
        self._file = file
        self._level_names = _level_names(file)
        self.material = cache(self._material)
        self.matrix = cache(self._matrix)

    def name(self, entity: Entity) -> str:
        """Return the name that a property gives an entity (406, form 15); empty: none does."""
        for found in self._file.properties(entity):
            if (found.kind, found.form) == (_PROPERTY, _NAME):
                values = self._file.parameters(found)
                if len(values) > 1 and values[1].strip():
                    return name_of(decode(values[1]), "")
        return ""

    def layer(self, level: int) -> str:
        """Return the layer of a level field; empty for 0."""
        if level >= 0:
            return self._level_names.get(level, str(level)) if level else ""
        listed = self._file.entities.get(-level)
        if listed is None or (listed.kind, listed.form) != (_PROPERTY, _LEVELS):
            return ""
        values = self._file.parameters(listed)
        levels = {integer(values, place) for place in range(1, len(values))} - {0}
        return ", ".join(sorted(self.layer(level) for level in levels if level > 0))

    def _material(self, color: int) -> SourceMaterial | None:
        """Return the material of a colour field, named as #rrggbb; None where it gives none."""
        if color >= 0:
            code = _STANDARD_COLOURS.get(color)
            return None if code is None else by_colour(np.array(parse_hex(code)))
        defined = self._file.entities.get(-color)
        if defined is None or defined.kind != _COLOUR:
            return None
        values = self._file.parameters(defined)
        # In this order `max` makes what is no number 0.
        shares = [min(max(0.0, real(values, place, 0.0) / 100), 1.0) for place in range(3)]
        code = "#" + "".join(f"{round(255 * share):02x}" for share in shares)
        return by_colour(np.array(parse_hex(code)))

    def _matrix(self, pointer: int) -> Float64Array:
        """(4, 4): the transform of a matrix field, for column vectors; identity where it is 0."""
        result = np.eye(4)
        for _ in range(_LONGEST_CHAIN):
            entity = self._file.entities.get(pointer)
            if entity is None or entity.kind != _MATRIX:
                break
            values = self._file.parameters(entity)
            own = np.eye(4)
            for place in range(12):
                row, column = divmod(place, 4)
                own[row, column] = real(values, place, own[row, column])
            # A matrix may have one of its own, which is applied after it.
            result = own @ result
            pointer = entity.matrix
        return result


def _level_names(file: IgesFile) -> dict[int, str]:
    names = {}
    for entity in file.entities.values():
        if (entity.kind, entity.form) == (_PROPERTY, _LEVEL_FUNCTION) and entity.level > 0:
            values = file.parameters(entity)
            if len(values) > 2 and values[2].strip():
                names[entity.level] = decode(values[2]).strip()
    return names
