"""Collecting the named pieces of a vehicle."""

from __future__ import annotations

from clearcoat.product.model import Part, SourceMaterial
from clearcoat.vehicles.palette import material
from clearcoat.vehicles.surface import Surface, join

SIDES = ("left", "right")


class Assembly:
    """Named surfaces; what is added twice under one path and material becomes one part."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[str, str], list[Surface]] = {}

    def add(self, path: str, material_name: str, surface: Surface) -> None:
        """Add a piece under its path; an empty one is left out."""
        if len(surface.faces):
            self._pieces.setdefault((path, material_name), []).append(surface)

    def add_pair(self, path: str, material_name: str, left: Surface) -> None:
        """Add the left piece and its mirror image; `{side}` in the path names the side."""
        self.add(path.format(side="left"), material_name, left)
        self.add(path.format(side="right"), material_name, left.mirrored())

    def parts(self, paint: SourceMaterial) -> tuple[Part, ...]:
        """The parts, ordered by path. `paint` stands for the material named paint."""
        paths = [path for path, _ in self._pieces]
        if len(set(paths)) != len(paths):
            twice = sorted({path for path in paths if paths.count(path) > 1})
            raise AssertionError(f"one path with two materials: {twice}")
        return tuple(
            Part(path, join(pieces).mesh(), paint if name == "paint" else material(name))
            for (path, name), pieces in sorted(self._pieces.items())
        )
