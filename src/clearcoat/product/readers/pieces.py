"""Named pieces of triangle files, brought to parts: shared by OBJ, PLY, STL and USD."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.color import hex_color
from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import Float64Array, Notes, RawPart
from clearcoat.product.readers.naming import unique
from clearcoat.product.readers.triangles import tidy

_MOST_COLOURS = 64
_LONGEST_NUMBER = 64


@dataclass(frozen=True, eq=False)
class Piece:
    """Triangles of one material, as a file has them."""

    path: str
    vertices: Float64Array
    faces: NDArray[np.uint32]
    normals: Float64Array | None = None
    uv: NDArray[np.float32] | None = None
    material: SourceMaterial | None = None
    layer: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    definition: str = ""


def to_parts(pieces: Sequence[Piece], notes: Notes) -> tuple[RawPart, ...]:
    """Tidy pieces into parts; equal paths get `#2`, `#3`, …, and share a body."""
    times = Counter(piece.path for piece in pieces)
    taken: dict[str, int] = {}
    parts = []
    for piece in pieces:
        path = unique(piece.path, taken)
        part = tidy(
            path,
            piece.vertices,
            piece.faces,
            piece.normals,
            piece.uv,
            piece.material,
            notes,
        )
        if part is not None:
            color = None if piece.material is None else piece.material.base_color
            body = piece.body or (piece.path if times[piece.path] > 1 else "")
            parts.append(
                replace(
                    part,
                    color=color,
                    layer=piece.layer,
                    metadata=piece.metadata,
                    body=body,
                    definition=piece.definition,
                )
            )
    return tuple(parts)


def by_face_colour(piece: Piece, codes: NDArray[np.uint8], notes: Notes) -> list[Piece]:
    """Cut a piece by the colour of its faces, so that rules can tell them apart.

    Args:
        piece: what is cut.
        codes: (F, 3), sRGB codes 0 to 255.
        notes: told when there are too many colours to be materials; they are averaged then.
    """
    packed = codes.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, which = np.unique(packed, return_inverse=True)
    if len(colours) > _MOST_COLOURS:
        notes.add("more colours than materials can be: averaged", part=piece.path)
        mean = linear(codes).mean(axis=0)
        return [replace(piece, material=by_colour(mean))]
    found = []
    for number, colour in enumerate(colours):
        code = np.array([colour >> 16 & 255, colour >> 8 & 255, colour & 255], np.uint8)
        faces = piece.faces[which == number]
        found.append(replace(piece, faces=faces, material=by_colour(linear(code))))
    return found


def by_colour(color: NDArray[np.float64]) -> SourceMaterial:
    """Return the material of a bare colour (linear sRGB), named as #rrggbb."""
    red, green, blue = (float(value) for value in np.clip(color, 0.0, 1.0))
    return SourceMaterial(name=hex_color((red, green, blue)), base_color=(red, green, blue))


def linear(codes: NDArray[np.uint8]) -> Float64Array:
    """Linear values of sRGB codes (IEC 61966-2-1)."""
    code = np.arange(256) / 255.0
    table = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    values: Float64Array = table[codes]
    return values


def aligned(tokens: Sequence[bytes]) -> NDArray[np.bytes_]:
    """(N,): the tokens as one array, which NumPy turns into numbers at once.

    Raises:
        ValueError: one is longer than any number: all are padded to the longest, so that one of a
            megabyte among a million would ask for a terabyte.
    """
    longest = max(map(len, tokens), default=0)
    if longest > _LONGEST_NUMBER:
        raise ValueError(f"a number of {longest:,} characters")
    return np.array(tokens, dtype="S")


def name_of(text: str, default: str) -> str:
    """Return a name fit for a level of a path."""
    return text.strip().replace("/", "_") or default
