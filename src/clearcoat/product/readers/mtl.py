"""Material libraries of OBJ files (MTL), with the physically based keys that exporters add."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from clearcoat.errors import ProductError
from clearcoat.product.beside import read_beside
from clearcoat.product.images import decode
from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import Notes
from clearcoat.product.readers.pieces import linear
from clearcoat.product.textures import Texture, Textures, texture_digest

_NOT_TAKEN = {"-mm": (0.0, 1.0), "-t": (0.0, 0.0, 0.0), "-bm": (1.0,)}
"""Options of a map for brightness and contrast, turbulence and depth, with what changes nothing."""


def read_mtl(product: Path, library: str, notes: Notes) -> dict[str, SourceMaterial]:
    """Return the materials of a library beside the product; none, with a note, if it is absent.

    Colours are taken for sRGB, as CAD systems show them. The Phong exponent becomes the
    roughness of the microfacet distribution with the same highlight, alpha² = 2 / (n + 2)
    (Walter et al. 2007, doi 10.2312/EGWR/EGSR07/195-206). Of a map's options scale (`-s`), offset
    (`-o`) and `-clamp` are taken, and of others that change what is seen there is a note.

    Raises:
        ProductError: the library lies outside the product's folder.
    """
    content = read_beside(product, library, of=f"mtllib {library!r}", missing_is_none=True)
    if content is None:
        notes.add(f"the material library {library!r} is absent")
        return {}
    tables: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for line in content.decode("utf-8-sig", errors="replace").splitlines():
        word, rest = (*line.split(None, 1), "", "")[:2]
        if word == "newmtl":
            current = tables.setdefault(rest.strip(), {})
        elif current is not None and word and not word.startswith("#"):
            current[word.lower()] = rest.strip()
    images: dict[str, Any] = {}
    return {name: _material(name, table, product, images, notes) for name, table in tables.items()}


def _material(
    name: str, table: dict[str, str], product: Path, images: dict[str, Any], notes: Notes
) -> SourceMaterial:
    color = _color(table, "kd", (0.5, 0.5, 0.5))
    base = _texture(table, "map_kd", product, images, notes, srgb=True)
    if base is not None:
        # Exporters write Kd 0 or 0.8 beside a map that is meant to stand alone.
        code = base.pixels.reshape(-1, 4)[:, :3]
        red, green, blue = (float(v) for v in linear(code).mean(axis=0))
        color = (red, green, blue)
    normal = None
    for key in ("norm", "map_kn"):
        normal = normal or _texture(table, key, product, images, notes, srgb=False)
    if "map_bump" in table or "bump" in table:
        notes.add("bump maps ignored", part=name)
    alpha = _number(table, "d", 1.0 - _number(table, "tr", 0.0))
    exponent = max(_number(table, "ns", 30.0), 0.0)
    roughness = _number(table, "pr", math.sqrt(math.sqrt(2.0 / (exponent + 2.0))))
    textures = Textures(base_color=base, normal=normal)
    # Exporters write 1, which reflects nothing, where they know no index.
    index = _number(table, "ni", 1.0)
    return SourceMaterial(
        name=name,
        base_color=color,
        alpha=_unit(alpha),
        metallic=_unit(_number(table, "pm", 0.0)),
        roughness=_unit(roughness),
        clearcoat=_unit(_number(table, "pc", 0.0)),
        clearcoat_roughness=_unit(_number(table, "pcr", 0.0)),
        emissive=_color(table, "ke", (0.0, 0.0, 0.0)),
        ior=min(index, 5.0) if index > 1 else 1.5,
        textures=textures or None,
    )


def _texture(
    table: dict[str, str],
    key: str,
    product: Path,
    images: dict[str, Any],
    notes: Notes,
    *,
    srgb: bool,
) -> Texture | None:
    if key not in table:
        return None
    # Options such as `-s 1 1 1` come first; the file name is what follows the last.
    options = table[key].split() if table[key].startswith("-") else []
    name = options.pop() if options else table[key]
    name = name.replace("\\", "/")
    if name not in images:
        try:
            content = read_beside(product, name, of=f"{key} {name!r}", missing_is_none=True)
            pixels, remark = (None, "absent") if content is None else decode(content)
            remark = remark[:120]  # a decoder's, of any length
        except ProductError as error:
            pixels, remark = None, error.what
        if pixels is None:
            notes.add(f"the image {name!r} cannot be read: {remark}")
        images[name] = None if pixels is None else (pixels, texture_digest(pixels))
    found = images[name]
    if found is None:
        return None
    for flag, neutral in _NOT_TAKEN.items():
        if _numbers(options, flag, neutral) != neutral:
            notes.add(f"the option {flag} of a map ignored", part=name)
    across, up = _numbers(options, "-s", (1.0, 1.0))
    right, above = _numbers(options, "-o", (0.0, 0.0))
    return Texture(
        digest=found[1],
        pixels=found[0],
        srgb=srgb,
        wrap="clamp" if "-clamp on" in " ".join(options) else "repeat",
        to_uv=(across, 0.0, right, 0.0, up, above),
    )


def _numbers(options: list[str], flag: str, default: tuple[float, ...]) -> tuple[float, ...]:
    """Return the numbers behind an option; what is absent or none is the default."""
    values = list(default)
    place = options.index(flag) + 1 if flag in options else len(options)
    for axis, text in enumerate(options[place : place + len(default)]):
        value = _number({"": text}, "", math.nan)
        if math.isnan(value):
            break
        values[axis] = value
    return tuple(values)


def _number(table: dict[str, str], key: str, default: float) -> float:
    try:
        value = float(table[key].split()[-1])
    except (KeyError, ValueError, IndexError):
        return default
    return value if math.isfinite(value) else default


def _color(
    table: dict[str, str], key: str, default: tuple[float, float, float]
) -> tuple[float, float, float]:
    try:
        code = np.array([float(text) for text in table[key].split()[:3]])
    except (KeyError, ValueError):
        return default
    if code.shape != (3,) or not np.isfinite(code).all():
        return default
    code = np.clip(code, 0.0, 1.0)
    value = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return float(value[0]), float(value[1]), float(value[2])


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)
