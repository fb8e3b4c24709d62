"""Photographs as cameras and web sites leave them, to 8-bit sRGB pixels."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcoat.dataset.encoding import UNREADABLE, why_unreadable
from clearcoat.dataset.record import EncodedImage
from clearcoat.errors import DatasetError
from clearcoat.product.orientation import upright

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


def read_photo(
    path: Path, width: int, height: int
) -> tuple[NDArray[np.uint8], EncodedImage | None]:
    """Return a photograph's (height, width, 3) uint8 pixels, and its file if that can be kept.

    The size is the one for which the labels were drawn: it decides whether a rotation in the
    EXIF data is applied (a square photograph is rotated). Greyscale, CMYK and palette images
    become RGB, alpha is dropped, 16 bits become 8. Only a JPEG file that holds
    these very pixels may be kept as it is.

    Raises DatasetError when the file is missing, damaged, or of another size.
    """
    pixels, original = _decoded(
        path, (width, height), "replace the file, or take it out of the label file"
    )
    if pixels.shape[:2] != (height, width):
        raise DatasetError(
            "the image does not have the size for which its labels were drawn",
            where=path,
            found=f"{pixels.shape[1]} × {pixels.shape[0]} pixels",
            expected=f"{width} × {height} pixels, as the label file says",
            do="use the images that were labelled, not resized or cropped copies",
        )
    return pixels, original


def read_unlabelled(path: Path) -> tuple[NDArray[np.uint8], EncodedImage | None]:
    """Return a photograph's pixels and file as `read_photo` does, upright as its EXIF data says.

    Raises DatasetError when the file is missing or damaged.
    """
    return _decoded(path, None, "replace the file, or take it away")


def find_images(paths: Sequence[Path]) -> list[Path]:
    """Return the image files among `paths`, and those in folders, in order of name.

    Raises DatasetError for a path that does not exist and a folder without images.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(f for f in path.iterdir() if f.suffix.lower() in SUFFIXES)
            if not inside:
                raise DatasetError(
                    "no images in the folder",
                    where=path,
                    expected="files named " + ", ".join("*" + s for s in sorted(SUFFIXES)),
                )
            files += inside
        elif path.is_file():
            files.append(path)
        else:
            raise DatasetError("no such image", where=path)
    return files


def _decoded(
    path: Path, size: tuple[int, int] | None, remedy: str
) -> tuple[NDArray[np.uint8], EncodedImage | None]:
    """Return pixels, upright unless only the file as it lies has that size, and the file."""
    try:
        data = path.read_bytes()
        with Image.open(BytesIO(data)) as picture:
            turned = upright(picture)
            kept = picture.format == "JPEG" and picture.mode == "RGB" and turned is picture
            pixels = rgb_pixels(turned if size is None or turned.size == size else picture)
    except UNREADABLE as error:
        raise DatasetError(
            "cannot read the image",
            where=path,
            found=why_unreadable(error),
            expected="a JPEG, PNG or other image file",
            do=f"{remedy}, and run the command again",
        ) from error
    return pixels, EncodedImage(data, ".jpg") if kept else None


def rgb_pixels(picture: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of a picture of any kind; raises ValueError where its range is unknown."""
    if picture.mode.startswith("I;16"):
        # Pillow clips 16 bits at 255 instead of scaling them.
        grey = (np.asarray(picture).astype(np.uint32) + 128) // 257
        return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    if picture.mode in ("I", "F"):
        raise ValueError(f"pixels of unknown range (mode {picture.mode})")
    if picture.mode in ("P", "LA", "PA"):
        # A palette may carry transparency, which goes by way of RGBA without a warning.
        picture = picture.convert("RGBA")
    return np.array(picture.convert("RGB"))
