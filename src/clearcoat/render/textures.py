"""Pictures of a CAD file on a surface: from its textures to Mitsuba's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.textures import Texture, Textures

_ONE_TEXEL = 0.02


def with_textures(surface: dict[str, Any], textures: Textures | None, mi: Any) -> dict[str, Any]:
    """Replace values of a principled description by pictures, and bend its normals.

    Args:
        surface: a one-sided principled BSDF; the shape that has it needs texture coordinates.
        textures: the pictures; None changes nothing.
        mi: Mitsuba with its variant set.
    """
    if not textures:
        return surface
    surface = dict(surface)
    if textures.base_color is not None:
        color = np.clip(textures.base_color.linear(), 0.0, 1.0)
        surface["base_color"] = bitmap(color, textures.base_color, mi)
    if textures.metallic_roughness is not None:
        values = np.clip(textures.metallic_roughness.linear(), 0.0, 1.0)
        # A mirror-smooth microfacet distribution is a division by zero.
        roughness = np.maximum(values[..., 1:2], _ONE_TEXEL)
        surface["roughness"] = bitmap(roughness, textures.metallic_roughness, mi)
        surface["metallic"] = bitmap(values[..., 2:3], textures.metallic_roughness, mi)
    if textures.normal is not None:
        bent = bitmap(_normals(textures.normal), textures.normal, mi)
        surface = {"type": "normalmap", "normalmap": bent, "bsdf": surface}
    return surface


def _normals(texture: Texture) -> NDArray[np.float32]:
    """(H, W, 3): normals of unit length, their slope scaled by the factor, coded as 0 … 1."""
    normals = texture.pixels[..., :3].astype(np.float32) / 127.5 - 1.0
    normals *= np.asarray(texture.factor, np.float32)
    normals[..., 2] = np.maximum(normals[..., 2], 1e-3)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    coded: NDArray[np.float32] = normals * 0.5 + 0.5
    return coded


def bitmap(values: NDArray[np.float32], texture: Texture, mi: Any) -> dict[str, Any]:
    """Describe a picture; `values` are linear, (H, W, 1) or (H, W, 3), first row at the top."""
    a, b, c, d, e, f = texture.to_uv
    # Mitsuba's pictures begin at v = 0; ours, as glTF's and PNG's, at v = 1.
    flip = np.array([[1, 0, 0, 0], [0, -1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    place = np.array([[a, b, 0, c], [d, e, 0, f], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    matrix = flip @ place
    # Its transform of texture coordinates keeps the translation in the third column.
    uv = np.array(
        [
            [matrix[0, 0], matrix[0, 1], matrix[0, 3]],
            [matrix[1, 0], matrix[1, 1], matrix[1, 3]],
            [0.0, 0.0, 1.0],
        ]
    )
    return {
        "type": "bitmap",
        "data": mi.TensorXf(np.ascontiguousarray(values, np.float32)),
        "raw": True,
        "wrap_mode": texture.wrap,
        "to_uv": mi.ScalarTransform3f(uv),
    }
