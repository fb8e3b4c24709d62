"""The built-in vehicle family: numbers in, a product of named parts out, no files needed."""

from clearcoat.vehicles.family import build
from clearcoat.vehicles.parameters import STYLES, VehicleParameters, draw_parameters, limits

__all__ = ["STYLES", "VehicleParameters", "build", "draw_parameters", "limits"]
