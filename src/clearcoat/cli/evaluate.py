"""`clearcoat evaluate`: how well a trained model segments a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command("evaluate")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--data", "data", type=click.Path(path_type=Path), required=True, help="Data set to score on."
)
@click.option(
    "--mirror",
    is_flag=True,
    help="Let the model see the mirror image too: better, and twice as long.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(run: Path, data: Path, mirror: bool, device: str, as_json: bool) -> None:
    """Score the model of RUN: mean IoU, every class alike, threshold 50 %."""
    from clearcoat.dataset import Dataset
    from clearcoat.training import (
        find_loss,
        load_model,
        pack,
        require_same_classes,
        score_model,
    )
    from clearcoat.training.checks import require_scorable
    from clearcoat.training.environment import find_device
    from clearcoat.training.known import known_of
    from clearcoat.training.mirrored import Mirrored

    where = find_device(device)
    model, config, classes = load_model(run, str(where))
    dataset = Dataset.open(data)
    require_same_classes(f"the data set {data}", dataset.classes, f"the run {run}", classes)
    images = pack(dataset, dataset.indices, config.size).to(where)
    require_scorable(images, dataset)
    judged = Mirrored(model, config, classes) if mirror else model
    loss, score = score_model(judged, images, find_loss(config.loss), detailed=True)
    figures: dict[str, Any] = {
        "run": str(run),
        "data": str(data),
        "data_digest": dataset.digest(),
        "size": config.size,
        "mirror": mirror,
        "known_images": known_of(run, dataset),
        "loss": loss,
        **score.as_json(),
    }
    if as_json:
        click.echo(json.dumps(figures, indent=1))
        return
    print_score(figures, f"{data}")
    if known := figures["known_images"]:
        click.echo(
            f"the run was trained or stopped on {known} of these {len(dataset)} images: the score "
            "flatters it"
        )


def print_score(figures: dict[str, Any], where: str) -> None:
    """Print mean IoU and a table of the classes."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"mean IoU {_share(figures['mean_iou'])} on {where}", title_justify="left")
    table.add_column("class")
    table.add_column("IoU", justify="right")
    table.add_column("boundary F", justify="right")
    table.add_column("pixels in truth", justify="right")
    for name, row in figures["per_class"].items():
        # Runs of earlier versions have no boundary F-score.
        boundary = _share(row.get("boundary_f"))
        table.add_row(name, _share(row["iou"]), boundary, f"{row['truth']:,}")
    Console().print(table)
    click.echo(
        f"{figures['image_count']} images; mean IoU over images "
        f"{_share(figures['per_image_mean_iou'])}, mean boundary F "
        f"{_share(figures.get('mean_boundary_f'))}"
    )
    if figures["absent"]:
        click.echo(
            "not counted, since neither truth nor prediction has them: "
            + ", ".join(figures["absent"])
        )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
