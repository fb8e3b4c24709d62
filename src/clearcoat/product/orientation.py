"""Pictures turned as the camera was held."""

from __future__ import annotations

from PIL import Image

_ORIENTATION = 0x0112
_UPRIGHT = 1
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its orientation (Exif 2.32, 4.6.4)."""


def upright(picture: Image.Image, file: Image.Image | None = None) -> Image.Image:
    """Return the picture turned as its EXIF data says that the camera was held.

    `file` is the picture as it was opened, where `picture` is made of it and has lost that data.
    Only that one tag is read: Pillow's `exif_transpose` writes all of them back, and cannot where
    one of the others has a value of the wrong type.
    """
    file = file or picture
    # TIFF files are turned as they are loaded, and their tag is gone then.
    file.load()
    turn = _TURNS.get(file.getexif().get(_ORIENTATION, _UPRIGHT))
    return picture if turn is None else picture.transpose(turn)
