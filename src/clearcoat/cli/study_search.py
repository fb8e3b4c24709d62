"""`clearcoat study search`: which dropout, batch size and learning rate suit the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearcoat.cli._options import json_option, print_json

_FILE = click.Path(path_type=Path)


@click.command("search")
@click.argument("search_file", type=_FILE, metavar="SEARCH.yaml")
@click.option("--out", type=_FILE, required=True, help="Folder of the search.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda …")
@click.option("--threads", type=click.IntRange(min=1), help="Processor threads [PyTorch's choice].")
@json_option
def command(search_file: Path, out: Path, device: str, threads: int | None, as_json: bool) -> None:
    """Search dropout, batch size and learning rate (the paper's section IV.A).

    Trials are judged on validation images; test images take no part. The same command goes on
    where it was cut off, also with more `trials` in the file. Needs the extra `search`.
    """
    from clearcoat.studies.search import best, load_search, search

    spec = load_search(search_file)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)

    def tell(trial: Any, top: Any) -> None:
        score = trial.state if trial.mean_iou is None else f"mean IoU {trial.mean_iou:.3f}"
        so_far = "" if top is None else f"; best so far {top.mean_iou:.3f}"
        click.echo(f"trial {trial.number + 1} of {spec.trials}: {_values(trial)}: {score}{so_far}",
                   err=True)  # fmt: skip

    trials = search(spec, out, device=device, told=tell)
    top = best(trials)
    if as_json:
        print_json(
            {
                "best": None if top is None else top.as_json(),
                "trials": [trial.as_json() for trial in trials],
            }
        )
        return
    states = [trial.state for trial in trials]
    click.echo(
        f"{len(trials)} trials: {states.count('complete')} complete, {states.count('pruned')} "
        f"given up early, {states.count('diverged')} diverged"
    )
    if top is None:
        click.echo("no trial has a score: lower `space.learning_rate` in the file")
        return
    click.echo(f"best: mean IoU {top.mean_iou:.3f} on the validation images, with")
    click.echo(f"  clearcoat train {_values(top)}")


def _values(trial: Any) -> str:
    values = trial.values
    return (
        f"--dropout {values['dropout']:.2f} --batch-size {values['batch_size']} "
        f"--learning-rate {values['learning_rate']:.2g}"
    )
