"""What lets the backdrop through where a product is cut out: nothing, panes, or all of a pixel."""

from __future__ import annotations

from typing import Any

_LAYERS = 16


def transmission_integrator(mi: Any) -> Any:
    """Return an integrator whose picture (H, W, 3) is what share of a backdrop each pixel shows.

    Along the straight line from the camera: 1 beside the product, 0 where it is opaque, and the
    transmittance of the panes where it is glass. It takes the same rays as any other integrator
    with the same seed and samples, so that edges agree to the last sample.
    """
    import drjit

    # Dr.Jit's annotations describe arrays more generally than this module uses them.
    dr: Any = drjit

    class Transmission(mi.SamplingIntegrator):  # type: ignore[misc]
        def sample(
            self, scene: Any, sampler: Any, ray: Any, medium: Any = None, active: Any = True
        ) -> tuple[Any, Any, list[Any]]:
            onward, share = mi.Ray3f(ray), mi.Spectrum(1.0)
            layer, active = mi.UInt32(0), mi.Bool(active)

            def going(onward: Any, share: Any, layer: Any, active: Any) -> Any:
                return active

            def step(onward: Any, share: Any, layer: Any, active: Any) -> Any:
                si = scene.ray_intersect(onward, active)
                hit = active & si.is_valid()
                through = si.bsdf(onward).eval_null_transmission(si, hit)
                share = dr.select(hit, share * through, share)
                layer = layer + 1
                # What is still among panes after so many is taken for opaque.
                share = dr.select(hit & (layer >= _LAYERS), mi.Spectrum(0.0), share)
                onward = dr.select(hit, si.spawn_ray(onward.d), onward)
                return onward, share, layer, hit & (dr.max(share) > 0)

            _, share, _, _ = dr.while_loop(
                (onward, share, layer, active), going, step, labels=("onward", "share", "n", "on")
            )
            return share, mi.Bool(True), []

    return Transmission(mi.Properties())
