"""Characters on number plates: a picture for those that a CAD file leaves blank."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from clearcoat.materials.material import Material
from clearcoat.product.textures import Texture, Textures, texture_digest
from clearcoat.vehicles.glyphs import strokes
from clearcoat.vehicles.trim import draw_trim

PLATES = frozenset({"number_plate", "number_plate_yellow"})
"""The library materials that take characters."""
_ROWS = 112
_FINER = 4
_INK = 10
"""Of 255, linear: black letters reflect a twenty-fifth of what the sheeting does."""


def lettered(material: Material, owner: str, width_m: float, height_m: float) -> Material:
    """Return a plate's material with a border and an invented registration on it.

    Args:
        material: one of `PLATES`; its colour is the ground of the picture.
        owner: what the registration is drawn from: equal names, equal characters.
        width_m: of the plate's face.
        height_m: likewise.
    """
    seed = int.from_bytes(hashlib.sha256(owner.encode()).digest()[:4], "little")
    # Any style will do: registrations of the built-in vehicles are of no country.
    text = draw_trim("sedan", seed).plate_text
    pixels = _picture(text, width_m / height_m)
    color = Texture(
        texture_digest(pixels), pixels, srgb=False, factor=material.base_color, wrap="clamp"
    )
    return replace(material, textures=Textures(base_color=color))


def _picture(text: str, aspect: float) -> NDArray[np.uint8]:
    """(112, W, 4): dark on white, the first row at the top."""
    # What is long and narrow beyond any plate is drawn wider than it should be.
    columns = round(_ROWS * min(max(aspect, 0.5), 10.0))
    high, wide = _ROWS * _FINER, columns * _FINER
    picture = Image.new("L", (wide, high), 255)
    draw = ImageDraw.Draw(picture)
    edge = round(0.035 * high)
    draw.rounded_rectangle(
        (edge, edge, wide - edge - 1, high - edge - 1), radius=3 * edge, outline=_INK, width=edge
    )
    thick = 0.11 * high
    for line in strokes(text, 0.84 * wide, 0.6 * high):
        points = line * [1, -1] + [0.5 * wide, 0.5 * high]
        for start, end in pairwise(points):
            draw.line([*start, *end], fill=_INK, width=round(thick))
        for x, y in points:
            draw.ellipse([x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2], fill=_INK)
    grey = np.asarray(picture.resize((columns, _ROWS), Image.Resampling.BOX))
    return np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=2)
