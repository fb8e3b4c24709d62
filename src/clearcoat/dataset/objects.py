"""Objects: the single things of a class (this wheel, that wheel), which boxes and masks are of."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]
Box = tuple[Count, Count, Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]]
"""x, y, width and height in pixels: the box holds columns x … x + width - 1."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class ObjectEntry(_Stored):
    """One object of one class, the same for all images of a data set."""

    class_name: Annotated[str, Field(alias="class", min_length=1)]
    name: str
    """What tells it from the other objects of its class."""
    parts: tuple[Annotated[int, Field(gt=0)], ...]
    """Ids of its parts, ascending."""
    through_glass: bool = False
    """Whether it is labelled where it is seen through panes: its pixels are those of the raster
    `behind`, not of `parts`."""


class ObjectPixels(_Stored):
    """What one image shows of an object."""

    object: Count
    """Its place in the manifest's list of objects."""
    pixels: Count
    """Number of pixels that show it; 0 where it is in the frame and hidden."""
    box: Box | None = None
    """Box around them; None where there are none."""
    full_pixels: Count | None = None
    """Number of pixels that it would cover with nothing in front, within the frame."""
    full_box: Box | None = None
    """Box around those."""

    @property
    def visible_share(self) -> float | None:
        """Share of its full extent that is seen, 0 to 1; None where the extent was not measured."""
        if not self.full_pixels:
            return None
        return min(1.0, self.pixels / self.full_pixels)


class PartPixels(NamedTuple):
    """How much of a part an image shows; in JSON a list of three, as there may be thousands."""

    part: Annotated[int, Field(gt=0)]
    pixels: Count
    full_pixels: Count


def box_of(mask: NDArray[np.bool_]) -> Box | None:
    """Return the box around the pixels of an (H, W) mask; None where it has none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1
