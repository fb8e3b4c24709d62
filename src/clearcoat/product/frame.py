"""From the frame of a file to the product frame: metres, x forward, y left, z up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcoat.errors import ProductError
from clearcoat.product.detect import complete
from clearcoat.product.model import Mesh, Part, Product
from clearcoat.product.raw import RawPart, RawProduct

AXES = ("x", "y", "z", "-x", "-y", "-z")
_PLAUSIBLE_SIZE_M = (0.005, 50.0)
_ODDLY_WIDE = 1.5


def axis_vector(axis: str) -> NDArray[np.float64]:
    """(3,): the unit vector of an axis name: x, y, z, -x, -y or -z.

    Raises:
        ValueError: no such axis.
    """
    if axis not in AXES:
        raise ValueError(f"no such axis: {axis!r}; use one of {', '.join(AXES)}")
    vector = np.zeros(3)
    vector["xyz".index(axis[-1])] = -1.0 if axis.startswith("-") else 1.0
    return vector


def parallel(axis: str, other: str) -> bool:
    """Whether two axis names lie on one line."""
    return axis[-1] == other[-1]


def rotation(up: str, front: str) -> NDArray[np.float64]:
    """(3, 3): turns file coordinates (as columns) into x forward, y left, z up.

    Left is up × front, so the determinant is +1 and left parts stay left.

    Raises:
        ValueError: an axis does not exist, or both lie on one line.
    """
    z, x = axis_vector(up), axis_vector(front)
    if parallel(up, front):
        raise ValueError(f"up ({up}) and front ({front}) lie on one line")
    return np.stack([x, np.cross(z, x), z])


def to_product_frame(
    raw: RawProduct,
    parts: Sequence[RawPart],
    *,
    path: Path,
    unit_m: float | None = None,
    up: str | None = None,
    front: str | None = None,
) -> Product:
    """Turn, scale and shift raw parts into the product frame.

    Args:
        raw: what the reader found; its unit and axes hold where none is given.
        parts: the parts of `raw` to keep.
        path: names the product and the errors.
        unit_m: metres per unit of the file's coordinates.
        up: axis of the file that points up.
        front: axis of the file that points forward.

    Raises:
        ProductError: the axes contradict each other, or coordinates leave float32's range.
    """
    bounds = _bounds(parts)
    guess = complete(
        bounds[1] - bounds[0],
        unit_m=raw.unit_m if unit_m is None else unit_m,
        up=up or raw.up,
        front=front or raw.front,
        usual_up=raw.usual_up,
    )
    scale, up_axis, front_axis = guess.unit_m, guess.up, guess.front
    if not (math.isfinite(scale) and scale > 0):
        raise ProductError("the unit must be positive", where=path, found=f"{scale} metres")
    turn = _turn(up_axis, front_axis, path, _whose_axes(up, front))
    with np.errstate(over="ignore"):
        turned = [(part.vertices @ turn.T) * scale for part in parts]
        # Axes turn onto axes, so the box turns with them, exactly.
        corners = (bounds @ turn.T) * scale
        low, high = corners.min(axis=0), corners.max(axis=0)
        size = high - low
    _check_range(low, high, path)
    origin = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    placed = tuple(
        _placed(part, vertices - origin, turn) for part, vertices in zip(parts, turned, strict=True)
    )
    notes = [*raw.notes, *guess.notes]
    if len(parts) < len(raw.parts):
        notes.append(f"{len(raw.parts) - len(parts)} parts dropped by the spec")
    notes += _doubts(size, scale, front_axis if front is None and raw.front is not None else None)
    return Product(
        name=path.stem,
        parts=placed,
        source=path.name,
        unit_m=scale,
        up=up_axis,
        front=front_axis,
        variants=raw.variants,
        variant=raw.variant,
        notes=tuple(notes),
    )


def _turn(up: str, front: str, path: Path, whose: str) -> NDArray[np.float64]:
    """(3, 3): as `rotation`, its errors in the user's terms."""
    try:
        return rotation(up, front)
    except ValueError as error:
        raise ProductError(
            "the product's axes do not define a frame",
            where=path,
            found=str(error) + whose,
            expected="up and front on different axes of x, y, z, -x, -y, -z",
            do="give both: up (towards the sky) and front (the way the product faces)",
        ) from error


def _check_range(low: NDArray[np.float64], high: NDArray[np.float64], path: Path) -> None:
    # Products of coordinates (areas, transforms) must stay finite in float32 downstream.
    if not np.all(np.isfinite(high - low)) or float(np.abs([low, high]).max()) > 1e12:
        raise ProductError(
            "the product's coordinates are too large to be metres",
            where=path,
            found=f"bounds {low.tolist()} to {high.tolist()} m",
            do="correct the unit, or drop the stray part",
        )


def _doubts(size: NDArray[np.float64], scale: float, formats_front: str | None) -> list[str]:
    """Return a sentence on every oddity of the size (3,), metres, in the product frame."""
    notes = []
    least, most = _PLAUSIBLE_SIZE_M
    if not least <= float(size.max()) <= most:
        notes.append(
            f"the product is {size.max():,.4g} m long: check its unit ({scale:g} m per file unit)"
        )
    if formats_front is not None and size[1] > _ODDLY_WIDE * size[0]:
        notes.append(
            f"the product is wider ({size[1]:.3g} m) than long ({size[0]:.3g} m) with the format's "
            f"front, {formats_front}: check `front`"
        )
    return notes


def _bounds(parts: Sequence[RawPart]) -> NDArray[np.float64]:
    """(2, 3): least and greatest corner of all parts, file frame."""
    low = np.min([part.vertices.min(axis=0) for part in parts], axis=0)
    high = np.max([part.vertices.max(axis=0) for part in parts], axis=0)
    return np.stack([low, high])


def _placed(part: RawPart, vertices: NDArray[np.float64], turn: NDArray[np.float64]) -> Part:
    normals = None
    if part.normals is not None:
        normals = np.ascontiguousarray(part.normals @ turn.T, dtype=np.float32)
    mesh = Mesh(
        vertices=np.ascontiguousarray(vertices, dtype=np.float32),
        faces=part.faces,
        normals=normals,
        uv=part.uv,
    )
    return Part(
        path=part.path,
        mesh=mesh,
        material=part.material,
        color=part.color,
        layer=part.layer,
        metadata=part.metadata,
        body=part.body,
        definition=part.definition,
    )


def _whose_axes(up: str | None, front: str | None) -> str:
    if up is None and front is not None:
        return "; up is the format's default"
    if front is None and up is not None:
        return "; front is the format's default"
    return ""
