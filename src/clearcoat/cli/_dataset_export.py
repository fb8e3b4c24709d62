"""`clearcoat dataset export`: one command per format."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from clearcoat.cli._options import Verbs, json_option, print_json, progress_bar

if TYPE_CHECKING:
    from clearcoat.dataset import Dataset

_FOLDER = click.Path(path_type=Path)


@click.group(name="export", cls=Verbs)
def export_group() -> None:
    """Write the labels of a data set in another format."""


@export_group.command(name="coco")
@click.argument("dataset", type=_FOLDER)
@click.option("--out", required=True, type=_FOLDER, help="The annotation file to write.")
@json_option
def export_coco(dataset: Path, out: Path, as_json: bool) -> None:
    """Write the labels as a COCO file: one run-length code and box per object.

    Where a data set has no objects, one per class and image.

    Pixels to be ignored become a crowd of the category `ignore`. Images stay where they are.
    """
    from clearcoat.dataset import Dataset
    from clearcoat.dataset.formats import as_coco

    opened = Dataset.open(dataset)
    with progress_bar("exporting") as progress:
        as_coco(opened, out, progress)
    _say(opened, out, "file", as_json)


@export_group.command(name="voc")
@click.argument("dataset", type=_FOLDER)
@click.option("--out", required=True, type=_FOLDER, help="The folder of XML files to write.")
@json_option
def export_voc(dataset: Path, out: Path, as_json: bool) -> None:
    """Write the boxes of objects as PASCAL VOC files, one per image. Images stay where they are."""
    from clearcoat.dataset import Dataset
    from clearcoat.dataset.formats import as_voc

    opened = Dataset.open(dataset)
    with progress_bar("exporting") as progress:
        as_voc(opened, out, progress)
    _say(opened, out, "folder", as_json)


def _say(dataset: Dataset, out: Path, kind: str, as_json: bool) -> None:
    if as_json:
        print_json({kind: str(out), "images": len(dataset), "classes": dataset.classes})
    else:
        click.echo(f"{out}: {len(dataset)} images, {len(dataset.classes)} classes")


@export_group.command(name="yolo")
@click.argument("dataset", type=_FOLDER)
@click.option("--out", required=True, type=_FOLDER, help="The folder to write.")
@click.option(
    "--split", type=click.Choice(["train", "val", "test"]), default="train", show_default=True
)
@click.option(
    "--ignore",
    type=click.Choice(["refuse", "background"]),
    default="refuse",
    show_default=True,
    help="What to do with pixels that are to be ignored.",
)
@json_option
def export_yolo(
    dataset: Path,
    out: Path,
    split: Literal["train", "val", "test"],
    ignore: Literal["refuse", "background"],
    as_json: bool,
) -> None:
    """Write images, polygons and data.yaml for YOLO segmentation.

    Polygons cannot hold all that masks can. An object of several pieces becomes several objects;
    a hole is reached by a slit of no width; pixels of several classes are in the polygons of each,
    of which a trainer may keep one; pixels to be ignored are refused, or become background. What
    of this occurs is counted and printed as warnings. `export coco` loses nothing.

    Export your validation images into the same folder with --split val.
    """
    from clearcoat.dataset import Dataset
    from clearcoat.dataset.formats import as_yolo

    with progress_bar("exporting") as progress:
        summary = as_yolo(Dataset.open(dataset), out, split=split, ignore=ignore, progress=progress)
    if as_json:
        print_json({**asdict(summary), "warnings": summary.warnings})
        return
    for warning in summary.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{out}: {summary.images} images, {summary.polygons} polygons")


@export_group.command(name="bop")
@click.argument("dataset", type=_FOLDER)
@click.option("--out", required=True, type=_FOLDER, help="The folder of the scene to write.")
@json_option
def export_bop(dataset: Path, out: Path, as_json: bool) -> None:
    """Write renders as a scene of the BOP benchmark: depth, masks, camera, pose of the product.

    The product is object 1, in millimetres; classes are not part of the format. Lenses that distort
    and data sets of several products are refused.
    """
    from clearcoat.dataset import Dataset
    from clearcoat.dataset.formats import as_bop

    opened = Dataset.open(dataset)
    with progress_bar("exporting") as progress:
        as_bop(opened, out, progress)
    if as_json:
        print_json({"folder": str(out), "images": len(opened)})
    else:
        click.echo(f"{out}: {len(opened)} images")
