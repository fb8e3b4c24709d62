"""`clearcoat report`: what runs and data sets show, as one HTML file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clearcoat.errors import UsageError

if TYPE_CHECKING:
    from clearcoat.report import Inputs

_PATH = click.Path(path_type=Path)


@click.command("report")
@click.argument(
    "sources", nargs=-1, required=True, type=_PATH, metavar="STUDY_OR_RUN_OR_DATASET..."
)
@click.option("--out", type=_PATH, required=True, help="The HTML file to write.")
@click.option(
    "--photos", type=click.IntRange(min=1), help="How many photos you have [all studied]."
)
@click.option("--files", type=_PATH, help="Folder for all figures (PNG, SVG) and tables (CSV).")
@click.option("--test", type=_PATH, help="Score every run on this data set, and show predictions.")
@click.option(
    "--title", default="What the renders are worth", show_default=True, help="Heading of the page."
)
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def command(
    sources: tuple[Path, ...],
    out: Path,
    photos: int | None,
    files: Path | None,
    test: Path | None,
    title: str,
    as_json: bool,
) -> None:
    """Write the HTML report of studies, or of single runs, with their data sets.

    STUDY_OR_RUN_OR_DATASET is a folder that `clearcoat study`, `clearcoat train` or
    `clearcoat render` made, or a folder that holds such folders at most two levels down. The
    file needs no network and no other file. --photos and --files are for studies, --test for
    runs: without it they keep the score that training gave them.
    """
    from clearcoat.report import find_inputs

    inputs = find_inputs(sources)

    def tell(text: str) -> None:
        click.echo(text, err=True)

    if inputs.studies:
        _of_studies(inputs, out, photos, files, test, title, as_json, tell)
    else:
        _of_runs(inputs, out, photos, files, test, title, as_json, tell)


def _of_studies(
    inputs: Inputs,
    out: Path,
    photos: int | None,
    files: Path | None,
    test: Path | None,
    title: str,
    as_json: bool,
    tell: Callable[[str], None],
) -> None:
    from clearcoat.report.study import write_study_report

    if inputs.runs or test is not None:
        raise UsageError(
            "a report is about studies or about single runs",
            found=f"studies, and {'--test' if test else inputs.runs[0]}",
            do="write two reports",
        )
    report = write_study_report(
        out,
        inputs.studies,
        datasets=inputs.datasets,
        photos=photos,
        files=files,
        title=title,
        tell=tell,
    )
    if as_json:
        click.echo(json.dumps({"report": str(out), **report.as_json()}, indent=1, allow_nan=False))
        return
    for chapter in report.chapters:
        click.echo(chapter.verdict.headline)
    click.echo(f"report: {out}")


def _of_runs(
    inputs: Inputs,
    out: Path,
    photos: int | None,
    files: Path | None,
    test: Path | None,
    title: str,
    as_json: bool,
    tell: Callable[[str], None],
) -> None:
    from clearcoat.report import write_report

    if photos is not None or files is not None:
        raise UsageError(
            "--photos and --files are for studies", do="give a folder of `clearcoat study`"
        )
    report = write_report(
        out, datasets=inputs.datasets, runs=inputs.runs, test=test, title=title, tell=tell
    )
    if as_json:
        click.echo(json.dumps({"report": str(out), **report.as_json()}, indent=1, allow_nan=False))
        return
    if report.runs:
        click.echo(report.verdict.headline)
    click.echo(f"report: {out}")
