"""A small record with everything in it."""

from __future__ import annotations

import numpy as np

from clearcoat.dataset import LabelRaster, Record

CLASSES = ("hood", "wheel", "mirror")


def make_record(index: int, height: int = 12, width: int = 10) -> Record:
    """A record with everything in it: overlap, background, ignore, parts and depth."""
    random = np.random.default_rng(index)
    planes = np.zeros((3, height, width), dtype=np.bool_)
    planes[0, 2:8, 1:7] = True
    planes[0, 4, 4] = False
    planes[2, 5:9, 5:9] = True
    ignore = np.zeros((height, width), dtype=np.bool_)
    ignore[0] = True
    parts = random.integers(0, 4, (height, width)).astype(np.uint16)
    depth = random.uniform(0.2, 9, (height, width)).astype(np.float32)
    return Record(
        index=index,
        image=random.integers(0, 256, (height, width, 3)).astype(np.uint8),
        labels=LabelRaster.from_planes(planes, ignore),
        parts=parts,
        depth=np.where(parts == 0, np.float32(np.inf), depth),
        metadata={"camera": {"focal_mm": 35.0}, "name": "Kotflügel"},
        source_name=f"photo {index}.png",
    )
