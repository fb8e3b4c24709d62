"""Materials of a glTF file (glTF 2.0, section 3.9, and the ratified KHR_materials extensions).

Every property has one value for the whole surface, the mean of its texture where there is one:
rules replace most materials by one of the library, inspect shows a colour, and parts without
texture coordinates need one. The textures themselves are kept beside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import Notes
from clearcoat.product.readers.gltf.container import GltfFile
from clearcoat.product.readers.gltf.textures import TextureReader
from clearcoat.product.textures import Texture, Textures, texture_digest

_WHITE = (1.0, 1.0, 1.0)
_BLACK = (0.0, 0.0, 0.0)
_BRIGHTEST = 1e6
"""Of emission, as of the library's materials; products of two numbers may be beyond any."""


class Materials:
    """Reads materials of one file, each once."""

    cut_away: set[int]
    """Materials read so far whose alpha is below their cutoff all over: they show nothing."""

    def __init__(self, file: GltfFile, notes: Notes) -> None:
        self._file = file
        self._notes = notes
        self._textures = TextureReader(file, notes)
        self._materials: dict[int, tuple[SourceMaterial, int]] = {}
        self.cut_away = set()

    def read(self, index: int, *, of: str) -> tuple[SourceMaterial, int]:
        """Return the material of an index, and which texture coordinates its textures use.

        Raises:
            ProductError: no such material, or a property of the wrong type.
        """
        if index not in self._materials:
            entry = self._file.item("materials", index, of=of)
            self._materials[index] = self._read(entry, index)
        return self._materials[index]

    def _read(self, entry: dict[str, Any], index: int) -> tuple[SourceMaterial, int]:
        file, of = self._file, f"materials[{index}]"
        name = file.value(entry, "name", "string", "", of=of) or f"material_{index}"
        pbr = file.value(entry, "pbrMetallicRoughness", "object", {}, of=of)
        factor = file.vector(pbr, "baseColorFactor", (*_WHITE, 1.0), of=of)
        base = self._textures.read(pbr, "baseColorTexture", name, srgb=True)
        rough = self._textures.read(pbr, "metallicRoughnessTexture", name)
        metallic = file.value(pbr, "metallicFactor", "number", 1.0, of=of)
        roughness = file.value(pbr, "roughnessFactor", "number", 1.0, of=of)
        extensions = file.value(entry, "extensions", "object", {}, of=of)
        glossy = extensions.get("KHR_materials_pbrSpecularGlossiness")
        if isinstance(glossy, dict):
            factor = file.vector(glossy, "diffuseFactor", (*_WHITE, 1.0), of=of)
            base = self._textures.read(glossy, "diffuseTexture", name, srgb=True)
            rough, metallic = (None, 0, np.ones(4)), 0.0
            roughness = 1.0 - file.value(glossy, "glossinessFactor", "number", 1.0, of=of)
            self._notes.add("specular-glossiness materials approximated", part=name)
        emissive, light = self._emission(entry, extensions, name, of)
        normal = self._textures.read(entry, "normalTexture", name)
        if normal[0] is not None:
            info = file.value(entry, "normalTexture", "object", {}, of=of)
            strength = file.value(info, "scale", "number", 1.0, of=of)
            normal = (replace(normal[0], factor=(strength, strength, 1.0)), *normal[1:])
        extended = self._extended(extensions, name, of)
        film_thickness = extended.pop("film_thickness", (None, 0))
        textures, coordinates = self._one_set(
            name,
            base_color=(_scaled(base[0], factor[:3]), base[1]),
            metallic_roughness=(_scaled(rough[0], (1.0, roughness, metallic)), rough[1]),
            normal=normal[:2],
            emissive=light,
            film_thickness=film_thickness,
        )
        mode = file.value(entry, "alphaMode", "string", "OPAQUE", of=of)
        if mode == "MASK":
            cutoff = file.value(entry, "alphaCutoff", "number", 0.5, of=of)
            if factor[3] < cutoff:
                # A picture's alpha is 1 at most and lifts nothing above the cutoff.
                self.cut_away.add(index)
            elif base[0] is not None and factor[3] * base[0].pixels[..., 3].min() < 255 * cutoff:
                self._notes.add("cut-outs drawn solid", part=name)
        material = SourceMaterial(
            name=name,
            base_color=_unit3(np.array(factor[:3]) * base[2][:3]),
            # glTF: an opaque material's alpha means nothing, a masked one's is no transparency.
            alpha=1.0 if mode in {"OPAQUE", "MASK"} else _unit(factor[3] * base[2][3]),
            metallic=_unit(metallic * rough[2][2]),
            roughness=_unit(roughness * rough[2][1]),
            emissive=_three(emissive),
            textures=textures or None,
            **extended,
        )
        return material, coordinates

    def _emission(
        self, entry: dict[str, Any], extensions: dict[str, Any], name: str, of: str
    ) -> tuple[NDArray[np.float64], tuple[Texture | None, int]]:
        """Return what the surface emits on average, and the texture of it."""
        file = self._file
        factor = np.array(file.vector(entry, "emissiveFactor", _BLACK, of=of))
        if not factor.any():
            return factor, (None, 0)
        texture, coordinates, mean = self._textures.read(entry, "emissiveTexture", name, srgb=True)
        strength = file.value(
            file.value(extensions, "KHR_materials_emissive_strength", "object", {}, of=of),
            *("emissiveStrength", "number", 1.0),
            of=of,
        )
        with np.errstate(over="ignore"):
            factor = np.clip(factor * strength, 0.0, _BRIGHTEST)
        if factor.any():
            self._notes.add("emission is seen and lights nothing else", part=name)
        return factor * mean[:3], (_scaled(texture, tuple(factor)), coordinates)

    def _extended(self, extensions: dict[str, Any], name: str, of: str) -> dict[str, Any]:
        """Return the fields that come from KHR_materials extensions that the material has."""
        file = self._file

        def table(extension: str) -> dict[str, Any]:
            found: dict[str, Any] = file.value(
                extensions, f"KHR_materials_{extension}", "object", {}, of=of
            )
            return found

        def scalar(owner: dict[str, Any], key: str, default: float, texture: str, at: int) -> float:
            mean = self._textures.read(owner, texture, name)[2][at] if texture else 1.0
            return float(file.value(owner, key, "number", default, of=of) * mean)

        found: dict[str, Any] = {}
        if owner := table("transmission"):
            amount = scalar(owner, "transmissionFactor", 0.0, "transmissionTexture", 0)
            found["transmission"] = _unit(amount)
        if owner := table("clearcoat"):
            coat = scalar(owner, "clearcoatFactor", 0.0, "clearcoatTexture", 0)
            gloss = scalar(owner, "clearcoatRoughnessFactor", 0.0, "clearcoatRoughnessTexture", 1)
            found |= {"clearcoat": _unit(coat), "clearcoat_roughness": _unit(gloss)}
        if owner := table("ior"):
            # 0 is the extension's way to say that everything is reflected.
            found["ior"] = float(np.clip(scalar(owner, "ior", 1.5, "", 0) or 100.0, 1.0, 100.0))
            if found["ior"] > 1.79 and "transmission" not in found:
                self._notes.add(
                    "refractive indices above 1.79 drawn as 1.79 on opaque parts", part=name
                )
        if owner := table("specular"):
            found["specular"] = _unit(scalar(owner, "specularFactor", 1.0, "specularTexture", 3))
            color = file.vector(owner, "specularColorFactor", _WHITE, of=of)
            mean = self._textures.read(owner, "specularColorTexture", name, srgb=True)[2]
            found["specular_color"] = _three(np.maximum(np.array(color) * mean[:3], 0.0))
        if owner := table("sheen"):
            color = file.vector(owner, "sheenColorFactor", _BLACK, of=of)
            mean = self._textures.read(owner, "sheenColorTexture", name, srgb=True)[2]
            found["sheen_color"] = _unit3(np.array(color) * mean[:3])
            if any(found["sheen_color"]):
                self._notes.add("sheen drawn white, as strong as its brightest channel", part=name)
            sheen = scalar(owner, "sheenRoughnessFactor", 0.0, "sheenRoughnessTexture", 3)
            found["sheen_roughness"] = _unit(sheen)
        if owner := table("iridescence"):
            found |= self._film(owner, name, of)
            if found.get("clearcoat", 0.0) > 0.5 and found.pop("film_thickness", None):
                self._notes.add("thickness of a film under a clear coat averaged", part=name)
        return found

    def _film(self, owner: dict[str, Any], name: str, of: str) -> dict[str, Any]:
        """Return the thin film of KHR_materials_iridescence, and the picture of its thickness."""
        file = self._file
        share, _, share_mean = self._textures.read(owner, "iridescenceTexture", name)
        picture, coordinates, mean = self._textures.read(owner, "iridescenceThicknessTexture", name)
        weight = file.value(owner, "iridescenceFactor", "number", 0.0, of=of) * share_mean[0]
        least = file.value(owner, "iridescenceThicknessMinimum", "number", 100.0, of=of)
        most = file.value(owner, "iridescenceThicknessMaximum", "number", 400.0, of=of)
        index = file.value(owner, "iridescenceIor", "number", 1.3, of=of)
        if weight > 0 and share is not None:
            self._notes.add("pictures of the share that a thin film covers averaged", part=name)
        thickness = most if picture is None else least + (most - least) * mean[1]
        found: dict[str, Any] = {
            "iridescence": _unit(weight),
            "iridescence_ior": float(np.clip(index, 1.0, 5.0)),
            "iridescence_thickness_nm": max(float(thickness), 0.0),
        }
        if weight > 0 and picture is not None:
            found["film_thickness"] = (_thickness(picture, least, most), coordinates)
        return found

    def _one_set(self, name: str, **found: tuple[Texture | None, int]) -> tuple[Textures, int]:
        """Keep the textures that share the set of coordinates of the first: a mesh carries one."""
        kept: dict[str, Texture] = {}
        chosen: int | None = None
        for key, (texture, coordinates) in found.items():
            if texture is None:
                continue
            chosen = coordinates if chosen is None else chosen
            if coordinates == chosen:
                kept[key] = texture
            else:
                self._notes.add("textures on a second set of coordinates averaged", part=name)
        return Textures(**kept), chosen or 0


def _thickness(picture: Texture, least_nm: float, most_nm: float) -> Texture:
    """Return a picture whose green times its factor is the thickness of a film in nanometres."""
    thickness_nm = least_nm + (most_nm - least_nm) * picture.pixels[..., 1] / 255.0
    thickness_nm = np.maximum(thickness_nm, 0.0)
    top_nm = max(float(thickness_nm.max()), 1.0)
    pixels = picture.pixels.copy()
    pixels[..., 1] = np.rint(thickness_nm / top_nm * 255.0).astype(np.uint8)
    return replace(picture, pixels=pixels, digest=texture_digest(pixels), factor=(1.0, top_nm, 1.0))


def _scaled(texture: Texture | None, factor: tuple[float, ...]) -> Texture | None:
    if texture is None:
        return None
    red, green, blue = (max(float(value), 0.0) for value in factor)
    return replace(texture, factor=(red, green, blue))


def _unit(value: float) -> float:
    return float(np.clip(value, 0.0, 1.0))


def _unit3(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return _three(np.clip(values, 0.0, 1.0))


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
