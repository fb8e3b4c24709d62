from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from clearcoat.dataset import Dataset, formats
from clearcoat.dataset.photos import find_images, read_photo
from clearcoat.errors import DatasetError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3)).astype(np.uint8)


def test_an_rgb_jpeg_is_kept(tmp_path):
    file = tmp_path / "a.jpeg"
    Image.fromarray(PIXELS).save(file)
    pixels, original = read_photo(file, 9, 6)
    assert original is not None
    assert (original.suffix, original.data) == (".jpg", file.read_bytes())
    with Image.open(file) as picture:
        assert np.array_equal(pixels, np.asarray(picture))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_an_exif_rotation_is_applied(tmp_path, orientation):
    file = tmp_path / "a.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(file, exif=exif)
    upright = {
        2: PIXELS[:, ::-1],
        3: PIXELS[::-1, ::-1],
        4: PIXELS[::-1],
        5: PIXELS.transpose(1, 0, 2),
        6: np.rot90(PIXELS, -1),
        7: PIXELS[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(PIXELS),
    }[orientation]
    pixels, original = read_photo(file, upright.shape[1], upright.shape[0])
    assert np.array_equal(pixels, upright)
    assert original is None


def test_a_photo_is_turned_whatever_else_its_exif_data_say(tmp_path):
    """Pillow cannot write back a tag of the wrong type, and need not."""
    # Little-endian TIFF with two tags: orientation 6, and a resolution unit of type UNDEFINED.
    entries = struct.pack("<HHLL", 0x0112, 3, 1, 6) + struct.pack("<HHLL", 0x0128, 7, 1, 2)
    tags = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + b"\0\0\0\0"
    Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=tags)
    with Image.open(tmp_path / "a.png") as picture, pytest.raises((struct.error, TypeError)):
        ImageOps.exif_transpose(picture)
    pixels, _ = read_photo(tmp_path / "a.png", 6, 9)
    assert np.array_equal(pixels, np.rot90(PIXELS, -1))


def test_labels_drawn_on_unrotated_pixels_keep_them(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    pixels, _ = read_photo(tmp_path / "a.png", 9, 6)
    assert np.array_equal(pixels, PIXELS)


def test_a_rotated_jpeg_is_not_kept(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg", exif=exif)
    assert read_photo(tmp_path / "a.jpg", 9, 6)[1] is None


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK", "I;16", "RGB"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    grey = PIXELS[..., 0]
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(grey).convert("RGB" if mode == "CMYK" else "L").convert(mode)
    file = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    picture.save(file)
    pixels, original = read_photo(file, 9, 6)
    assert original is None
    assert (pixels.shape, pixels.dtype) == ((6, 9, 3), np.uint8)
    expected = np.asarray(picture.convert("L")) if mode == "1" else grey
    assert np.array_equal(pixels, np.repeat(expected[..., None], 3, axis=2))


@pytest.mark.parametrize(
    ("content", "message"), [(None, "No such file"), (b"no image", "cannot identify")]
)
def test_what_is_no_image(tmp_path, content, message):
    file = tmp_path / "a.jpg"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read_photo(file, 9, 6)
    assert message in str(caught.value)
    assert "0x" not in str(caught.value)
    assert caught.value.where == str(file)


def test_a_truncated_image(tmp_path):
    file = tmp_path / "a.jpg"
    Image.fromarray(np.kron(PIXELS, np.ones((20, 20, 1), np.uint8))).save(file)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(DatasetError, match="cannot read the image"):
        read_photo(file, 180, 120)


def test_another_size(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    with pytest.raises(DatasetError) as caught:
        read_photo(tmp_path / "a.png", 18, 12)
    assert caught.value.found == "9 × 6 pixels"


def test_images_without_labels_are_ignored_all_over(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "in").mkdir()
    Image.fromarray(PIXELS).save(tmp_path / "in" / "b.png", exif=exif)
    Image.fromarray(PIXELS).save(tmp_path / "in" / "a.jpg")
    (tmp_path / "in" / "notes.txt").write_text("no image")
    assert formats.import_images([tmp_path / "in"], tmp_path / "out", ("x", "y")) == (2, 2)
    assert formats.import_images([tmp_path / "in"], tmp_path / "out", ("x", "y")) == (0, 2)
    data = Dataset.open(tmp_path / "out")
    assert data.classes == ("x", "y")
    assert [data.image(n).shape for n in data.indices] == [(6, 9, 3), (9, 6, 3)]
    assert np.array_equal(data.image(1), np.rot90(PIXELS, -1))
    assert all(data.labels(n).ignore().all() for n in data.indices)


def test_images_that_are_not_there_are_named(tmp_path):
    with pytest.raises(DatasetError, match="no images in the folder"):
        find_images([tmp_path])
    with pytest.raises(DatasetError, match="no such image"):
        find_images([tmp_path / "a.png"])
