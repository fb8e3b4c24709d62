"""Pictures on surfaces, as a CAD file brings them: pixels, how they repeat and where they lie."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Wrap = Literal["repeat", "mirror", "clamp"]
Affine = tuple[float, float, float, float, float, float]

IDENTITY: Affine = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Texture:
    """One picture on a surface. Equal textures have equal pixels: their digest stands for them."""

    digest: str
    """SHA-256 (hex) of shape and pixels."""
    pixels: NDArray[np.uint8] = field(compare=False, repr=False)
    """(H, W, 4) RGBA, the first row at v = 1."""
    srgb: bool
    """Whether red, green and blue are encoded as IEC 61966-2-1 has it; else they are linear."""
    factor: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """What the linear red, green and blue are multiplied by."""
    wrap: Wrap = "repeat"
    """What lies beyond 0 … 1."""
    to_uv: Affine = IDENTITY
    """Rows of the (2, 3) matrix from the mesh's coordinates to those of the picture, v upwards."""

    def linear(self) -> NDArray[np.float32]:
        """(H, W, 3): linear values times the factor."""
        code = np.arange(256, dtype=np.float64) / 255.0
        if self.srgb:
            code = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
        values: NDArray[np.float32] = code.astype(np.float32)[self.pixels[..., :3]]
        return values * np.asarray(self.factor, np.float32)


@dataclass(frozen=True)
class Textures:
    """The pictures of one material; None where a value holds for the whole surface."""

    base_color: Texture | None = None
    metallic_roughness: Texture | None = None
    """Green: perceptual roughness; blue: share of metal."""
    normal: Texture | None = None
    """Red, green, blue: normal from -1 … 1 along u, v (upwards) and outwards."""
    emissive: Texture | None = None
    film_thickness: Texture | None = None
    """Green: thickness of a thin film in nanometres."""

    def __bool__(self) -> bool:
        return any(getattr(self, entry.name) for entry in fields(self))


TEXTURE_KINDS = tuple(entry.name for entry in fields(Textures))
"""What a texture may hold, by the names of the fields."""


def texture_digest(pixels: NDArray[np.uint8]) -> str:
    """Return the SHA-256 (hex) of shape and pixels."""
    sha = hashlib.sha256(repr(pixels.shape).encode())
    sha.update(np.ascontiguousarray(pixels).data)
    return sha.hexdigest()
