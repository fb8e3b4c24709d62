"""Environments that need no file. Each is a pure function of what was sampled: its kind, the
weather or the lamps, and the number from which it draws its details.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.environments.busy import busy
from clearcoat.render.environments.rooms import hall, studio
from clearcoat.render.environments.sky import outdoors
from clearcoat.scene import EnvironmentSample, SkySample

Float32Array = NDArray[np.float32]

_NOON = SkySample(sun=(0.5, 0.5, 0.7071), turbidity=3.0, cloud_cover=0.4)


def environment(sample: EnvironmentSample, ground: Float32Array, mi: Any) -> Float32Array:
    """(HEIGHT, WIDTH, 3): the procedural environment of a sample over a ground of albedo (3,).

    Raises ValueError where the kind is none of the procedural ones.
    """
    rng = np.random.default_rng(sample.variation)
    if sample.kind == "sky":
        return outdoors(sample.sky or _NOON, ground, rng, mi)
    if sample.kind in {"hall", "tunnel"}:
        return hall(ground, rng)
    if sample.kind == "studio":
        return studio(sample.lamps, ground, rng)
    if sample.kind == "busy":
        return busy(rng)
    raise ValueError(f"no procedural environment of kind {sample.kind!r}")
