"""The command line: one file per verb, imported only when that verb is called."""

from __future__ import annotations

import importlib
import io
import os
import sys

import click

from clearcoat import __version__
from clearcoat.cli._system_errors import refused
from clearcoat.errors import ClearcoatError, UsageError, did_you_mean

# Verb -> one line of help. The module of a verb is `clearcoat.cli.<verb>` with the click
# command in `command`. The help stands here so that `clearcoat --help` imports none of them.
VERBS = {
    "demo": "Run the whole path on the built-in vehicle and write a report.",
    "inspect": "Show what is in a CAD file: parts, materials, triangles, bounds, units.",
    "materials": "List the material library, or render a sheet of it.",
    "vehicle": "Build a vehicle of the built-in family as GLB, or list its parameters.",
    "schema": "Print the JSON Schema of a scene spec.",
    "audit": "List what no class or material rule takes, with pictures and suggestions.",
    "preview": "Render a contact sheet with label overlays and a legend.",
    "view": "Turn the images of a spec on a local page, with every label layer.",
    "render": "Render labelled images into a data set.",
    "dataset": "Import, merge, describe and check data sets.",
    "models": "Show how many parameters each architecture has.",
    "train": "Train a segmentation model on real and synthetic images.",
    "study": "Run a grid or a transfer study: many trainings, one ledger.",
    "evaluate": "Score a trained model on a data set.",
    "predict": "Segment image files with a trained model.",
    "export": "Write a trained model as an ONNX file.",
    "gap": "Show how renders differ from photos, and what to change.",
    "report": "Write the HTML report of studies, or of runs and data sets.",
}


class LazyGroup(click.Group):
    """A click group whose commands are imported on use."""

    def __init__(self, package: str, verbs: dict[str, str], **attrs: object) -> None:
        super().__init__(**attrs)  # type: ignore[arg-type]
        self.package = package
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which a user meets them."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a verb and return its command."""
        if cmd_name not in self.verbs:
            return None
        command: click.Command = importlib.import_module(f"{self.package}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and say which verb is near where there is none."""
        if args and not args[0].startswith("-") and args[0] not in self.verbs:
            raise UsageError(f"no such command: {args[0]!r}", do=did_you_mean(args[0], self.verbs))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.verbs.items()))


group = LazyGroup(
    package="clearcoat.cli",
    verbs=VERBS,
    name="clearcoat",
    help=(
        "From a product's CAD model to labelled images, trained segmentation models, and a "
        "measured answer to what the renders are worth."
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
group = click.version_option(__version__, prog_name="clearcoat")(group)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a user's mistake prints one clear error and exits with 2."""
    # Threads that wait for each other in a busy loop starve on a machine that does anything else:
    # a training step took nine times as long beside one other process. Read before torch loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):
        # A terminal or pipe of an old code page shows `?` for what it lacks, such as × and →.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        group.main(args=arguments, prog_name="clearcoat", standalone_mode=False)
    except ClearcoatError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except OSError as error:
        told = refused(error)
        if told is None:
            raise
        click.echo(f"error: {told}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: run the same command again to go on where this stopped", err=True)
        sys.exit(130)
