"""Instances: the occurrences in the assembly, each labelled one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.model import Product


def instances(product: Product) -> tuple[tuple[str, ...], NDArray[np.uint16]]:
    """Return the names of a product's instances, and which one each part number is of.

    Returns:
        names: of the instances, in the order of the parts: two pieces of one body are one instance;
        table: (1 + parts,) uint16: by part number (0: nothing) 1 + the place in `names`.
    """
    names = list(dict.fromkeys(part.instance for part in product.parts))
    number = {name: place for place, name in enumerate(names, start=1)}
    table = [0, *(number[part.instance] for part in product.parts)]
    return tuple(names), np.array(table, dtype=np.uint16)
