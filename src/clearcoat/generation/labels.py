"""From part numbers per pixel to class sets per pixel."""

from __future__ import annotations

import numpy as np

from clearcoat.dataset import LabelRaster
from clearcoat.product import ClassMap
from clearcoat.render import Frame
from clearcoat.spec import Model


class LabelSpec(Model):
    """How pixels are labelled. A pane of glass is itself the label unless a class says else."""

    see_through: tuple[str, ...] = ()
    """Classes that are labelled where they are seen through glass (glass policy `see_through`).
    All others have the policy `first_hit`, as in the paper: the first surface is the label."""


def label_raster(frame: Frame, classes: ClassMap, spec: LabelSpec) -> LabelRaster:
    """Return the class sets of a frame.

    A pixel whose first surface is to be ignored is ignored, whatever lies behind it.
    """
    looking_through = frozenset(classes.names.index(name) for name in spec.see_through)
    of_part = (frozenset[int](), *classes.of_part)
    first, behind = frame.parts.astype(np.int64), frame.behind.astype(np.int64)
    pairs, place = np.unique(first * len(of_part) + behind, return_inverse=True)
    members: list[frozenset[int] | None] = []
    for pair in pairs:
        front, back = of_part[pair // len(of_part)], of_part[pair % len(of_part)]
        seen = (back or frozenset()) & looking_through
        members.append(None if front is None else (front - looking_through) | seen)
    return LabelRaster.from_table(place.reshape(first.shape), members)
