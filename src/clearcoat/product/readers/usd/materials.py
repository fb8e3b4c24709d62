"""Materials bound in a USD stage: UsdPreviewSurface with constants and textures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Usd, UsdShade

from clearcoat.errors import ProductError
from clearcoat.product.images import decode
from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import Notes
from clearcoat.product.readers.gltf.textures import mean_rgba
from clearcoat.product.readers.usd.files import asset_bytes, check_inside
from clearcoat.product.textures import IDENTITY, Affine, Texture, Textures, Wrap, texture_digest

_CHANNEL = {"r": 0, "g": 1, "b": 2, "a": 3}
_WRAP: dict[str, Wrap] = {"clamp": "clamp", "black": "clamp", "mirror": "mirror"}


class Materials:
    """Reads each material of a stage once."""

    def __init__(self, path: Path, time: Usd.TimeCode, notes: Notes) -> None:
        self._path, self._time, self.notes = path, time, notes
        self._known: dict[str, tuple[SourceMaterial, str]] = {}
        self._images: dict[str, tuple[NDArray[np.uint8], str] | None] = {}

    def of(self, prim: Usd.Prim) -> tuple[SourceMaterial | None, str]:
        """Return what is bound to a prim, and the coordinates (primvar) that its textures read."""
        material = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()[0]
        if not material:
            return None, ""
        key = _source_path(material)
        if key not in self._known:
            self._known[key] = self._read(material)
        return self._known[key]

    def bound(self, prim: Usd.Prim) -> str:
        """Path of the material that is bound to a prim, the same for all instances."""
        material = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()[0]
        return _source_path(material) if material else ""

    def _read(self, material: UsdShade.Material) -> tuple[SourceMaterial, str]:
        name = material.GetPrim().GetName()
        shader = material.ComputeSurfaceSource()[0]
        if not shader or shader.GetIdAttr().Get() != "UsdPreviewSurface":
            self.notes.add(
                "materials without a UsdPreviewSurface: only their names are read", part=name
            )
            return SourceMaterial(name), ""
        inputs = _Inputs(self, shader, name)
        base, color = inputs.color("diffuseColor", 0.18, srgb=True)
        glow, emissive = inputs.color("emissiveColor", 0.0, srgb=True)
        normal = inputs.texture("normal", srgb=False)[0]
        rough, metal = inputs.texture("roughness")[0], inputs.texture("metallic")[0]
        packed = None
        if inputs.channel("roughness") == "g" and inputs.channel("metallic") == "b":
            packed = rough if rough == metal else None
        elif rough is not None or metal is not None:
            self.notes.add("roughness and metallic textures averaged", part=name)
        specular_flow = inputs.number("useSpecularWorkflow", 0.0) > 0
        alpha, threshold = (
            _unit(inputs.number("opacity", 1.0)),
            _unit(inputs.number("opacityThreshold", 0.0)),
        )
        if threshold > 0:
            # Above the threshold a surface is solid, however little of it there is on average.
            textured = bool(inputs.channel("opacity"))
            if textured:
                self.notes.add("cut-outs drawn solid", part=name)
            alpha = 1.0 if textured or alpha >= threshold else 0.0
        textures = Textures(
            base_color=base, metallic_roughness=packed, normal=normal, emissive=glow
        )
        found = SourceMaterial(
            name=name,
            base_color=color,
            alpha=alpha,
            metallic=0.0 if specular_flow else _unit(inputs.number("metallic", 0.0)),
            roughness=_unit(inputs.number("roughness", 0.5)),
            clearcoat=_unit(inputs.number("clearcoat", 0.0)),
            clearcoat_roughness=_unit(inputs.number("clearcoatRoughness", 0.01)),
            emissive=emissive,
            ior=min(max(inputs.number("ior", 1.5), 1.0), 5.0),
            textures=textures or None,
        )
        return found, inputs.coordinates

    def image(self, asset: Sdf.AssetPath, of: str) -> tuple[NDArray[np.uint8], str] | None:
        """Return pixels and digest of an image; None, with a note, where it cannot be read."""
        key = asset.resolvedPath or asset.path
        if key in self._images:
            return self._images[key]
        self._images[key] = None
        if asset.resolvedPath:
            try:
                check_inside(self._path, asset.resolvedPath, asset.path)
            except ProductError as error:
                self.notes.add(f"{error.what}: texture left out", part=of)
                return None
        content = asset_bytes(asset.resolvedPath)
        pixels, remark = (None, "absent") if content is None else decode(content)
        if pixels is None:
            self.notes.add(f"an image cannot be read ({remark[:80]})", part=asset.path[:80])
            return None
        self._images[key] = pixels, texture_digest(pixels)
        return self._images[key]

    @property
    def time(self) -> Usd.TimeCode:
        """When attributes are read."""
        return self._time


class _Inputs:
    """The inputs of one UsdPreviewSurface."""

    def __init__(self, owner: Materials, shader: UsdShade.Shader, name: str) -> None:
        self._owner, self._shader, self._name = owner, shader, name
        self.coordinates = ""

    def _value(self, shader: UsdShade.Shader, key: str) -> tuple[Any, UsdShade.Shader | None, str]:
        """Return a constant; or the shader that feeds the input, and its output's name."""
        entry = shader.GetInput(key)
        if not entry:
            return None, None, ""
        sources = UsdShade.Utils.GetValueProducingAttributes(entry)
        if not sources:
            return None, None, ""
        source = sources[0]
        kind = UsdShade.Utils.GetType(source.GetName())
        if kind == UsdShade.AttributeType.Output:
            output = UsdShade.Utils.GetBaseNameAndType(source.GetName())[0]
            return None, UsdShade.Shader(source.GetPrim()), str(output)
        return source.Get(self._owner.time), None, ""

    def channel(self, key: str) -> str:
        """Name of the output that feeds an input: r, g, b, a, rgb or empty."""
        return self._value(self._shader, key)[2]

    def number(self, key: str, default: float) -> float:
        """A scalar; the mean of its channel where a texture feeds it."""
        value, shader, output = self._value(self._shader, key)
        if shader is not None:
            texture, mean = self.texture(key)
            return default if texture is None else float(mean[_CHANNEL.get(output, 0)])
        number = float(value) if isinstance(value, (int, float)) else default
        return number if math.isfinite(number) else default

    def color(
        self, key: str, default: float, *, srgb: bool
    ) -> tuple[Texture | None, tuple[float, float, float]]:
        """A texture and its mean, or a constant; linear."""
        value, shader, _ = self._value(self._shader, key)
        texture: Texture | None = None
        color = np.full(3, default)
        if shader is not None:
            texture, mean = self.texture(key, srgb=srgb)
            color = color if texture is None else mean[:3]
        elif value is not None and np.shape(value) == (3,):
            color = np.nan_to_num(np.array(value, np.float64))
        top = 1e6 if key == "emissiveColor" else 1.0
        red, green, blue = (float(v) for v in np.clip(color, 0.0, top))
        return texture, (red, green, blue)

    def texture(
        self, key: str, *, srgb: bool = False
    ) -> tuple[Texture | None, NDArray[np.float64]]:
        """Return the UsdUVTexture that feeds an input, and its mean (4,) times its scale."""
        none = (None, np.ones(4))
        shader = self._value(self._shader, key)[1]
        if shader is None:
            return none
        if shader.GetIdAttr().Get() != "UsdUVTexture":
            self._owner.notes.add(f"{key} is fed by a node that is not read", part=self._name)
            return none
        asset = self._value(shader, "file")[0]
        found = None
        if isinstance(asset, Sdf.AssetPath):
            found = self._owner.image(asset, self._name)
        if found is None:
            return none
        pixels, digest = found
        space = self._value(shader, "sourceColorSpace")[0]
        encoded = srgb if space in (None, "auto") else space == "sRGB"
        scale = np.ones(4)
        given = self._value(shader, "scale")[0]
        if given is not None and np.shape(given) == (4,):
            scale = np.nan_to_num(np.array(given, np.float64))
        texture = Texture(
            digest=digest,
            pixels=pixels,
            srgb=bool(encoded),
            factor=(1.0, 1.0, 1.0)
            if key == "normal"
            else (float(scale[0]), float(scale[1]), float(scale[2])),
            wrap=_WRAP.get(str(self._value(shader, "wrapS")[0]), "repeat"),
            to_uv=self._placement(shader),
        )
        return texture, mean_rgba(pixels.reshape(-1, 4), encoded=bool(encoded)) * scale

    def _placement(self, shader: UsdShade.Shader) -> Affine:
        """Follow `st`: a primvar reader, with a UsdTransform2d before it or not."""
        _, source, _ = self._value(shader, "st")
        affine = IDENTITY
        if source is not None and source.GetIdAttr().Get() == "UsdTransform2d":
            angle = math.radians(float(self._value(source, "rotation")[0] or 0.0))
            scale = self._value(source, "scale")[0] or (1.0, 1.0)
            move = self._value(source, "translation")[0] or (0.0, 0.0)
            cosine, sine = math.cos(angle), math.sin(angle)
            sx, sy = float(scale[0]), float(scale[1])
            affine = (
                *(sx * cosine, -sy * sine, float(move[0])),
                *(sx * sine, sy * cosine, float(move[1])),
            )
            _, source, _ = self._value(source, "in")
        if source is not None:
            name = self._value(source, "varname")[0]
            if isinstance(name, str) and name:
                self.coordinates = self.coordinates or name
        return affine


def _source_path(material: UsdShade.Material) -> str:
    prim = material.GetPrim()
    return str((prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim).GetPath())


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)
