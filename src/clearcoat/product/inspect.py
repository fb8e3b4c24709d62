"""A summary of a product for people and programs: parts, materials, totals, notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.color import hex_color
from clearcoat.product.model import Part, Product, SourceMaterial
from clearcoat.product.rules import ClassMap, MaterialRule
from clearcoat.product.textures import TEXTURE_KINDS


@dataclass(frozen=True, eq=False)
class PartSummary:
    """One part."""

    path: str
    triangles: int
    material: str | None
    bounds_m: NDArray[np.float64]
    """(2, 3): least and greatest corner, product frame."""
    classes: tuple[str, ...] | None = ()
    """Names of its classes; None: ignore."""
    use: str | None = None
    """The library material that a rule gives it."""
    color: str | None = None
    """The colour that the file gives it, #rrggbb (sRGB)."""
    layer: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    instance: str = ""
    """Path of its occurrence, as in `Part`."""
    definition: str = ""


@dataclass(frozen=True)
class MaterialSummary:
    """One material of the product file, and how much of the product has it."""

    material: SourceMaterial | None
    parts: int
    triangles: int


@dataclass
class TreeNode:
    """One level of the part tree."""

    name: str
    part: PartSummary | None = None
    children: dict[str, TreeNode] = field(default_factory=dict)

    @property
    def triangles(self) -> int:
        """Triangles of this node and all below it."""
        own = 0 if self.part is None else self.part.triangles
        return own + sum(child.triangles for child in self.children.values())


@dataclass(frozen=True, eq=False)
class ProductSummary:
    """Everything that `clearcoat inspect` shows."""

    product: Product
    parts: tuple[PartSummary, ...]
    materials: tuple[MaterialSummary, ...]
    """By number of triangles, most first."""
    class_map: ClassMap | None = None
    has_material_rules: bool = False

    @property
    def tree(self) -> TreeNode:
        """The parts as a tree, in the file's order."""
        root = TreeNode(self.product.name)
        for part in self.parts:
            node = root
            for name in part.path.split("/"):
                node = node.children.setdefault(name, TreeNode(name))
            node.part = part
        return root

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; lengths in metres, product frame."""
        product = self.product
        low, high = product.bounds_m
        result: dict[str, Any] = {
            "name": product.name,
            "source": product.source,
            "unit_m": product.unit_m,
            "up": product.up,
            "front": product.front,
            "part_count": len(product.parts),
            "triangle_count": product.triangle_count,
            "bounds_m": _corners(product.bounds_m),
            "size_m": _rounded(high - low),
            "materials": [_material_dict(entry) for entry in self.materials],
            "parts": [self._part_dict(part) for part in self.parts],
            "variants": list(product.variants),
            "variant": product.variant,
            "notes": list(product.notes),
        }
        if self.class_map is not None:
            result["class_names"] = list(self.class_map.names)
            result["classes_without_part"] = list(self.class_map.absent)
        return result

    def _part_dict(self, part: PartSummary) -> dict[str, Any]:
        result: dict[str, Any] = {
            "path": part.path,
            "triangles": part.triangles,
            "material": part.material,
            "bounds_m": _corners(part.bounds_m),
            "color": part.color,
            "layer": part.layer,
            "metadata": part.metadata,
            "instance": part.instance,
            "definition": part.definition,
        }
        if self.class_map is not None:
            result["classes"] = "ignore" if part.classes is None else list(part.classes)
        if self.has_material_rules:
            result["library_material"] = part.use
        return result


def summarize(
    product: Product,
    class_map: ClassMap | None = None,
    material_rules: Sequence[MaterialRule | None] | None = None,
) -> ProductSummary:
    """Summarise a product, with what the rules of a spec decided about its parts if given."""
    parts = tuple(
        PartSummary(
            path=part.path,
            triangles=part.triangle_count,
            material=None if part.material is None else part.material.name,
            bounds_m=_bounds(part),
            classes=() if class_map is None else _class_names(class_map, number),
            use=_use(material_rules, number),
            color=None if part.color is None else hex_color(part.color),
            layer=part.layer,
            metadata=dict(part.metadata),
            instance=part.instance,
            definition=part.definition,
        )
        for number, part in enumerate(product.parts)
    )
    of_material: dict[SourceMaterial | None, list[int]] = {}
    for part in product.parts:
        of_material.setdefault(part.material, []).append(part.triangle_count)
    materials = sorted(
        (MaterialSummary(key, len(counts), sum(counts)) for key, counts in of_material.items()),
        key=lambda entry: -entry.triangles,
    )
    return ProductSummary(
        product=product,
        parts=parts,
        materials=tuple(materials),
        class_map=class_map,
        has_material_rules=material_rules is not None,
    )


def _bounds(part: Part) -> NDArray[np.float64]:
    vertices = part.mesh.vertices
    return np.array([vertices.min(axis=0), vertices.max(axis=0)], dtype=np.float64)


def _class_names(class_map: ClassMap, number: int) -> tuple[str, ...] | None:
    classes = class_map.of_part[number]
    return None if classes is None else tuple(class_map.names[i] for i in sorted(classes))


def _use(rules: Sequence[MaterialRule | None] | None, number: int) -> str | None:
    rule = None if rules is None else rules[number]
    return None if rule is None else rule.use


def _material_dict(entry: MaterialSummary) -> dict[str, Any]:
    result: dict[str, Any] = {
        "name": None if entry.material is None else entry.material.name,
        "parts": entry.parts,
        "triangles": entry.triangles,
    }
    if entry.material is not None:
        result |= {
            "base_color": _rounded(np.array(entry.material.base_color)),
            "alpha": round(entry.material.alpha, 6),
            "metallic": round(entry.material.metallic, 6),
            "roughness": round(entry.material.roughness, 6),
            "transmission": round(entry.material.transmission, 6),
            "clearcoat": round(entry.material.clearcoat, 6),
            "ior": round(entry.material.ior, 6),
            "thin_film": _thin_film(entry.material),
            "textures": _texture_sizes(entry.material),
            "emissive": _rounded(np.array(entry.material.emissive)),
        }
    return result


def _thin_film(material: SourceMaterial) -> dict[str, float] | None:
    """What the file says of a film on a material, None where it has none."""
    if material.iridescence == 0:
        return None
    return {
        "weight": round(material.iridescence, 6),
        "ior": round(material.iridescence_ior, 6),
        "thickness_nm": round(material.iridescence_thickness_nm, 3),
    }


def _texture_sizes(material: SourceMaterial) -> dict[str, list[int]]:
    """Width and height in pixels of each texture, by what it holds."""
    if material.textures is None:
        return {}
    found = {name: getattr(material.textures, name) for name in TEXTURE_KINDS}
    return {
        name: [texture.pixels.shape[1], texture.pixels.shape[0]]
        for name, texture in found.items()
        if texture is not None
    }


def _corners(bounds: NDArray[np.float64]) -> list[list[float]]:
    return [_rounded(corner) for corner in bounds]


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 6) for value in values]
