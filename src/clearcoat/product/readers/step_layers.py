"""Layers of a STEP file: from what an assignment lists, up to the products that it belongs to.

The converter does not hand layers over, so they are looked up in the text and given to parts by
the names that both have: those of products, of their occurrences, and of solids.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from clearcoat.product.raw import RawPart
from clearcoat.product.readers.part21 import Entities, entities, references, strings

_ASSIGNMENT = b"PRESENTATION_LAYER_ASSIGNMENT"
_WORDS = (
    *(b"SHAPE_REPRESENTATION", b"SHAPE_DEFINITION_REPRESENTATION", b"PRODUCT"),
    *(b"NEXT_ASSEMBLY_USAGE_OCCURRENCE", b"STYLED_ITEM", b"_BREP", b"SURFACE_MODEL"),
    *(b"GEOMETRIC_SET", b"GEOMETRIC_CURVE_SET", b"TESSELLATED_"),
)


@dataclass
class StepLayers:
    """Layers by the names under which parts are found."""

    of_product: dict[str, set[str]] = field(default_factory=dict)
    of_solid: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """By product and name of the solid, where the file names it."""
    product_of: dict[str, set[str]] = field(default_factory=dict)
    """Products by the name of an occurrence."""

    def of(self, path: str, definition: str) -> str:
        """Return the layers of a part, joined by ', ': its own and those of assemblies above."""
        names = [re.sub(r"#\d+$", "", name) for name in path.split("/")]
        products = {product for name in names for product in self.product_of.get(name, {name})}
        products.add(definition)
        own: set[str] = set()
        for product in products:
            solids = {s for p, s in self.of_solid if p == product} & {names[-1], definition}
            if solids:
                own.update(*(self.of_solid[product, solid] for solid in solids))
            else:
                own |= self.of_product.get(product, set())
        return ", ".join(sorted(own))


def read_layers(text: mmap.mmap | bytes) -> StepLayers | None:
    """Return the layers of a STEP file; None where it has none."""
    if text.find(_ASSIGNMENT) < 0:
        return None
    assigned = entities(text, [_ASSIGNMENT])
    found = entities(text, _WORDS)
    product_names = _product_names(found)
    owners = _owners(found, product_names)
    layers = StepLayers()
    for body in assigned.values():
        name = next(iter(strings(body)), "").strip()
        for listed in references(body):
            target = found.get(listed, b"")
            styled = references(target)[-1:] if b"STYLED_ITEM" in target else []
            item = styled[0] if styled else listed
            # Coordinate systems and other aids lie on layers too, beside the shape.
            if item not in found:
                continue
            solid = next(iter(strings(found.get(item, b""))), "").strip()
            for product in owners.get(item, ()):
                layers.of_product.setdefault(product, set()).add(name)
                if solid:
                    layers.of_solid.setdefault((product, solid), set()).add(name)
    for body in _of_kind(found, "NEXT_ASSEMBLY_USAGE_OCCURRENCE").values():
        ends, names = references(body)[:2], strings(body)
        if len(ends) == 2 and len(names) > 1 and ends[1] in product_names:
            layers.product_of.setdefault(names[1], set()).add(product_names[ends[1]])
    return layers if layers.of_product else None


def with_layers(parts: Sequence[RawPart], layers: StepLayers | None) -> tuple[RawPart, ...]:
    """Return the parts with their layers."""
    if layers is None:
        return tuple(parts)
    return tuple(replace(part, layer=layers.of(part.path, part.definition)) for part in parts)


def _of_kind(found: Entities, pattern: str) -> Entities:
    """Return the simple entities whose keyword matches as a whole."""
    keyword = re.compile(rf"\s*(?:{pattern})\s*\(".encode())
    return {number: body for number, body in found.items() if keyword.match(body)}


def _product_names(found: Entities) -> dict[int, str]:
    """Name of the product by the number of its definition."""
    products = {
        number: next((text for text in reversed(strings(body)[:2]) if text), "")
        for number, body in _of_kind(found, "PRODUCT").items()
    }
    formations = {
        number: name
        for number, body in _of_kind(found, r"PRODUCT_DEFINITION_FORMATION\w*").items()
        for name in [next((products[n] for n in references(body) if n in products), "")]
        if name
    }
    return {
        number: name
        for number, body in _of_kind(found, r"PRODUCT_DEFINITION(?:_WITH_\w+)?").items()
        for name in [next((formations[n] for n in references(body) if n in formations), "")]
        if name
    }


def _owners(found: Entities, product_names: dict[int, str]) -> dict[int, set[str]]:
    """Products by the number of a shape representation, and of what it consists of."""
    shapes = {
        number: product_names[definition]
        for number, body in _of_kind(found, "PRODUCT_DEFINITION_SHAPE").items()
        for definition in references(body)[:1]
        if definition in product_names
    }
    owners: dict[int, set[str]] = {}
    for body in _of_kind(found, "SHAPE_DEFINITION_REPRESENTATION").values():
        ends = references(body)
        if len(ends) == 2 and ends[0] in shapes:
            owners.setdefault(ends[1], set()).add(shapes[ends[0]])
    # A product's representation may stand for another that holds its solids.
    for body in _of_kind(found, "SHAPE_REPRESENTATION_RELATIONSHIP").values():
        ends = references(body)
        if len(ends) == 2:
            both = owners.get(ends[0], set()) | owners.get(ends[1], set())
            for end in ends:
                owners.setdefault(end, set()).update(both)
    for number, body in _of_kind(found, r"(?:\w+_)?SHAPE_REPRESENTATION").items():
        # The last reference is the context, which representations share.
        for item in references(body)[:-1]:
            owners.setdefault(item, set()).update(owners.get(number, ()))
    return owners
