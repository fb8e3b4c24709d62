"""Compressed geometry: KHR_draco_mesh_compression."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearcoat.errors import MissingDependencyError
from clearcoat.product.raw import Float64Array
from clearcoat.product.readers.gltf.container import GltfFile
from clearcoat.product.readers.gltf.views import buffer_view


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
            decoded = DracoPy.decode(bytes(buffer_view(file, view, of=of)[0]))
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
