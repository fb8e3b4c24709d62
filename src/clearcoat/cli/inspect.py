"""`clearcoat inspect`: show what is in a CAD file, and what a spec makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clearcoat.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.table import Table
    from rich.tree import Tree

    from clearcoat.product import (
        ClassMap,
        MaterialRule,
        Product,
        ProductSpec,
        ProductSummary,
        SourceMaterial,
    )
    from clearcoat.product.inspect import PartSummary, TreeNode

_BUILTIN = "builtin:"
_UNITS = ("m", "dm", "cm", "mm", "um", "in", "ft", "yd", "km")
_AXES = ("x", "y", "z", "-x", "-y", "-z")


@click.command("inspect")
@click.argument("product", required=False)
@click.option(
    "--spec",
    "spec_path",
    type=click.Path(path_type=Path),
    help="Scene spec: read the product as it says, and show the class and material of every part.",
)
@click.option("--unit", help="Unit of the file's coordinates: " + ", ".join(_UNITS) + ".")
@click.option("--up", help="Axis of the file that points up: x, y, z, -x, -y or -z.")
@click.option("--front", help="Axis of the file that points forward.")
@click.option("--variant", help="Variant of the file to show.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def command(
    product: str | None,
    spec_path: Path | None,
    unit: str | None,
    up: str | None,
    front: str | None,
    variant: str | None,
    as_json: bool,
) -> None:
    """Show the parts, materials, triangles, bounds and units of PRODUCT.

    PRODUCT is a glTF, STEP, IGES, USD, OBJ, PLY or STL file, or `builtin:STYLE`; with --spec
    it may be left out, and the spec's own product is shown.
    """
    import json

    if product is None and spec_path is None:
        raise UsageError(
            "nothing to inspect",
            expected="a product file, builtin:STYLE, or --spec SPEC",
            do="for example: clearcoat inspect car.glb",
        )
    _check("--unit", unit, _UNITS)
    _check("--up", up, _AXES)
    _check("--front", front, _AXES)
    options = (("unit", unit), ("up", up), ("front", front), ("variant", variant))
    given = {key: text for key, text in options if text}
    if spec_path is None:
        from clearcoat.product import summarize

        wanted = _product_spec(product, {}, given)
        summary = summarize(*_one_of_family(wanted, _load(wanted, Path())))
    else:
        summary = _with_spec(spec_path, product, given)
    if as_json:
        click.echo(json.dumps(summary.as_dict(), indent=2, allow_nan=False))
    else:
        _print(summary)


def _check(option: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise UsageError(
            f"{option}: no such value", found=repr(value), do=did_you_mean(value, known)
        )


def _with_spec(spec_path: Path, product: str | None, given: dict[str, str]) -> ProductSummary:
    from clearcoat.generation import load_scene_spec
    from clearcoat.product import resolve_classes, resolve_materials, summarize
    from clearcoat.scene.distributions import KINDS
    from clearcoat.spec.document import read

    scene = load_scene_spec(spec_path)
    document = read(spec_path, KINDS)
    own = scene.product.model_dump(exclude_unset=True)
    wanted = _product_spec(product, own, given)
    loaded = _load(
        wanted,
        spec_path.parent,
        where=lambda number: document.where(("product", "drop", number)),
    )
    classes = resolve_classes(
        loaded,
        scene.classes,
        groups=scene.groups,
        where=lambda number: document.where(("classes", "rules", number)),
    )
    materials = resolve_materials(
        loaded,
        scene.materials,
        groups=scene.groups,
        where=lambda number: document.where(("materials", number)),
    )
    return summarize(*_one_of_family(wanted, loaded, classes, materials))


def _one_of_family(
    spec: ProductSpec,
    loaded: Product,
    classes: ClassMap | None = None,
    materials: tuple[MaterialRule | None, ...] | None = None,
) -> tuple[Product, ClassMap | None, tuple[MaterialRule | None, ...] | None]:
    """Put one vehicle in the place of the family's catalogue, with what rules say of its parts."""
    from clearcoat.product import FAMILY

    if spec.builtin != FAMILY:
        return loaded, classes, materials
    from clearcoat.generation import family

    vehicle = family.build(spec, family.role(spec, 0, 0))
    numbers = [int(number) - 1 for number in family.part_ids(vehicle, loaded)[1:]]
    if classes is not None:
        classes = classes.of(numbers)
    if materials is not None:
        materials = tuple(materials[number] for number in numbers)
    return vehicle, classes, materials


def _product_spec(product: str | None, own: dict[str, Any], given: dict[str, str]) -> ProductSpec:
    """Combine the spec's product (`own`) with what the command line says."""
    from pydantic import ValidationError

    from clearcoat.product import ProductSpec

    fields = {**own, **given}
    if product is not None:
        built_in = product.startswith(_BUILTIN)
        # What the spec says of the other kind of product does not hold for this one.
        others = {"builtin", "seed", "parameters", "style", "images_per_vehicle"}
        if built_in:
            others = {"file", "unit", "up", "front", "tessellation", "variant"} - set(given)
        fields = {key: value for key, value in fields.items() if key not in others}
        # A path on the command line starts from here, not from the spec's folder.
        source = product.removeprefix(_BUILTIN) if built_in else Path(product).absolute()
        fields["builtin" if built_in else "file"] = source
    try:
        return ProductSpec.model_validate(fields)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(
            "the product and the options do not fit together",
            found=message,
            do="correct --unit, --up, --front, --variant or the product",
        ) from error


def _load(spec: ProductSpec, base: Path, **places: Any) -> Product:
    if spec.builtin is None:
        from clearcoat.product import load_file_product

        return load_file_product(spec, base, **places)
    from clearcoat import vehicles
    from clearcoat.product import FAMILY, drop_parts

    if spec.builtin == FAMILY:
        built = vehicles.catalogue_product()
    else:
        built = vehicles.build(spec.builtin, spec.seed, dict(spec.parameters))
    return drop_parts(built, spec.drop, **places)


def _print(summary: ProductSummary) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 160)
    product = summary.product
    low, high = product.bounds_m
    size = high - low
    # Paths must stay whole: a rule is copied from them.
    console.print(_tree(summary), soft_wrap=True)
    console.print()
    console.print(_materials(summary))
    console.print(
        Text(
            f"\n{len(product.parts):,} parts, {product.triangle_count:,} triangles, "
            f"{len(summary.materials):,} materials\n"
            f"size     {size[0]:.3f} × {size[1]:.3f} × {size[2]:.3f} m (length, width, height)\n"
            f"source   {product.source}: {product.unit_m:g} m per unit, "
            f"up {product.up}, front {product.front}"
        )
    )
    if product.variants:
        shown = product.variant or "as the file stands"
        text = f"variants {', '.join(product.variants)}; shown: {shown}"
        console.print(Text(text), soft_wrap=True)
    if summary.class_map is not None:
        _print_classes(summary, console)
    for note in product.notes:
        console.print(Text("note     " + note), soft_wrap=True)


def _print_classes(summary: ProductSummary, console: Any) -> None:
    from rich.text import Text

    class_map = summary.class_map
    if class_map is None:
        return
    ignored = sum(classes is None for classes in class_map.of_part)
    background = sum(classes == frozenset() for classes in class_map.of_part)
    console.print(
        Text(
            f"classes  {len(class_map.names)}; {ignored} parts ignored, "
            f"{background} parts background"
        )
    )
    if class_map.absent:
        console.print(Text("absent   " + ", ".join(class_map.absent)), soft_wrap=True)


def _tree(summary: ProductSummary) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    root = summary.tree
    tree = Tree(Text(root.name, style="bold"))
    stack: list[tuple[TreeNode, Tree]] = [(root, tree)]
    while stack:
        node, branch = stack.pop()
        for child in node.children.values():
            label = Text(child.name, style="" if child.part else "bold")
            if child.part is not None:
                label.append_text(_part_label(child.part, summary))
            stack.append((child, branch.add(label)))
    return tree


def _part_label(part: PartSummary, summary: ProductSummary) -> Any:
    from rich.text import Text

    label = Text(f"  {part.triangles:,}", style="cyan")
    label.append(f"  {part.material or 'no material'}", style="dim")
    if summary.has_material_rules:
        label.append(f" -> {part.use or 'as in the file'}", style="dim")
    if summary.class_map is not None:
        names = "ignore" if part.classes is None else ", ".join(part.classes) or "background"
        label.append(f"  [{names}]", style="green" if part.classes else "yellow")
    return label


def _materials(summary: ProductSummary) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from clearcoat.product.color import hex_color

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("material", no_wrap=True)
    for heading in ("parts", "triangles", "colour", "alpha", "metal", "rough", "transm", "coat"):
        table.add_column(heading, justify="right", no_wrap=True)
    # Few files have one.
    filmed = any(entry.material and entry.material.iridescence for entry in summary.materials)
    if filmed:
        table.add_column("thin film", justify="right", no_wrap=True)
    for entry in summary.materials:
        counts = [f"{entry.parts:,}", f"{entry.triangles:,}"]
        source = entry.material
        if source is None:
            table.add_row(Text("no material"), *counts)
            continue
        table.add_row(
            Text(source.name),
            *counts,
            hex_color(source.base_color),
            *(
                f"{value:.2f}"
                for value in (
                    source.alpha,
                    source.metallic,
                    source.roughness,
                    source.transmission,
                    source.clearcoat,
                )
            ),
            *([_film(source)] if filmed else []),
        )
    return table


def _film(material: SourceMaterial) -> str:
    if not material.iridescence:
        return ""
    share = f"{material.iridescence:.0%} of " if material.iridescence < 1 else ""
    return f"{share}{material.iridescence_thickness_nm:.0f} nm, n {material.iridescence_ior:.2f}"
