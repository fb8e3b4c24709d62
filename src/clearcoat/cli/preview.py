"""`clearcoat preview`: a contact sheet of a spec with label overlays and a legend."""

from __future__ import annotations

from pathlib import Path

import click

from clearcoat.cli._options import track
from clearcoat.errors import UsageError

_QUICK_SAMPLES = 4


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
def command(
    spec: Path, out: Path, count: int, columns: int, size: int, seed: int, samples: int | None
) -> None:
    """Render a contact sheet of SPEC: each picture beside its labels, and a legend.

    Small and of few light paths by default, to tune by eye; --size and --samples show more.
    """  # fmt: skip
    from dataclasses import replace
    from io import BytesIO

    from PIL import Image

    from clearcoat.dataset.files import write_whole
    from clearcoat.generation import load_scene
    from clearcoat.generation.preview import preview_sheet, preview_tiles

    if out.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise UsageError("unknown kind of picture", found=out.name, expected=".png or .jpg")
    scene = load_scene(spec)
    settings = scene.spec.render
    chosen = min(settings.samples, _QUICK_SAMPLES) if samples is None else samples
    # No label kinds beyond the classes are shown.
    updated = {
        "render": settings.model_copy(update={"samples": chosen}),
        "labels": scene.spec.labels.model_copy(update={"write": ()}),
    }
    scene = replace(scene, spec=scene.spec.model_copy(update=updated))
    tiles = preview_tiles(scene, count=count, seed=seed, size=size)
    sheet = preview_sheet(scene, list(track(tiles, count, "rendering")), columns)
    encoded = BytesIO()
    kind = "PNG" if out.suffix.lower() == ".png" else "JPEG"
    Image.fromarray(sheet).save(encoded, kind, quality=92)
    write_whole(out, encoded.getvalue())
    click.echo(str(out))
