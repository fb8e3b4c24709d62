"""`clearcoat study confirm`: the one look at a study's untouched photos."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import click

from clearcoat.cli._options import json_option, print_json, progress_bar

if TYPE_CHECKING:
    from clearcoat.studies import Confirmed, PlannedLook

_FILE = click.Path(path_type=Path)


@click.command("confirm")
@click.argument("study", type=_FILE, metavar="DIR")
@click.option(
    "--cell",
    "cells",
    multiple=True,
    metavar="REAL+SYNTHETIC",
    help="Cell to score, as in 16+1024, or ARM:REAL+SYNTHETIC; repeatable [photos alone and the "
    "best of the others at each number of photos].",
)
@click.option("--all", "everything", is_flag=True, help="Score every cell with weights.")
@click.option("--dry-run", is_flag=True, help="Say what would be scored; look at nothing.")
@click.option("--early", is_flag=True, help="Look although cells still lack runs or weights.")
@click.option("--again", is_flag=True, help="Look once more; the report will say so.")
@click.option("--photos", type=_FILE, help="Where the data set of photos lies, if it has moved.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda …")
@json_option
def command(
    study: Path,
    cells: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    early: bool,
    again: bool,
    photos: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Score chosen cells of the study in DIR on its untouched photos, once.

    What is best of many on the test photos is best partly by chance; these photos were set apart
    (`untouched_count`) to tell by how much. The scores go into the ledger and the report.
    """
    from clearcoat.studies import LookRequest, confirm, plan_look, read_ledger

    request = LookRequest(cells, everything, early, again)
    for complaint in read_ledger(study).complaints:
        click.echo(complaint, err=True)
    if dry_run:
        planned = plan_look(study, request, photos=photos)
        if as_json:
            print_json(_plan_document(planned))
        else:
            _say_plan(planned)
        return
    with progress_bar("scoring models") as told:
        confirmed = confirm(study, request, photos=photos, device=device, told=told)
    if as_json:
        print_json(_document(confirmed))
        return
    _say(confirmed, study)


def _document(confirmed: Confirmed) -> dict[str, Any]:
    return {
        "look": confirmed.look.number,
        "photos": confirmed.look.images,
        "cells": [
            {
                **cell.key._asdict(),
                "split_tests": cell.split_tests,
                "untouched": cell.untouched,
            }
            for cell in confirmed.cells
        ],
        "without_weights": confirmed.look.weightless,
    }


def _plan_document(planned: PlannedLook) -> dict[str, Any]:
    return {
        "look": planned.number,
        "cut_off": planned.cut_off,
        "early": planned.early,
        "photos": planned.images,
        "cells": [
            {
                **cell.key._asdict(),
                "models": len(cell.ready),
                "without_weights": cell.weightless,
                "trained_again": cell.retrained,
            }
            for cell in planned.cells
        ],
    }


def _say_plan(planned: PlannedLook) -> None:
    models = sum(len(cell.ready) for cell in planned.cells)
    began = " (it was cut off, and would be gone on with)" if planned.cut_off else ""
    click.echo(
        f"look {planned.number}{began} at {planned.images} untouched photos: {models} models of "
        f"{len(planned.cells)} cells"
    )
    for cell in planned.cells:
        text = f"{cell.key}: {len(cell.ready)} models"
        if cell.weightless:
            text += f", {cell.weightless} without weights"
        if cell.retrained:
            text += f", {cell.retrained} trained again, which score otherwise than the ledger says"
        click.echo(text)


def _say(confirmed: Confirmed, study: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from clearcoat.report.verdict import signed

    look = confirmed.look
    table = Table(
        title=f"mean IoU on {look.images} untouched photos, look {look.number}",
        title_justify="left",
    )
    table.add_column("cell")
    for heading in ("models", "test photos", "untouched", "optimism"):
        table.add_column(heading, justify="right")
    for cell in confirmed.cells:
        before, after = fmean(cell.split_tests), fmean(cell.untouched)
        table.add_row(
            str(cell.key),
            str(len(cell.untouched)),
            f"{before:.3f}",
            f"{after:.3f}",
            signed(before - after),
        )
    Console().print(table)
    if look.weightless:
        click.echo(f"{look.weightless} models of these cells had no weights and count in none")
    click.echo(f"with intervals: clearcoat report {study} --out report.html")
