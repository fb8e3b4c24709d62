"""Wavefront OBJ with MTL: objects and groups are parts, cut by material."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import ProductError
from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import Float64Array, Notes, RawProduct, ReadOptions
from clearcoat.product.readers.mtl import read_mtl
from clearcoat.product.readers.naming import unique
from clearcoat.product.readers.pieces import Piece, aligned, name_of, to_parts
from clearcoat.product.readers.triangles import polygons_to_triangles

_IGNORED = {b"s", b"lod", b"shadow_obj", b"trace_obj", b"vp", b"cstype", b"deg", b"bmat"}


@dataclass
class _Faces:
    """The face lines of one object, group and material."""

    path: str
    material: str | None
    lines: list[bytes] = field(default_factory=list)
    seen: list[tuple[int, int, int]] = field(default_factory=list)
    """How many v, vt and vn stood above each line: what negative indices count from."""


@dataclass
class _Scan:
    points: list[bytes] = field(default_factory=list)
    uv: list[bytes] = field(default_factory=list)
    normals: list[bytes] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    faces: dict[tuple[str, str | None], _Faces] = field(default_factory=dict)


def read(path: Path, options: ReadOptions) -> RawProduct:
    """Read an OBJ file; it says nothing of unit and axes, which are guessed.

    The path of a part is its object and its group, as far as they are named and differ. Every `o`
    begins an object: those of one name get `#2`, `#3`, ….

    Raises:
        ProductError: not OBJ, malformed, or a face refers to what does not exist.
    """
    notes = Notes()
    scan = _scan(path, notes)
    points = _table(scan.points, 3, path, "v")
    uv = _table(scan.uv, 2, path, "vt")
    normals = _table(scan.normals, 3, path, "vn")
    materials: dict[str, SourceMaterial] = {}
    for library in dict.fromkeys(scan.libraries):
        materials |= read_mtl(path, library, notes)
    pieces = []
    for faces in scan.faces.values():
        material = None
        if faces.material is not None:
            material = materials.get(faces.material)
            if material is None:
                notes.add(f"material {faces.material!r} is in no library", part=faces.path)
                material = SourceMaterial(faces.material)
        pieces.append(_piece(faces, points, uv, normals, material, path))
    return RawProduct(to_parts(pieces, notes), None, None, None, notes.sentences(), usual_up="y")


def _scan(path: Path, notes: Notes) -> _Scan:
    scan = _Scan()
    name, group, material = "", "", None
    label: str | None = ""
    taken: dict[str, int] = {}
    current: _Faces | None = None
    known = 0
    for line in _logical_lines(path.read_bytes()):
        word, _, rest = line.partition(b" ")
        if word == b"v":
            scan.points.append(rest)
        elif word == b"vn":
            scan.normals.append(rest)
        elif word == b"vt":
            scan.uv.append(rest)
        elif word == b"f":
            if current is None:
                if label is None:
                    # Only now: an object without faces takes no name from another.
                    label = unique(name, taken)
                own_group = "" if group == name else group
                shown = "/".join(filter(None, (label, own_group))) or path.stem
                key = (shown, material)
                current = scan.faces.setdefault(key, _Faces(shown, material))
            current.lines.append(rest)
            current.seen.append((len(scan.points), len(scan.uv), len(scan.normals)))
        elif word in {b"o", b"g", b"usemtl"}:
            text = rest.decode("utf-8", errors="replace").strip()
            current = None
            if word == b"usemtl":
                material = text or None
            elif word == b"o":
                name, group = name_of(text, ""), ""
                label = None if name else ""
            else:
                group = "" if text in {"default", "off"} else name_of(text, "")
        elif word == b"mtllib":
            scan.libraries += _libraries(rest.decode("utf-8", errors="replace").strip(), path)
        elif word in {b"l", b"p", b"curv", b"curv2", b"surf"}:
            notes.add("lines, points and free-form surfaces left out")
            continue
        elif word not in _IGNORED:
            continue
        known += 1
    if not known:
        raise ProductError(
            "not an OBJ file",
            where=path,
            found="none of its lines is a statement of the format",
            expected="lines that begin with v, f, o, g, usemtl, …",
        )
    return scan


def _libraries(text: str, path: Path) -> list[str]:
    """Return the libraries of a line: several names, or one with spaces, as the files are."""

    def beside(name: str) -> bool:
        try:
            return (path.parent / name).is_file()
        except OSError:
            # A name longer than any can be.
            return False

    names = text.split()
    several = not beside(text) and any(beside(name) for name in names)
    return names if several else [text]


def _logical_lines(content: bytes) -> list[bytes]:
    if b"\\" in content:
        content = content.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    if b"\t" in content:
        content = content.replace(b"\t", b" ")
    lines = content.splitlines()
    if b"#" in content:
        return [_without_comment(line.strip()) for line in lines]
    return [line.strip() for line in lines]


def _without_comment(line: bytes) -> bytes:
    """Cut a comment off; names (`o Bolt#1`, `usemtl Steel #2`) may hold the sign themselves."""
    return line.partition(b"#")[0].strip() if line[:1] in (b"#", b"v", b"f") else line


def _table(lines: list[bytes], width: int, path: Path, word: str) -> Float64Array:
    """(N, width): the first numbers of each line; what follows (w, vertex colours) is dropped."""
    if not lines:
        return np.zeros((0, width))
    tokens = b" ".join(lines).split()
    columns = len(lines[0].split())
    try:
        if len(tokens) == columns * len(lines) and columns >= width:
            values = aligned(tokens).astype(np.float64)
            return np.ascontiguousarray(values.reshape(-1, columns)[:, :width])
        rows = [[*map(float, line.split()[:width])] for line in lines]
        if width == 3 and min(map(len, rows)) < width:
            raise ValueError("fewer than three numbers")
        # A texture coordinate may be of one number.
        return np.array([row + [0.0] * (2 - len(row)) if width == 2 else row for row in rows])
    except ValueError as error:
        raise ProductError(
            f"malformed OBJ: a line of {word!r}", where=path, found=error, do="export it again"
        ) from error


def _piece(
    faces: _Faces,
    points: Float64Array,
    uv: Float64Array,
    normals: Float64Array,
    material: SourceMaterial | None,
    path: Path,
) -> Piece:
    counts, corners = _corners(faces, path)
    for column, (table, what) in enumerate(((points, "v"), (uv, "vt"), (normals, "vn"))):
        greatest = int(corners[:, column].max(initial=-1))
        if greatest >= len(table) or int(corners[:, column].min(initial=0)) < (-1 if column else 0):
            raise ProductError(
                f"malformed OBJ: a face refers to a {what!r} that does not exist",
                where=path,
                found=f"number {greatest + 1:,} of {len(table):,}, in {faces.path!r}",
                do="export it again",
            )
    # Where some corners lack one, all do: half a set of normals is none.
    has_uv, has_normals = (bool((corners[:, column] >= 0).all()) for column in (1, 2))
    used = [0, *([1] if has_uv else []), *([2] if has_normals else [])]
    unique, flat = _unique_rows(corners[:, used])
    triangles, _ = polygons_to_triangles(counts, flat)
    columns = dict(zip(used, unique.T, strict=True))
    return Piece(
        path=faces.path,
        vertices=points[columns[0]],
        faces=triangles,
        normals=normals[columns[2]] if has_normals else None,
        uv=uv[columns[1]].astype(np.float32) if has_uv else None,
        material=material,
    )


def _unique_rows(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Distinct rows, and which of them each row is; packed into one integer to sort fast."""
    spans = rows.max(axis=0, initial=0) + 1
    key = np.zeros(len(rows), np.int64)
    for column, span in enumerate(spans):
        key = key * int(span) + rows[:, column]
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    return rows[first], which.astype(np.uint32)


def _corners(faces: _Faces, path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Corners per polygon, and (N, 3) indices from 0 of v, vt, vn; -1 where there is none."""
    counts = np.array([len(line.split()) for line in faces.lines], np.int64)
    tokens = b" ".join(faces.lines).split()
    try:
        if not tokens:
            table = np.zeros((0, 3), np.int64)
        else:
            # One spelling for all corners is the rule, and numpy reads it at once.
            parts = tokens[0].count(b"/") + 1
            joined = b" ".join(tokens)
            if joined.count(b"/") != (parts - 1) * len(tokens):
                raise ValueError
            numbers = joined.replace(b"//", b"/0/").replace(b"/", b" ").split()
            given = aligned(numbers).astype(np.int64).reshape(-1, parts)
            table = np.zeros((len(tokens), 3), np.int64)
            table[:, : min(parts, 3)] = given[:, :3]
    except (ValueError, OverflowError):
        table = _slow_corners(tokens, path)
    wrong = np.zeros(table.shape, np.bool_)
    # A point must be named; a 0 for texture or normal is how "none" was written down above.
    wrong[:, 0] = table[:, 0] == 0
    counted_back = table < 0
    if counted_back.any():
        above = np.repeat(np.array(faces.seen, np.int64), counts, axis=0)
        table = np.where(counted_back, above + table + 1, table)
        wrong |= counted_back & (table <= 0)
    table[wrong] = -(2**31)
    return counts, table - 1


def _slow_corners(tokens: list[bytes], path: Path) -> NDArray[np.int64]:
    table = np.zeros((len(tokens), 3), np.int64)
    for row, token in enumerate(tokens):
        try:
            for column, text in enumerate(token.split(b"/")[:3]):
                table[row, column] = int(text) if text else 0
        except (ValueError, OverflowError) as error:
            raise ProductError(
                "malformed OBJ: a corner of a face",
                where=path,
                found=repr(token[:40]),
                expected="v, v/vt, v//vn or v/vt/vn",
            ) from error
    return table
