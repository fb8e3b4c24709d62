"""Writes small IGES files after the standard, entity by entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

# Corners by their coordinates' bits, and the faces of a cube outwards.
_FACES = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))


def string(text: str) -> str:
    return f"{len(text)}H{text}"


@dataclass
class IgesWriter:
    """Collects entities; `add` returns the number by which others point at one."""

    unit: int = 2
    unit_name: str = "MM"
    directory: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)

    def add(
        self,
        kind: int,
        *values: object,
        form: int = 0,
        color: int = 0,
        level: int = 0,
        matrix: int = 0,
        label: str = "",
        subscript: int = 0,
        status: str = "00000000",
        properties: Sequence[int] = (),
    ) -> int:
        number = len(self.directory) + 1
        if properties:
            values = (*values, 0, len(properties), *properties)
        lines, line = [], ""
        for value in [kind, *values]:
            text = f"{value},"
            if len(line) + len(text) > 64:
                lines.append(line)
                line = ""
            line += text
        lines.append(line[:-1] + ";")
        first = [kind, len(self.parameters) + 1, 0, 0, level, 0, matrix, 0, f"{status:>8}"]
        second = [kind, 0, color, len(lines), form, "", "", label, subscript or ""]
        for fields in (first, second):
            row = "".join(f"{value:>8}" for value in fields)
            self.directory.append(f"{row}D{len(self.directory) + 1:>7}")
        for line in lines:
            self.parameters.append(f"{line:<64}{number:>8}P{len(self.parameters) + 1:>7}")
        return number

    def name(self, text: str) -> int:
        """Return a name property."""
        return self.add(406, 1, string(text), form=15)

    def plane(
        self,
        at: Sequence[float] = (0, 0, 0),
        along: Sequence[float] = (1, 0, 0),
        across: Sequence[float] = (0, 1, 0),
        **attributes: object,
    ) -> int:
        """Add a parallelogram: a B-spline surface of degree 1."""
        o, u, v = ([float(x) for x in vector] for vector in (at, along, across))
        corners = [o[i] + a * u[i] + b * v[i] for b in (0, 1) for a in (0, 1) for i in range(3)]
        knots = [0.0, 0.0, 1.0, 1.0]
        values = [1, 1, 1, 1, 0, 0, 1, 0, 0, *knots, *knots, *[1.0] * 4, *corners]
        return self.add(128, *values, 0.0, 1.0, 0.0, 1.0, **attributes)  # type: ignore[arg-type]

    def curved(self, radius: float, height: float, **attributes: object) -> int:
        """Add a quarter of a cylinder around the z axis, from the x axis on."""
        axis = self.add(110, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, status="00010000")
        side = self.add(110, radius, 0.0, 0.0, radius, 0.0, height, status="00010000")
        return self.add(120, axis, side, 0.0, 1.5707963267948966, **attributes)  # type: ignore[arg-type]

    def triangle(self, kind: int = 144, *, flaw: int = 0, **attributes: object) -> int:
        """Add the lower left half of a unit square: trimmed (144) or bounded (143) by lines.

        With `flaw`, the boundary points at that entity instead of its last line.
        """
        below = "00010000"
        surface = self.plane(status=below)
        corners = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)]
        lines = [self.add(110, *corners[n], *corners[(n + 1) % 3], status=below) for n in range(3)]
        curve = self.add(102, 3, *lines[:2], flaw or lines[2], status=below)
        if kind == 143:
            boundary = self.add(141, 0, 1, surface, 1, curve, 1, 0, status=below)
            return self.add(143, 0, surface, 1, boundary, **attributes)  # type: ignore[arg-type]
        boundary = self.add(142, 0, surface, 0, curve, 2, status=below)
        return self.add(144, surface, 1, 0, boundary, **attributes)  # type: ignore[arg-type]

    def cube(self, size: float, *, faces: Sequence[int] = (0,) * 6, **attributes: object) -> int:
        """Add a solid cube with a corner at the origin; `faces` are colours of its faces."""
        corners = [[size * (n >> i & 1) for i in range(3)] for n in range(8)]
        below = "00010000"
        vertices = self.add(
            502, 8, *(float(x) for corner in corners for x in corner), form=1, status=below
        )
        edges = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b) in (1, 2, 4)]
        rows: list[object] = []
        for a, b in edges:
            ends = [float(x) for end in (a, b) for x in corners[end]]
            line = self.add(110, *ends, status=below)
            rows += [line, vertices, a + 1, vertices, b + 1]
        edge_list = self.add(504, len(edges), *rows, form=1, status=below)
        made = []
        for corner_numbers, colour in zip(_FACES, faces, strict=True):
            a, b, _, d = (corners[n] for n in corner_numbers)
            surface = self.plane(
                a,
                [y - x for x, y in zip(a, b, strict=True)],
                [y - x for x, y in zip(a, d, strict=True)],
                status=below,
            )
            loop: list[object] = []
            for n in range(4):
                start, stop = corner_numbers[n], corner_numbers[(n + 1) % 4]
                edge = edges.index((min(start, stop), max(start, stop))) + 1
                loop += [0, edge_list, edge, int(start < stop), 0]
            outer = self.add(508, 4, *loop, form=1, status=below)
            made.append(self.add(510, surface, 1, 1, outer, form=1, color=colour, status=below))
        shell = self.add(
            514, 6, *(value for face in made for value in (face, 1)), form=1, status=below
        )
        return self.add(186, shell, 1, 0, **attributes)  # type: ignore[arg-type]

    def definition(self, name: str, *members: int) -> int:
        return self.add(308, 0, string(name), len(members), *members, status="00000201")

    def group(self, *members: int, **attributes: object) -> int:
        return self.add(402, len(members), *members, form=7, **attributes)  # type: ignore[arg-type]

    def text(self) -> str:
        start = [f"{'made for a test':<72}S{1:>7}"]
        values = "1H,,1H;,4Htest,8Htest.igs,1Ha,1Hb,32,38,6,308,15,4Htest,1.,"
        values += f"{self.unit},{string(self.unit_name)},1,0.1,13H261124.120000,1E-6,100.,"
        values += "1Ha,1Ho,11,0;"
        global_ = [f"{values[i : i + 72]:<72}G{i // 72 + 1:>7}" for i in range(0, len(values), 72)]
        counts = f"S{1:>7}G{len(global_):>7}D{len(self.directory):>7}P{len(self.parameters):>7}"
        end = [f"{counts:<72}T{1:>7}"]
        return "\n".join([*start, *global_, *self.directory, *self.parameters, *end]) + "\n"
