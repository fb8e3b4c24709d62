"""PLY (Turk 1994), text and binary: one part, or one per face colour."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import ProductError
from clearcoat.product.raw import Notes, RawProduct, ReadOptions
from clearcoat.product.readers.pieces import (
    Piece,
    aligned,
    by_colour,
    by_face_colour,
    linear,
    name_of,
    to_parts,
)
from clearcoat.product.readers.triangles import polygons_to_triangles

_TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4"},
    **{"uint32": "u4", "float": "f4", "double": "f8", "float32": "f4", "float64": "f8"},
}
_LONGEST_HEADER = 65536


@dataclass
class _Element:
    name: str
    count: int
    scalars: list[tuple[str, str]] = field(default_factory=list)
    lists: list[tuple[str, str, str]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)


def read(path: Path, options: ReadOptions) -> RawProduct:
    """Read a PLY file; it says nothing of unit and axes, which are guessed.

    Raises:
        ProductError: not PLY, malformed, truncated, or a point cloud without faces.
    """
    content = path.read_bytes()
    form, elements, body = _header(content, path)
    tables = _Body(content, body, form, path)
    found = {element.name: tables.element(element) for element in elements}
    notes = Notes()
    vertex, face = (_scalars(found.get(name, {})) for name in ("vertex", "face"))
    lists = found.get("face", {})
    corners = lists.get("vertex_indices", lists.get("vertex_index"))
    if not {"x", "y", "z"} <= set(vertex) or not isinstance(corners, tuple):
        raise ProductError(
            "the PLY file has no surface",
            where=path,
            found=f"elements {', '.join(found) or 'none'}",
            expected="elements `vertex` with numbers x, y, z and `face` with lists vertex_indices",
            do="export a mesh, not a point cloud",
        )
    counts, flat = corners
    vertices = np.stack([vertex[axis].astype(np.float64) for axis in "xyz"], axis=1)
    if len(flat) and not (int(flat.min()) >= 0 and int(flat.max()) < len(vertices)):
        raise ProductError(
            "malformed PLY: a face refers to a vertex that does not exist",
            where=path,
            found=f"vertex {int(flat.max()):,} of {len(vertices):,}",
        )
    faces, owner = polygons_to_triangles(counts, flat.astype(np.uint32))
    normals = None
    if {"nx", "ny", "nz"} <= set(vertex):
        normals = np.stack([vertex[axis].astype(np.float64) for axis in ("nx", "ny", "nz")], axis=1)
    piece = Piece(
        path=name_of(path.stem, "mesh"),
        vertices=vertices,
        faces=faces,
        normals=normals,
        uv=_uv(vertex),
    )
    pieces = [piece]
    if {"red", "green", "blue"} <= set(face):
        pieces = by_face_colour(piece, _codes(face)[owner], notes)
    elif {"red", "green", "blue"} <= set(vertex):
        notes.add("colours of vertices replaced by their mean", part=piece.path)
        pieces = [replace(piece, material=by_colour(linear(_codes(vertex)).mean(axis=0)))]
    return RawProduct(to_parts(pieces, notes), None, None, None, notes.sentences(), usual_up="z")


def _scalars(table: dict[str, Any]) -> dict[str, Any]:
    """Return the properties that are one number per entry, without the lists."""
    return {name: values for name, values in table.items() if not isinstance(values, tuple)}


def _codes(table: dict[str, Any]) -> NDArray[np.uint8]:
    channels = np.stack([table[name] for name in ("red", "green", "blue")], axis=1)
    if channels.dtype.kind == "f":
        channels = np.nan_to_num(channels) * 255
    elif channels.dtype.itemsize == 2 and channels.dtype.kind == "u":
        # 65535 is full: 257 times 255.
        channels = np.round(channels / 257)
    codes: NDArray[np.uint8] = np.clip(channels, 0, 255).astype(np.uint8)
    return codes


def _uv(vertex: dict[str, Any]) -> NDArray[np.float32] | None:
    for u, v in (("s", "t"), ("u", "v"), ("texture_u", "texture_v")):
        if {u, v} <= set(vertex):
            return np.stack([vertex[u], vertex[v]], axis=1).astype(np.float32)
    return None


def _header(content: bytes, path: Path) -> tuple[str, list[_Element], int]:
    """Return the format, the elements, and where the body begins."""
    end = content.find(b"end_header", 0, _LONGEST_HEADER)
    stop = content.find(b"\n", end)
    if not content.startswith(b"ply") or end < 0 or stop < 0:
        raise ProductError(
            "not a PLY file, or a truncated one",
            where=path,
            found=repr(content[:16]),
            expected="`ply`, a header, and `end_header`",
        )
    form, elements = "", []
    for line in content[:end].decode("ascii", errors="replace").splitlines()[1:]:
        match line.split():
            case ["format", name, *_] if name in _ENDIAN:
                form = name
            case ["element", name, count] if count.isdigit():
                elements.append(_Element(name, int(count)))
            case ["property", *_, name] if elements and name in elements[-1].order:
                raise ProductError(
                    "malformed PLY header",
                    where=path,
                    found=f"property {name!r} of element {elements[-1].name!r} declared twice",
                )
            case ["property", "list", size, kind, name] if (
                elements and {size, kind} <= set(_TYPES) and _TYPES[size][0] != "f"
            ):
                elements[-1].lists.append((name, _TYPES[size], _TYPES[kind]))
                elements[-1].order.append(name)
            case ["property", kind, name] if elements and kind in _TYPES:
                elements[-1].scalars.append((name, _TYPES[kind]))
                elements[-1].order.append(name)
            case [] | ["comment" | "obj_info", *_]:
                continue
            case _:
                raise ProductError("malformed PLY header", where=path, found=repr(line[:80]))
    if not form:
        raise ProductError("malformed PLY header", where=path, found="no format that is read")
    return form, elements, stop + 1


_ENDIAN = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


class _Body:
    """Reads the elements one after the other."""

    def __init__(self, content: bytes, place: int, form: str, path: Path) -> None:
        self._content = content
        self._place = place
        self._endian = _ENDIAN[form]
        self._path = path
        self._lines = content[place:].split(b"\n") if form == "ascii" else []
        self._line = 0

    def element(self, element: _Element) -> dict[str, Any]:
        """Return the properties of an element by name; lists as lengths and values."""
        smallest = max(len(element.order), 1)
        if element.count * smallest > len(self._content) - self._place + 1:
            raise self._truncated(element)
        if self._lines:
            return self._from_text(element)
        if not element.lists:
            dtype = np.dtype([(name, self._endian + kind) for name, kind in element.scalars])
            return self._records(element, dtype)
        return self._with_lists(element)

    def _records(self, element: _Element, dtype: np.dtype[Any]) -> dict[str, Any]:
        end = self._place + element.count * dtype.itemsize
        if end > len(self._content):
            raise self._truncated(element)
        rows = np.frombuffer(self._content, dtype, element.count, offset=self._place)
        self._place = end
        return {name: rows[name] for name in dtype.names or ()}

    def _with_lists(self, element: _Element) -> dict[str, Any]:
        """Read rows with lists: at once where all lists are as long as the first row's."""
        start = self._place
        if element.count and len(element.lists) == 1:
            fields, longest = self._row_layout(element)
            dtype = np.dtype(fields)
            if start + element.count * dtype.itemsize <= len(self._content):
                rows = np.frombuffer(self._content, dtype, element.count, offset=start)
                name = element.lists[0][0]
                if (rows[f"{name} count"] == longest).all():
                    self._place = start + element.count * dtype.itemsize
                    table = {key: rows[key] for key, _ in element.scalars}
                    counts = np.full(element.count, longest, np.int64)
                    return {**table, name: (counts, rows[name].reshape(-1).astype(np.int64))}
        return self._row_by_row(element)

    def _row_layout(self, element: _Element) -> tuple[list[Any], int]:
        """The record of the first row, and how long its list is."""
        place, longest = self._place, 0
        fields: list[Any] = []
        scalars, (listed,) = dict(element.scalars), element.lists
        for name in element.order:
            if name in scalars:
                fields.append((name, self._endian + scalars[name]))
                place += np.dtype(scalars[name]).itemsize
                continue
            size = np.dtype(self._endian + listed[1])
            if place + size.itemsize > len(self._content):
                raise self._truncated(element)
            longest = int(np.frombuffer(self._content, size, 1, offset=place)[0])
            if not 0 <= longest <= len(self._content):
                raise self._truncated(element)
            fields.append((f"{name} count", size))
            fields.append((name, self._endian + listed[2], (longest,)))
        return fields, longest

    def _row_by_row(self, element: _Element) -> dict[str, Any]:
        content, place = self._content, self._place
        kinds: list[tuple[str, np.dtype[Any] | None, np.dtype[Any]]] = []
        scalars = dict(element.scalars)
        lists = {name: (size, kind) for name, size, kind in element.lists}
        for name in element.order:
            if name in scalars:
                kinds.append((name, None, np.dtype(self._endian + scalars[name])))
            else:
                first, second = (np.dtype(self._endian + letter) for letter in lists[name])
                kinds.append((name, first, second))
        counts: dict[str, list[int]] = {name: [] for name in lists}
        values: dict[str, list[Any]] = {name: [] for name in element.order}
        try:
            for _ in range(element.count):
                for name, counter, dtype in kinds:
                    length = 1
                    if counter is not None:
                        length = int(np.frombuffer(content, counter, 1, place)[0])
                        place += counter.itemsize
                        if length < 0:
                            raise ValueError
                        counts[name].append(length)
                    if length:
                        values[name].append(np.frombuffer(content, dtype, length, place))
                    place += length * dtype.itemsize
        except ValueError as error:
            raise self._truncated(element) from error
        self._place = place
        flat = {
            name: np.concatenate(found) if found else np.zeros(0) for name, found in values.items()
        }
        return {
            name: (np.array(counts[name], np.int64), flat[name].astype(np.int64))
            if name in lists
            else flat[name]
            for name in element.order
        }

    def _from_text(self, element: _Element) -> dict[str, Any]:
        rows = self._lines[self._line : self._line + element.count]
        self._line += element.count
        if len(rows) < element.count:
            raise self._truncated(element)
        try:
            if not element.lists:
                table = aligned(b" ".join(rows).split()).astype(np.float64)
                table = table.reshape(element.count, len(element.order))
                return {
                    name: table[:, number].astype(kind if kind[0] != "f" else "f8")
                    for number, (name, kind) in enumerate(element.scalars)
                }
            return _text_lists(element, rows)
        except (ValueError, IndexError, OverflowError) as error:
            raise ProductError(
                f"malformed PLY: element {element.name!r}", where=self._path, found=error
            ) from error

    def _truncated(self, element: _Element) -> ProductError:
        return ProductError(
            "the PLY file is truncated or damaged",
            where=self._path,
            found=f"fewer than the {element.count:,} entries of element {element.name!r}",
            do="copy or export it again",
        )


def _text_lists(element: _Element, rows: list[bytes]) -> dict[str, Any]:
    listed = {name for name, _, _ in element.lists}
    counts: dict[str, list[int]] = {name: [] for name in listed}
    values: dict[str, list[float]] = {name: [] for name in element.order}
    for row in rows:
        tokens = row.split()
        place = 0
        for name in element.order:
            length = 1
            if name in listed:
                length = int(tokens[place])
                counts[name].append(length)
                place += 1
            if length < 0 or place + length > len(tokens):
                raise ValueError(f"row {row[:40]!r}")
            values[name] += map(float, tokens[place : place + length])
            place += length
    kinds = {name: kind if kind[0] != "f" else "f8" for name, kind in element.scalars}
    return {
        name: (np.array(counts[name], np.int64), np.array(values[name], np.int64))
        if name in listed
        else np.array(values[name]).astype(kinds[name])
        for name in element.order
    }
