"""The outside of a glTF file: JSON, buffers and images, and checked access to all of it."""

from __future__ import annotations

import base64
import json
import math
import struct
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clearcoat.errors import ProductError
from clearcoat.product.beside import MOST_BYTES_BESIDE

_JSON_CHUNK = 0x4E4F534A
_BINARY_CHUNK = 0x004E4942
_NONE: Any = object()


@dataclass
class GltfFile:
    """A glTF file: its JSON document, and buffers that are read when first asked for."""

    path: Path
    """Where the file lies; buffers and images are looked for beside it."""
    shown: Path
    """The file that errors name: for converted files the one the user gave."""
    document: dict[str, Any]
    binary: bytes | None
    """The binary chunk of a GLB."""
    zeros: int = 0
    """How many entries without data were made so far."""
    _buffers: dict[int, bytes] = field(default_factory=dict)
    unpacked: dict[int, tuple[bytes, int | None]] = field(default_factory=dict)
    """Compressed buffer views that were read so far: bytes and stride."""

    def error(self, what: str, **rows: Any) -> ProductError:
        """Return (not raise) an error that names this file."""
        rows.setdefault("do", "export the file again, or repair it with a glTF validator")
        return ProductError(what, where=self.shown, **rows)

    def value(self, owner: Any, key: str, kind: str, default: Any = _NONE, *, of: str) -> Any:
        """Return `owner[key]`, checked to be of a kind; `of` names the owner in errors.

        Kinds: object, array, string, index (an integer of 0 or more), number, numbers.

        Raises:
            ProductError: it is missing and has no default, or is of another kind.
        """
        found = owner.get(key) if isinstance(owner, dict) else None
        if found is None:
            if default is not _NONE:
                return default
            raise self.error(f"malformed glTF: {of} has no {key!r}")
        if not _IS_KIND[kind](found):
            raise self.error(
                f"malformed glTF: {key!r} of {of} is of the wrong type",
                found=repr(found)[:80],
                expected=f"{'an' if kind[0] in 'aio' else 'a'} {kind}",
            )
        if kind == "string":
            return printable(found)
        return float(found) if kind == "number" else found

    def vector(
        self, owner: Any, key: str, default: tuple[float, ...], *, of: str
    ) -> tuple[float, ...]:
        """Return an array of as many finite numbers as the default has."""
        found = self.value(owner, key, "numbers", list(default), of=of)
        if len(found) != len(default):
            raise self.error(
                f"malformed glTF: {key!r} of {of}",
                found=f"{len(found)} numbers",
                expected=f"{len(default)} numbers",
            )
        return tuple(float(number) for number in found)

    def count(self, table: str) -> int:
        """How many entries a top-level array has."""
        return len(self.value(self.document, table, "array", [], of="the file"))

    def item(self, table: str, index: int, *, of: str) -> dict[str, Any]:
        """Return one object of a top-level array; `of` names who refers to it.

        Raises:
            ProductError: the index points beyond the array, or at something else.
        """
        entries = self.value(self.document, table, "array", [], of="the file")
        if not 0 <= index < len(entries):
            raise self.error(
                f"malformed glTF: {of} refers to {table}[{index}], which does not exist",
                found=f"{len(entries)} {table}",
            )
        if not isinstance(entries[index], dict):
            raise self.error(f"malformed glTF: {table}[{index}] is no object")
        entry: dict[str, Any] = entries[index]
        return entry

    def buffer(self, index: int, *, of: str) -> bytes:
        """Return the bytes of a buffer.

        Raises:
            ProductError: missing, outside the file's folder, or shorter than declared.
        """
        if index not in self._buffers:
            entry = self.item("buffers", index, of=of)
            uri = self.value(entry, "uri", "string", None, of=f"buffers[{index}]")
            if uri is not None:
                content = self.resource(uri, of=f"buffers[{index}]")
            elif index == 0 and self.binary is not None:
                content = self.binary
            else:
                raise self.error(f"malformed glTF: buffers[{index}] has no data")
            declared = self.value(entry, "byteLength", "index", of=f"buffers[{index}]")
            if len(content) < declared:
                raise self.error(
                    f"buffers[{index}] is truncated",
                    found=f"{len(content):,} bytes",
                    expected=f"{declared:,} bytes",
                    do="copy or export the file again, with everything beside it",
                )
            self._buffers[index] = content
        return self._buffers[index]

    def resource(self, uri: str, *, of: str) -> bytes:
        """Return the bytes behind a URI: inline data, or a file in the product's folder.

        Raises:
            ProductError: a network address, a path that leaves the folder, or no such file.
        """
        if uri.startswith("data:"):
            head, _, body = uri.partition(",")
            try:
                if head.endswith(";base64"):
                    return base64.b64decode(body, validate=True)
                return urllib.parse.unquote_to_bytes(body)
            except ValueError as error:
                raise self.error(f"malformed glTF: inline data of {of}", found=error) from error
        name = urllib.parse.unquote(uri)
        folder = self.path.parent.resolve()
        try:
            scheme = urllib.parse.urlsplit(uri).scheme
        except ValueError as error:
            raise self.error(
                f"malformed glTF: the URI of {of}", found=f"{uri[:80]!r}: {error}"
            ) from error
        if scheme or "\0" in name or "\\" in name:
            raise self.error(
                f"{of} lies elsewhere: {uri[:80]!r}",
                expected="a file in the product's folder",
                do="put the file beside the product and refer to it by its relative path",
            )
        target = (folder / name).resolve()
        if not target.is_relative_to(folder):
            raise self.error(
                f"{of} points outside the product's folder",
                found=uri[:80],
                do="put the file beside the product and refer to it by its relative path",
            )
        try:
            if target.exists() and (
                not target.is_file() or target.stat().st_size > MOST_BYTES_BESIDE
            ):
                raise self.error(f"{of} is no file of a sensible size", found=name[:80])
            return target.read_bytes()
        except OSError as error:
            raise self.error(
                f"{of} cannot be read",
                found=f"{name}: {error.strerror}",
                expected="a file beside the product",
                do="copy the whole folder of the product, not the .gltf alone",
            ) from error


def open_gltf(path: Path, shown: Path | None = None) -> GltfFile:
    """Read the container of a .glb or .gltf file, told apart by content.

    Raises:
        ProductError: neither, truncated, or of another glTF version.
    """
    shown = shown or path
    content = path.read_bytes()
    binary: bytes | None = None
    if content[:4] == b"glTF":
        text, binary = _chunks(content, shown)
    elif path.suffix.lower() == ".glb":
        raise ProductError(
            "not a GLB file",
            where=shown,
            found=f"it begins with {content[:4]!r}",
            expected="the magic b'glTF'",
            do="export it again, or give the file the suffix of its format",
        )
    else:
        text = content
    try:
        document = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ProductError(
            "not a glTF file, or a damaged one",
            where=shown,
            found=f"its JSON cannot be read: {error}",
            do="copy or export it again",
        ) from error
    if not isinstance(document, dict):
        raise ProductError(
            "not a glTF file", where=shown, found=type(document).__name__, expected="a JSON object"
        )
    file = GltfFile(path=path, shown=shown, document=document, binary=binary)
    asset = file.value(document, "asset", "object", of="the file")
    version = file.value(asset, "version", "string", of="asset")
    if not version.startswith("2."):
        raise file.error(
            "this glTF version is not read", found=version, expected="2.x", do="export as glTF 2.0"
        )
    return file


def _chunks(content: bytes, shown: Path) -> tuple[bytes, bytes | None]:
    """Return the JSON and the binary chunk of a GLB."""

    def damaged(found: str) -> ProductError:
        return ProductError(
            "the GLB file is truncated or damaged",
            where=shown,
            found=found,
            do="copy or export it again",
        )

    if len(content) < 20:
        raise damaged(f"{len(content)} bytes")
    _, version, total = struct.unpack_from("<III", content)
    if version != 2:
        raise damaged(f"container version {version}, expected 2")
    if total > len(content):
        raise damaged(f"{len(content):,} of {total:,} bytes")
    chunks: dict[int, bytes] = {}
    place = 12
    while place + 8 <= total:
        length, kind = struct.unpack_from("<II", content, place)
        place += 8
        if place + length > total:
            raise damaged(f"a chunk of {length:,} bytes at byte {place:,} reaches beyond the end")
        chunks.setdefault(kind, content[place : place + length])
        place += length
    if _JSON_CHUNK not in chunks:
        raise damaged("no JSON chunk")
    return chunks[_JSON_CHUNK], chunks.get(_BINARY_CHUNK)


def printable(text: str) -> str:
    """Return a text whose halves of surrogate pairs, which JSON may hold alone, are `?`."""
    return text if text.isascii() else text.encode("utf-8", errors="replace").decode("utf-8")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and _finite(value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


_IS_KIND: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "index": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    "number": _is_number,
    "numbers": lambda value: isinstance(value, list) and all(map(_is_number, value)),
}
