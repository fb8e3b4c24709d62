"""Measured BRDFs in the RGL format: whether a file is one, and is whole."""

from __future__ import annotations

import math
import struct
from pathlib import Path

from clearcoat.errors import RenderError

_MAGIC = b"tensor_file\0"
_HEADER = struct.Struct("<12s2BI")
_FIELD = struct.Struct("<HBQ")
# Bytes per value of the format's type numbers: (u)int8 to 64, float16, 32, 64.
_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 8: 8, 9: 2, 10: 4, 11: 8}
# Field -> number of dimensions.
_NEEDED = {
    "description": 1, "theta_i": 1, "phi_i": 1, "ndf": 2, "sigma": 2, "vndf": 4, "luminance": 4,
    "rgb": 5, "jacobian": 1,
}  # fmt: skip


def check_measured(path: Path | None, material: str) -> Path:
    """Return the path of a measured BRDF after looking at its table of contents.

    The renderer maps the file into memory and trusts it: a truncated one would end the process.
    Format: the tensor files of the RGL material database (Dupuy and Jakob 2018).

    Raises:
        RenderError: no file is named, or it is missing, damaged, or not an RGB variant.
    """
    expected = "an RGB variant (*_rgb.bsdf) of the RGL material database"
    if path is None:
        raise RenderError(f"material {material!r} is measured but names no file", expected=expected)
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(0)
            # The table of contents of a file with ten fields takes some 400 bytes.
            head = stream.read(65536)
    except OSError as error:
        raise RenderError(
            f"material {material!r}: cannot read its measured BRDF",
            where=path,
            found=error.strerror,
            expected=expected,
            do="check the path; a relative one starts from the spec's folder",
        ) from error
    try:
        shapes = _shapes(head, size)
    except (ValueError, struct.error) as error:
        raise RenderError(
            f"material {material!r}: its measured BRDF is damaged or of another kind",
            where=path,
            found="it ends too early" if isinstance(error, struct.error) else error,
            expected=expected,
            do="fetch the file again",
        ) from error
    for name, dimensions in _NEEDED.items():
        if len(shapes.get(name, ())) != dimensions:
            raise RenderError(
                f"material {material!r}: its measured BRDF cannot be used",
                where=path,
                found=f"no field {name!r} of {dimensions} dimensions in {sorted(shapes)}",
                expected=expected,
                do="fetch the material's file that ends in _rgb.bsdf",
            )
    return path


def _shapes(head: bytes, size: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every field of a tensor file of `size` bytes that begins with `head`."""
    magic, _, _, count = _HEADER.unpack_from(head)
    if magic != _MAGIC:
        raise ValueError("it does not begin as a tensor file does")
    at = _HEADER.size
    shapes: dict[str, tuple[int, ...]] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", head, at)
        name = head[at + 2 : at + 2 + length].decode("ascii", "replace")
        at += 2 + length
        dimensions, kind, offset = _FIELD.unpack_from(head, at)
        at += _FIELD.size
        shape = struct.unpack_from(f"<{dimensions}Q", head, at)
        at += 8 * dimensions
        if kind not in _BYTES:
            raise ValueError(f"field {name!r} has the unknown type {kind}")
        if offset + math.prod(shape) * _BYTES[kind] > size:
            raise ValueError(f"field {name!r} reaches past the end of the file")
        shapes[name] = shape
    return shapes
