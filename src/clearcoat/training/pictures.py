"""Predictions as pictures: image files in, overlays and masks out."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcoat.dataset import LabelRaster, class_colors
from clearcoat.dataset.encoding import why_unreadable
from clearcoat.dataset.files import write_whole
from clearcoat.dataset.overlay import above, legend_strip, overlay
from clearcoat.dataset.palette import set_colors
from clearcoat.dataset.photos import rgb_pixels
from clearcoat.errors import ClearcoatError, TrainingError
from clearcoat.product.orientation import upright
from clearcoat.training.metrics import THRESHOLD
from clearcoat.training.predictor import Predictor
from clearcoat.training.tiles import Tiling

_MAX_PALETTE = 256


def output_names(files: Sequence[Path]) -> list[str]:
    """Return one name per file to write under: the stem, with a number where two would clash."""
    # Stems come first: car-2.png keeps its own beside two files named car.
    taken = {file.stem for file in files}
    met: set[str] = set()
    names = []
    for file in files:
        name, number = file.stem, 1
        while name in met or (number > 1 and name in taken):
            number += 1
            name = f"{file.stem}-{number}"
        met.add(name)
        names.append(name)
    return names


def read_image(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB, upright as its EXIF data says. Raises TrainingError.

    The pixels are those with which the photograph would be imported, as training images are.
    """
    try:
        # By way of its bytes: Pillow maps an uncompressed TIFF file into memory, and of one that
        # is to be rotated it then mixes up the rows.
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            return rgb_pixels(upright(picture))
    # Pillow raises SyntaxError for some broken PNG files.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise TrainingError(
            "cannot read the image",
            where=path,
            found=why_unreadable(error),
            expected="a JPEG, PNG, WebP, BMP or TIFF file of 8 or 16 bits",
        ) from error


def write_prediction(
    predictor: Predictor, file: Path, out: Path, name: str, tiling: Tiling | None = None
) -> dict[str, Any]:
    """Segment `file`, write NAME.overlay.png, NAME.mask.png and NAME.json, return the JSON."""
    image = read_image(file)
    planes = predictor(image, tiling) >= THRESHOLD
    raster = LabelRaster.from_planes(planes)
    colors = set_colors(raster.sets)
    mask, numbers = _mask_picture(raster, colors)
    shares = planes.mean(axis=(1, 2))
    finding = {
        "image": str(file),
        "width": image.shape[1],
        "height": image.shape[0],
        "threshold": THRESHOLD,
        "overlay": f"{name}.overlay.png",
        "mask": f"{name}.mask.png",
        "values": [
            {
                "value": value,
                "classes": [predictor.classes[c] for c in sorted(raster.sets[position] or ())],
                "color": colors[position].tolist(),
            }
            for position, value in sorted(numbers.items(), key=lambda pair: pair[1])
        ],
        "share_of_image": {
            name: round(float(share), 6)
            for name, share in zip(predictor.classes, shares, strict=True)
        },
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / f"{name}.overlay.png", _png(_overlay(image, raster, predictor.classes)))
        write_whole(out / f"{name}.mask.png", _png(mask))
        write_whole(out / f"{name}.json", json.dumps(finding, indent=1).encode())
    except (OSError, ClearcoatError) as error:
        raise TrainingError("cannot write the prediction", where=out, found=error) from error
    return finding


def _overlay(image: NDArray[np.uint8], raster: LabelRaster, classes: Sequence[str]) -> Image.Image:
    """Draw the labels over (H, W, 3), with a legend of the classes that occur below."""
    colors = class_colors(len(classes))
    painted = overlay(image, raster, colors)
    present = sorted(set().union(*(members or () for members in raster.sets)))
    if not present:
        return Image.fromarray(painted)
    names = [classes[number] for number in present]
    return Image.fromarray(above(painted, legend_strip(names, colors[present], image.shape[1])))


def _mask_picture(
    raster: LabelRaster, colors: NDArray[np.uint8]
) -> tuple[Image.Image, dict[int, int]]:
    """A palette picture whose value 0 is background, and the value of each class set."""
    ordered = sorted(
        range(len(raster.sets)),
        key=lambda p: (len(raster.sets[p] or ()), sorted(raster.sets[p] or ())),
    )
    start = 0 if frozenset() in raster.sets else 1
    if len(ordered) + start > _MAX_PALETTE:
        raise TrainingError(
            "the prediction has more combinations of classes than a palette picture can hold",
            found=len(ordered),
            expected=f"at most {_MAX_PALETTE - start}",
            do="use the Predictor in Python, which returns one map per class",
        )
    numbers = {position: value for value, position in enumerate(ordered, start=start)}
    lookup = np.zeros(len(raster.sets), np.uint8)
    palette = np.zeros((_MAX_PALETTE, 3), np.uint8)
    for position, value in numbers.items():
        lookup[position] = value
        palette[value] = colors[position]
    picture = Image.fromarray(lookup[raster.index])
    picture.putpalette(palette.tobytes())
    return picture, numbers


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
