"""`clearcoat vehicle`: build a vehicle of the built-in family, or list what it can be."""

from __future__ import annotations

from pathlib import Path

import click

from clearcoat.cli._options import Verbs, json_option, print_json
from clearcoat.errors import UsageError


@click.group("vehicle", cls=Verbs)
def command() -> None:
    """Build a vehicle of the built-in family, or list its styles and parameters."""


@command.command("build")
@click.option(
    "--style",
    default="any",
    show_default=True,
    help="Body style, a blend such as hatchback+suv, or any. See `clearcoat vehicle list`.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--set",
    "fixed",
    multiple=True,
    metavar="NAME=VALUE",
    help="Fix a parameter, as in wheelbase_mm=2700. May be repeated.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="GLB file to write.")
@json_option
def build_command(style: str, seed: int, fixed: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Build one vehicle and write it as a binary glTF file with named parts and materials.

    The same style, seed and parameters give the same file.
    """  # fmt: skip
    from clearcoat import __version__, vehicles
    from clearcoat.dataset.files import make_folder_of, write_whole
    from clearcoat.product.glb import to_glb

    if out.suffix.lower() != ".glb":
        raise UsageError("a vehicle is written as GLB", found=out.name, expected="a name in .glb")
    chosen = vehicles.draw_style(style, seed) if style == vehicles.ANY else style
    parameters = _fixed(fixed)
    make_folder_of(out)
    product = vehicles.build(chosen, seed, parameters)
    write_whole(out, to_glb(product, generator=f"clearcoat {__version__}"))
    length, width, height = (product.bounds_m[1] - product.bounds_m[0]).tolist()
    if as_json:
        print_json(
            {
                "out": str(out),
                "style": chosen,
                "seed": seed,
                "parts": len(product.parts),
                "triangles": product.triangle_count,
                "size_m": [round(v, 3) for v in (length, width, height)],
            }
        )
        return
    click.echo(
        f"{out}: {chosen}, seed {seed}, {len(product.parts)} parts, "
        f"{product.triangle_count:,} triangles, {length:.2f} × {width:.2f} × {height:.2f} m "
        "(length, width over mirrors, height)"
    )


@command.command("list")
@click.argument("style", required=False)
@json_option
def list_command(style: str | None, as_json: bool) -> None:
    """List the body styles, or the parameters of one STYLE with their limits."""  # fmt: skip
    from clearcoat import vehicles

    if style is None:
        if as_json:
            print_json({"styles": list(vehicles.STYLES), "shares": dict(vehicles.SHARES)})
            return
        click.echo("style            share of `any`")
        for name in dict.fromkeys([*vehicles.STYLES, *vehicles.SHARES]):
            click.echo(f"{name:<16} {vehicles.SHARES.get(name, 0.0):6.0%}")
        click.echo("\nTwo styles blend where doors and tail agree, as in hatchback+suv.")
        click.echo("`clearcoat vehicle list STYLE` shows the parameters.")
        return
    table = vehicles.limits(style)
    meaning = vehicles.descriptions()
    if as_json:
        print_json(
            {
                name: {"least": low, "greatest": high, "meaning": meaning[name]}
                for name, (low, high) in table.items()
            }
        )
        return
    for name, (low, high) in table.items():
        click.echo(f"{name:<24} {low:>7g} … {high:<7g} {meaning[name]}")


def _fixed(pairs: tuple[str, ...]) -> dict[str, float]:
    fixed = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            fixed[name.strip()] = float(value)
        except ValueError as error:
            raise UsageError(
                "a parameter is set as NAME=VALUE", where="--set", found=pair,
                expected="a number after the equals sign, as in wheelbase_mm=2700",
            ) from error  # fmt: skip
    return fixed
