"""One BSDF for many plain materials: each is a texel of a palette that the BSDF looks up.

Dr.Jit follows the program of every BSDF instance anew for every pass, so their number is paid for
in each picture. See docs/decisions/0081-few-bsdfs.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearcoat.materials import Material
from clearcoat.render import bsdf


@dataclass(frozen=True, eq=False)
class Finish:
    """What the surface of a part is made of, as the renderer has it."""

    bsdf: Any
    """Mitsuba's BSDF; materials may share it."""
    texel: tuple[float, float] | None = None
    """Texture coordinates of the material's place in a shared BSDF's palette; None: it has none."""


def finishes(materials: Sequence[Material], mi: Any) -> dict[Material, Finish]:
    """Return the finish of every material.

    Those whose colour, metal and roughness alone differ share a BSDF.

    Raises:
        RenderError: the file of a measured material is missing or damaged.
    """
    made: dict[Material, Finish] = {}
    for group in _groups(materials):
        if len(group) == 1:
            made[group[0]] = Finish(mi.load_dict(bsdf.describe(group[0], mi)))
            continue
        shared = mi.load_dict({"type": "twosided", "bsdf": _palette(group, mi)})
        for place, material in enumerate(group):
            made[material] = Finish(shared, ((place + 0.5) / len(group), 0.5))
    # In the order asked for: it decides the order of meshes, hence of everything behind them.
    return {material: made[material] for material in dict.fromkeys(materials)}


def _groups(materials: Sequence[Material]) -> list[list[Material]]:
    groups: dict[object, list[Material]] = {}
    for material in dict.fromkeys(materials):
        groups.setdefault(_alike(material), []).append(material)
    return list(groups.values())


def _alike(material: Material) -> object:
    """What two materials must have in common to share a BSDF; itself where it shares with none."""
    plain = material.kind == "opaque" and not (
        material.is_paint or bsdf.is_coated(material) or material.textures or material.has_film
    )
    if not plain:
        return material
    return (
        material.specular,
        material.anisotropic,
        material.sheen,
        material.clearcoat,
        material.clearcoat_gloss,
    )


def _palette(group: Sequence[Material], mi: Any) -> dict[str, Any]:
    """Return a principled description whose colour, metal and roughness are rows of texels."""
    one: Mapping[str, Any] = bsdf.principled(group[0])
    rows: list[Mapping[str, Any]] = [bsdf.principled(material) for material in group]
    return {
        **one,
        "base_color": _texels([row["base_color"]["value"] for row in rows], mi),
        "metallic": _texels([[row["metallic"]] for row in rows], mi),
        "roughness": _texels([[row["roughness"]] for row in rows], mi),
    }


def _texels(values: Sequence[Sequence[float]], mi: Any) -> dict[str, Any]:
    return {
        "type": "bitmap",
        "data": mi.TensorXf(np.array([values], np.float32)),
        "raw": True,
        "filter_type": "nearest",
        "wrap_mode": "clamp",
    }
