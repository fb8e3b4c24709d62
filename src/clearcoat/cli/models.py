"""`clearcoat models`: how large the paper's architectures are."""

from __future__ import annotations

import click

from clearcoat.cli._options import json_option, print_json


@click.command("models")
@click.option(
    "--classes",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Outputs per pixel. Softmax losses have one more than there are classes: background.",
)
@json_option
def command(classes: int, as_json: bool) -> None:
    """Print the parameters of each architecture, total and trainable (the paper's Table II).

    Counted as Keras counts: the total includes the running statistics of batch norm.
    """
    from clearcoat.models import ARCHITECTURES

    rows = [(row, row.count(classes)) for row in ARCHITECTURES]
    if as_json:
        print_json(
            {
                "classes": classes,
                "architectures": [
                    {
                        "model": row.model,
                        "variant": row.variant,
                        "name": row.config.name,
                        "freeze": row.freezing,
                        "total": count.total,
                        "trainable": count.trainable,
                    }
                    for row, count in rows
                ],
            }
        )
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"parameters with {classes} classes", title_justify="left", box=SIMPLE_HEAD)
    for name in ("model", "variant"):
        table.add_column(name)
    for name in ("total", "trainable", "total, M", "trainable, M"):
        table.add_column(name, justify="right", no_wrap=True)
    for row, count in rows:
        table.add_row(
            row.model,
            row.variant,
            f"{count.total:,}",
            f"{count.trainable:,}",
            f"{count.total / 1e6:.2f}",
            f"{count.trainable / 1e6:.2f}",
        )
    Console().print(table)
