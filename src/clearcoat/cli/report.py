"""`clearcoat report`: what runs and data sets show, as one HTML file."""

from __future__ import annotations

import json
from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command("report")
@click.argument("sources", nargs=-1, required=True, type=_PATH, metavar="RUN_OR_DATASET...")
@click.option("--out", type=_PATH, required=True, help="The HTML file to write.")
@click.option("--test", type=_PATH, help="Score every run on this data set, and show predictions.")
@click.option(
    "--title", default="What the renders are worth", show_default=True, help="Heading of the page."
)
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def command(
    sources: tuple[Path, ...], out: Path, test: Path | None, title: str, as_json: bool
) -> None:
    """Write the HTML report of runs and data sets.

    RUN_OR_DATASET is a folder that `clearcoat train` or `clearcoat render` made, or a folder
    that holds such folders at most two levels down. The file needs no network and no other
    file. Without --test, runs keep the score that training gave them.
    """
    from clearcoat.report import find_inputs, write_report

    inputs = find_inputs(sources)
    report = write_report(
        out,
        datasets=inputs.datasets,
        runs=inputs.runs,
        test=test,
        title=title,
        tell=lambda text: click.echo(text, err=True),
    )
    if as_json:
        click.echo(json.dumps({"report": str(out), **report.as_json()}, indent=1, allow_nan=False))
        return
    if report.runs:
        click.echo(report.verdict.headline)
    click.echo(f"report: {out}")
