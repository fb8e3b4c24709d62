"""Physically based materials, each with its source. Knows no renderer."""

from clearcoat.materials.library import LIBRARY, material
from clearcoat.materials.material import Material

__all__ = ["LIBRARY", "Material", "material"]
