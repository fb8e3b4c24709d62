"""From part numbers per pixel to class sets per pixel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from clearcoat.dataset import IGNORE, Coverage, LabelRaster
from clearcoat.product import ClassMap
from clearcoat.render import Frame
from clearcoat.spec import Model

LabelKind = Literal["parts", "instances", "depth", "normals", "objects", "extents", "coverage"]


class LabelSpec(Model):
    """How pixels are labelled. A pane of glass is itself the label unless a class says else."""

    see_through: tuple[str, ...] = ()
    """Classes that are labelled where they are seen through glass (glass policy `see_through`).
    All others have the policy `first_hit`, as in the paper: the first surface is the label."""
    least_share: dict[str, Annotated[float, Field(gt=0, lt=1)]] | None = None
    """Least share that a class must have of the pixels of all classes together, by class. Where it
    has less it is not labelled at all: people who draw masks leave out parts of which a sliver is
    seen, and a model that learned to find slivers is marked down for it on their photographs.
    Its objects then have no pixels; `parts` and `extents` go on saying what is seen. Null takes
    away what a spec that is extended gives."""
    write: tuple[LabelKind, ...] = ("parts", "depth", "objects", "extents")
    """What is stored beside the image and its classes. `parts`: which part each pixel shows.
    `instances`: which occurrence in the assembly. `depth`: metres along the optical axis.
    `normals`: in the camera's frame. `objects`: pixels and box of every single object.
    `extents`: pixels and box of objects and parts as if nothing stood in front of them.
    `coverage`: the share of every pixel that each class covers, for soft masks."""
    supersample: Annotated[int, Field(ge=2, le=16)] = 4
    """`coverage` is measured with this many rays squared per pixel."""
    objects: dict[str, str] = {}
    """What the single objects of a class are. A regular expression on part paths: parts in which
    it matches the same text are one object. `each`: every part is one. `whole`, the default: all
    parts of the class together are one."""
    extent_rays: Annotated[int, Field(ge=256, le=2**24)] = 16384
    """At how many pixels, at most, hidden surfaces are looked for: all of a picture of 128 x 128,
    every second row and column of 256 x 256. More is slower and finer."""

    @field_validator("write")
    @classmethod
    def _once(cls, value: tuple[LabelKind, ...]) -> tuple[LabelKind, ...]:
        # The order means nothing, so it must not make another series.
        return tuple(kind for kind in get_args(LabelKind) if kind in value)

    @field_validator("objects")
    @classmethod
    def _compile(cls, value: dict[str, str]) -> dict[str, str]:
        for name, pattern in value.items():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{name}: not a regular expression: {error}") from error
        return value


Marks = Mapping[str, int]
"""Per state of a surface's condition, the number of the class that it gives what it covers."""


def label_raster(
    frame: Frame, classes: ClassMap, spec: LabelSpec, marks: Marks | None = None
) -> LabelRaster:
    """Return the class sets of a frame.

    A pixel whose first surface is to be ignored is ignored, whatever lies behind it. What covers a
    surface is labelled on the first one only.
    """
    seen = _seen(frame, classes, spec, marks or {})
    return _without(seen, _slivers(seen, classes, spec))


def _slivers(seen: LabelRaster, classes: ClassMap, spec: LabelSpec) -> frozenset[int]:
    """Numbers of the classes of which too little is seen."""
    counts = seen.pixel_counts()
    total = sum(int(n) for members, n in zip(seen.sets, counts, strict=True) if members)
    least = {classes.names.index(name): share for name, share in (spec.least_share or {}).items()}
    return frozenset(
        number for number, share in least.items() if seen.mask(number).sum() < share * total
    )


def _without(seen: LabelRaster, left_out: frozenset[int]) -> LabelRaster:
    if not left_out:
        return seen
    members = [None if found is None else found - left_out for found in seen.sets]
    return LabelRaster.from_table(seen.index, members)


def _seen(frame: Frame, classes: ClassMap, spec: LabelSpec, marks: Marks) -> LabelRaster:
    shown = [(marks[n], mask) for n, mask in sorted(frame.conditions.items()) if n in marks]
    looking_through = frozenset(classes.names.index(name) for name in spec.see_through)
    of_part = (frozenset[int](), *classes.of_part)
    first, behind = frame.parts.astype(np.int64), frame.behind.astype(np.int64)
    covered = np.zeros_like(first)
    for bit, (_, mask) in enumerate(shown):
        covered |= mask.astype(np.int64) << bit
    seen_as = (covered * len(of_part) + first) * len(of_part) + behind
    found, place = np.unique(seen_as, return_inverse=True)
    members: list[frozenset[int] | None] = []
    for value in found:
        bits, pair = divmod(int(value), len(of_part) ** 2)
        on_it = frozenset(number for bit, (number, _) in enumerate(shown) if bits >> bit & 1)
        front, back = of_part[pair // len(of_part)], of_part[pair % len(of_part)]
        seen = (back or frozenset()) & looking_through
        members.append(None if front is None else (front - looking_through) | seen | on_it)
    return LabelRaster.from_table(place.reshape(first.shape), members)


def coverage(
    frame: Frame, classes: ClassMap, spec: LabelSpec, marks: Marks | None = None
) -> Coverage | None:
    """Return how much of every pixel each class covers, by the rules of `label_raster`.

    Of N x N rays through a pixel, the share that sees the class; in 255ths. None where the frame
    has no rays within its pixels.
    """
    if frame.fine_parts is None or frame.fine_behind is None:
        return None
    within = replace(
        frame,
        parts=frame.fine_parts,
        behind=frame.fine_behind,
        conditions=frame.fine_conditions,
    )
    # The whole pixels decide what is a sliver, so that both labels have the same classes.
    left_out = _slivers(_seen(frame, classes, spec, marks or {}), classes, spec)
    fine = _without(_seen(within, classes, spec, marks or {}), left_out)
    height, width = frame.parts.shape
    cells = (height, fine.shape[0] // height, width, fine.shape[1] // width)

    def share(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
        mean = mask.reshape(cells).mean(axis=(1, 3))
        steps: NDArray[np.uint8] = np.rint(mean * 255).astype(np.uint8)
        return steps

    shown = {number for members in fine.sets if members is not None for number in members}
    planes = {classes.names[number]: share(fine.mask(number)) for number in sorted(shown)}
    if fine.ignore().any():
        planes[IGNORE] = share(fine.ignore())
    stack = [np.zeros((height, width, 0), np.uint8), *(p[..., None] for p in planes.values())]
    return Coverage(tuple(planes), np.concatenate(stack, axis=2))
