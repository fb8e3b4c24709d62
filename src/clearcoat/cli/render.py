"""`clearcoat render`: labelled images of a spec, into a data set."""

from __future__ import annotations

from pathlib import Path

import click

from clearcoat.cli._options import json_option, parse_size, print_json, render_device_option, track


@click.command("render")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder of the data set."
)
@click.option("--count", type=click.IntRange(min=1), required=True, help="Number of images.")
@click.option(
    "--start",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Number of the first image.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the series."
)
@click.option(
    "--size",
    default="256",
    show_default=True,
    metavar="PIXELS",
    help="Picture size: 256, or 320x240 for width x height.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that render at the same time.",
)
@render_device_option
@json_option
def command(
    spec: Path,
    out: Path,
    count: int,
    start: int,
    seed: int,
    size: str,
    workers: int,
    as_json: bool,
) -> None:
    """Render COUNT labelled images of SPEC into the data set OUT.

    Image K depends on the spec, the seed and K alone: --start and --workers change nothing in
    it, and the same command run again goes on where it was interrupted.
    """  # fmt: skip
    import time

    from clearcoat.generation import Job, generate

    job = Job(spec_path=spec, seed=seed, size=parse_size(size), out=out)
    began = time.perf_counter()
    made = 0
    for _ in track(generate(job, range(start, start + count), workers=workers), count, "rendering"):
        made += 1
    seconds = time.perf_counter() - began
    if as_json:
        print_json(
            {
                "out": str(out),
                "rendered": made,
                "already_there": count - made,
                "seconds": round(seconds, 3),
                "images_per_second": round(made / seconds, 3) if made else None,
            }
        )
        return
    kept = f", {count - made} were already there" if made < count else ""
    speed = f" ({made / seconds:.2f} images/s)" if made else ""
    click.echo(f"{made} images rendered into {out} in {seconds:.1f} s{speed}{kept}")
