"""A picture of every material: a ball on a plinth in a photo studio, and a sheet of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from clearcoat.materials import Material
from clearcoat.render import backend, bsdf
from clearcoat.render.develop import denoise, develop
from clearcoat.render.panorama import HEIGHT, WIDTH, directions

Float32Array = NDArray[np.float32]
Picture = NDArray[np.uint8]

_PAPER = (255, 255, 255)
_INK = (24, 24, 27)
_GUIDE_SAMPLES = 4
_EXPOSURE_EV = -0.5


def swatches(
    materials: Iterable[Material], *, size: int = 128, samples: int = 64, seed: int = 0
) -> Iterator[Picture]:
    """Yield an (size, size, 3) uint8 sRGB picture of each material.

    The same arguments give the same bytes on the same machine and variant.

    Raises:
        RenderError: no renderer works here, or a measured material's file is missing or damaged.
    """
    mi = backend.load()
    stage = _stage(mi, size)
    path = mi.load_dict({"type": "path", "max_depth": 10, "rr_depth": 6})
    guide = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})
    for material in materials:
        surface = mi.load_dict(bsdf.describe(material, mi))
        scene = mi.load_dict({**stage, **_object(mi, surface)})
        radiance = np.array(mi.render(scene, integrator=path, spp=samples, seed=seed))[..., :3]
        guides = np.array(mi.render(scene, integrator=guide, spp=_GUIDE_SAMPLES, seed=seed))
        clean = denoise(
            np.nan_to_num(radiance, posinf=0, neginf=0).astype(np.float32),
            np.clip(np.nan_to_num(guides[..., :3]), 0, 1).astype(np.float32),
            np.nan_to_num(guides[..., 3:6]).astype(np.float32),
        )
        yield develop(clean, exposure_ev=_EXPOSURE_EV, tone_curve="filmic")


def swatch_sheet(
    materials: Sequence[Material], pictures: Sequence[Picture], columns: int = 10
) -> Picture:
    """Return the sheet of square pictures with names below, grouped by category.

    Raises ValueError where there are not as many pictures as materials, or none.
    """
    if not pictures or len(materials) != len(pictures):
        raise ValueError(f"{len(materials)} materials, {len(pictures)} pictures: expected as many")
    side = pictures[0].shape[0]
    gap, text_px, line_px = _spacing(side)
    cell = side + gap
    heading, body = ImageFont.load_default(text_px * 1.4), ImageFont.load_default(text_px)
    shown = iter(pictures)
    strips = []
    for category, rows in _rows(materials, side, columns):
        title = Image.new("RGB", (gap + columns * cell, 2 * line_px), _PAPER)
        ImageDraw.Draw(title).text((gap, 0), category, _INK, heading)
        strips.append(title)
        for names in rows:
            strip = Image.new("RGB", (title.width, _row_height(names, side)), _PAPER)
            draw = ImageDraw.Draw(strip)
            for column, lines in enumerate(names):
                left = gap + column * cell
                strip.paste(Image.fromarray(next(shown)), (left, 0))
                for number, line in enumerate(lines):
                    draw.text((left, side + 2 + number * line_px), line, _INK, body)
            strips.append(strip)
    margin = np.full((gap, gap + columns * cell, 3), 255, np.uint8)
    return np.concatenate([margin, *(np.asarray(strip) for strip in strips)])


def swatch_sheet_size(
    materials: Sequence[Material], side: int, columns: int = 10
) -> tuple[int, int]:
    """Return the (height, width) of the sheet of pictures of that side, before any is rendered."""
    gap, _, line_px = _spacing(side)
    height = gap
    for _, rows in _rows(materials, side, columns):
        height += 2 * line_px + sum(_row_height(names, side) for names in rows)
    return height, gap + columns * (side + gap)


def _rows(
    materials: Sequence[Material], side: int, columns: int
) -> Iterator[tuple[str, list[list[list[str]]]]]:
    """Yield each category with its rows; a row is the names below its pictures, in lines."""
    body = ImageFont.load_default(_spacing(side)[1])
    for category, group in groupby(materials, lambda material: material.category):
        names = [_lines(material.name, side, body) for material in group]
        yield category, [names[at : at + columns] for at in range(0, len(names), columns)]


def _row_height(names: Sequence[Sequence[str]], side: int) -> int:
    gap, _, line_px = _spacing(side)
    return side + gap + max(map(len, names)) * line_px


def _spacing(side: int) -> tuple[int, int, int]:
    """Gap between pictures, height of the text, and distance of its lines, in pixels."""
    text_px = max(side // 11, 9)
    return max(side // 16, 4), text_px, round(text_px * 1.5)


def _lines(name: str, width_px: int, font: Any) -> list[str]:
    """Break a name at underscores into lines as wide as its picture, if it has so short words."""
    lines = [""]
    for word in name.replace("_", "_ ").split():
        if lines[-1] and font.getlength(lines[-1] + word) > width_px:
            lines.append("")
        lines[-1] += word
    return lines


def _object(mi: Any, surface: Any) -> dict[str, Any]:
    """Return a ball of radius 1 on a plinth with a round edge, standing on z = 0."""
    transform = mi.ScalarTransform4f
    return {
        "ball": {
            "type": "sphere",
            # Its poles, where the direction of brushing turns in circles, point sideways.
            "to_world": transform().translate([0, 0, 1.32]).rotate([0, 1, 0], 90),
            "bsdf": surface,
        },
        "side": {
            "type": "cylinder", "p0": [0, 0, 0], "p1": [0, 0, 0.34], "radius": 0.95,
            "bsdf": surface,
        },
        "top": {
            "type": "disk",
            "to_world": transform().translate([0, 0, 0.34]).scale([0.95, 0.95, 1]),
            "bsdf": surface,
        },
    }  # fmt: skip


def _stage(mi: Any, size: int) -> dict[str, Any]:
    """Return scene entries: the studio's light, a floor to be seen through glass, the camera."""
    transform = mi.ScalarTransform4f
    y_up_to_z_up = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], float)
    checker = {
        "type": "checkerboard",
        "color0": {"type": "rgb", "value": 0.16},
        "color1": {"type": "rgb", "value": 0.42},
        "to_uv": transform().scale([18, 18, 1]),
    }
    return {
        "type": "scene",
        "light": {
            "type": "envmap",
            "bitmap": mi.Bitmap(_studio()),
            "to_world": transform(y_up_to_z_up),
        },
        "floor": {
            "type": "rectangle",
            "to_world": transform().rotate([0, 0, 1], 30).scale([14, 14, 1]),
            "bsdf": {"type": "diffuse", "reflectance": checker},
        },
        "sensor": {
            "type": "perspective",
            "fov": 24.0,
            "to_world": transform().look_at([0, -6.6, 2.9], [0, 0, 1.08], [0, 0, 1]),
            "film": {
                "type": "hdrfilm", "width": size, "height": size, "pixel_format": "rgb",
                "component_format": "float32", "rfilter": {"type": "box"},
            },
            "sampler": {"type": "independent"},
        },
    }  # fmt: skip


def _studio() -> Float32Array:
    """Draw a dim room with a key light, a strip that shows gloss, and a light from behind."""
    world = directions()
    up = world[..., 2]
    wall = 0.22 + 0.30 * np.clip(up, 0, 1) + 0.10 * np.clip(world[..., 1], 0, 1)
    panorama = np.repeat(wall[..., None], 3, axis=2)
    for azimuth_deg, elevation_deg, half_width, half_height, radiance in (
        (-135.0, 48.0, 0.36, 0.36, 9.0),
        (-28.0, 22.0, 0.10, 0.55, 6.0),
        (70.0, 35.0, 0.60, 0.15, 4.0),
    ):
        azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
        flat = math.cos(elevation)
        centre = np.array(
            [flat * math.cos(azimuth), flat * math.sin(azimuth), math.sin(elevation)], np.float32
        )
        side = np.cross(centre, [0, 0, 1.0])
        side /= np.linalg.norm(side)
        towards = world @ centre
        front = np.maximum(towards, 1e-3)
        lit = (
            (towards > 0)
            & (np.abs(world @ side / front) < half_width)
            & (np.abs(world @ np.cross(side, centre) / front) < half_height)
        )
        panorama[lit] = radiance
    return panorama.astype(np.float32).reshape(HEIGHT, WIDTH, 3)
