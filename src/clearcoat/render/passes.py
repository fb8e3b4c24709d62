"""The two passes that a picture is made of: light, and what guides the denoiser."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.cutout import transmission_integrator
from clearcoat.render.settings import RenderSettings

Float32Array = NDArray[np.float32]

_GUIDE_SAMPLES = 4


class Passes:
    """Integrators, made once. See docs/decisions/0006-guide-pass.md for why they are two."""

    def __init__(self, settings: RenderSettings, mi: Any) -> None:
        self.mi = mi
        self.samples = strata(settings.samples)
        path = {"type": "path", "max_depth": settings.max_depth, "rr_depth": 3}
        self._path = mi.load_dict(path)
        self._cut_out = mi.load_dict({**path, "hide_emitters": True})
        self._transmission: Any = None
        self._guide = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})

    def light(self, scene: Any, sensor: Any, seed: int, *, cut_out: bool) -> Float32Array:
        """Return radiance (H, W, 3).

        With `cut_out` the environment lights but is not seen, not through panes either.
        """
        integrator = self._cut_out if cut_out else self._path
        image = self._draw(scene, sensor, integrator, self.samples, seed)
        # A path may end in 0 / 0 at a grazing angle; the denoiser would spread such a pixel.
        return np.nan_to_num(image[..., :3], posinf=0, neginf=0).astype(np.float32)

    def transmission(self, scene: Any, sensor: Any, seed: int) -> Float32Array:
        """Return (H, W, 3): the share of a backdrop that each pixel of a cut-out shows.

        The same seed as that of the light makes the edges of both agree.
        """
        if self._transmission is None:
            self._transmission = transmission_integrator(self.mi)
        image = self._draw(scene, sensor, self._transmission, self.samples, seed)
        return np.nan_to_num(image[..., :3]).astype(np.float32)

    def guides(self, scene: Any, sensor: Any, seed: int) -> tuple[Float32Array, Float32Array]:
        """Return albedo and world normal, (H, W, 3) each, of the first surface."""
        image = self._draw(scene, sensor, self._guide, _GUIDE_SAMPLES, seed)
        albedo = np.clip(np.nan_to_num(image[..., :3]), 0, 1).astype(np.float32)
        return albedo, np.nan_to_num(image[..., 3:6]).astype(np.float32)

    def _draw(
        self, scene: Any, sensor: Any, integrator: Any, samples: int, seed: int
    ) -> Float32Array:
        image = self.mi.render(scene, sensor=sensor, integrator=integrator, spp=samples, seed=seed)
        return np.array(image, dtype=np.float32)


def strata(samples: int) -> int:
    """Return the least number from `samples` on that the sampler divides into rows and columns."""
    columns = math.isqrt(samples)
    return columns * math.ceil(samples / columns)
