"""Accessors: typed arrays in the buffers of a glTF file (glTF 2.0, section 3.6.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.readers.gltf.container import GltfFile
from clearcoat.product.readers.gltf.views import buffer_view

_DTYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
# An accessor without a buffer view is all zeros and costs its writer nothing, whatever its count
# and however many primitives use it.
_MOST_ZEROS = 4_000_000


def floats(file: GltfFile, index: int, width: int, *, of: str) -> NDArray[np.float64]:
    """(N, width): an accessor as floating point; normalised integers become fractions.

    Raises:
        ProductError: no such accessor, of another shape, or beyond its buffer.
    """
    values, normalized = _accessor(file, index, width, of=of)
    result = values.astype(np.float64)
    if normalized and values.dtype.kind in "iu":
        result = np.maximum(result / np.iinfo(values.dtype).max, -1.0)
    return result


def indices(file: GltfFile, index: int, *, of: str) -> NDArray[np.uint32]:
    """(N,): an accessor of vertex indices.

    Raises:
        ProductError: as `floats`, or the numbers are not unsigned integers.
    """
    values, _ = _accessor(file, index, 1, of=of)
    if values.dtype.kind != "u":
        raise file.error(
            f"malformed glTF: indices of {of}",
            found=f"numbers of type {values.dtype}",
            expected="unsigned integers",
        )
    return np.ascontiguousarray(values[:, 0], dtype=np.uint32)


def _accessor(file: GltfFile, index: int, width: int, *, of: str) -> tuple[NDArray[Any], bool]:
    name = f"accessors[{index}]"
    entry = file.item("accessors", index, of=of)
    count = file.value(entry, "count", "index", of=name)
    kind = file.value(entry, "type", "string", of=name)
    if _WIDTHS.get(kind) != width:
        raise file.error(
            f"malformed glTF: {of} uses {name}", found=f"type {kind}", expected=f"{width} columns"
        )
    dtype = _dtype(file, file.value(entry, "componentType", "index", of=name), name)
    view = file.value(entry, "bufferView", "index", None, of=name)
    if view is None:
        file.zeros += count
        if file.zeros > _MOST_ZEROS:
            raise file.error(
                f"malformed glTF: {name} declares {count:,} entries without data",
                found=f"{file.zeros:,} such entries, counted wherever they are used",
                expected=f"at most {_MOST_ZEROS:,} in the file",
            )
        values = np.zeros((count, width), dtype=dtype)
    else:
        start = file.value(entry, "byteOffset", "index", 0, of=name)
        values = _strided(file, view, start, count, width, dtype, name)
    sparse = file.value(entry, "sparse", "object", None, of=name)
    if sparse is not None:
        values = _with_sparse(file, values, sparse, name)
    return values, bool(entry.get("normalized", False))


def _dtype(file: GltfFile, component: int, name: str) -> np.dtype[Any]:
    if component not in _DTYPES:
        raise file.error(
            f"malformed glTF: {name} has component type {component}",
            expected="one of " + ", ".join(map(str, _DTYPES)),
        )
    return np.dtype(_DTYPES[component])


def _strided(
    file: GltfFile, view: int, start: int, count: int, width: int, dtype: np.dtype[Any], name: str
) -> NDArray[Any]:
    content, declared = buffer_view(file, view, of=name)
    row = width * dtype.itemsize
    stride = declared or row
    need = start + stride * (count - 1) + row if count else start
    if stride < row or need > len(content):
        raise file.error(
            f"malformed glTF: {name} reaches beyond bufferViews[{view}]",
            found=f"{count:,} entries of {row} bytes, stride {stride}, from byte {start:,}",
            expected=f"at most {len(content):,} bytes",
        )
    if not count:
        return np.zeros((0, width), dtype=dtype)
    return np.ndarray(
        (count, width), dtype=dtype, buffer=content, offset=start, strides=(stride, dtype.itemsize)
    )


def _with_sparse(
    file: GltfFile, values: NDArray[Any], sparse: dict[str, Any], name: str
) -> NDArray[Any]:
    """Return a copy in which the entries that a sparse accessor lists are replaced."""
    count = file.value(sparse, "count", "index", of=f"{name}.sparse")
    where = file.value(sparse, "indices", "object", of=f"{name}.sparse")
    what = file.value(sparse, "values", "object", of=f"{name}.sparse")
    dtype = _dtype(file, file.value(where, "componentType", "index", of=name), name)
    if dtype.kind != "u":
        raise file.error(f"malformed glTF: sparse indices of {name} are not unsigned integers")
    rows = _strided(
        file,
        file.value(where, "bufferView", "index", of=f"{name}.sparse.indices"),
        file.value(where, "byteOffset", "index", 0, of=f"{name}.sparse.indices"),
        count,
        1,
        dtype,
        f"{name}.sparse.indices",
    )[:, 0]
    replacement = _strided(
        file,
        file.value(what, "bufferView", "index", of=f"{name}.sparse.values"),
        file.value(what, "byteOffset", "index", 0, of=f"{name}.sparse.values"),
        count,
        values.shape[1],
        values.dtype,
        f"{name}.sparse.values",
    )
    if count and int(rows.max()) >= len(values):
        raise file.error(
            f"malformed glTF: {name}.sparse replaces entry {int(rows.max())}",
            found=f"{len(values)} entries",
        )
    result = values.copy()
    result[rows] = replacement
    return result
