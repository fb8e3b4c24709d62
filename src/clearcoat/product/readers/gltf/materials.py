"""Materials of a glTF file, brought down to one value per property (glTF 2.0, section 3.9).

A texture becomes its mean: material rules replace most materials anyway, and a mean keeps the
colour of the rest right.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import ProductError
from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import Notes
from clearcoat.product.readers.gltf.container import GltfFile


class Materials:
    """Reads materials of one file, each material and each image once."""

    def __init__(self, file: GltfFile, notes: Notes) -> None:
        self._file = file
        self._notes = notes
        self._materials: dict[int, SourceMaterial] = {}
        self._means: dict[int, NDArray[np.float64] | None] = {}

    def read(self, index: int, *, of: str) -> SourceMaterial:
        """Return the material of an index.

        Raises:
            ProductError: no such material, or a property of the wrong type.
        """
        if index not in self._materials:
            entry = self._file.item("materials", index, of=of)
            self._materials[index] = self._read(entry, index)
        return self._materials[index]

    def _read(self, entry: dict[str, Any], index: int) -> SourceMaterial:
        file, of = self._file, f"materials[{index}]"
        name = file.value(entry, "name", "string", "", of=of) or f"material_{index}"
        extensions = file.value(entry, "extensions", "object", {}, of=of)
        pbr = file.value(entry, "pbrMetallicRoughness", "object", {}, of=of)
        metallic_roughness = self._mean(pbr, "metallicRoughnessTexture", name)
        metallic = file.value(pbr, "metallicFactor", "number", 1.0, of=of) * metallic_roughness[2]
        roughness = file.value(pbr, "roughnessFactor", "number", 1.0, of=of) * metallic_roughness[1]
        factor = file.vector(pbr, "baseColorFactor", (1.0, 1.0, 1.0, 1.0), of=of)
        texture = self._mean(pbr, "baseColorTexture", name, encoded=True)
        glossy = extensions.get("KHR_materials_pbrSpecularGlossiness")
        if isinstance(glossy, dict):
            factor = file.vector(glossy, "diffuseFactor", (1.0, 1.0, 1.0, 1.0), of=of)
            texture = self._mean(glossy, "diffuseTexture", name, encoded=True)
            metallic = 0.0
            roughness = 1.0 - file.value(glossy, "glossinessFactor", "number", 1.0, of=of)
            self._notes.add("specular-glossiness materials approximated", part=name)

        emissive = np.array(file.vector(entry, "emissiveFactor", (0.0, 0.0, 0.0), of=of))
        if emissive.any():
            emissive = emissive * self._mean(entry, "emissiveTexture", name, encoded=True)[:3]
            strength = self._extension(extensions, "KHR_materials_emissive_strength", of)
            emissive = emissive * file.value(strength, "emissiveStrength", "number", 1.0, of=of)
        transmission = self._extension(extensions, "KHR_materials_transmission", of)
        clearcoat = self._extension(extensions, "KHR_materials_clearcoat", of)
        # glTF: an opaque material's alpha means nothing.
        opaque = file.value(entry, "alphaMode", "string", "OPAQUE", of=of) == "OPAQUE"
        return SourceMaterial(
            name=name,
            base_color=_unit3(np.array(factor[:3]) * texture[:3]),
            alpha=1.0 if opaque else _unit(factor[3] * texture[3]),
            metallic=_unit(metallic),
            roughness=_unit(roughness),
            transmission=_unit(
                file.value(transmission, "transmissionFactor", "number", 0.0, of=of)
                * self._mean(transmission, "transmissionTexture", name)[0]
            ),
            clearcoat=_unit(
                file.value(clearcoat, "clearcoatFactor", "number", 0.0, of=of)
                * self._mean(clearcoat, "clearcoatTexture", name)[0]
            ),
            emissive=_three(np.maximum(emissive, 0.0)),
        )

    def _extension(self, extensions: dict[str, Any], name: str, of: str) -> dict[str, Any]:
        found: dict[str, Any] = self._file.value(extensions, name, "object", {}, of=of)
        return found

    def _mean(
        self, owner: dict[str, Any], key: str, material: str, *, encoded: bool = False
    ) -> NDArray[np.float64]:
        """(4,): the mean of a texture, linear; ones where there is no texture."""
        file = self._file
        info = file.value(owner, key, "object", None, of=f"material {material}")
        if info is None:
            return np.ones(4)
        index = file.value(info, "index", "index", of=f"{key} of material {material}")
        texture = file.item("textures", index, of=f"material {material}")
        extensions = file.value(texture, "extensions", "object", {}, of=f"textures[{index}]")
        image = texture.get("source")
        for alternative in ("EXT_texture_webp", "KHR_texture_basisu"):
            if image is None and isinstance(extensions.get(alternative), dict):
                image = extensions[alternative].get("source")
        pixels = None
        if isinstance(image, int) and not isinstance(image, bool):
            if image not in self._means:
                self._means[image] = self._image_means(image)
            pixels = self._means[image]
        if pixels is None:
            self._notes.add(f"{key} unreadable, its factor is taken alone", part=material)
            return np.ones(4)
        kind = "colour" if key in {"baseColorTexture", "diffuseTexture"} else "other"
        self._notes.add(f"{kind} textures replaced by their mean", part=material)
        mean: NDArray[np.float64] = pixels[0 if encoded else 1]
        return mean

    def _image_means(self, index: int) -> NDArray[np.float64] | None:
        """(2, 4): mean RGBA of an image read as sRGB, and read as linear; None if unreadable."""
        from PIL import Image

        file, of = self._file, f"images[{index}]"
        entry = file.item("images", index, of="a texture")
        uri = file.value(entry, "uri", "string", None, of=of)
        try:
            if uri is None:
                view = file.value(entry, "bufferView", "index", of=of)
                content = bytes(file.view(view, of=of)[0])
            else:
                content = file.resource(uri, of=of)
        except ProductError as error:
            if isinstance(error.__cause__, OSError):
                return None
            raise
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(io.BytesIO(content)) as image:
                    # Any JPEG decodes at a fraction of its size, and a mean needs no more.
                    image.draft("RGB", (256, 256))
                    pixels = np.asarray(image.convert("RGBA"), dtype=np.uint8).reshape(-1, 4)
        except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
            return None
        return np.stack([_mean_rgba(pixels, encoded=True), _mean_rgba(pixels, encoded=False)])


def _mean_rgba(pixels: NDArray[np.uint8], *, encoded: bool) -> NDArray[np.float64]:
    """(4,): mean colour weighted by alpha, and mean alpha."""
    code = np.arange(256) / 255.0
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    table = linear if encoded else code
    weight = code[pixels[:, 3]]
    total = float(weight.sum())
    if total == 0.0:
        weight, total = np.ones(len(pixels)), float(len(pixels))
    color = [float(table[pixels[:, channel]] @ weight) / total for channel in range(3)]
    return np.array([*color, float(code[pixels[:, 3]].mean())])


def _unit(value: float) -> float:
    return float(np.clip(value, 0.0, 1.0))


def _unit3(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return _three(np.clip(values, 0.0, 1.0))


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
