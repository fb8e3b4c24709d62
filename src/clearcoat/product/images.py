"""Image files inside or beside a product, decoded with limits."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

LARGEST_SIDE = 2048
"""Larger pictures are reduced: no label and no photograph shows more of them."""
_MOST_PIXELS = 100_000_000


def decode(content: bytes, *, turned: bool = False) -> tuple[NDArray[np.uint8] | None, str]:
    """Return (H, W, 4) RGBA pixels; None where they cannot be read, and why, or what was done.

    A picture declares its size in its head, so a few bytes can ask for gigabytes: those above a
    hundred million pixels are refused before any is decoded. With `turned`, a photograph is
    turned as its camera says that it was held (Exif orientation).
    """
    from PIL import Image

    from clearcoat.product.orientation import upright

    try:
        with warnings.catch_warnings():
            # Pillow's own limit is lower than what production textures have; ours follows.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height > _MOST_PIXELS:
                    return None, f"{image.width:,} × {image.height:,} pixels are too many"
                reduced = max(image.size) > LARGEST_SIDE
                # A JPEG decodes at an eighth to a half of its size for less than the whole.
                image.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
                picture = _eight_bits(image)
                if turned:
                    picture = upright(picture, image)
                picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.BOX)
                pixels = np.asarray(picture, dtype=np.uint8)
    # Decoders of single formats (AVIF, DDS) say with a RuntimeError what others say with OSError.
    except (
        *(OSError, ValueError, SyntaxError, EOFError, RuntimeError),
        Image.DecompressionBombError,
    ) as error:
        return None, str(error) or type(error).__name__
    return pixels, f"reduced to {LARGEST_SIDE} pixels" if reduced else ""


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return the picture as 8-bit RGBA; 16-bit grey would be clipped, not scaled, by Pillow."""
    if image.mode.startswith("I;16"):
        from PIL import Image as Module

        grey = (np.asarray(image, dtype=np.uint16) >> 8).astype(np.uint8)
        return Module.fromarray(grey).convert("RGBA")
    return image.convert("RGBA")
