"""STL, text and binary; solids of a text file and face colours of a binary one become parts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import ProductError
from clearcoat.product.raw import Notes, RawProduct, ReadOptions
from clearcoat.product.readers.pieces import Piece, by_face_colour, name_of, to_parts

_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
# Bounded: all are padded to the longest, and one of a megabyte would cost that for each.
_NUMBER = rb"[-+]?(?:nan|inf(?:inity)?|(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:e[-+]?\d{1,9})?)"


def read(path: Path, options: ReadOptions) -> RawProduct:
    """Read an STL file; it says nothing of unit and axes, which are guessed.

    Face colours are read as VisCAM and SolidView (bit 15 set) or Materialise Magics (`COLOR=` in
    the header) write them. Normals of the file are those of its flat faces and are not taken;
    smooth ones are computed.

    Raises:
        ProductError: neither kind of STL, or truncated.
    """
    content = path.read_bytes()
    notes = Notes()
    stem = name_of(path.stem, "solid")
    # Binary files may begin with "solid" too; only their length is certain.
    declared = int.from_bytes(content[80:84], "little") if len(content) >= 84 else -1
    if len(content) == 84 + declared * _FACET.itemsize and declared >= 0:
        pieces = _binary(content, declared, stem, notes)
    elif re.match(rb"\s*solid\b", content[:512], re.IGNORECASE) and b"\0" not in content[:512]:
        pieces = _text(content, stem, path)
    elif declared >= 0 and len(content) > 84 + declared * _FACET.itemsize:
        notes.add("bytes after the last triangle ignored")
        pieces = _binary(content, declared, stem, notes)
    else:
        raise ProductError(
            "not an STL file, or a truncated one",
            where=path,
            found=f"{len(content):,} bytes",
            expected=f"{84 + max(declared, 0) * _FACET.itemsize:,} bytes of a binary file, "
            "or a text that begins with `solid`",
            do="copy or export it again",
        )
    return RawProduct(to_parts(pieces, notes), None, None, None, notes.sentences(), usual_up="z")


def _binary(content: bytes, count: int, stem: str, notes: Notes) -> list[Piece]:
    facets = np.frombuffer(content, _FACET, count, offset=84)
    piece = _soup(stem, facets["corners"].astype(np.float64))
    codes = _colours(content[:80], facets["attribute"])
    return [piece] if codes is None else by_face_colour(piece, codes, notes)


def _colours(header: bytes, attribute: NDArray[np.uint16]) -> NDArray[np.uint8] | None:
    """(F, 3): sRGB codes of the facets, 5 bits a channel; None where the file has none."""
    low, middle, high = ((attribute >> shift) & 31 for shift in (0, 5, 10))
    place = header.find(b"COLOR=")
    if 0 <= place <= 70:
        own = attribute >> 15 == 0
        channels = [low, middle, high]
        default = np.frombuffer(header[place + 6 : place + 9], np.uint8)
    else:
        own = attribute >> 15 == 1
        channels = [high, middle, low]
        default = np.array([128, 128, 128], np.uint8)
        if not own.any():
            return None
    codes = np.stack([(channel * 255 + 15) // 31 for channel in channels], axis=1).astype(np.uint8)
    return np.where(own[:, None], codes, default)


def _text(content: bytes, stem: str, path: Path) -> list[Piece]:
    pieces = []
    solids = re.split(rb"(?im)^[ \t]*solid\b[ \t]*([^\r\n]*)", content)
    if not re.search(rb"(?i)endsolid[^\n]*\s*$", content[-4096:]):
        raise ProductError(
            "the STL file is truncated",
            where=path,
            found="no `endsolid` at its end",
            do="copy or export it again",
        )
    corner = re.compile(rb"vertex\s+(" + rb")\s+(".join([_NUMBER] * 3) + rb")(?!\S)", re.IGNORECASE)
    for number in range(1, len(solids), 2):
        label, body = solids[number], solids[number + 1]
        found = corner.findall(body)
        expected = 3 * len(re.findall(rb"(?i)\bendfacet\b", body))
        if len(found) != expected or len(re.findall(rb"(?i)\bvertex\b", body)) != expected:
            raise ProductError(
                "malformed STL: a facet without three corners of three numbers",
                where=path,
                found=f"solid {label.decode(errors='replace').strip()!r}",
                do="export it again",
            )
        corners = np.array(found, dtype="S").astype(np.float64).reshape(-1, 3, 3)
        pieces.append(_soup(name_of(label.decode(errors="replace"), stem), corners))
    return pieces


def _soup(name: str, corners: NDArray[np.float64]) -> Piece:
    faces = np.arange(3 * len(corners), dtype=np.uint32).reshape(-1, 3)
    return Piece(path=name, vertices=corners.reshape(-1, 3), faces=faces)
