"""What surfaces emit themselves, as the camera sees it: displays, lit lamps, light guides.

A mesh that emits would be an area light to Mitsuba: every path would sample it beside the
environment, and pictures of the same samples would be noisier. Displays and position lamps light
nothing that a daylight picture shows, so emission is added where it is seen, and lights nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.materials import Material
from clearcoat.product.textures import Texture
from clearcoat.render.textures import bitmap

Color = tuple[float, float, float]

_SAMPLES = 9
_LAYERS = 16
"""Surfaces of glass that light may come through."""


class Glow:
    """Emission per mesh.

    Args:
        shapes: Mitsuba meshes.
        materials: what each shape is made of; None emits nothing.
        mi: Mitsuba with its variant set.
    """

    def __init__(
        self, shapes: Sequence[Any], materials: Sequence[Material | None], mi: Any
    ) -> None:
        self.mi = mi
        self._integrator: Any = None
        emitted = [_emitted(material) for material in materials]
        if any(isinstance(one, Texture) or any(one) for one in emitted):
            self._integrator = _integrator(shapes, emitted, mi)

    def draw(self, scene: Any, sensor: Any, seed: int) -> NDArray[np.float32] | None:
        """Return radiance (H, W, 3) that is emitted towards the camera; None: nothing glows."""
        if self._integrator is None:
            return None
        image = self.mi.render(
            scene, sensor=sensor, integrator=self._integrator, spp=_SAMPLES, seed=seed
        )
        return np.nan_to_num(np.array(image, dtype=np.float32)[..., :3])


def _emitted(material: Material | None) -> Color | Texture:
    """Return the radiance of a surface, linear sRGB, or the picture of it."""
    if material is None:
        return (0.0, 0.0, 0.0)
    picture = material.textures.emissive if material.textures else None
    return picture if picture is not None and any(material.emission) else material.emission


def _integrator(shapes: Sequence[Any], emitted: Sequence[Color | Texture], mi: Any) -> Any:
    """Return an integrator of emission at the first surface and behind panes.

    A factory, since the base class exists only once Mitsuba has its variant.
    """
    import drjit

    # Dr.Jit's annotations describe arrays more generally than this module uses them.
    dr: Any = drjit
    numbers = [int(dr.reinterpret_array(mi.UInt32, mi.ShapePtr(shape))[0]) for shape in shapes]
    # Dr.Jit numbers a shape in its own registry; what is not in the table does not glow.
    table = np.zeros((max(numbers) + 1, 3), np.float32)
    table[numbers] = [(0, 0, 0) if isinstance(one, Texture) else one for one in emitted]
    channels = [mi.Float(np.ascontiguousarray(table[:, channel])) for channel in range(3)]
    pictures = [
        (number, mi.load_dict(bitmap(one.linear(), one, mi)))
        for number, one in zip(numbers, emitted, strict=True)
        if isinstance(one, Texture)
    ]

    class Emission(mi.SamplingIntegrator):  # type: ignore[misc]
        def sample(
            self, scene: Any, sampler: Any, ray: Any, medium: Any = None, active: Any = True
        ) -> tuple[Any, Any, list[Any]]:
            onward, share, found = mi.Ray3f(ray), mi.Spectrum(1.0), mi.Spectrum(0.0)
            layer, active = mi.UInt32(0), mi.Bool(active)

            def going(onward: Any, share: Any, found: Any, layer: Any, active: Any) -> Any:
                return active

            def step(onward: Any, share: Any, found: Any, layer: Any, active: Any) -> Any:
                si = scene.ray_intersect(onward, active)
                hit = active & si.is_valid()
                shape = dr.reinterpret_array(mi.UInt32, si.shape)
                known = hit & (shape < len(table))
                own = mi.Spectrum(
                    *(dr.gather(mi.Float, channel, shape, known) for channel in channels)
                )
                for number, picture in pictures:
                    shown = hit & (shape == number)
                    own = dr.select(shown, picture.eval(si, shown), own)
                found = found + share * own
                through = si.bsdf(onward).eval_null_transmission(si, hit)
                share = dr.select(hit, share * through, share)
                layer = layer + 1
                onward = dr.select(hit, si.spawn_ray(onward.d), onward)
                return onward, share, found, layer, hit & (dr.max(share) > 0) & (layer < _LAYERS)

            _, _, found, _, _ = dr.while_loop(
                (onward, share, found, layer, active),
                going,
                step,
                labels=("onward", "share", "found", "n", "on"),
            )
            return found, mi.Bool(True), []

    return Emission(mi.Properties())
