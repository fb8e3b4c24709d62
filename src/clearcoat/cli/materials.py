"""`clearcoat materials`: list the material library, and render a sheet of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from clearcoat.cli._options import json_option, print_json, refuse_too_large, track
from clearcoat.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from clearcoat.materials import Material


@click.command("materials")
@click.argument("names", nargs=-1)
@click.option(
    "--sheet",
    type=click.Path(path_type=Path),
    help="PNG or JPEG file: render every material instead of listing it.",
)
@click.option(
    "--size",
    type=click.IntRange(16, 1024),
    default=128,
    show_default=True,
    help="Pixels per side of a picture on the sheet.",
)
@click.option("--columns", type=click.IntRange(1, 40), default=10, show_default=True)
@click.option(
    "--samples",
    type=click.IntRange(1, 65536),
    default=64,
    show_default=True,
    help="Light paths per pixel.",
)
@json_option
def command(
    names: tuple[str, ...],
    sheet: Path | None,
    size: int,
    columns: int,
    samples: int,
    as_json: bool,
) -> None:
    """List the material library, or of it only NAMES, which are materials or categories.

    With --sheet FILE, render each one as a ball on a plinth in a photo studio. Light that shows
    through a ball of glass has crossed the pane twice.
    """
    if sheet is None:
        _refuse_unused()
    if sheet is not None and sheet.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise UsageError("unknown kind of picture", found=sheet.name, expected=".png or .jpg")
    if sheet is not None and as_json:
        raise UsageError("--sheet and --json do not go together", do="call the command twice")
    chosen = _choose(names)
    if sheet is not None:
        _render(chosen, sheet, size, columns, samples)
    elif as_json:
        print_json([_plain(material) for material in chosen])
    else:
        _print(chosen)


def _refuse_unused() -> None:
    """Refuse options that only a sheet has."""
    context = click.get_current_context()
    given = [
        f"--{name}"
        for name in ("size", "columns", "samples")
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    ]
    if given:
        raise UsageError(
            "there is no sheet that these options would be for",
            found=", ".join(given),
            do="add --sheet FILE, or leave them out",
        )


def _choose(names: tuple[str, ...]) -> list[Material]:
    from clearcoat.materials import CATEGORIES, LIBRARY

    known = {*LIBRARY, *CATEGORIES}
    for name in names:
        if name not in known:
            raise UsageError(f"no such material: {name!r}", do=did_you_mean(name, known))
    chosen = [m for m in LIBRARY.values() if not names or {m.name, m.category} & set(names)]
    return sorted(chosen, key=lambda material: CATEGORIES.index(material.category))


def _plain(material: Material) -> dict[str, object]:
    from dataclasses import asdict

    plain = asdict(material)
    # No library material is measured; a file belongs to those that a user makes.
    del plain["file"]
    return plain


def _print(materials: list[Material]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from clearcoat.product.color import hex_color

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 160)
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("material", "category", "kind", "colour"):
        table.add_column(heading, no_wrap=True)
    table.add_column("rough", justify="right", no_wrap=True)
    table.add_column("source")
    for material in materials:
        pane = material.kind == "thin_glass"
        shown = hex_color(material.tint if pane else material.base_color)
        table.add_row(
            Text(material.name),
            material.category,
            material.kind,
            Text("███ ", style=shown) + Text(shown, style="default"),
            "" if pane else f"{material.roughness:.2f}",
            Text(material.source),
        )
    console.print(table)
    console.print(Text(f"{len(materials)} materials"))


def _render(materials: list[Material], out: Path, size: int, columns: int, samples: int) -> None:
    from io import BytesIO

    from PIL import Image

    from clearcoat.dataset.files import make_folder_of, write_whole
    from clearcoat.render.swatches import swatch_sheet, swatch_sheet_size, swatches

    refuse_too_large(out, swatch_sheet_size(materials, size, columns))
    make_folder_of(out)
    tiles = swatches(materials, size=size, samples=samples)
    pictures = list(track(tiles, len(materials), "rendering"))
    encoded = BytesIO()
    kind = "PNG" if out.suffix.lower() == ".png" else "JPEG"
    Image.fromarray(swatch_sheet(materials, pictures, columns)).save(
        encoded, kind, quality=85, optimize=True
    )
    write_whole(out, encoded.getvalue())
    click.echo(str(out))
