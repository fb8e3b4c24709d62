"""Physically based materials, each with its source. Knows no renderer."""

from clearcoat.materials.library import LIBRARY, material
from clearcoat.materials.material import CATEGORIES, Material
from clearcoat.materials.measured import check_measured

__all__ = ["CATEGORIES", "LIBRARY", "Material", "check_measured", "material"]
