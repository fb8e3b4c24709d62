"""`clearcoat preview`: a contact sheet of a spec with label overlays and a legend."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clearcoat.cli._options import refuse_too_large, render_device_option, track
from clearcoat.errors import ClearcoatError, UsageError

if TYPE_CHECKING:
    from clearcoat.generation.preview import Preview

_LOOK_EVERY_S = 0.2


@click.command("preview")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="PNG or JPEG file.")
@click.option("--count", type=click.IntRange(1, 400), default=16, show_default=True)
@click.option("--columns", type=click.IntRange(1, 20), default=4, show_default=True)
@click.option(
    "--size",
    type=click.IntRange(16, 2048),
    default=96,
    show_default=True,
    help="Pixels per picture side.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--samples", type=click.IntRange(min=1), help="Light paths per pixel [4, for speed].")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that draw at the same time, each with product and renderer of its own.",
)
@click.option(
    "--watch",
    is_flag=True,
    help="Draw again whenever SPEC, or a file that it extends, is saved (Ctrl-C ends it).",
)
@render_device_option
def command(
    spec: Path,
    out: Path,
    count: int,
    columns: int,
    size: int,
    seed: int,
    samples: int | None,
    workers: int,
    watch: bool,
) -> None:
    """Render a contact sheet of SPEC: each picture beside its labels, and a legend.

    Small and of few light paths by default, to tune by eye; --size and --samples show more. With
    --watch product and renderer stay loaded, so that a change of SPEC is seen several times sooner.
    """  # fmt: skip
    from clearcoat.dataset.files import make_folder_of
    from clearcoat.dataset.overlay import contact_sheet_size
    from clearcoat.generation.preview import Preview

    if out.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise UsageError("unknown kind of picture", found=out.name, expected=".png or .jpg")
    refuse_too_large(out, contact_sheet_size((size, 2 * size), count, columns))
    make_folder_of(out)
    preview = Preview(spec, size=size, seed=seed, samples=samples, workers=min(workers, count))
    with contextlib.closing(preview):
        if not watch:
            _draw(preview, out, count, columns)
            return
        with contextlib.suppress(KeyboardInterrupt):
            _watch(preview, out, count, columns)


def _draw(preview: Preview, out: Path, count: int, columns: int) -> None:
    from io import BytesIO

    from PIL import Image

    from clearcoat.dataset.files import write_whole

    sheet = preview.sheet(track(preview.tiles(count), count, "rendering"), columns)
    # Again, as the legend's height is known only now.
    refuse_too_large(out, sheet.shape[:2])
    encoded = BytesIO()
    kind = "PNG" if out.suffix.lower() == ".png" else "JPEG"
    Image.fromarray(sheet).save(encoded, kind, quality=92)
    write_whole(out, encoded.getvalue())
    click.echo(str(out))


def _watch(preview: Preview, out: Path, count: int, columns: int) -> None:
    """Draw now and whenever the spec's files have changed; say what is wrong and go on."""
    import time

    from clearcoat.spec import Watched

    files = Watched(preview.path)
    drawn: int | None = None
    while True:
        saved = files.stamp()
        if saved != drawn:
            drawn = saved
            began = time.perf_counter()
            try:
                _draw(preview, out, count, columns)
                click.echo(f"{time.perf_counter() - began:.1f} s; waiting for {preview.path.name}")
            except ClearcoatError as error:
                click.echo(f"error: {error}", err=True)
        time.sleep(_LOOK_EVERY_S)
