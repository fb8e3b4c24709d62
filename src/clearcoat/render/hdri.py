"""HDR environment files: list them in a fixed order, read one as a panorama."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import RenderError, did_you_mean
from clearcoat.render import backend
from clearcoat.render.kept_files import version
from clearcoat.render.panorama import HEIGHT

SUFFIXES = (".hdr", ".exr")


def list_hdris(folder: Path | None, patterns: Sequence[str] = ("*",)) -> tuple[str, ...]:
    """Return the names of a folder's environment files that match a glob of `patterns`, sorted.

    Raises:
        RenderError: the folder is missing or holds none, or a pattern matches none.
    """
    if folder is None:
        return ()
    if not folder.is_dir():
        raise RenderError(
            "the folder of HDR environments does not exist",
            where=folder,
            do="mend light.hdri_folder in the spec (it is relative to the spec file)",
        )
    names = tuple(sorted(p.name for p in folder.iterdir() if p.suffix.lower() in SUFFIXES))
    if not names:
        raise RenderError(
            "the folder holds no HDR environment",
            where=folder,
            expected="equirectangular files ending in " + " or ".join(SUFFIXES),
        )
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise RenderError(
                "a pattern of light.hdris matches no file of the folder",
                where=folder,
                found=pattern,
                do=did_you_mean(pattern, names),
            )
    return tuple(name for name in names if any(fnmatchcase(name, p) for p in patterns))


def read_hdri(path: Path, mi: Any, height: int = HEIGHT) -> NDArray[np.float32]:
    """Read an equirectangular file as a panorama of `height` rows.

    Raises:
        RenderError: the file cannot be read, or is no panorama.
    """
    return _read(path, version(path), mi, height).astype(np.float32)


@lru_cache(maxsize=64)
def _read(path: Path, _version: object, mi: Any, height: int) -> NDArray[Any]:
    """A file's panorama as float16 where that keeps every bit, else as float32.

    Reading takes as long as a third of a small picture, so the files of a usual folder are kept:
    3 MiB each, since a Radiance file has 8 bits of mantissa.
    """
    try:
        with backend.second_thread():
            bitmap = mi.Bitmap(str(path))
        width, rows = bitmap.size()
        if abs(width - 2 * rows) > max(2, 0.01 * width):
            raise RenderError(
                "the HDR environment is not twice as wide as high",
                where=path,
                found=f"{width} x {rows} pixels",
                expected="an equirectangular panorama: 360 by 180 degrees",
                do="convert it, or leave it out by a pattern of light.hdris",
            )
        bitmap = bitmap.convert(mi.Bitmap.PixelFormat.RGB, mi.Struct.Type.Float32)
        if tuple(bitmap.size()) != (2 * height, height):
            bitmap = bitmap.resample([2 * height, height])
        pixels = np.array(bitmap, dtype=np.float32)
    except RuntimeError as error:
        raise RenderError(
            "cannot read the HDR environment",
            where=path,
            found=str(error).strip().splitlines()[-1],
            expected="an equirectangular Radiance or OpenEXR file",
        ) from error
    # The file's centre looks along its -z when y is up; a panorama's first column along +y when
    # z is up. Both are the same layout, so rows and columns need no change.
    pixels = np.nan_to_num(np.maximum(pixels, 0), posinf=65504.0)
    with np.errstate(over="ignore"):
        half = pixels.astype(np.float16)
    return half if np.array_equal(half, pixels) else pixels
