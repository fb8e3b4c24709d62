"""What the renderer gives back for one scene sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.peel import Extent

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Frame:
    """One rendered image, still linear, and what is seen at the centre of every pixel."""

    radiance: Float32Array
    """(H, W, 3), linear sRGB, scaled so that a white diffuser in the scene's mean light is 1."""
    parts: NDArray[np.uint16]
    """(H, W): 0 where no part of the product is, else 1 + the part's place in the product."""
    behind: NDArray[np.uint16]
    """(H, W): as `parts`, looking through the panes that are to be looked through."""
    depth_m: Float32Array
    """(H, W): distance along the optical axis to what `parts` shows, metres; inf where nothing."""
    albedo: Float32Array
    """(H, W, 3), mean over the pixel."""
    normal: Float32Array
    """(H, W, 3), world frame, mean over the pixel."""
    surface_normal: Float32Array | None = None
    """(H, W, 3), unit length, camera frame (OpenCV), at the pixel's centre; 0 where no part is.
    None unless asked for."""
    fine_parts: NDArray[np.uint16] | None = None
    """(N H, N W): as `parts`, at the centres of N x N cells per pixel; None unless asked for."""
    fine_behind: NDArray[np.uint16] | None = None
    """(N H, N W): as `behind`."""
    extent: Extent | None = None
    """What the parts would cover unoccluded; None unless asked for."""
    conditions: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """Per state of wear, scratches, dirt or drops that holds, (H, W): where it covers more than
    half of the surface that `parts` shows, at the pixel's centre."""
    fine_conditions: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """Likewise for `fine_parts`."""
