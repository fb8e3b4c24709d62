"""Make family.jpg, every style from all sides, and family_framed.jpg, framed as photographs are.

python docs/images/family.py [sheet] [framed]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from clearcoat.dataset import Record, class_colors
from clearcoat.dataset.overlay import above, beside, contact_sheet, legend_strip, overlay
from clearcoat.generation import Studio, load_scene

_HERE = Path(__file__).parent
_PRESET = str(files("clearcoat") / "generation" / "presets" / "family.yaml")
_PHOTOS = str(_HERE.parents[1] / "examples" / "vehicles" / "photos.yaml")

_ROWS = (
    ("sedan",),
    ("hatchback",),
    ("estate",),
    ("coupe",),
    ("suv",),
    ("van",),
    ("pickup",),
    ("hatchback+suv", "suv+van"),
)
_SIDES_DEG = (8, 45, 95, 140, 185, 320)
_SAMPLES = 32


class _Framing(NamedTuple):
    """A vehicle as one photograph shows another."""

    style: str
    seed: int
    azimuth_deg: float
    elevation_deg: float
    focal_mm: float
    aspect: float
    """Width over height of what a pixel of the photograph covers."""
    fill: float
    shift: tuple[float, float]
    hdri: str
    light_deg: float
    paint: str


_FRAMED = (
    _Framing("sedan", 1, 2, 20, 28, 1.36, 0.80, (-0.01, 0.01), "modern_buildings_2*", 0, "#dcdbd6"),
    _Framing("suv", 2, 0, 10, 30, 1.30, 0.78, (-0.01, 0.01), "empty_warehouse_01*", 0, "#eeeeeb"),
    _Framing("sedan", 3, 322, 10, 40, 1.38, 0.78, (0, 0.01), "rooitou_park*", 0, "#eeeeeb"),
    _Framing("suv", 4, 48, 9, 45, 1.30, 0.73, (0.02, 0.06), "adams_place_bridge*", 60, "#e8e6df"),
    _Framing("pickup", 5, 84, 6, 45, 1.28, 0.90, (-0.01, 0), "sunny_vondelpark*", 90, "#b4b7ba"),
    _Framing("hatchback", 6, 272, 3, 60, 1.36, 0.78, (0.02, 0.14), "leadenhall*", 0, "#0c0d0f"),
    _Framing("hatchback", 7, 58, 5, 60, 1.44, 0.77, (-0.01, 0.02), "hilly_terrain*", 0, "#eeeeeb"),
    _Framing("pickup", 8, 222, 2, 50, 1.62, 0.85, (-0.01, 0.04), "kloppenheim*", 0, "#b5641e"),
    _Framing("sedan", 9, 142, 7, 40, 1.24, 0.89, (0.01, 0.09), "studio_small_03*", 0, "#e6e6e4"),
    _Framing("suv", 10, 227, 4, 50, 1.22, 0.82, (0.01, 0.03), "lebombo*", 0, "#b4b7ba"),
    _Framing("hatchback", 11, 212, 7, 50, 1.14, 0.82, (-0.03, 0.11), "immenstadter*", 0, "#a30d12"),
    _Framing("sedan", 12, 180, 9, 40, 1.26, 0.69, (0.01, 0.07), "potsdamer*", 180, "#b9bcbf"),
)


def main() -> None:
    """Render the pictures that are asked for, or both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", metavar="sheet|framed")
    which = parser.parse_args().which or ["sheet", "framed"]
    if "sheet" in which:
        Image.fromarray(_sheet()).save(_HERE / "family.jpg", quality=88)
    if "framed" in which:
        Image.fromarray(_framed()).save(_HERE / "family_framed.jpg", quality=88)


def _sheet() -> NDArray[np.uint8]:
    """Rows of styles, columns of sides: each picture beside its labels, and a legend."""
    rows = []
    for row, styles in enumerate(_ROWS):
        tiles = []
        for column, side in enumerate(_SIDES_DEG):
            number = row * len(_SIDES_DEG) + column
            record, names = _record(
                {
                    "extends": _PRESET,
                    "product": {"builtin": styles[column * len(styles) // 6], "seed": number},
                    "camera": {"azimuth_deg": {"normal": {"mean": side, "std": 6}}},
                    "render": {"samples": _SAMPLES},
                },
                number,
                128,
            )
            colors = class_colors(len(names))
            tiles.append(beside(record.image, overlay(record.image, record.labels, colors)))
        rows.append(beside(_title(styles, 128), contact_sheet(tiles, len(tiles))))
    sheet = above(*rows)
    return above(sheet, legend_strip(names, class_colors(len(names)), sheet.shape[1]))


def _title(lines: tuple[str, ...], height: int) -> NDArray[np.uint8]:
    picture = Image.new("RGB", (118, height), "white")
    text = "\n".join(lines)
    font = ImageFont.load_default(15)
    ImageDraw.Draw(picture).text((112, height / 2), text, "black", font, anchor="rm", align="right")
    return np.asarray(picture)


def _framed() -> NDArray[np.uint8]:
    tiles = []
    for one in _FRAMED:
        spec = {
            "extends": [_PRESET, _PHOTOS],
            "product": {"builtin": one.style, "seed": one.seed},
            "camera": {
                "azimuth_deg": one.azimuth_deg,
                "elevation_deg": one.elevation_deg,
                "focal_mm": one.focal_mm,
                "pixel_aspect_ratio": one.aspect,
                "fill": one.fill,
                "shift_x": one.shift[0],
                "shift_y": one.shift[1],
                "roll_deg": 0,
            },
            "light": {
                "environments": {"hdri": 1, "sky": 0, "studio": 0, "busy": 0},
                "hdris": [one.hdri],
                "azimuth_deg": one.light_deg,
                "sun": {"probability": 0},
                "exposure_ev": 0.4,
            },
            "backdrop": {"modes": {"grounded": 1, "surface": 0, "skybox": 0, "plain": 0}},
            "paint": {"colors": [one.paint], "metallic": 0.3, "roughness": 0.35},
            "render": {"samples": _SAMPLES},
        }
        tiles.append(_record(spec, 0, 200)[0].image)
    return contact_sheet(tiles, 4, gap_px=0)


def _record(spec: Mapping[str, object], index: int, size: int) -> tuple[Record, tuple[str, ...]]:
    """Return image `index` of a spec, and the names of its classes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(yaml.safe_dump(dict(spec)))
        scene = load_scene(path)
        return Studio(scene, (size, size), 0).record(index), scene.classes.names


if __name__ == "__main__":
    main()
