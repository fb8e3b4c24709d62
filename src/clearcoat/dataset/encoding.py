"""Arrays to the bytes of PNG files, and back.

The fast end of zlib is used: a record then takes a few milliseconds and some percent more room.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from clearcoat.dataset.labels import LabelRaster
from clearcoat.dataset.palette import set_colors

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises on files that are damaged, or not images."""

_COMPRESS_LEVEL = 1
_PALETTE_SIZE = 256
_DEPTH_STEPS = 65535


def why_unreadable(error: Exception) -> str:
    """Return what there is to say of a picture that could not be read."""
    if isinstance(error, UnidentifiedImageError):
        # Pillow names the address of the bytes in memory.
        return "cannot identify the kind of picture"
    return getattr(error, "strerror", None) or str(error)


def encode_image(image: NDArray[np.uint8]) -> bytes:
    """Return the PNG of (H, W, 3) uint8 sRGB."""
    return _png(Image.fromarray(image))


def encode_labels(labels: LabelRaster) -> bytes:
    """Return the PNG of a raster's indices: with a palette, or in 16 bits above 256 sets."""
    if len(labels.sets) > _PALETTE_SIZE:
        return _png(Image.fromarray(labels.index))
    picture = Image.fromarray(labels.index.astype(np.uint8))
    picture.putpalette(set_colors(labels.sets).tobytes())
    # Pillow would pack a short palette into fewer bits, which needs more of a reader.
    return _png(picture, bits=8)


def encode_parts(parts: NDArray[np.uint16]) -> bytes:
    """Return the 16-bit PNG of (H, W) uint16 part ids."""
    return _png(Image.fromarray(parts))


def encode_depth(depth: NDArray[np.float32]) -> tuple[bytes, float]:
    """Return the 16-bit PNG of (H, W) metres and its unit in metres; 0 stands for infinity.

    The unit is chosen from the greatest finite depth, so that what is stored is off by at
    most half a unit: 0.08 mm at 10 m.
    """
    finite = np.isfinite(depth)
    farthest = float(depth[finite].max()) if finite.any() else 1.0
    unit_m = farthest / _DEPTH_STEPS
    steps = np.clip(np.rint(np.where(finite, depth, 0) / unit_m), 1, _DEPTH_STEPS)
    return _png(Image.fromarray(np.where(finite, steps, 0).astype(np.uint16))), unit_m


def decode_depth(steps: NDArray[np.uint16], unit_m: float) -> NDArray[np.float32]:
    """Return (H, W) float32 metres, infinite where nothing was hit."""
    metres = (steps * np.float64(unit_m)).astype(np.float32)
    return np.where(steps == 0, np.float32(np.inf), metres)


def encode_normals(normals: NDArray[np.float32]) -> bytes:
    """Return the 8-bit RGB PNG of (H, W, 3) unit normals; black stands for none.

    A component c is stored as 128 + 127 c, so that what is stored is off by at most 0.4 degrees.
    """
    shown = np.abs(normals).max(axis=-1, keepdims=True) > 0
    return _png(Image.fromarray(np.where(shown, np.rint(128 + 127 * normals), 0).astype(np.uint8)))


def decode_normals(data: bytes) -> NDArray[np.float32]:
    """Return (H, W, 3) float32 unit normals; 0 where there is none."""
    with Image.open(BytesIO(data)) as picture:
        if picture.mode != "RGB":
            raise ValueError(f"expected three channels of 8 bits, found mode {picture.mode}")
        stored = np.asarray(picture)
    normals = (stored.astype(np.float32) - 128) / 127
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    shown = stored.any(axis=-1, keepdims=True) & (length > 0)
    return np.where(shown, normals / np.where(shown, length, 1), 0).astype(np.float32)


def encode_coverage(share: NDArray[np.uint8]) -> bytes:
    """Return the 8-bit greyscale PNG of (H, W, K) shares: K planes, one below the other."""
    height, width, count = share.shape
    planes = np.moveaxis(share, 2, 0).reshape(count * height, width)
    return _png(Image.fromarray(np.ascontiguousarray(planes)))


def decode_coverage(data: bytes, height: int) -> NDArray[np.uint8]:
    """Return (H, W, K) uint8 shares of planes of `height` rows each."""
    with Image.open(BytesIO(data)) as picture:
        if picture.mode != "L" or picture.height % height:
            raise ValueError(f"expected 8-bit greyscale planes of {height} rows each")
        planes = np.asarray(picture)
    return np.moveaxis(planes.reshape(-1, height, planes.shape[1]), 0, 2)


def decode_rgb(data: bytes) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 sRGB of an image file."""
    with Image.open(BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def decode_ids(data: bytes) -> NDArray[np.uint16]:
    """Return (H, W) uint16 of a palette or greyscale PNG: its values as they are stored."""
    with Image.open(BytesIO(data)) as picture:
        if picture.mode not in ("P", "L", "I;16", "I"):
            raise ValueError(f"expected one channel of integers, found mode {picture.mode}")
        return np.asarray(picture).astype(np.uint16)


def _png(picture: Image.Image, **options: int) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=_COMPRESS_LEVEL, **options)
    return buffer.getvalue()
