"""Buffer views, as they lie in the file or packed by EXT_meshopt_compression."""

from __future__ import annotations

from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import MissingDependencyError
from clearcoat.product.readers.gltf.container import GltfFile

_Mode = Literal["ATTRIBUTES", "TRIANGLES", "INDICES"]
_Filter = Literal["NONE", "OCTAHEDRAL", "QUATERNION", "EXPONENTIAL", "COLOR"]

# Zeros, the best case, shrink about 1,000 times; a count beyond that is a lie or a bomb.
_BEST_RATIO = 2048
_SLACK_BYTES = 65536


def buffer_view(file: GltfFile, index: int, *, of: str) -> tuple[memoryview, int | None]:
    """Return the bytes of a buffer view and its stride (None where tightly packed).

    Raises:
        ProductError: beyond its buffer, or compressed and damaged.
        MissingDependencyError: compressed, and its decoder is not installed.
    """
    name = f"bufferViews[{index}]"
    entry = file.item("bufferViews", index, of=of)
    extensions = file.value(entry, "extensions", "object", {}, of=name)
    packed = file.value(extensions, "EXT_meshopt_compression", "object", None, of=name)
    if packed is not None:
        if index not in file.unpacked:
            file.unpacked[index] = _unpacked(file, packed, name)
        unpacked, row = file.unpacked[index]
        return memoryview(unpacked), row
    return _piece(file, entry, name), file.value(entry, "byteStride", "index", None, of=name)


def _unpacked(file: GltfFile, extension: dict[str, Any], name: str) -> tuple[bytes, int | None]:
    """Return the decoded bytes of a buffer view, and their stride."""
    try:
        import meshopt
    except ImportError as error:
        raise MissingDependencyError(
            "reading meshopt-compressed glTF needs meshopt",
            where=file.shown,
            found=name,
            do="pip install 'clearcoat[compression]', or export without mesh compression",
        ) from error
    of = f"EXT_meshopt_compression of {name}"
    content = _piece(file, extension, of)
    stride = file.value(extension, "byteStride", "index", of=of)
    count = file.value(extension, "count", "index", of=of)
    if not 1 <= stride <= 256 or count * stride > len(content) * _BEST_RATIO + _SLACK_BYTES:
        raise file.error(
            f"malformed glTF: {of} declares more than its bytes can hold",
            found=f"{count:,} entries of {stride} bytes from {len(content):,} bytes",
        )
    mode = file.value(extension, "mode", "string", of=of)
    kind = file.value(extension, "filter", "string", "NONE", of=of)
    if mode not in get_args(_Mode) or kind not in get_args(_Filter):
        raise file.error(f"malformed glTF: {of} has mode {mode!r}, filter {kind!r}")
    try:
        rows: NDArray[Any] = meshopt.decode_gltf_buffer(
            bytes(content),
            count,
            stride,
            cast(_Mode, mode),
            None if kind == "NONE" else cast(_Filter, kind),
        )
    except (ValueError, TypeError, RuntimeError) as error:
        raise file.error(f"{of} is damaged", found=error) from error
    return np.ascontiguousarray(rows).tobytes(), stride if mode == "ATTRIBUTES" else None


def _piece(file: GltfFile, owner: dict[str, Any], of: str) -> memoryview:
    """Return the part of a buffer that an object names."""
    content = file.buffer(file.value(owner, "buffer", "index", of=of), of=of)
    start = file.value(owner, "byteOffset", "index", 0, of=of)
    length = file.value(owner, "byteLength", "index", of=of)
    if start + length > len(content):
        raise file.error(
            f"malformed glTF: {of} reaches beyond its buffer",
            found=f"bytes {start:,} to {start + length:,}",
            expected=f"at most {len(content):,}",
        )
    return memoryview(content)[start : start + length]
