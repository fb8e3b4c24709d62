"""Label overlays, legends and contact sheets: the one place where labels are drawn for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from clearcoat.dataset.labels import LabelRaster

PAPER = (255, 255, 255)
INK = (24, 24, 27)
_OUTLINE_DARKNESS = 0.45
_HATCH_LIGHTNESS = 205
_HATCH_DARKNESS = 70
IGNORE_LABEL = "not scored"


def overlay(
    image: NDArray[np.uint8],
    labels: LabelRaster,
    colors: NDArray[np.uint8],
    *,
    alpha: float = 0.45,
    outline: bool = True,
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the image with each pixel's class colour mixed in.

    `colors` is (C, 3) uint8 sRGB; a pixel of several classes gets their mean. `alpha` is the
    share of the class colour. With `outline`, a darker line one pixel wide runs inside each
    class region along its edge. Pixels to be ignored are grey with diagonal hatching;
    background shows the image as it is.

    Raises ValueError where image and labels differ in size.
    """
    if image.shape[:2] != labels.shape or image.dtype != np.uint8 or image.ndim != 3:
        raise ValueError(
            f"overlay: expected a uint8 image of {labels.shape}, got {image.dtype} {image.shape}"
        )
    table = np.zeros((len(labels.sets), 3))
    weight = np.zeros(len(labels.sets))
    for position, members in enumerate(labels.sets):
        if members:
            table[position] = colors[sorted(members)].mean(axis=0)
            weight[position] = alpha
    tint = table[labels.index]
    share = weight[labels.index][..., None]
    mixed = (1 - share) * image + share * tint
    if outline:
        # Background and ignored pixels rank below every class, so a class always draws its edge.
        ranks = np.array([1 + p if s else 0 for p, s in enumerate(labels.sets)])
        edge = _inner_edges(ranks[labels.index])
        mixed[edge] = _OUTLINE_DARKNESS * tint[edge]
    ignored = labels.ignore()
    if ignored.any():
        hatched = _hatching(*labels.shape)
        grey = 0.4 * image.mean(axis=2, keepdims=True) + 0.6 * hatched[..., None]
        mixed[ignored] = np.broadcast_to(grey, mixed.shape)[ignored]
    drawn: NDArray[np.uint8] = mixed.round().clip(0, 255).astype(np.uint8)
    return drawn


def legend(
    names: Sequence[str], colors: NDArray[np.uint8], height: int, *, ignore: bool = False
) -> NDArray[np.uint8]:
    """(height, W, 3) uint8: names with their colours, in as many columns as the height needs.

    Put it beside a picture of that height. `ignore` adds the hatching of ignored pixels.
    """
    text_px = max(10, min(16, height // 16))
    rows = max(1, (height - text_px // 2) // _line_px(text_px))
    font = ImageFont.load_default(text_px)
    entries = _entries(names, ignore)
    columns = [entries[start : start + rows] for start in range(0, len(entries), rows)]
    widths = [max(_entry_width(name, font, text_px) for name, _ in column) for column in columns]
    canvas = Image.new("RGB", (max(1, sum(widths) + text_px // 2), height), PAPER)
    left = text_px // 2
    for column, width in zip(columns, widths, strict=True):
        for row, (name, number) in enumerate(column):
            top = text_px // 2 + row * _line_px(text_px)
            _draw_entry(canvas, (left, top), name, _swatch(number, colors, text_px), font)
        left += width
    return np.asarray(canvas)


def legend_strip(
    names: Sequence[str], colors: NDArray[np.uint8], width: int, *, ignore: bool = False
) -> NDArray[np.uint8]:
    """(H, width, 3) uint8: names with their colours, wrapped like text; H is what they need.

    Put it above or below a picture of that width.
    """
    text_px = max(10, min(20, width // 44))
    font = ImageFont.load_default(text_px)
    gap = text_px // 2
    left, top = gap, gap
    placed = []
    for name, number in _entries(names, ignore):
        wide = _entry_width(name, font, text_px)
        if left > gap and left + wide > width:
            left, top = gap, top + _line_px(text_px)
        placed.append((name, number, left, top))
        left += wide
    canvas = Image.new("RGB", (width, top + _line_px(text_px)), PAPER)
    for name, number, x, y in placed:
        _draw_entry(canvas, (x, y), name, _swatch(number, colors, text_px), font)
    return np.asarray(canvas)


def contact_sheet_size(
    cell: tuple[int, int], count: int, columns: int, *, gap_px: int = 4
) -> tuple[int, int]:
    """Return (height, width) of the sheet of `count` tiles, the largest of the size `cell`."""
    columns = min(columns, count)
    rows = -(-count // columns)
    height, width = cell
    return rows * (height + gap_px) + gap_px, columns * (width + gap_px) + gap_px


def contact_sheet(
    tiles: Sequence[NDArray[np.uint8]], columns: int, *, gap_px: int = 4
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the tiles in rows of `columns`, each centred in a cell of the largest size.

    Raises ValueError where there are no tiles or no columns.
    """
    if not tiles or columns < 1:
        raise ValueError(f"contact_sheet: {len(tiles)} tiles in {columns} columns")
    columns = min(columns, len(tiles))
    cell_height = max(tile.shape[0] for tile in tiles)
    cell_width = max(tile.shape[1] for tile in tiles)
    size = contact_sheet_size((cell_height, cell_width), len(tiles), columns, gap_px=gap_px)
    sheet = np.full((*size, 3), PAPER, dtype=np.uint8)
    for position, tile in enumerate(tiles):
        row, column = divmod(position, columns)
        height, width = tile.shape[:2]
        top = gap_px + row * (cell_height + gap_px) + (cell_height - height) // 2
        left = gap_px + column * (cell_width + gap_px) + (cell_width - width) // 2
        sheet[top : top + height, left : left + width] = tile
    return sheet


def beside(*pictures: NDArray[np.uint8], gap_px: int = 0) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the pictures from left to right, lower ones padded with paper below."""
    height = max(picture.shape[0] for picture in pictures)
    padded = [_padded(picture, height, picture.shape[1]) for picture in pictures]
    gap = np.full((height, gap_px, 3), PAPER, dtype=np.uint8)
    pieces = [piece for picture in padded for piece in (picture, gap)][:-1]
    return np.concatenate(pieces, axis=1)


def above(*pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: the pictures from top to bottom, narrower ones padded with paper."""
    width = max(picture.shape[1] for picture in pictures)
    return np.concatenate([_padded(p, p.shape[0], width) for p in pictures], axis=0)


def _padded(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    canvas = np.full((height, width, 3), PAPER, dtype=np.uint8)
    canvas[: picture.shape[0], : picture.shape[1]] = picture
    return canvas


def _inner_edges(rank: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(H, W) bool: pixels with a neighbour (of four) of a lower rank.

    Of two regions that meet only the higher one draws, which keeps the line one pixel wide.
    """
    edge = np.zeros(rank.shape, dtype=np.bool_)
    edge[:-1] |= rank[:-1] > rank[1:]
    edge[1:] |= rank[1:] > rank[:-1]
    edge[:, :-1] |= rank[:, :-1] > rank[:, 1:]
    edge[:, 1:] |= rank[:, 1:] > rank[:, :-1]
    return edge


def _hatching(height: int, width: int) -> NDArray[np.float64]:
    """(H, W): grey levels of diagonal stripes, wider on larger pictures."""
    period = max(4, round(max(height, width) / 40))
    rows, columns = np.mgrid[:height, :width]
    dark = (rows + columns) % period < max(1, period // 3)
    levels: NDArray[np.float64] = np.where(dark, _HATCH_DARKNESS, _HATCH_LIGHTNESS).astype(float)
    return levels


def _entries(names: Sequence[str], ignore: bool) -> list[tuple[str, int | None]]:
    entries: list[tuple[str, int | None]] = [(name, n) for n, name in enumerate(names)]
    return [*entries, (IGNORE_LABEL, None)] if ignore else entries


def _line_px(text_px: int) -> int:
    return round(text_px * 1.6)


def _entry_width(
    name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text_px: int
) -> int:
    return round(text_px + text_px // 2 + font.getlength(name) + text_px)


def _swatch(number: int | None, colors: NDArray[np.uint8], side: int) -> Image.Image:
    if number is None:
        levels = _hatching(side, side).astype(np.uint8)
        return Image.fromarray(np.repeat(levels[..., None], 3, axis=2))
    return Image.new("RGB", (side, side), tuple(int(v) for v in colors[number]))


def _draw_entry(
    canvas: Image.Image,
    at: tuple[int, int],
    name: str,
    swatch: Image.Image,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    left, top = at
    side = swatch.width
    canvas.paste(swatch, at)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((left, top, left + side - 1, top + side - 1), outline=INK)
    draw.text((left + side + side // 2, top + side / 2), name, fill=INK, font=font, anchor="lm")
