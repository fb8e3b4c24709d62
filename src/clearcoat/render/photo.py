"""Photographs behind the product: listed in a fixed order, cut to the picture, exposed like it."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcoat.errors import RenderError
from clearcoat.product.images import decode
from clearcoat.render.develop import untone
from clearcoat.render.kept_files import version
from clearcoat.render.panorama import luminance
from clearcoat.scene import PhotoSample

Float32Array = NDArray[np.float32]

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
# The logarithmic mean of a scene whose white diffuser is 1, as the render's meter has it (the key
# of Reinhard et al. 2002, doi:10.1145/566654.566575). An arithmetic mean would follow the sky.
_KEY = 0.18
# A night stays darker than a day, and snow brighter.
_MOST_EV = 1.5


def list_photos(folder: Path) -> tuple[str, ...]:
    """Return the names of a folder's photographs, sorted.

    Raises:
        RenderError: the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise RenderError(
            "the folder of photographs does not exist",
            where=folder,
            do="mend backdrop.photo_folder in the spec (it is relative to the spec file)",
        )
    names = tuple(sorted(p.name for p in folder.iterdir() if p.suffix.lower() in SUFFIXES))
    if not names:
        raise RenderError(
            "the folder holds no photograph",
            where=folder,
            expected="files ending in " + ", ".join(SUFFIXES),
        )
    return names


def photo_behind(
    photo: PhotoSample, folder: Path, size: tuple[int, int], tone_curve: str
) -> Float32Array:
    """Return the radiance (H, W, 3) of a photograph behind a picture of `size` (width, height).

    It is what the picture's own development turns into the photograph again, but for its
    exposure, which is made that of the render.

    Raises:
        RenderError: the file is missing or no picture.
    """
    width, height = size
    file = folder / photo.name
    pixels = _read(file, version(file))
    left, top, right, bottom = crop(pixels.shape[1], pixels.shape[0], width / height, photo)
    piece = Image.fromarray(pixels).resize(
        size, Image.Resampling.LANCZOS, box=(left, top, right, bottom)
    )
    encoded = np.asarray(piece, np.float32) / np.float32(255)
    radiance = untone(_linear(encoded), tone_curve)
    mean = float(np.exp(np.log(luminance(radiance) + np.float32(1e-3)).mean()))
    radiance *= np.float32(min(max(_KEY / mean, 2**-_MOST_EV), 2**_MOST_EV))
    return defocused(radiance, photo.defocus / 100 * width)


def crop(
    width: int, height: int, aspect: float, photo: PhotoSample
) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom (pixels) of the piece that is shown, of the given aspect."""
    wide = min(width, height * aspect) / photo.zoom
    high = min(height, width / aspect) / photo.zoom
    left, top = (width - wide) * photo.place[0], (height - high) * photo.place[1]
    return left, top, min(left + wide, float(width)), min(top + high, float(height))


def defocused(radiance: Float32Array, radius_px: float) -> Float32Array:
    """Spread every point of (H, W, 3) radiance evenly over a disc; nothing below half a pixel."""
    if radius_px < 0.5:
        return radiance
    # Takes most of a second to import, and few specs have photographs.
    from scipy.signal import oaconvolve

    reach = math.ceil(radius_px)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    # Pixels that the disc's edge crosses count in part.
    disc = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    disc /= disc.sum()
    padded = np.pad(radiance, ((reach, reach), (reach, reach), (0, 0)), mode="symmetric")
    spread = oaconvolve(padded, disc[..., None], mode="valid", axes=(0, 1))
    result: Float32Array = np.maximum(spread, 0).astype(np.float32)
    return result


@lru_cache(maxsize=8)
def _read(path: Path, _version: object) -> NDArray[np.uint8]:
    """Return (H, W, 3) sRGB, the right way up."""
    try:
        pixels, why = decode(path.read_bytes(), turned=True)
    except OSError as error:
        pixels, why = None, error.strerror or str(error)
    if pixels is None:
        raise RenderError(
            "cannot read the photograph",
            where=path,
            found=why,
            expected="an 8-bit picture of at most a hundred million pixels",
            do="mend or remove the file; image choice follows the sorted names of the folder",
        )
    return np.ascontiguousarray(pixels[..., :3])


def _linear(encoded: Float32Array) -> Float32Array:
    """Undo the encoding of sRGB (IEC 61966-2-1)."""
    linear: Float32Array = np.where(
        encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4
    ).astype(np.float32)
    return linear
