"""The part of a scene spec that says which product to read, and how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from clearcoat.product.frame import parallel
from clearcoat.product.model import Product
from clearcoat.product.raw import Tessellation
from clearcoat.product.readers import read
from clearcoat.spec import Model
from clearcoat.spec.paths import expanded

FAMILY = "family"
"""The value of `builtin` that draws one vehicle after another."""

Axis = Literal["x", "y", "z", "-x", "-y", "-z"]
Unit = Literal["m", "dm", "cm", "mm", "um", "in", "ft", "yd", "km"]

UNIT_M: dict[str, float] = {
    "m": 1.0,
    "dm": 0.1,
    "cm": 0.01,
    "mm": 0.001,
    "um": 1e-6,
    "in": 0.0254,
    "ft": 0.3048,
    "yd": 0.9144,
    "km": 1000.0,
}
"""Metres per unit."""


class ProductSpec(Model):
    """Which product: a CAD file, or a built-in vehicle."""

    file: Path | None = None
    """The CAD file, relative to the spec: glTF, STEP, IGES, USD, OBJ, PLY or STL, by suffix."""
    builtin: str | None = None
    """Style of the built-in vehicle, instead of a file; `family` draws a new vehicle every
    `images_per_vehicle` images."""
    style: str | tuple[str, ...] | dict[str, float] = "any"
    """Which vehicles `builtin: family` draws: `any`, a style, a list of styles, or styles with
    weights."""
    images_per_vehicle: int = Field(default=24, ge=1)
    """How many images in a row show the same vehicle of `builtin: family`."""
    unit: Unit | None = None
    """Unit of the file's coordinates, where the file is wrong about it."""
    up: Axis | None = None
    """Axis of the file that points up (glTF: y, STEP: z by default)."""
    front: Axis | None = None
    """Axis of the file that points forward (glTF: z by default; else guessed from the extents)."""
    variant: str | None = None
    """Name of the variant to show, where the file offers variants (see `clearcoat inspect`)."""
    drop: tuple[str, ...] = ()
    """Globs on part paths: parts to leave out."""
    tessellation: Tessellation = Tessellation()
    """How finely curved surfaces of STEP and IGES files are cut into triangles."""
    seed: int = Field(default=0, ge=0)
    """Seed of the built-in vehicle, or of all that `builtin: family` draws."""
    parameters: dict[str, float] = {}
    """Parameters of the built-in vehicle that are fixed, by name."""

    @model_validator(mode="after")
    def _consistent(self) -> ProductSpec:
        if (self.file is None) == (self.builtin is None):
            raise ValueError("a product needs either `file` or `builtin`, and not both")
        if self.up is not None and self.front is not None and parallel(self.up, self.front):
            raise ValueError(f"up ({self.up}) and front ({self.front}) lie on one line")
        only_file = {"unit", "up", "front", "tessellation", "variant"} & self.model_fields_set
        if self.builtin is not None and only_file:
            raise ValueError(f"`{sorted(only_file)[0]}` is for files, not for built-in vehicles")
        only_family = {"style", "images_per_vehicle"} & self.model_fields_set
        if self.builtin != FAMILY and only_family:
            raise ValueError(f"`{sorted(only_family)[0]}` is for `builtin: {FAMILY}` only")
        only_builtin = {"seed", "parameters"} & self.model_fields_set
        if self.file is not None and only_builtin:
            raise ValueError(f"`{sorted(only_builtin)[0]}` is for built-in vehicles, not for files")
        return self


def load_file_product(
    spec: ProductSpec, base: Path, *, where: Callable[[int], str] | None = None
) -> Product:
    """Read the product file that a spec names.

    Args:
        spec: its `file` is set.
        base: the folder that a relative `file` starts from: the spec's own.
        where: names file and line of the i-th pattern of `drop`, for errors.

    Raises:
        ProductError: as `readers.read`.
        SpecError: a pattern of `drop` matches no part.
        ValueError: the spec names a built-in vehicle (a mistake of the caller).
    """
    if spec.file is None:
        raise ValueError("load_file_product needs a spec with `file`")
    return read(
        base / expanded(spec.file),
        unit_m=None if spec.unit is None else UNIT_M[spec.unit],
        up=spec.up,
        front=spec.front,
        drop=spec.drop,
        tessellation=spec.tessellation,
        variant=spec.variant,
        where=where,
    )
