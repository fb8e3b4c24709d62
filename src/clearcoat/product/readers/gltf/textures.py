"""Textures of a glTF file: pixels, sampler, placement (glTF 2.0, section 3.8)."""

from __future__ import annotations

import math
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import ProductError
from clearcoat.product.images import decode
from clearcoat.product.raw import Notes
from clearcoat.product.readers.gltf.container import GltfFile
from clearcoat.product.readers.gltf.views import buffer_view
from clearcoat.product.textures import Affine, Texture, Wrap, texture_digest

_WRAP: dict[Any, Wrap] = {33071: "clamp", 33648: "mirror", 10497: "repeat"}


class TextureReader:
    """Reads textures of one file, each image once."""

    def __init__(self, file: GltfFile, notes: Notes) -> None:
        self._file = file
        self._notes = notes
        self._images: dict[int, tuple[NDArray[np.uint8], str] | None] = {}
        # Any number of entries may name one picture of a few hundred bytes and many megapixels.
        self._decoded: dict[bytes, tuple[NDArray[np.uint8] | None, str]] = {}
        self._means: dict[tuple[int, bool], NDArray[np.float64]] = {}

    def read(
        self, owner: dict[str, Any], key: str, material: str, *, srgb: bool = False
    ) -> tuple[Texture | None, int, NDArray[np.float64]]:
        """Return the texture under a key, its set of coordinates, and its mean.

        The mean is (4,) linear RGBA, weighted by alpha; ones where there is no texture.
        """
        file = self._file
        info = file.value(owner, key, "object", None, of=f"material {material}")
        if info is None:
            return None, 0, np.ones(4)
        of = f"{key} of material {material}"
        index = file.value(info, "index", "index", of=of)
        entry = file.item("textures", index, of=f"material {material}")
        image = self._image(entry, index)
        if image is None:
            self._notes.add(f"{key} unreadable, its factor is taken alone", part=material)
            return None, 0, np.ones(4)
        number, pixels, digest = image
        if (number, srgb) not in self._means:
            self._means[number, srgb] = mean_rgba(pixels.reshape(-1, 4), encoded=srgb)
        extensions = file.value(info, "extensions", "object", {}, of=of)
        placed = file.value(extensions, "KHR_texture_transform", "object", {}, of=of)
        coordinates = file.value(info, "texCoord", "index", 0, of=of)
        coordinates = file.value(placed, "texCoord", "index", coordinates, of=of)
        texture = Texture(
            digest=digest,
            pixels=pixels,
            srgb=srgb,
            wrap=self._wrap(entry, of),
            to_uv=_placement(file, placed, of),
        )
        return texture, coordinates, self._means[number, srgb]

    def _image(
        self, texture: dict[str, Any], index: int
    ) -> tuple[int, NDArray[np.uint8], str] | None:
        of = f"textures[{index}]"
        extensions = self._file.value(texture, "extensions", "object", {}, of=of)
        candidates = [texture.get("source")]
        for alternative in ("EXT_texture_webp", "EXT_texture_avif", "KHR_texture_basisu"):
            if isinstance(extensions.get(alternative), dict):
                candidates.append(extensions[alternative].get("source"))
        for image in candidates:
            if isinstance(image, int) and not isinstance(image, bool):
                if image not in self._images:
                    self._images[image] = self._pixels(image)
                found = self._images[image]
                if found is not None:
                    return (image, *found)
        return None

    def _pixels(self, index: int) -> tuple[NDArray[np.uint8], str] | None:
        file, of = self._file, f"images[{index}]"
        entry = file.item("images", index, of="a texture")
        uri = file.value(entry, "uri", "string", None, of=of)
        try:
            if uri is None:
                content = bytes(
                    buffer_view(file, file.value(entry, "bufferView", "index", of=of), of=of)[0]
                )
            else:
                content = file.resource(uri, of=of)
        except ProductError as error:
            if isinstance(error.__cause__, OSError):
                return None
            raise
        key = sha256(content).digest()
        if key not in self._decoded:
            self._decoded[key] = decode(content)
        pixels, remark = self._decoded[key]
        name = file.value(entry, "name", "string", "", of=of) or of
        if pixels is None:
            self._notes.add(f"an image cannot be read: {remark[:80]}", part=name)
            return None
        if remark:
            self._notes.add(f"images {remark}", part=name)
        return pixels, texture_digest(pixels)

    def _wrap(self, texture: dict[str, Any], of: str) -> Wrap:
        index = self._file.value(texture, "sampler", "index", None, of=of)
        if index is None:
            return "repeat"
        sampler = self._file.item("samplers", index, of=of)
        along_u, along_v = (
            _WRAP.get(self._file.value(sampler, key, "index", 10497, of=of), "repeat")
            for key in ("wrapS", "wrapT")
        )
        if along_u != along_v:
            self._notes.add(f"textures that wrap in two ways: {along_u} taken for both", part=of)
        return along_u


def _placement(file: GltfFile, placed: dict[str, Any], of: str) -> Affine:
    """Return KHR_texture_transform (there v points down) as a matrix with v upwards.

    Its rotation is the one that its example and wording describe, counter-clockwise as seen.
    """
    offset = file.vector(placed, "offset", (0.0, 0.0), of=of)
    scale = file.vector(placed, "scale", (1.0, 1.0), of=of)
    angle = file.value(placed, "rotation", "number", 0.0, of=of)
    cosine, sine = math.cos(angle), math.sin(angle)
    down = np.array(
        [
            [cosine * scale[0], sine * scale[1], offset[0]],
            [-sine * scale[0], cosine * scale[1], offset[1]],
            [0.0, 0.0, 1.0],
        ]
    )
    flip = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 1.0], [0.0, 0.0, 1.0]])
    a, b, c, d, e, f = (float(v) + 0.0 for v in (flip @ down @ flip)[:2].reshape(-1))
    return a, b, c, d, e, f


def mean_rgba(pixels: NDArray[np.uint8], *, encoded: bool) -> NDArray[np.float64]:
    """(4,): mean colour weighted by alpha, and mean alpha, of (N, 4) pixels."""
    code = np.arange(256) / 255.0
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    table = linear if encoded else code
    alpha = pixels[:, 3]
    if int(alpha.min()) == 255:
        weights: NDArray[np.float64] | None = None
    else:
        weights = code[alpha]
        if not weights.any():
            weights = None
    color = []
    for channel in range(3):
        counts = np.bincount(pixels[:, channel], weights=weights, minlength=256)
        color.append(float(counts @ table) / float(counts.sum()))
    return np.array([*color, float(code[alpha].mean())])
