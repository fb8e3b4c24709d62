"""Readers of product files, chosen by suffix and imported only when one is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

from clearcoat.errors import ProductError, did_you_mean
from clearcoat.product.frame import to_product_frame
from clearcoat.product.model import Product
from clearcoat.product.raw import RawProduct, ReadOptions, Tessellation, check_file
from clearcoat.product.rules import keep_parts

__all__ = ["READERS", "read"]

READERS = {
    ".glb": "gltf",
    ".gltf": "gltf",
    ".stp": "step",
    ".step": "step",
    ".igs": "iges",
    ".iges": "iges",
    ".obj": "obj",
    ".ply": "ply",
    ".stl": "stl",
    ".usd": "usd",
    ".usda": "usd",
    ".usdc": "usd",
    ".usdz": "usd",
}
"""Suffix (lower case) -> module in this folder; it has `read(path, options)`."""

_NO_OPEN_READER = {".catpart", ".catproduct", ".jt", ".prt", ".sldprt", ".sldasm", ".x_t", ".3dxml"}


def read(
    path: Path,
    *,
    unit_m: float | None = None,
    up: str | None = None,
    front: str | None = None,
    drop: Sequence[str] = (),
    tessellation: Tessellation | None = None,
    variant: str | None = None,
    where: Callable[[int], str] | None = None,
) -> Product:
    """Read a product file into the product frame (ISO 8855, metres).

    Args:
        path: the file; its suffix chooses the reader.
        unit_m: metres per unit of the file's coordinates; None: as the file says.
        up: axis of the file that points up: x, y, z, -x, -y or -z; None: as the format says.
        front: axis of the file that points forward; None: as the format says.
        drop: globs on part paths; the parts that match are left out.
        tessellation: how finely curved surfaces are cut into triangles.
        variant: name of the variant to show; None: as the file stands.
        where: names file and line of the i-th pattern of `drop`, for errors.

    Raises:
        ProductError: the file is missing, damaged, of an unsupported format or without
            geometry, or the axes contradict each other.
        MissingDependencyError: an optional package that the format needs is not installed.
        SpecError: a pattern of `drop` matches no part.
    """
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise _unsupported(path, suffix)
    check_file(path)
    module = importlib.import_module(f"{__name__}.{READERS[suffix]}")
    raw: RawProduct = module.read(path, ReadOptions(tessellation or Tessellation(), variant))
    if variant is not None and not raw.variants:
        raise ProductError(
            "the product has no such variant",
            where=path,
            found=repr(variant),
            expected="no variant",
            do="remove `variant`: the file has none",
        )
    kept = keep_parts([part.path for part in raw.parts], drop, where=where)
    if not raw.parts:
        raise ProductError(
            "the product has no geometry",
            where=path,
            found="; ".join(raw.notes) or "a file without triangles",
            expected="at least one part with triangles",
            do="export the surfaces or solids, not only wireframe, layers or an empty assembly",
        )
    if not kept:
        raise ProductError(
            "every part of the product is dropped",
            where=path,
            found=f"{len(raw.parts)} parts in the file, drop: {', '.join(drop)}",
            do="narrow the patterns under `drop`",
        )
    return to_product_frame(
        raw, [raw.parts[i] for i in kept], path=path, unit_m=unit_m, up=up, front=front
    )


def _unsupported(path: Path, suffix: str) -> ProductError:
    if suffix in {".yaml", ".yml"}:
        advice = "this looks like a spec: give it with --spec"
    elif suffix in _NO_OPEN_READER:
        advice = "no open reader exists for this format: export STEP AP242 from the CAD system"
    elif suffix:
        advice = did_you_mean(suffix, READERS)
    else:
        advice = "give a file whose name ends in " + ", ".join(READERS)
    return ProductError(
        "this product format cannot be read",
        where=path,
        found=f"suffix {suffix!r}",
        expected="one of " + ", ".join(READERS),
        do=advice,
    )
