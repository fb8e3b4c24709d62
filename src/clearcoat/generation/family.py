"""`product: {builtin: family}`: which vehicle each image shows.

Image i shows vehicle i // images_per_vehicle of a cast that (spec, seed) decide. See
docs/decisions/0090-a-cast-of-vehicles.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcoat import vehicles
from clearcoat.errors import SpecError, UsageError
from clearcoat.product import FAMILY, Product, ProductSpec
from clearcoat.render import Frame
from clearcoat.scene.distributions import stream
from clearcoat.spec.document import Document


@dataclass(frozen=True)
class Role:
    """One vehicle of the cast."""

    number: int
    """Its place in the cast: images `number * images_per_vehicle` and following show it."""
    style: str
    seed: int


def role(spec: ProductSpec, seed: int, index: int) -> Role:
    """Say which vehicle image `index` of the series `seed` shows: a pure function.

    Raises SpecError where the spec names a style that does not exist.
    """
    number = index // spec.images_per_vehicle
    word = int(stream(seed, number, f"product.family:{spec.seed}").integers(2**32))
    return Role(number, vehicles.draw_style(spec.style, word), word)


def build(spec: ProductSpec, cast: Role) -> Product:
    """Build the vehicle of a role, without the parts that the spec drops."""
    product = vehicles.build(cast.style, cast.seed, dict(spec.parameters))
    kept = [
        part
        for part in product.parts
        if not any(fnmatchcase(part.path, pattern) for pattern in spec.drop)
    ]
    return replace(product, parts=tuple(kept))


def part_ids(product: Product, catalogue: Product) -> NDArray[np.uint16]:
    """Return, per part number of a vehicle (0: nothing), its number in the catalogue.

    Raises LookupError where the vehicle has a part that the catalogue lacks: a bug of this package,
    which its tests look for, and not a user's mistake.
    """
    numbers = {
        (part.path, part.material and part.material.name): number
        for number, part in enumerate(catalogue.parts, start=1)
    }
    mine = [(part.path, part.material and part.material.name) for part in product.parts]
    lacking = [f"{path} of {name}" for path, name in mine if (path, name) not in numbers]
    if lacking:
        raise LookupError(
            f"{product.source} has parts that clearcoat/vehicles/parts.txt does not list: "
            f"{', '.join(lacking)}; add a line for each (`clearcoat.vehicles.catalogue.write`)"
        )
    return np.array([0, *(numbers[one] for one in mine)], dtype=np.uint16)


def renumbered(frame: Frame, ids: NDArray[np.uint16] | None) -> Frame:
    """Return a frame with its part numbers looked up in `ids`; None leaves them as they are."""
    if ids is None:
        return frame
    extent = frame.extent
    if extent is not None:
        extent = replace(extent, part=ids[extent.part].astype(extent.part.dtype))
    fine_parts, fine_behind = frame.fine_parts, frame.fine_behind
    return replace(
        frame,
        parts=ids[frame.parts],
        behind=ids[frame.behind],
        fine_parts=None if fine_parts is None else ids[fine_parts],
        fine_behind=None if fine_behind is None else ids[fine_behind],
        extent=extent,
    )


def check(spec: ProductSpec, document: Document) -> None:
    """Raise SpecError where a style does not exist or one of them has no such parameter."""
    try:
        weights = vehicles.shares(spec.style)
    except SpecError as error:
        error.where = document.where(("product", "style"))
        raise
    for style, weight in weights.items():
        try:
            if weight > 0:
                vehicles.draw_parameters(style, 0, spec.parameters)
        except UsageError as error:
            raise SpecError(
                error.what,
                where=document.where(("product", "parameters")),
                found=f"{error.found}, and style {style} may be drawn",
                expected=error.expected,
                do=error.do or "fix `product.style` to the styles that allow the value",
            ) from error


def check_style(spec: ProductSpec, document: Document) -> None:
    """Raise SpecError where `builtin` is no style, or a style without such parameters."""
    key = "builtin"
    try:
        vehicles.limits(str(spec.builtin))
        key = "parameters"
        vehicles.draw_parameters(str(spec.builtin), spec.seed, spec.parameters)
    except UsageError as error:
        expected = f"{error.expected}, or {FAMILY}" if key == "builtin" else error.expected
        raise SpecError(
            error.what,
            where=document.where(("product", key)),
            found=error.found,
            expected=expected,
            do=error.do,
        ) from error


def code_digest() -> str:
    """Return the SHA-256 (hex) of the code that builds vehicles.

    Their geometry cannot be digested without building every vehicle of the cast.
    """
    sha = hashlib.sha256()
    folder = resources.files(vehicles)
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if Path(entry.name).suffix in {".py", ".txt"}:
            sha.update(entry.name.encode() + b"\0" + entry.read_bytes())
    return sha.hexdigest()
