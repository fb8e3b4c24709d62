"""`clearcoat predict`: overlays and masks of image files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from clearcoat.errors import UsageError


@click.command("predict")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for the pictures."
)
@click.option(
    "--tile",
    type=click.IntRange(min=1),
    help="Cut images into tiles of this height and width in pixels [the image is seen whole].",
)
@click.option(
    "--overlap",
    type=click.FloatRange(0, 0.9),
    help="Share of a tile that the next one covers too [0.25].",
)
@click.option(
    "--mirror",
    is_flag=True,
    help="Let the model see the mirror image too: better, and twice as long.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def command(
    run: Path,
    images: tuple[Path, ...],
    out: Path,
    tile: int | None,
    overlap: float | None,
    mirror: bool,
    device: str,
    as_json: bool,
) -> None:
    """Segment IMAGES (files, or folders of files) with the model of RUN.

    Each image gets NAME.overlay.png with a legend, NAME.mask.png with one colour per set of
    classes, and NAME.json that says what the mask's values mean; all at its own resolution.

    The model sees an image at the size at which it was trained. For large images with details that
    would vanish, --tile lets it see one part after the other and blends the answers.
    """
    from clearcoat.dataset.photos import find_images
    from clearcoat.training import Predictor, Tiling
    from clearcoat.training.pictures import output_names, write_prediction

    tiling = None
    if tile is not None:
        tiling = Tiling(tile) if overlap is None else Tiling(tile, overlap)
    elif overlap is not None:
        raise UsageError("--overlap says nothing without tiles", do="give --tile PIXELS too")
    files = find_images(images)
    if beside := [file for file in files if file.resolve().parent == out.resolve()]:
        raise UsageError(
            "predictions beside the images could replace files of the same names, and would be "
            "images themselves next time",
            where=out,
            found=f"{beside[0].name} in it",
            do="give a folder of its own with --out",
        )
    predictor = Predictor(run, device, mirror=mirror)
    findings = []
    for file, name in zip(files, output_names(files), strict=True):
        finding = write_prediction(predictor, file, out, name, tiling)
        findings.append(finding)
        if not as_json:
            seen = [f"{k} {v:.1%}" for k, v in finding["share_of_image"].items() if v]
            click.echo(f"{file}: {', '.join(seen) or 'nothing found'}")
    if as_json:
        click.echo(json.dumps(findings, indent=1))
        return
    click.echo(f"{len(files)} images: overlays and masks in {out}")
