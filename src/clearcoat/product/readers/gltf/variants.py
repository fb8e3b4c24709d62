"""Which material a primitive has in the chosen variant (KHR_materials_variants)."""

from __future__ import annotations

from typing import Any

from clearcoat.errors import did_you_mean
from clearcoat.product.readers.gltf.container import GltfFile

_NAME = "KHR_materials_variants"


class Variants:
    """The variants of a file, one of which may be chosen by name.

    Raises:
        ProductError: the file has no such variant.
    """

    def __init__(self, file: GltfFile, chosen: str | None) -> None:
        self._file = file
        extensions = file.value(file.document, "extensions", "object", {}, of="the file")
        table = file.value(extensions, _NAME, "object", {}, of="the file")
        entries = file.value(table, "variants", "array", [], of=_NAME)
        self.names = tuple(
            file.value(entry, "name", "string", f"variant_{number}", of=f"variants[{number}]")
            for number, entry in enumerate(entries)
        )
        self.chosen = chosen or ""
        self._number: int | None = None
        if chosen is not None:
            if chosen not in self.names:
                raise file.error(
                    "the product has no such variant",
                    found=repr(chosen),
                    expected="one of " + ", ".join(self.names) if self.names else "no variant",
                    do=did_you_mean(chosen, self.names)
                    if self.names
                    else "remove `variant`: the file has none",
                )
            self._number = self.names.index(chosen)

    def material(self, primitive: Any, of: str) -> int | None:
        """Return the index of a primitive's material: the variant's, else its own."""
        file = self._file
        own: int | None = file.value(primitive, "material", "index", None, of=of)
        if self._number is None:
            return own
        extensions = file.value(primitive, "extensions", "object", {}, of=of)
        table = file.value(extensions, _NAME, "object", {}, of=of)
        for mapping in file.value(table, "mappings", "array", [], of=of):
            if self._number in file.value(mapping, "variants", "array", [], of=f"{_NAME} of {of}"):
                found: int = file.value(mapping, "material", "index", of=f"{_NAME} of {of}")
                return found
        return own
