"""The picture on a number plate: legible, and the same for all plates of a product."""

from __future__ import annotations

import numpy as np

from clearcoat.materials import LIBRARY
from clearcoat.materials.plates import _picture, lettered

PLATE = LIBRARY["number_plate"]


def test_plates_of_a_product_bear_the_same() -> None:
    assert lettered(PLATE, "car", 0.52, 0.11) == lettered(PLATE, "car", 0.52, 0.11)
    assert lettered(PLATE, "car", 0.52, 0.11) != lettered(PLATE, "van", 0.52, 0.11)


def test_the_ground_has_the_materials_colour_and_the_letters_are_dark() -> None:
    textures = lettered(LIBRARY["number_plate_yellow"], "car", 0.52, 0.11).textures
    assert textures is not None and textures.base_color is not None
    color = textures.base_color.linear()
    assert abs(color.shape[1] / color.shape[0] - 0.52 / 0.11) < 0.01
    np.testing.assert_allclose(color[0, 0], (0.70, 0.42, 0.010), rtol=1e-5)
    ink = (color[..., 0] < 0.1 * 0.70).mean()
    assert 0.1 < ink < 0.45


def test_characters_stand_upright() -> None:
    """An L: its bar at the left, its foot at the bottom, nothing at the top right."""
    dark = _picture("L", 1.0)[..., 0] < 128
    inside = dark[12:-12, 12:-12]
    rows, columns = np.nonzero(inside)
    letter = inside[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    # Six pixels are half a stroke, whose ends are round.
    assert letter[6:-6, 6].all()
    assert letter[-6, 6:-6].all()
    half = letter.shape[0] // 2, letter.shape[1] // 2
    assert not letter[: half[0], half[1] :].any()
