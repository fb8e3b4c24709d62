"""Images to predict are read as photos are imported; results have names of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcoat.dataset.photos import read_photo
from clearcoat.errors import TrainingError
from clearcoat.training.pictures import output_names, read_image


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/car.jpg", "b/car.jpg", "c/bus.jpg"], ["car", "car-2", "bus"]),
        (["car-2.png", "car.jpg", "car.png"], ["car-2", "car", "car-3"]),
        (["car.jpg", "car.png", "car-2.png", "car-2.jpg"], ["car", "car-3", "car-2", "car-2-2"]),
    ],
)
def test_no_prediction_writes_over_another(files: list[str], names: list[str]) -> None:
    assert output_names([Path(file) for file in files]) == names


@pytest.mark.parametrize("kind", ["RGB", "L", "LA", "P", "CMYK", "I;16", "transparent palette"])
def test_a_photo_is_seen_as_its_import_sees_it(kind: str, tmp_path: Path) -> None:
    colours = np.arange(9 * 6 * 3, dtype=np.uint8).reshape(6, 9, 3)
    file = tmp_path / ("a.tif" if kind == "CMYK" else "a.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    if kind == "I;16":
        Image.fromarray(colours[..., 0].astype(np.uint16) * 257).save(file, exif=exif)
    elif kind == "transparent palette":
        picture = Image.fromarray(colours).convert("P")
        picture.save(file, transparency=bytes(range(256)), exif=exif)
    else:
        Image.fromarray(colours).convert(kind).save(file, exif=exif)
    pixels = read_image(file)
    assert np.array_equal(pixels, read_photo(file, 6, 9)[0])


def test_pixels_of_unknown_range_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(TrainingError, match="cannot read the image") as caught:
        read_image(tmp_path / "a.tif")
    assert "mode F" in str(caught.value.found)
