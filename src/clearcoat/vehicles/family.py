"""Building a vehicle: numbers in, a product out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from clearcoat.product.model import Product
from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.layout import Layout
from clearcoat.vehicles.palette import MATERIALS
from clearcoat.vehicles.panels import cut_body
from clearcoat.vehicles.parameters import draw_parameters, stream
from clearcoat.vehicles.skin import make_skin
from clearcoat.vehicles.wheels import add_wheels

_CELLS = (150, 30, 54)

_PAINTS: tuple[tuple[float, float, float], ...] = (
    (0.80, 0.80, 0.79), (0.45, 0.46, 0.48), (0.16, 0.17, 0.18), (0.012, 0.012, 0.014),
    (0.36, 0.015, 0.018), (0.020, 0.055, 0.22), (0.10, 0.075, 0.055), (0.05, 0.10, 0.13),
)  # fmt: skip


def build(
    style: str = "sedan", seed: int = 0, parameters: Mapping[str, float] | None = None
) -> Product:
    """Build a vehicle of a body style: a pure function of its arguments.

    `parameters` fixes some of the drawn numbers (`VehicleParameters`). Frame: ISO 8855, metres,
    origin on the ground below the middle. Materials bear the names of the material library.
    Raises UsageError for an unknown style or parameter, and for values outside their limits.
    """
    drawn = draw_parameters(style, seed, parameters)
    form = Form(drawn)
    assembly = Assembly()
    layout = Layout(form)
    cut_body(make_skin(form, _CELLS), layout, assembly)
    add_wheels(form, assembly)
    colour = _PAINTS[int(stream(style, seed, "paint").integers(len(_PAINTS)))]
    paint = replace(MATERIALS["paint"], base_color=colour)
    return Product(
        name=f"{style} {seed}", parts=assembly.parts(paint), source=f"builtin:{style}:{seed}"
    )
