"""What every reader hands over: parts in the frame and the unit of their file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from clearcoat.errors import ProductError
from clearcoat.product.model import SourceMaterial
from clearcoat.spec import Model

Float64Array = NDArray[np.float64]


class Tessellation(Model):
    """How finely curved surfaces (STEP, IGES) become triangles; ignored for triangle files."""

    linear_mm: float = Field(default=0.2, gt=0)
    """Largest distance between the surface and its triangles, in millimetres."""
    angular_deg: float = Field(default=10.0, gt=0, le=90)
    """Largest angle between neighbouring triangles of a curved surface, in degrees."""


@dataclass(frozen=True)
class ReadOptions:
    """What a spec may ask of a reader, beside the file."""

    tessellation: Tessellation = field(default_factory=Tessellation)
    variant: str | None = None
    """Name of the variant to show, in formats that have variants; None: as the file stands."""


@dataclass(frozen=True, eq=False)
class RawPart:
    """One body of one material, placed in the file's frame."""

    path: str
    vertices: Float64Array
    """(V, 3), file units."""
    faces: NDArray[np.uint32]
    """(F, 3), counter-clockwise front faces."""
    normals: Float64Array | None = None
    """(V, 3), unit length."""
    uv: NDArray[np.float32] | None = None
    """(V, 2), v upwards."""
    material: SourceMaterial | None = None
    color: tuple[float, float, float] | None = None
    """As in `Part`, and so are those that follow."""
    layer: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    definition: str = ""


@dataclass(frozen=True, eq=False)
class RawProduct:
    """All parts of a file, with what the file says of its unit and axes."""

    parts: tuple[RawPart, ...]
    unit_m: float | None
    """Metres per file unit, as the file or its format says; None where neither does."""
    up: str | None
    """Axis that points up, as the file or its format says; None where neither does."""
    front: str | None
    """Axis that points forward, likewise."""
    notes: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    """Names of the variants that the file offers."""
    variant: str = ""
    """Name of the one that is shown; empty: as the file stands."""
    usual_up: str = "z"
    """What writers of the format mostly use, where `up` is None."""


@dataclass
class Notes:
    """Collects what a reader repaired, left out or assumed; equal ones are counted."""

    counts: Counter[str] = field(default_factory=Counter)
    parts: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, text: str, count: int = 1, part: str | None = None) -> None:
        """Note `text`; with `part`, how many there are and where is added."""
        if count <= 0:
            return
        self.counts[text] += count
        names = self.parts.setdefault(text, {})
        if part is not None:
            names[part] = None

    def merge(self, other: Notes, part: str) -> None:
        """Add what was noted of a shared shape, for one part that has it."""
        for text, count in other.counts.items():
            self.add(text, count, part)

    def sentences(self) -> tuple[str, ...]:
        """One sentence per kind of note, in the order of their first occurrence."""
        result = []
        for text, count in self.counts.items():
            names = list(self.parts[text])
            if not names:
                result.append(text)
                continue
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
            result.append(f"{text}: {count:,} ({shown})")
        return tuple(result)


def check_file(path: Path) -> None:
    """Make sure that `path` is a file that can be read and is not empty.

    Raises:
        ProductError: it is not.
    """
    try:
        if path.is_dir():
            raise ProductError("the product is a folder", where=path, expected="a CAD file")
        if path.exists() and not path.is_file():
            # Opening a pipe waits for its writer, and a device never ends.
            raise ProductError("the product is no regular file", where=path, expected="a CAD file")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise ProductError(
                    "the product file is empty", where=path, do="export it again from the CAD"
                )
    except OSError as error:
        raise ProductError(
            "the product file cannot be read",
            where=path,
            found=error.strerror,
            do="check the path and its permissions",
        ) from error
