"""`clearcoat gap`: how renders differ from photos, and what in the spec to change."""

from __future__ import annotations

from pathlib import Path

import click

from clearcoat.cli._options import json_option, print_json, progress_bar

_FOLDER = click.Path(path_type=Path)


@click.command("gap")
@click.option("--real", type=_FOLDER, required=True, help="Data set of labelled photos.")
@click.option("--synthetic", type=_FOLDER, required=True, help="Data set of renders.")
@click.option("--run", type=_FOLDER, help="Finished run whose encoder compares them too.")
@click.option("--out", type=_FOLDER, help="HTML file to write.")
@click.option(
    "--size",
    type=click.IntRange(min=16),
    default=256,
    show_default=True,
    help="Longest side at which images are compared; smaller where the images are.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=3),
    default=500,
    show_default=True,
    help="Images of each set at most, evenly spread.",
)
@click.option("--device", help="auto, cpu, cuda … (for --run) [auto]")
@json_option
def command(
    real: Path,
    synthetic: Path,
    run: Path | None,
    out: Path | None,
    size: int,
    limit: int,
    device: str | None,
    as_json: bool,
) -> None:
    """Say how renders differ from photos, and which ranges of the spec to change.

    Compared are how often, where and how large each class is, light, colour, sharpness, noise
    and clutter, and with --run what a trained encoder makes of both.
    """
    import dataclasses

    from clearcoat.dataset import Dataset
    from clearcoat.errors import UsageError
    from clearcoat.report.gap import compare_datasets, compare_features, measure, write_gap
    from clearcoat.report.gap.measures import common_size
    from clearcoat.report.gap.page import (
        as_json as gap_as_json,
    )
    from clearcoat.report.gap.page import (
        feature_sentence,
        headline,
        held_sentence,
        sentences,
        sliver_sentence,
    )
    from clearcoat.report.pictures import spread
    from clearcoat.report.writing import prepared
    from clearcoat.training import load_model, require_same_classes
    from clearcoat.training.environment import find_device

    if device is not None and run is None:
        raise UsageError(
            "--device is that of the encoder, and there is none",
            found=f"--device {device} without --run",
            do="add --run with the folder of a finished run, or leave --device out",
        )
    with prepared(out):
        photos, renders = Dataset.open(real), Dataset.open(synthetic)
        require_same_classes(
            f"the data set {synthetic}", renders.classes, f"{real}", photos.classes
        )
        where = str(find_device(device or "auto"))
        if run is not None:
            # Measuring takes minutes: a run that cannot be used is refused before.
            load_model(run, where)
        size = common_size((photos, renders), size)
        chosen = spread(photos.indices, limit), spread(renders.indices, limit)
        with progress_bar("measuring photos") as advance:
            of_photos = measure(photos, size, chosen[0], advance)
        with progress_bar("measuring renders") as advance:
            of_renders = measure(renders, size, chosen[1], advance)
        gap = compare_datasets(of_photos, of_renders, size)
        if run is not None:
            seen = compare_features(run, photos, renders, chosen, where)
            gap = dataclasses.replace(gap, features=seen)
        if out is not None:
            write_gap(gap, out, f"How {synthetic.name} and {real.name} differ")
    if as_json:
        print_json(gap_as_json(gap))
        return
    click.echo(headline(gap))
    click.echo(f"Compared at {gap.size} pixels on the longest side.")
    told = (feature_sentence(gap), *sentences(gap), sliver_sentence(gap), held_sentence(gap))
    for text in filter(None, told):
        click.echo(f"- {text}")
    if out is not None:
        click.echo(f"page: {out}")
