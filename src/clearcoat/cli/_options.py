"""What several verbs share: sizes, counts, progress bars, JSON."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from clearcoat.errors import UsageError

ItemT = TypeVar("ItemT")
_JPEG_MOST_PX = 65_500
"""Pixels per side of the largest picture that libjpeg writes."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class Verbs(click.Group):
    """A click group whose list of commands has whole sentences, where click's cuts them off."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List each command with the first sentence of its help."""
        rows = [
            (name, command.get_short_help_str(limit=200)) for name, command in self.commands.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _choose_device(context: click.Context, option: click.Parameter, value: str | None) -> None:
    # Through the environment, so that worker processes inherit the choice.
    if value is not None:
        os.environ["CLEARCOAT_VARIANT"] = value


render_device_option = click.option(
    "--device",
    type=click.Choice(("auto", "cuda", "cpu")),
    expose_value=False,
    callback=_choose_device,
    help="What computes the pictures [auto: CUDA where it works, else the CPU].",
)


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) of `256` or `320x240`.

    Raises:
        UsageError: the text is neither.
    """
    match = re.fullmatch(r"(\d{1,9})(?:[xX×](\d{1,9}))?", text.strip())
    if not match:
        raise UsageError(
            "not a picture size", found=repr(text), expected="pixels, as in 256 or 320x240"
        )
    width = int(match[1])
    return width, int(match[2]) if match[2] else width


def refuse_too_large(out: Path, size: tuple[int, ...]) -> None:
    """Raise UsageError where a sheet of that (height, width) is too large for its kind of file."""
    if out.suffix.lower() != ".png" and max(size) > _JPEG_MOST_PX:
        raise UsageError(
            "the sheet is too large for a JPEG file",
            where=out,
            found=f"{size[1]:,} × {size[0]:,} pixels",
            expected=f"{_JPEG_MOST_PX:,} pixels per side at most",
            do="use a name in .png, a smaller --size, or other --columns",
        )


def track(items: Iterable[ItemT], total: int, what: str) -> Iterator[ItemT]:
    """Yield the items under a progress bar on standard error."""
    with progress_bar(what) as advance:
        advance(0, total)
        for done, item in enumerate(items, start=1):
            advance(done, total)
            yield item


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error; the value takes (done, total) as work goes on."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    # In a log file a bar would only be lines of rubbish.
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    click.echo(json.dumps(document, indent=2, allow_nan=False))
