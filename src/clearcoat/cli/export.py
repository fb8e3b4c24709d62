"""`clearcoat export`: a trained model as an ONNX file."""

from __future__ import annotations

from pathlib import Path

import click

from clearcoat.cli._options import json_option, print_json


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="ONNX file, as in model.onnx."
)
@json_option
def command(run: Path, out: Path, as_json: bool) -> None:
    """Write the model of RUN as an ONNX file that takes bytes and gives probabilities.

    The file is written only once ONNX Runtime has given the same probabilities as PyTorch. Needs
    the extra `onnx`.
    """
    from clearcoat.training.export import export_onnx

    facts = export_onnx(run, out)
    if as_json:
        print_json(facts)
        return
    for part in ("input", "output"):
        shape = " × ".join(str(length) for length in facts[part]["shape"])
        click.echo(f"{part}: {facts[part]['name']}, {shape}, {facts[part]['type']}")
    click.echo("classes: " + ", ".join(facts["classes"]))
    click.echo(f"ONNX Runtime agrees with PyTorch to {facts['greatest_difference']:.1g}")
    click.echo(f"{facts['bytes'] / 1e6:.1f} MB in {out}")
