"""`clearcoat audit`: what no material or class rule of a spec takes, and what it may be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clearcoat.cli._options import json_option, print_json, progress_bar, render_device_option

if TYPE_CHECKING:
    from clearcoat.generation.audit import Audit

_SHOWN = 10


@click.command("audit")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for audit.html, classes.png and materials.png.",
)
@click.option("--views", type=click.IntRange(1, 1000), default=24, show_default=True)
@click.option(
    "--size", type=click.IntRange(32, 2048), default=384, show_default=True, help="Pixels per side."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@render_device_option
@json_option
def command(spec: Path, out: Path | None, views: int, size: int, seed: int, as_json: bool) -> None:
    """List the parts of SPEC's product that no class or material rule takes.

    They are grouped by name, ranked by the pixels that show them in views of the spec's own
    camera, and each has a suggested rule. With --out, a page with pictures, on which suggestions
    are corrected, ticked and copied.
    """
    from clearcoat.dataset.files import make_folder
    from clearcoat.generation import load_scene
    from clearcoat.generation.audit import audit

    if out is not None:
        make_folder(out)
    scene = load_scene(spec)
    with progress_bar("looking") as progress:
        found = audit(scene, views=views, size=size, seed=seed, progress=progress)
    files = [] if out is None else _write(found, out)
    if as_json:
        print_json(found.as_dict())
        return
    _print(found)
    for file in files:
        click.echo(str(file))


def _write(found: Audit, out: Path) -> list[Path]:
    from io import BytesIO

    from PIL import Image

    from clearcoat.dataset.files import cannot_write, write_whole
    from clearcoat.generation.audit import sheet
    from clearcoat.generation.audit_page import audit_page

    files = [out / "audit.html"]
    write_whole(files[0], audit_page(found).encode())
    for name, kind in (("classes", found.classes), ("materials", found.materials)):
        picture = sheet(found, kind)
        if picture is None:
            # That of an earlier audit would show what rules take by now.
            try:
                (out / f"{name}.png").unlink(missing_ok=True)
            except OSError as error:
                raise cannot_write(out / f"{name}.png", error) from error
            continue
        encoded = BytesIO()
        Image.fromarray(picture).save(encoded, "PNG")
        files.append(out / f"{name}.png")
        write_whole(files[-1], encoded.getvalue())
    return files


def _print(found: Audit) -> None:
    from clearcoat.generation.audit import rule_text

    for title, kind, key in (
        ("classes", found.classes, "is"),
        ("materials", found.materials, "use"),
    ):
        click.echo(
            f"{title}: rules take {100 * kind.covered_share:.1f} % of the visible product, "
            f"{kind.covered_parts} of {kind.parts} parts; {len(kind.groups)} groups are left"
        )
        total = kind.covered_share
        for group in kind.groups[:_SHOWN]:
            total += group.share
            click.echo(
                f"  {100 * group.share:5.1f} %  (up to here {100 * min(total, 1):5.1f} %)  "
                f"{rule_text(group, key)}"
            )
        if len(kind.groups) > _SHOWN:
            click.echo(f"  … and {len(kind.groups) - _SHOWN} more (see --out or --json)")
