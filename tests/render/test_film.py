"""Thin films as Mitsuba draws them: reflectance, energy, reciprocity, sampling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clearcoat.materials import LIBRARY, Material, thin_film
from clearcoat.product import SourceMaterial
from clearcoat.product.textures import Texture, Textures, texture_digest
from clearcoat.render import backend, bsdf
from clearcoat.render.film import filmed
from clearcoat.render.film_bsdf import BY_ANGLE, FILM
from clearcoat.render.palette import finishes

_FILM = {"thin_film_thickness_nm": 420.0, "thin_film_ior": 1.8}
METAL = Material("metal", "test", base_color=(0.8, 0.7, 0.6), metallic=1.0, roughness=0.2, **_FILM)
WHITE = Material("white", "test", base_color=(1.0, 1.0, 1.0), roughness=0.1, **_FILM)
MIXED = replace(WHITE, name="mixed", metallic=0.4, base_color=(0.9, 0.5, 0.2), anisotropic=0.5)
COATED = replace(WHITE, name="coated", clearcoat=1.0, clearcoat_gloss=0.5)
BUBBLE = Material("bubble", "test", kind="thin_glass", ior=1.0, **_FILM)
WINDOW = Material("window", "test", kind="thin_glass", ior=1.5, **_FILM)


@pytest.fixture(scope="module")
def mi() -> Any:
    return backend.load()


def _above(mi: Any, wi: Any) -> Any:
    """A place on a surface seen from `wi`."""
    import drjit as dr

    si = dr.zeros(mi.SurfaceInteraction3f, dr.width(wi))
    si.wi = wi
    return si


def _hemisphere(mi: Any, rows: int = 200, columns: int = 256) -> tuple[Any, float]:
    """Directions above a surface, all of the same solid angle, and that angle."""
    z, turn = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns)
    r, phi = np.sqrt(1 - z.ravel() ** 2), 2 * np.pi * turn.ravel()
    wo = mi.Vector3f(r * np.cos(phi), r * np.sin(phi), z.ravel())
    return wo, 2 * np.pi / (rows * columns)


@pytest.mark.parametrize("cosine", [0.95, 0.5])
@pytest.mark.parametrize("material", [METAL, WHITE, MIXED, COATED], ids=lambda m: m.name)
def test_it_samples_what_it_evaluates(mi: Any, material: Material, cosine: float) -> None:
    rough = replace(material, roughness=0.5)
    surface = mi.load_dict(filmed(rough, mi))
    wo, angle = _hemisphere(mi)
    view = mi.Vector3f(float(np.sqrt(1 - cosine**2)), 0, cosine)
    context = mi.BSDFContext()
    value, density = surface.eval_pdf(context, _above(mi, view + 0 * wo), wo)
    albedo = np.array(value).reshape(3, -1).sum(axis=1) * angle
    # What is missing would have left below the horizon.
    assert 0.9 < float(np.array(density).sum()) * angle <= 1.001
    many = 2**17
    random = np.random.default_rng(1)
    si = _above(mi, view + mi.Vector3f(mi.Float(np.zeros(many))))
    found, weight = surface.sample(
        context, si, mi.Float(random.random(many)), mi.Point2f(random.random((2, many)))
    )
    sampled = np.array(weight).reshape(3, -1).mean(axis=1)
    np.testing.assert_allclose(sampled, albedo, rtol=0.01)
    # Below a coat, facets lean more than the surface that the coat's share is reckoned from.
    assert albedo.max() < (1.01 if material.clearcoat else 1.001)
    # The density that is returned is the one of the direction that is returned.
    again = surface.pdf(context, si, found.wo)
    np.testing.assert_allclose(np.array(again), np.array(found.pdf), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("material", [METAL, MIXED, COATED], ids=lambda m: m.name)
def test_light_may_go_either_way(mi: Any, material: Material) -> None:
    surface = mi.load_dict(filmed(material, mi))
    random = np.random.default_rng(2)
    one, other = random.normal(size=(2, 3, 400))
    one[2], other[2] = np.abs(one[2]) + 0.1, np.abs(other[2]) + 0.1
    a, b = (mi.Vector3f(v / np.linalg.norm(v, axis=0)) for v in (one, other))
    context = mi.BSDFContext()
    forth = np.array(surface.eval(context, _above(mi, a), b)) / np.array(b.z)
    back = np.array(surface.eval(context, _above(mi, b), a)) / np.array(a.z)
    np.testing.assert_allclose(forth, back, rtol=2e-3, atol=1e-5)


def _furnace(mi: Any, material: Material, angle_deg: float) -> Any:
    """(3,): radiance of a plane from an angle in light of radiance 1 from everywhere."""
    angle = np.radians(angle_deg)
    transform = mi.ScalarTransform4f().look_at(
        [9 * np.sin(angle), 0, 9 * np.cos(angle)], [0, 0, 0], [0, 1, 0]
    )
    scene = {
        "type": "scene",
        "light": {"type": "constant"},
        "plane": {"type": "rectangle", "bsdf": bsdf.describe(material, mi)},
        "integrator": {"type": "path", "max_depth": 8, "rr_depth": 50},
        "sensor": {
            "type": "orthographic",
            "to_world": transform @ mi.ScalarTransform4f().scale([0.1, 0.1, 1]),
            "film": {"type": "hdrfilm", "width": 4, "height": 4, "rfilter": {"type": "box"}},
        },
    }
    return np.array(mi.render(mi.load_dict(scene), spp=512))[..., :3].mean(axis=(0, 1))


@pytest.mark.parametrize("angle_deg", [0, 50])
def test_a_smooth_metal_has_the_film_s_colour(mi: Any, angle_deg: float) -> None:
    (expected,) = thin_film.reflectance(METAL, np.cos(np.radians([angle_deg])))
    smooth = replace(METAL, roughness=0.05)
    assert _furnace(mi, smooth, angle_deg) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("material", [WHITE, COATED, BUBBLE, WINDOW], ids=lambda m: m.name)
def test_what_absorbs_nothing_is_lost_in_a_furnace(mi: Any, material: Material) -> None:
    """White below a film, or a pane: what the film holds back of one colour it sends elsewhere."""
    assert _furnace(mi, material, 40) == pytest.approx([1, 1, 1], abs=0.015)


@pytest.mark.parametrize("pane", [BUBBLE, WINDOW], ids=lambda m: m.name)
def test_a_pane_reflects_and_lets_through_by_the_film(mi: Any, pane: Material) -> None:
    surface = mi.load_dict(bsdf.describe(replace(pane, tint=(0.5, 0.6, 0.7)), mi))
    cosine, many = 0.6, 2**16
    zero = mi.Float(np.zeros(many))
    si = _above(mi, mi.Vector3f(0.8, 0, cosine) + mi.Vector3f(zero))
    number = (np.arange(many) + 0.5) / many
    found, weight = surface.sample(
        mi.BSDFContext(), si, mi.Float(number), mi.Point2f(np.zeros((2, many)) + 0.5)
    )
    weight, up = np.array(weight).reshape(3, -1), np.array(found.wo.z) > 0
    (expected,) = thin_film.reflectance(pane, np.array([cosine]))
    assert (weight * up).mean(axis=1) == pytest.approx(expected, abs=0.002)
    through = np.array([0.5, 0.6, 0.7]) * (1 - expected)
    assert (weight * ~up).mean(axis=1) == pytest.approx(through, abs=0.002)
    assert np.array(surface.eval_null_transmission(si)).reshape(3, -1)[:, 0] == pytest.approx(
        through, abs=0.002
    )


def test_films_have_bsdfs_of_their_own_and_nothing_else_changes(mi: Any) -> None:
    plain = [Material("a", "test"), Material("b", "test", roughness=0.9)]
    made = finishes([*plain, METAL, WHITE], mi)
    assert len({id(finish.bsdf) for finish in made.values()}) == 3
    assert made[METAL].texel is None
    described = str([bsdf.describe(m, mi) for m in LIBRARY.values() if not m.has_film])
    assert FILM not in described
    assert BY_ANGLE not in described


def test_a_film_cannot_be_left_out_unseen(mi: Any) -> None:
    with pytest.raises(ValueError, match="thin film"):
        bsdf.describe(METAL)
    with pytest.raises(ValueError, match="no film"):
        filmed(Material("bare", "test"), mi)


def test_the_film_of_a_file_is_drawn() -> None:
    source = SourceMaterial("beetle", ior=1.33, iridescence=0.7, iridescence_thickness_nm=250.0)
    made = bsdf.from_source(source)
    assert made.has_film
    assert (made.thin_film_weight, made.thin_film_thickness_nm, made.thin_film_ior) == (
        0.7,
        250,
        1.3,
    )
    assert made.specular * 0.08 == pytest.approx((0.33 / 2.33) ** 2)
    pane = bsdf.from_source(replace(source, transmission=1.0))
    assert (pane.kind, pane.ior, pane.has_film) == ("thin_glass", 1.33, True)
    for none in (replace(source, iridescence=0.0), replace(source, iridescence_thickness_nm=0.0)):
        assert bsdf.from_source(none) == bsdf.from_source(SourceMaterial("beetle", ior=1.33))


def test_pictures_of_colour_roughness_and_normals_stay_under_a_film(mi: Any) -> None:
    pixels = np.full((4, 4, 4), 255, np.uint8)
    pixels[:, :, :3] = (255, 0, 0)
    red = Texture(digest=texture_digest(pixels), pixels=pixels, srgb=True)
    flat = pixels.copy()
    flat[:, :, :3] = (128, 128, 255)
    bent = Texture(digest=texture_digest(flat), pixels=flat, srgb=False)
    made = replace(WHITE, textures=Textures(base_color=red, metallic_roughness=bent, normal=bent))
    described = filmed(made, mi)
    assert described["type"] == "normalmap"
    assert described["bsdf"]["roughness"]["type"] == "bitmap"
    assert "metallic" not in described["bsdf"]
    seen = _furnace(mi, replace(made, textures=Textures(base_color=red, normal=bent)), 0)
    assert seen[0] == pytest.approx(1, abs=0.02)
    assert seen[1] == pytest.approx(thin_film.reflectance(WHITE, np.ones(1))[0, 1], abs=0.02)


def _graded(least_nm: float, most_nm: float) -> Textures:
    """A film that is thin on the left half and thick on the right one."""
    pixels = np.zeros((1, 2, 4), np.uint8)
    pixels[0, :, 1] = round(255 * least_nm / most_nm), 255
    picture = Texture(
        digest=texture_digest(pixels), pixels=pixels, srgb=False, wrap="clamp",
        factor=(1.0, most_nm, 1.0),
    )  # fmt: skip
    return Textures(film_thickness=picture)


@pytest.mark.parametrize("material", [METAL, BUBBLE], ids=lambda m: m.name)
def test_a_picture_of_the_thickness_is_drawn(mi: Any, material: Material) -> None:
    graded = replace(material, roughness=0.05, textures=_graded(200.0, 350.0))
    surface = mi.load_dict(filmed(graded, mi) if material is METAL else bsdf.describe(graded, mi))
    si = _above(mi, mi.Vector3f(mi.Float([0.6, 0.6]), 0, 0.8))
    si.uv = mi.Point2f([0.1, 0.9], [0.5, 0.5])
    if material is METAL:
        seen = np.array(surface.eval_diffuse_reflectance(si)).reshape(3, 2).T
    else:
        seen = 1 - np.array(surface.eval_null_transmission(si)).reshape(3, 2).T
    for side, thickness_nm in enumerate((200.0, 350.0)):
        (expected,) = thin_film.reflectance(
            replace(material, thin_film_thickness_nm=thickness_nm), np.array([0.8])
        )
        assert seen[side] == pytest.approx(expected, abs=0.01)


def test_colours_between_the_rows_of_a_table_are_right(mi: Any) -> None:
    dense = replace(METAL, thin_film_ior=2.5, textures=_graded(100.0, 300.0))
    surface = mi.load_dict(filmed(dense, mi))
    # Between the middles of its two texels the picture runs evenly.
    share = np.linspace(0, 1, 41)
    si = _above(mi, mi.Vector3f(mi.Float(np.full(41, 0.6)), 0, 0.8))
    si.uv = mi.Point2f(0.25 + 0.5 * share, np.full(41, 0.5))
    seen = np.array(surface.eval_diffuse_reflectance(si)).reshape(3, 41).T
    for color, at in zip(seen, share, strict=True):
        right = replace(dense, thin_film_thickness_nm=100 + 200 * float(at))
        (expected,) = thin_film.reflectance(right, np.array([0.8]))
        # The least thickness is kept to 300 nm / 255.
        assert color == pytest.approx(expected, abs=0.025)


def test_a_film_of_varying_thickness_loses_nothing(mi: Any) -> None:
    assert _furnace(mi, replace(WHITE, textures=_graded(0.0, 500.0)), 30) == pytest.approx(
        [1, 1, 1], abs=0.015
    )


def test_the_thickness_of_a_file_is_kept_where_a_part_has_coordinates() -> None:
    source = SourceMaterial("s", iridescence=1.0, textures=_graded(100.0, 300.0))
    for transmission in (0.0, 1.0):
        one = replace(source, transmission=transmission)
        assert bsdf.from_source(one, has_uv=True).textures == source.textures
        assert bsdf.from_source(one).textures is None
