"""Tiles cover every pixel, and blending leaves a constant answer constant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearcoat.errors import UsageError
from clearcoat.training import Predictor, Tiling


class _Seen(Predictor):
    """A predictor whose model answers with the image's own brightness, as seen in a tile."""

    def __init__(self) -> None:
        self.classes = ("bright",)
        self.tiles: list[tuple[int, ...]] = []

    def _whole(self, image):  # type: ignore[no-untyped-def]
        self.tiles.append(image.shape)
        return image[..., :1].transpose(2, 0, 1).astype(np.float32) / 255


@given(
    st.integers(1, 60), st.integers(1, 60), st.integers(1, 25), st.sampled_from([0.0, 0.25, 0.9])
)
def test_every_pixel_keeps_its_answer(height: int, width: int, side: int, overlap: float) -> None:
    random = np.random.default_rng(height * 61 + width)
    image = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    seen = _Seen()
    found = seen(image, Tiling(side, overlap))
    np.testing.assert_allclose(found[0], image[..., 0] / 255, atol=1e-5)
    assert set(seen.tiles) == {(min(side, height), min(side, width), 3)}


def test_neighbours_overlap_as_much_as_asked_and_no_tile_is_wasted() -> None:
    places = list(Tiling(100, 0.25).places(100, 250))
    assert [left for _, left, _, _ in places] == [0, 75, 150]
    assert len(list(Tiling(100, 0.0).places(200, 300))) == 6


def test_seams_are_blended() -> None:
    class Odd(_Seen):
        def _whole(self, image):  # type: ignore[no-untyped-def]
            number = len(self.tiles)
            return super()._whole(image) * 0 + number

    found = Odd()(np.zeros((20, 35, 3), np.uint8), Tiling(20, 0.25))
    row = found[0, 0]
    assert row[0] == 0 and row[-1] == 1
    assert (np.diff(row) >= 0).all() and np.diff(row).max() < 0.3


@pytest.mark.parametrize(("side", "overlap"), [(0, 0.25), (10, 1.0), (10, -0.1)])
def test_tilings_that_make_no_sense_are_refused(side: int, overlap: float) -> None:
    with pytest.raises(UsageError):
        Tiling(side, overlap)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_arrays_that_are_no_images_are_refused(image: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(UsageError, match="not an image"):
        _Seen()(image)
