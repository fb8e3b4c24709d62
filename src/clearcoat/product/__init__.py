"""Products: parts in one frame, readers per CAD format, and the rules that name parts."""

from clearcoat.product.inspect import ProductSummary, summarize
from clearcoat.product.instances import instances
from clearcoat.product.match import Groups, PartMatch, PartPattern, check_groups, part_color
from clearcoat.product.model import Mesh, Part, Product, SourceMaterial
from clearcoat.product.raw import Tessellation
from clearcoat.product.readers import READERS, read
from clearcoat.product.rules import (
    ClassMap,
    ClassRule,
    ClassRules,
    MaterialRule,
    drop_parts,
    resolve_classes,
    resolve_materials,
)
from clearcoat.product.spec import FAMILY, UNIT_M, ProductSpec, load_file_product

__all__ = [
    "FAMILY",
    "READERS",
    "UNIT_M",
    "ClassMap",
    "ClassRule",
    "ClassRules",
    "Groups",
    "MaterialRule",
    "Mesh",
    "Part",
    "PartMatch",
    "PartPattern",
    "Product",
    "ProductSpec",
    "ProductSummary",
    "SourceMaterial",
    "Tessellation",
    "check_groups",
    "drop_parts",
    "instances",
    "load_file_product",
    "part_color",
    "read",
    "resolve_classes",
    "resolve_materials",
    "summarize",
]
