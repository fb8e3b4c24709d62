"""Swatches: every kind of material shows what it is, and the sheet holds them all."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from clearcoat.materials import LIBRARY
from clearcoat.render.swatches import swatch_sheet, swatch_sheet_size, swatches

_NAMES = (
    "chrome", "plastic_black_matt", "plastic_white_matt", "lamp_lens_red", "glass_clear",
    "paint_blue", "tyre_rubber", "copper",
)  # fmt: skip
_SIZE = 32


@pytest.fixture(scope="module")
def pictures() -> dict[str, NDArray[np.uint8]]:
    chosen = [LIBRARY[name] for name in _NAMES]
    return dict(zip(_NAMES, swatches(chosen, size=_SIZE, samples=16), strict=True))


def _ball(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The middle of the ball, which is in the upper middle of the picture."""
    middle: NDArray[np.int64] = picture[8:20, 11:21].astype(np.int64)
    return middle


def test_materials_look_like_what_they_are(pictures: dict[str, NDArray[np.uint8]]) -> None:
    mean = {name: _ball(picture).mean(axis=(0, 1)) for name, picture in pictures.items()}
    contrast = {name: _ball(picture).std(axis=(0, 1)).max() for name, picture in pictures.items()}
    assert mean["plastic_white_matt"].min() > 3 * mean["plastic_black_matt"].max()
    assert mean["tyre_rubber"].max() < 64
    assert contrast["tyre_rubber"] < 20 < contrast["chrome"]
    assert np.ptp(mean["chrome"]) < 8
    red, green, blue = mean["lamp_lens_red"]
    assert red > 2 * max(green, blue)
    red, green, blue = mean["paint_blue"]
    assert blue > 1.5 * max(red, green)
    red, green, blue = mean["copper"]
    assert red > green > 0.9 * blue


def test_the_floor_is_seen_through_glass_only(pictures: dict[str, NDArray[np.uint8]]) -> None:
    clear, white = (_ball(pictures[name]) for name in ("glass_clear", "plastic_white_matt"))
    assert clear.std() > 2 * white[2:-2, 2:-2].std()


def test_the_same_arguments_give_the_same_bytes(pictures: dict[str, NDArray[np.uint8]]) -> None:
    (again,) = swatches([LIBRARY["paint_blue"]], size=_SIZE, samples=16)
    assert np.array_equal(again, pictures["paint_blue"])


def test_sheet(pictures: dict[str, NDArray[np.uint8]]) -> None:
    materials = sorted((LIBRARY[name] for name in _NAMES), key=lambda m: m.category)
    shown = [pictures[material.name] for material in materials]
    sheet = swatch_sheet(materials, shown, columns=2)
    assert sheet.shape[:2] == swatch_sheet_size(materials, _SIZE, columns=2)
    windows = np.lib.stride_tricks.sliding_window_view(sheet, (_SIZE, _SIZE, 3))[:, :, 0]
    for picture in shown:
        assert (windows[..., :4, :, :] == picture[:4]).all(axis=(2, 3, 4)).any()
    with pytest.raises(ValueError, match="expected as many"):
        swatch_sheet(materials, shown[:-1])
