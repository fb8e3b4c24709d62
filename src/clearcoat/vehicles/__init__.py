"""The built-in vehicle family: numbers in, a product of named parts out, no files needed."""

from clearcoat.vehicles.catalogue import catalogue, catalogue_product
from clearcoat.vehicles.family import build
from clearcoat.vehicles.parameters import VehicleParameters, descriptions, draw_parameters, limits
from clearcoat.vehicles.prior import ANY, SHARES, draw_style, shares
from clearcoat.vehicles.styles import STYLES

__all__ = [
    "ANY",
    "SHARES",
    "STYLES",
    "VehicleParameters",
    "build",
    "catalogue",
    "catalogue_product",
    "descriptions",
    "draw_parameters",
    "draw_style",
    "limits",
    "shares",
]
