"""Compressed geometry: KHR_draco_mesh_compression and EXT_meshopt_compression."""

from __future__ import annotations

from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import MissingDependencyError
from clearcoat.product.raw import Float64Array
from clearcoat.product.readers.gltf.container import GltfFile

_Mode = Literal["ATTRIBUTES", "TRIANGLES", "INDICES"]
_Filter = Literal["NONE", "OCTAHEDRAL", "QUATERNION", "EXPONENTIAL", "COLOR"]

# Zeros, the best case, shrink about 1,000 times; a count beyond that is a lie or a bomb.
_BEST_RATIO = 2048
_SLACK_BYTES = 65536


class DracoMesh:
    """Triangles and attributes of one primitive, decoded."""

    def __init__(self, file: GltfFile, extension: dict[str, Any], of: str) -> None:
        try:
            import DracoPy
        except ImportError as error:
            raise MissingDependencyError(
                "reading Draco-compressed glTF needs DracoPy",
                where=file.shown,
                found=of,
                do="pip install 'clearcoat[compression]', or export without mesh compression",
            ) from error
        self._file, self._of = file, of
        view = file.value(extension, "bufferView", "index", of=of)
        self._ids = file.value(extension, "attributes", "object", of=of)
        try:
            decoded = DracoPy.decode(bytes(file.view(view, of=of)[0]))
            self.faces = np.asarray(decoded.faces, dtype=np.uint32).reshape(-1, 3)
            self._attributes: list[dict[str, Any]] = decoded.attributes
            self.count = len(decoded.points)
        # The package raises bare exceptions of its own for whatever the decoder dislikes.
        except Exception as error:
            raise file.error(
                "Draco-compressed geometry is damaged", found=f"{of}: {error or 'not a mesh'}"
            ) from error

    def attribute(self, name: str, width: int, normalized: bool) -> Float64Array | None:
        """(N, width): an attribute as floating point; None where the mesh lacks it."""
        if name not in self._ids:
            return None
        number = self._file.value(self._ids, name, "index", of=self._of)
        for entry in self._attributes:
            if entry["unique_id"] == number:
                data = np.asarray(entry["data"])
                if data.ndim != 2 or data.shape[1] != width:
                    break
                values = data.astype(np.float64)
                if normalized and data.dtype.kind in "iu":
                    values = np.maximum(values / np.iinfo(data.dtype).max, -1.0)
                return values
        raise self._file.error(
            f"malformed glTF: {name} of {self._of} is not in its Draco data",
            expected=f"attribute {number} with {width} columns",
        )


def meshopt_view(file: GltfFile, extension: dict[str, Any], name: str) -> tuple[bytes, int | None]:
    """Return the decoded bytes of a buffer view, and their stride.

    Raises:
        MissingDependencyError: meshopt is not installed.
        ProductError: damaged, or it declares more than its bytes can hold.
    """
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
    content = file.buffer(file.value(extension, "buffer", "index", of=of), of=of)
    start = file.value(extension, "byteOffset", "index", 0, of=of)
    length = file.value(extension, "byteLength", "index", of=of)
    if start + length > len(content):
        raise file.error(
            f"malformed glTF: {of} reaches beyond its buffer",
            found=f"bytes {start:,} to {start + length:,}",
            expected=f"at most {len(content):,}",
        )
    stride = file.value(extension, "byteStride", "index", of=of)
    count = file.value(extension, "count", "index", of=of)
    if not 1 <= stride <= 256 or count * stride > length * _BEST_RATIO + _SLACK_BYTES:
        raise file.error(
            f"malformed glTF: {of} declares more than its bytes can hold",
            found=f"{count:,} entries of {stride} bytes from {length:,} bytes",
        )
    mode = file.value(extension, "mode", "string", of=of)
    kind = file.value(extension, "filter", "string", "NONE", of=of)
    if mode not in get_args(_Mode) or kind not in get_args(_Filter):
        raise file.error(f"malformed glTF: {of} has mode {mode!r}, filter {kind!r}")
    try:
        rows: NDArray[Any] = meshopt.decode_gltf_buffer(
            content[start : start + length],
            count,
            stride,
            cast(_Mode, mode),
            None if kind == "NONE" else cast(_Filter, kind),
        )
    except (ValueError, TypeError, RuntimeError) as error:
        raise file.error(f"{of} is damaged", found=error) from error
    return np.ascontiguousarray(rows).tobytes(), stride if mode == "ATTRIBUTES" else None
