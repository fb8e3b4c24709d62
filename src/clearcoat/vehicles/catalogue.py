"""Every part that a vehicle of the family may have, so that rules can be checked without building.

`parts.txt` has a line per part: its path and the materials it may have. Tests hold it against
drawn vehicles; `write` updates it where parts were added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from clearcoat.product.model import Mesh, Part, Product
from clearcoat.vehicles.palette import material

_FILE = "parts.txt"


@cache
def catalogue() -> Mapping[str, tuple[str, ...]]:
    """Materials per part path, paths in order."""
    lines = resources.files(__package__).joinpath(_FILE).read_text("utf-8").splitlines()
    return {path: tuple(names) for path, *names in (line.split() for line in lines)}


def catalogue_product() -> Product:
    """A product without geometry that has every part once per material it may have.

    For resolving rules; several parts may share a path.
    """
    blank = Mesh(
        vertices=np.zeros((0, 3), np.float32),
        faces=np.zeros((0, 3), np.uint32),
        normals=np.zeros((0, 3), np.float32),
    )
    parts = tuple(
        Part(path, blank, material(name)) for path, names in catalogue().items() for name in names
    )
    return Product(name="family", parts=parts, source="builtin:family")


def observed(products: Iterable[Product]) -> dict[str, tuple[str, ...]]:
    """Materials per part path of built vehicles, as `catalogue` has them."""
    found: dict[str, set[str]] = {}
    for product in products:
        for part in product.parts:
            if part.material is not None:
                found.setdefault(part.path, set()).add(part.material.name)
    return {path: tuple(sorted(names)) for path, names in sorted(found.items())}


def write(parts: Mapping[str, tuple[str, ...]]) -> None:
    """Replace `parts.txt` of a source checkout."""
    text = "".join(f"{path} {' '.join(names)}\n" for path, names in sorted(parts.items()))
    (Path(__file__).parent / _FILE).write_text(text, "utf-8")
