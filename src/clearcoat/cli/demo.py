"""`clearcoat demo`: the whole path on the built-in vehicles, in a few minutes."""

from __future__ import annotations

from pathlib import Path

import click

# Two vehicles stand in for "the product photographed" and "the product in CAD"; the numbers are
# small so that everything fits into a few minutes on two cores.
_PHOTO_COUNT, _TEST_COUNT, _RENDER_COUNT = 56, 32, 160
_REAL_COUNT, _STOPPING_COUNT = 16, 16
_PICTURE_PX, _MODEL_PX = 128, 64
_STEPS_ON_RENDERS, _STEPS_ON_PHOTOS = 350, 250


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for data sets, runs and the report.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), help="Processes that render [cores, 2 at most]."
)
def command(out: Path, workers: int | None) -> None:
    """Render the built-in vehicle, train on a mix, evaluate, and write a report into OUT.

    There are no photographs in the package: renders of another vehicle, photographed as a person
    would, stand in for them. Run again, it goes on where it was interrupted.
    """  # fmt: skip
    import os
    import time

    from clearcoat.generation.presets import copy_presets
    from clearcoat.report import write_report

    began = time.monotonic()
    workers = workers or min(2, os.cpu_count() or 1)
    specs = copy_presets(out / "specs")
    photos, test, renders = out / "photos", out / "photos_test", out / "renders"
    stand_in, cad = specs / "demo_photos.yaml", specs / "demo_renders.yaml"
    _render("stand-in photos", stand_in, photos, range(_PHOTO_COUNT), workers)
    unseen = range(_PHOTO_COUNT, _PHOTO_COUNT + _TEST_COUNT)
    _render("stand-in test photos", stand_in, test, unseen, workers)
    _render("synthetic images", cad, renders, range(_RENDER_COUNT), workers)

    real_only, mixed = out / "runs" / "real_only", out / "runs" / "real_and_renders"
    _train(f"{_REAL_COUNT} photos", photos, None, test, real_only)
    _train(f"{_REAL_COUNT} photos and {_RENDER_COUNT} renders", photos, renders, test, mixed)

    page = out / "report.html"
    click.echo("writing the report", err=True)
    write_report(
        page,
        datasets=[photos, renders],
        runs=[real_only, mixed],
        test=test,
        title="clearcoat demo: what are the renders worth?",
    )
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    click.echo(f"done in {minutes} min {seconds} s; the specs to start from are in {specs}")
    click.echo(f"report: {page.resolve()}")


def _render(what: str, spec: Path, out: Path, indices: range, workers: int) -> None:
    from clearcoat.cli._options import track
    from clearcoat.generation import Job, generate

    job = Job(spec, seed=0, size=(_PICTURE_PX, _PICTURE_PX), out=out)
    click.echo(f"rendering {len(indices)} {what}", err=True)
    for _ in track(generate(job, indices, workers=workers), len(indices), what):
        pass


def _train(what: str, photos: Path, renders: Path | None, test: Path, out: Path) -> None:
    import torch

    from clearcoat.cli._progress import observer
    from clearcoat.dataset import Dataset
    from clearcoat.training import (
        AUGMENTATIONS,
        Sources,
        recipe,
        run_training,
        training_config,
    )

    click.echo(f"training on {what}", err=True)
    # So small a model gains nothing from a second thread.
    torch.set_num_threads(1)
    config = training_config(
        recipe("few-photos")
        | {
            # Half of the paper's width and mild augmentation learn within a minute: this is to
            # be seen, not to be used.
            "model": {"filters": [16, 32, 64, 128, 128]},
            "augment": AUGMENTATIONS["geometry"],
            "learning_rate": 0.004,
            "tuning_rate": 0.002,
            "size": _MODEL_PX,
            "real_count": _REAL_COUNT,
            "validation_count": _STOPPING_COUNT,
            "validation_source": "real",
            "max_steps": _STEPS_ON_PHOTOS,
            "pretrain_max_steps": _STEPS_ON_RENDERS,
            # In so few steps every one is needed for photos.
            "real_share": 1.0,
        }
    )
    sources = Sources(
        real=Dataset.open(photos),
        synthetic=None if renders is None else Dataset.open(renders),
        test=Dataset.open(test),
    )
    with observer() as watching:
        run_training(config, sources, out, observer=watching)
