"""The material library: names, sources, physical limits, and no material that makes energy."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from clearcoat.errors import SpecError
from clearcoat.materials import CATEGORIES, LIBRARY, material, optics, thin_film
from clearcoat.render import backend, bsdf


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_values_are_physical_and_sourced(name: str) -> None:
    entry = LIBRARY[name]
    assert entry.source
    for value in (*entry.base_color, *entry.tint, entry.metallic, entry.roughness):
        assert 0 <= value <= 1
    assert 1 <= entry.ior < 3


def test_values_can_be_replaced() -> None:
    assert material("paint_red", {"roughness": 0.1}).roughness == 0.1
    assert material("lamp_red", {"base_color": [0.1, 0.2, 0.3]}).base_color == (0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("pant", {}, "did you mean 'paint'?"),
        ("paint", {"rougness": 1}, "did you mean 'roughness'?"),
    ],
)
def test_unknown_names_are_explained(name: str, values: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError) as caught:
        material(name, values)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"roughness": "rough"}, "roughness is no number"),
        ({"roughness": None}, "roughness is no number"),
        ({"clearcoat": True}, "clearcoat is no number"),
        ({"roughness": 7}, "roughness is out of range"),
        ({"metallic": -1}, "metallic is out of range"),
        ({"ior": 0}, "ior is out of range"),
        ({"specular": 10**400}, "specular is out of range"),
        ({"base_color": 3}, "base_color is no colour"),
        ({"base_color": [1, 1]}, "base_color is no colour"),
        ({"base_color": [1, "a", 0]}, "base_color is no number"),
        ({"tint": [2, 2, 2]}, "tint is out of range"),
        ({"emission": [float("nan")] * 3}, "emission is out of range"),
        ({"kind": "foo"}, "no such kind of material: 'foo'"),
        ({"kind": "measured"}, "no such kind of material: 'measured'"),
        ({"kind": ["opaque"]}, "no such kind of material"),
        ({"thin_film_substrate": {}}, "thin_film_substrate is no name"),
        ({"thin_film_substrate": [["x"]]}, "thin_film_substrate is no name"),
    ],
)
def test_impossible_values_are_named(values: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        material("plastic_black", values)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"roughness": 0.5}, "every image draws anew"),
        ({"base_color": [1, 0, 0], "metallic": 0}, "base_color, metallic"),
        ({"clearcoat": 0.3}, "a base coat under a clear coat"),
        ({"kind": "thin_glass"}, "a base coat under a clear coat"),
    ],
)
def test_what_the_sampled_paint_cannot_be_is_said(values: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        material("paint", values)
    assert material("paint", {"clearcoat_gloss": 0.6}).clearcoat_gloss == 0.6


def test_every_value_that_may_be_replaced_is_checked() -> None:
    entry = LIBRARY["plastic_black"]
    free = {"name", "source", "is_paint", "category", "file", "textures"}
    for key in {field.name for field in fields(entry)} - free:
        with pytest.raises(SpecError):
            material(entry.name, {key: {"no": "value"}})


def test_the_library_is_large_and_no_material_is_there_twice() -> None:
    assert len(LIBRARY) >= 40
    assert {entry.category for entry in LIBRARY.values()} == set(CATEGORIES)
    values = [replace(entry, name="", source="") for entry in LIBRARY.values()]
    assert len(set(values)) == len(values)


def test_the_documentation_lists_every_material() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/materials.md").read_text("utf-8")
    for entry in LIBRARY.values():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{entry.name}` |"))
        assert row.endswith(f" {entry.source} |")


@pytest.mark.parametrize("category", CATEGORIES)
def test_no_material_makes_energy(category: str) -> None:
    """In a furnace, where light of radiance 1 comes from everywhere, nothing shines brighter."""
    names = sorted(name for name, entry in LIBRARY.items() if entry.category == category)
    mi = backend.load()
    assert len(names) <= 36  # as many as the camera sees
    shapes = {
        f"s{i}": {
            "type": "sphere",
            "center": [3.0 * (i % 6) - 7.5, 3.0 * (i // 6) - 7.5, 0],
            "bsdf": bsdf.describe(LIBRARY[name], mi),
        }
        for i, name in enumerate(names)
    }
    image = _in_furnace(shapes, half_width=10.0, pixels=60, samples=256)
    # What escapes past the spheres is exactly 1; noise stays below 2 % at this sample count.
    assert image.max() < 1.03
    assert image.min() > 0


@pytest.mark.parametrize("name", [n for n, m in LIBRARY.items() if m.kind == "thin_glass"])
def test_panes_follow_fresnel(name: str) -> None:
    """A pane seen head on: both faces reflect, again and again, and the tint takes of the rest."""
    entry = LIBRARY[name]
    if entry.has_film:
        (film,) = thin_film.reflectance(entry, np.ones(1))
        assert _albedo(name) == pytest.approx(film + (1 - film) * np.array(entry.tint), rel=0.02)
        return
    once = ((entry.ior - 1) / (entry.ior + 1)) ** 2
    reflected = 2 * once / (1 + once)
    expected = reflected + (1 - reflected) * np.array(entry.tint)
    assert _albedo(name) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    "name",
    [n for n, m in LIBRARY.items() if m.metallic == 1 and m.roughness <= 0.3 and not m.clearcoat],
)
def test_smooth_metals_reflect_their_colour(name: str) -> None:
    """Head on; a rough surface loses what its facets reflect onto one another, a few percent."""
    entry = LIBRARY[name]
    (expected,) = thin_film.reflectance(entry, np.ones(1)) if entry.has_film else [entry.base_color]
    assert _albedo(name) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize(
    "name",
    [n for n, m in LIBRARY.items() if m.clearcoat == 1 and m.metallic == 0 and not m.has_film],
)
def test_pigment_under_a_coat_has_the_closed_form(name: str) -> None:
    """Light enters the coat, bounces between diffuser and coat, and leaves (Saunderson 1942)."""
    n = 1.5
    surface = ((n - 1) / (n + 1)) ** 2
    outside = _mean_fresnel(n)
    inside = 1 - (1 - outside) / n**2
    base = np.array(LIBRARY[name].base_color)
    body = (1 - surface) * (1 - outside) / n**2 * base / (1 - inside * base)
    assert _albedo(name) == pytest.approx(surface + body, rel=0.04, abs=0.003)


@pytest.mark.parametrize(
    "name",
    ["paper", "primer_grey", "headliner", "plastic_grey_matt", "tyre_rubber", "carpet", "rust"],
)
def test_matt_surfaces_have_their_colour(name: str) -> None:
    """Burley's diffuse lobe, integrated head on, and at most 5 % of reflection at the surface."""
    entry = LIBRARY[name]
    cosine = (np.arange(2000) + 0.5) / 2000
    grazing = 0.5 + 2 * entry.roughness * (1 + cosine) / 2  # twice the half angle is theta
    fall_off = 1 + (grazing - 1) * (1 - cosine) ** 5
    diffuse = np.array(entry.base_color) * float((2 * cosine * fall_off).mean())
    surface = _albedo(name) - diffuse
    assert surface.min() > -0.02
    assert surface.max() < 0.05 + 0.05 * entry.sheen


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("aluminium", "Al"), ("copper", "Cu"), ("gold", "Au"), ("silver", "Ag")],
)
def test_metals_agree_with_other_measurements(name: str, symbol: str) -> None:
    """Against the spectra that come with Mitsuba, which are other authors'."""
    backend.load()
    import mitsuba

    folder = Path(mitsuba.__file__).parent / "data/ior"
    index = []
    for part in ("eta", "k"):
        wavelength, value = np.loadtxt(folder / f"{symbol}.{part}.spd").T
        index.append(np.interp([630, 532, 465], wavelength, value))
    expected = [optics.reflectance(n, k) for n, k in zip(*index, strict=True)]
    assert optics.metal(name) == pytest.approx(expected, abs=0.07)


def test_dielectrics() -> None:
    assert optics.reflectance(1.5) == pytest.approx(0.04)
    assert optics.specular(1.5) == pytest.approx(0.5)


def _albedo(name: str) -> Any:
    """(3,): what a plane of the material returns head on in a furnace."""
    plane = {"type": "rectangle", "bsdf": bsdf.describe(LIBRARY[name], backend.load())}
    image = _in_furnace({"plane": plane}, half_width=0.5, pixels=8, samples=1024)
    return image.mean(axis=(0, 1))


def _in_furnace(
    shapes: dict[str, Any], *, half_width: float, pixels: int, samples: int
) -> NDArray[np.float32]:
    mi = backend.load()
    scene = mi.load_dict(
        {
            "type": "scene",
            "light": {"type": "constant"},
            **shapes,
            "sensor": {
                "type": "orthographic",
                "to_world": mi.ScalarTransform4f()
                .look_at([0, 0, 9], [0, 0, 0], [0, 1, 0])
                .scale([half_width, half_width, 1]),
                "film": {
                    "type": "hdrfilm",
                    "width": pixels,
                    "height": pixels,
                    "rfilter": {"type": "box"},
                },
            },
            "integrator": {"type": "path", "max_depth": 12, "rr_depth": 50},
        }
    )
    return np.array(mi.render(scene, spp=samples))[..., :3]


def _mean_fresnel(n: float) -> float:
    """Reflectance of a smooth dielectric in diffuse light from outside."""
    cosine = (np.arange(20000) + 0.5) / 20000
    inner = np.sqrt(1 - (1 - cosine**2) / n**2)
    s = (cosine - n * inner) / (cosine + n * inner)
    p = (inner - n * cosine) / (inner + n * cosine)
    return float(((s**2 + p**2) * cosine).mean())
