"""`clearcoat view`: a local page on which one turns the pages of a spec."""

from __future__ import annotations

from pathlib import Path

import click

from clearcoat.cli._options import render_device_option


@click.command("view")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=8017, show_default=True)
@click.option(
    "--size", type=click.IntRange(32, 1024), default=256, show_default=True, help="Pixels per side."
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Light paths per pixel, at most those of the spec.",
)
@render_device_option
def command(spec: Path, port: int, size: int, samples: int) -> None:
    """Serve a page on 127.0.0.1 that shows SPEC's images with every label layer.

    Seed and image are chosen there, part and class are shown under the cursor, and a change of
    the spec is drawn at once; what is wrong with it is shown with its line.
    """
    from clearcoat.generation.serve import server
    from clearcoat.generation.viewer import Viewer

    running = server(Viewer(spec, size, samples), port)
    click.echo(f"http://127.0.0.1:{running.server_address[1]}/  (Ctrl-C ends it)")
    try:
        running.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        running.server_close()
