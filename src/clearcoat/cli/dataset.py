"""`clearcoat dataset`: import, export, merge, describe and check data sets."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clearcoat.cli._dataset_export import export_group
from clearcoat.cli._options import Verbs, json_option, print_json, progress_bar
from clearcoat.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from clearcoat.dataset import DatasetStatistics

_SHOWN_FINDINGS = 20
_FOLDER = click.Path(path_type=Path)


@click.group(name="dataset", cls=Verbs)
def command() -> None:
    """Import, export, merge, describe and check data sets."""


@command.group(name="import", cls=Verbs)
def import_group() -> None:
    """Bring images into a data set, labelled or not."""


command.add_command(export_group)


@import_group.command(name="coco")
@click.argument("annotations", type=_FOLDER)
@click.option("--out", required=True, type=_FOLDER, help="Folder of the data set.")
@click.option("--images", type=_FOLDER, help="Folder of the images [beside ANNOTATIONS].")
@click.option("--map", "map_file", type=_FOLDER, help="Class map [a class per category].")
@click.option("--select", metavar="FIRST:BEYOND", help="Take these positions only, from 0.")
@click.option("--limit", type=click.IntRange(min=1), help="Take the first so many only.")
@click.option(
    "--shuffle", type=click.IntRange(min=0), metavar="SEED", help="Order at random first."
)
@click.option("--kind", type=click.Choice(["real", "synthetic"]), default="real", show_default=True)
@json_option
def import_coco(
    annotations: Path,
    out: Path,
    images: Path | None,
    map_file: Path | None,
    select: str | None,
    limit: int | None,
    shuffle: int | None,
    kind: str,
    as_json: bool,
) -> None:
    """Import the images of a COCO annotation file.

    An interrupted import goes on when it is run again. A record's index is the position of its
    image in the file. To set 40 of 400 photos apart: `--shuffle 0 --select 0:360` into one
    folder and `--shuffle 0 --select 360:400` into another.
    """
    from clearcoat.dataset import formats, load_class_map

    start, stop = _selection(select, limit)
    class_map = None if map_file is None else load_class_map(map_file)
    with progress_bar("importing") as progress:
        summary = formats.import_coco(
            annotations,
            out,
            images=images,
            class_map=class_map,
            start=start,
            stop=stop,
            shuffle=shuffle,
            kind=kind,
            progress=progress,
        )
    if as_json:
        print_json(asdict(summary))
        return
    click.echo(
        f"{summary.path}: {summary.imported} images imported, "
        f"{summary.already_there} were there, {summary.records} records in all"
    )
    click.echo(f"{len(summary.classes)} classes: {', '.join(summary.classes)}")
    if summary.crowds:
        click.echo(f"{summary.crowds} crowd annotations: ignored where nothing else labels a pixel")
    if summary.without_mask:
        click.echo(
            f"{summary.without_mask} annotations without a mask: their box is ignored "
            "where nothing else labels a pixel"
        )


@import_group.command(name="images")
@click.argument("images", nargs=-1, required=True, type=_FOLDER, metavar="IMAGE...")
@click.option("--out", required=True, type=_FOLDER, help="Folder of the data set.")
@click.option("--like", required=True, type=_FOLDER, help="Data set whose classes it is to have.")
@json_option
def import_images(images: tuple[Path, ...], out: Path, like: Path, as_json: bool) -> None:
    """Import image files without labels, or folders of them, for `train --unlabelled`.

    An interrupted import goes on when it is run again.
    """
    from clearcoat.dataset import Dataset, formats

    classes = Dataset.open(like).classes
    with progress_bar("importing") as progress:
        written, count = formats.import_images(images, out, classes, progress=progress)
    if as_json:
        print_json({"path": str(out), "classes": classes, "images": count, "written": written})
    else:
        click.echo(f"{out}: {count} images without labels, {written} of them new")


@command.command(name="merge")
@click.argument("datasets", nargs=-1, required=True, type=_FOLDER, metavar="DIR...")
@click.option("--out", required=True, type=_FOLDER, help="Folder of the data set to write.")
@json_option
def merge(datasets: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Put several data sets of the same classes into one, for instance renders of several products.

    An interrupted merge goes on when it is run again.
    """
    from clearcoat.dataset import Dataset, merge_datasets

    opened = [Dataset.open(path) for path in datasets]
    with progress_bar("merging") as progress:
        written = merge_datasets(opened, out, progress)
    records = sum(len(dataset) for dataset in opened)
    if as_json:
        print_json({"path": str(out), "records": records, "written": written})
    else:
        click.echo(f"{out}: {records} records of {len(opened)} data sets, {written} of them new")


@command.command(name="stats")
@click.argument("datasets", nargs=-1, required=True, type=_FOLDER, metavar="DIR...")
@json_option
def stats(datasets: tuple[Path, ...], as_json: bool) -> None:
    """Print how often each class occurs, data sets side by side.

    Examples are the images that show the class, frequency is their share of all labelled images,
    area is the mean share of the image that the class covers where it occurs.
    """
    from rich.console import Console

    from clearcoat.dataset import Dataset, dataset_statistics

    results = []
    for opened in [Dataset.open(path) for path in datasets]:
        with progress_bar(f"counting {opened.path.name}") as progress:
            results.append(dataset_statistics(opened, progress))
    if as_json:
        print_json([asdict(result) for result in results])
        return
    # Wide enough for pipes and files, where no terminal sets the width.
    width = None if sys.stdout.isatty() else 24 + 40 * len(results)
    Console(width=width).print(_table(results))


@command.command(name="check")
@click.argument("dataset", type=_FOLDER)
@click.option(
    "--sliver",
    type=click.IntRange(min=0),
    default=4,
    show_default=True,
    metavar="PIXELS",
    help="Warn of pieces of a class smaller than this.",
)
@click.option(
    "--against", type=_FOLDER, metavar="DIR", help="Compare how often classes occur with DIR."
)
@json_option
def check(dataset: Path, sliver: int, against: Path | None, as_json: bool) -> None:
    """Verify every file of a data set; exit with 2 where there are errors.

    Warns of labels that a person should look at: classes that never occur, tiny pieces, labels
    that end where the picture shows no edge and, with --against, classes that occur more or less
    often than in another data set, such as your photographs.
    """
    from clearcoat.dataset import Dataset, check_dataset

    with progress_bar("checking") as progress:
        report = check_dataset(
            Dataset.open(dataset),
            sliver_pixels=sliver,
            against=None if against is None else Dataset.open(against),
            progress=progress,
        )
    if as_json:
        print_json({**asdict(report), "clean": report.clean})
    else:
        for kind, findings in (("error", report.errors), ("warning", report.warnings)):
            for finding in findings[:_SHOWN_FINDINGS]:
                click.echo(f"{kind}: {finding.where}: {finding.what}")
            if len(findings) > _SHOWN_FINDINGS:
                click.echo(f"{kind}: … and {len(findings) - _SHOWN_FINDINGS} more (see --json)")
        if report.frequencies:
            click.echo(f"{'class':<24}{'here':>8}{'there':>8}{'p':>10}{'area ratio':>12}")
        for row in report.frequencies:
            ratio = "–" if row.area_ratio is None else f"{row.area_ratio:.2f}"
            click.echo(
                f"{row.name:<24}{_percent(row.here):>8}{_percent(row.there):>8}"
                f"{row.p:>10.2g}{ratio:>12}"
            )
        if report.boundary_agreement is not None:
            click.echo(
                f"labels end at edges of the picture {report.boundary_agreement:.1f} times as much "
                "as beside them (median; 1 is chance)"
            )
        click.echo(
            f"{report.path}: {report.records} records, {len(report.errors)} errors, "
            f"{len(report.warnings)} warnings"
        )
    if not report.clean:
        sys.exit(2)


def _selection(select: str | None, limit: int | None) -> tuple[int, int | None]:
    if select is None:
        return 0, limit
    if limit is not None:
        raise UsageError("--select and --limit exclude each other", do="give one of them")
    first, colon, beyond = select.partition(":")
    if not colon or not all(text.isdecimal() or not text for text in (first, beyond)):
        raise UsageError(
            "--select is malformed", found=select, expected="FIRST:BEYOND, for instance 0:360"
        )
    return int(first or 0), int(beyond) if beyond else None


def _table(results: list[DatasetStatistics]) -> Table:
    from rich.table import Table

    names = [Path(result.path).name for result in results]
    titles = names if len(set(names)) == len(names) else [result.path for result in results]
    table = Table(title="Classes by data set", title_justify="left")
    table.add_column("class", no_wrap=True)
    for title, result in zip(titles, results, strict=True):
        count = f"{result.images} images"
        if result.labelled < result.images:
            count += f", {result.labelled} labelled"
        table.add_column(f"{title}\n{count}\nexamples", justify="right")
        table.add_column("frequency", justify="right", vertical="bottom")
        table.add_column("area", justify="right", vertical="bottom")
    by_name = [{found.name: found for found in result.classes} for result in results]
    for name in dict.fromkeys(name for known in by_name for name in known):
        cells = []
        for known in by_name:
            found = known.get(name)
            if found is None:
                cells += ["not a class", "", ""]
            else:
                cells += [str(found.images), _percent(found.frequency), _percent(found.mean_share)]
        table.add_row(name, *cells)
    table.add_section()
    for name, shares in (
        ("background", [result.background_share for result in results]),
        ("ignored", [result.ignore_share for result in results]),
        ("several classes", [result.several_share for result in results]),
    ):
        cells = [cell for share in shares for cell in ("", "", _percent(share))]
        table.add_row(name, *cells, style="dim")
    return table


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
