"""Emission is seen where it is, through panes as much as they let through, and lights nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clearcoat.materials import Material
from clearcoat.product import SourceMaterial
from clearcoat.render import Renderer, RenderSettings
from clearcoat.render.bsdf import from_source
from clearcoat.render.glow import Glow
from clearcoat.scene import BackdropSpec, CameraSpec, LightSpec, SceneModel, Stage, sample
from tests.products import toy_car

_SIZE = (48, 32)
_GREEN = (0.0, 3.0, 0.0)
_TINT = (0.5, 0.5, 0.5)


def test_emission_is_added_where_it_is_seen() -> None:
    product = toy_car()
    number = {part.path: n for n, part in enumerate(product.parts)}
    pane = next(n for path, n in number.items() if path.endswith("glass"))
    seat = next(n for path, n in number.items() if path.endswith("seat"))
    materials = [Material("plain", "a test")] * len(product.parts)
    materials[pane] = Material("pane", "a test", kind="thin_glass", tint=_TINT)
    points = np.concatenate([part.mesh.vertices for part in product.parts]).astype(float)
    model = SceneModel(
        camera=CameraSpec(fill=0.9, azimuth_deg=90, elevation_deg=20),
        light=LightSpec(environments={"studio": 1}),
        backdrop=BackdropSpec(modes={"plain": 1}),
    )
    drawn = sample(model, Stage(points_m=points), 0, 0, aspect=_SIZE[0] / _SIZE[1])
    materials[seat] = replace(materials[seat], emission=_GREEN)
    renderer = Renderer(
        product,
        materials,
        settings=RenderSettings(samples=4, denoise=False),
        size=_SIZE,
        see_through=frozenset({pane}),
    )
    bright = renderer.render(drawn)
    renderer._glow = Glow([], [], renderer.mi)
    dark = renderer.render(drawn)
    np.testing.assert_array_equal(dark.parts, bright.parts)
    added = bright.radiance - dark.radiance
    np.testing.assert_allclose(added[..., [0, 2]], 0, atol=1e-5)
    behind_pane = (bright.parts == pane + 1) & (bright.behind == seat + 1)
    assert behind_pane.sum() > 4
    # A pane is crossed once or twice; it reflects 4 % of the light at each of its two sides.
    assert 0.15 * 3 < np.median(added[behind_pane, 1]) < 0.5 * 3
    around = (bright.behind != seat + 1) & (added[..., 1] != 0)
    # Elsewhere only the edges of the seat, in part of a pixel.
    assert around.sum() <= behind_pane.sum()
    assert not added[bright.behind == 0].any() or added[bright.behind == 0].max() < 3


def test_what_a_file_says_is_drawn() -> None:
    lamp = SourceMaterial("lamp", emissive=(2.0, 1.0, 0.0), sheen_color=(0.0, 0.3, 0.1))
    made = from_source(lamp)
    assert made.emission == (2.0, 1.0, 0.0)
    assert made.sheen == 0.3
    assert from_source(replace(lamp, alpha=0.1)).emission == (2.0, 1.0, 0.0)


def test_the_refractive_index_of_a_file_is_drawn() -> None:
    """A file that says none gets what the library has for glass and plastic."""
    unsaid = SourceMaterial("m")
    assert (from_source(unsaid).specular, from_source(replace(unsaid, alpha=0)).ior) == (0.5, 1.52)
    water = replace(unsaid, ior=1.33)
    assert from_source(water).specular * 0.08 == pytest.approx((0.33 / 2.33) ** 2)
    assert from_source(replace(water, alpha=0.0)).ior == 1.33
    assert from_source(replace(water, specular=0.5)).specular * 0.16 == pytest.approx(
        (0.33 / 2.33) ** 2
    )
    assert from_source(replace(unsaid, ior=2.4)).specular == 1.0
