"""Building a vehicle: numbers in, a product out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from clearcoat.errors import UsageError
from clearcoat.product.model import Product
from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.bed import add_bed
from clearcoat.vehicles.dressing import add_dressing
from clearcoat.vehicles.fascia import add_fascia
from clearcoat.vehicles.fittings import add_fittings
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.interior import add_interior
from clearcoat.vehicles.lamps import add_lamps
from clearcoat.vehicles.layout import Layout
from clearcoat.vehicles.palette import MATERIALS
from clearcoat.vehicles.panels import cut_body
from clearcoat.vehicles.parameters import draw_parameters
from clearcoat.vehicles.skin import FoldedFormError, make_skin
from clearcoat.vehicles.trim import draw_trim
from clearcoat.vehicles.wheels import add_wheels

_CELLS = (136, 26, 48)


def build(
    style: str = "sedan", seed: int = 0, parameters: Mapping[str, float] | None = None
) -> Product:
    """Build a vehicle of a body style: a pure function of its arguments.

    `parameters` fixes some of the drawn numbers (`VehicleParameters`). Frame: ISO 8855, metres,
    origin on the ground below the middle. Materials bear the names of the material library.
    Raises UsageError for an unknown style or parameter, for values outside their limits, and for
    given ones that make no body together, though each is within its own.
    """
    drawn = draw_parameters(style, seed, parameters)
    try:
        return _build(style, seed, Form(drawn))
    except FoldedFormError as error:
        if not parameters:
            raise
        raise UsageError(
            "these parameters make no body together",
            where=f"a vehicle of style {style}, seed {seed}",
            found=", ".join(f"{name}={value:g}" for name, value in parameters.items()),
            expected="values that go together, such as those of one body style",
            do="leave some of them to be drawn, or move them away from their limits",
        ) from error


def _build(style: str, seed: int, form: Form) -> Product:
    assembly = Assembly()
    trim = draw_trim(style, seed)
    layout = Layout(form, trim)
    cut_body(make_skin(form, _CELLS), layout, trim, assembly)
    add_wheels(form, trim, assembly)
    add_lamps(form, layout, trim, assembly)
    add_fittings(form, layout, trim, assembly)
    add_fascia(form, layout, trim, assembly)
    add_dressing(form, layout, trim, assembly)
    add_interior(form, layout, trim, assembly)
    if layout.tail == "bed":
        add_bed(form, layout, trim, assembly)
    paint = replace(MATERIALS["paint"], base_color=trim.paint)
    return Product(
        name=f"{style} {seed}", parts=assembly.parts(paint), source=f"builtin:{style}:{seed}"
    )
