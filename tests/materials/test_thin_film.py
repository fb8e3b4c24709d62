"""Thin films: Fresnel where there is none, a sum of single beams, known colours, no energy made."""

from __future__ import annotations

import colorsys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clearcoat.errors import SpecError
from clearcoat.materials import LIBRARY, Material, material, optics, thin_film
from clearcoat.render import backend

COSINE = np.cos(np.radians([0, 20, 45, 60, 75, 88]))
NM = np.array([400.0, 470.0, 550.0, 640.0, 720.0])


def _fresnel(cosine: Any, n1: Any, n2: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Amplitudes r and t of both polarisations, and the cosine below."""
    below = np.sqrt(1 - (np.asarray(n1) / n2) ** 2 * (1 - np.asarray(cosine, complex) ** 2))
    r_s = (n1 * cosine - n2 * below) / (n1 * cosine + n2 * below)
    r_p = (n2 * cosine - n1 * below) / (n2 * cosine + n1 * below)
    t_s = 2 * n1 * cosine / (n1 * cosine + n2 * below)
    t_p = 2 * n1 * cosine / (n2 * cosine + n1 * below)
    return r_s, r_p, t_s, t_p, below


def _bare(cosine: Any, n1: Any, n2: Any) -> NDArray[np.float64]:
    r_s, r_p, *_ = _fresnel(cosine, n1, n2)
    return 0.5 * np.abs(r_s) ** 2 + 0.5 * np.abs(r_p) ** 2


def _beam_by_beam(nm: float, d: float, film: float, below: complex, ambient: float) -> Any:
    """(len(COSINE),): every beam that leaves the film, added one after the other."""
    down = _fresnel(COSINE, ambient, film)
    inside = down[4]
    up = _fresnel(inside, film, ambient)
    floor = _fresnel(inside, film, below)
    turn = np.exp(2j * np.pi * 2 * film * d * inside / nm)
    total = 0.0
    for polarisation in (0, 1):
        amplitude = down[polarisation].astype(complex)
        beam = down[2 + polarisation] * up[2 + polarisation] * floor[polarisation] * turn
        for _ in range(3000):
            amplitude = amplitude + beam
            beam = beam * up[polarisation] * floor[polarisation] * turn
        total = total + 0.5 * np.abs(amplitude) ** 2
    return total


@pytest.mark.parametrize("substrate", [1.5, 2.7 + 3.76j])
@pytest.mark.parametrize(("thickness", "film"), [(0.0, 2.4), (300.0, 1.0)])
def test_without_a_film_it_is_fresnel(substrate: complex, thickness: float, film: float) -> None:
    """Nothing is there, or something of the index of air."""
    found = thin_film.film_reflectance(
        COSINE[:, None], NM, thickness_nm=thickness, film=film, substrate=substrate
    )
    expected = np.broadcast_to(_bare(COSINE, 1.0, substrate)[:, None], found.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("ambient", [1.0, 1.5])
@pytest.mark.parametrize("substrate", [1.0, 1.58, 7.0, 2.7 + 3.76j])
@pytest.mark.parametrize(("thickness", "film"), [(45.0, 2.43), (420.0, 1.7), (1500.0, 2.5)])
def test_it_is_the_sum_of_all_beams(
    ambient: float, substrate: complex, thickness: float, film: float
) -> None:
    for nm in NM:
        found = thin_film.film_reflectance(
            COSINE, nm, thickness_nm=thickness, film=film, substrate=substrate, ambient=ambient
        )
        expected = _beam_by_beam(float(nm), thickness, film, substrate, ambient)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_quarter_and_half_waves() -> None:
    """Hecht, Optics: a quarter wave of the geometric mean reflects nothing, a half wave no more."""
    quarter = thin_film.film_reflectance(
        1.0, 550.0, thickness_nm=550 / 4 / 1.5**0.5, film=1.5**0.5, substrate=1.5
    )
    half = thin_film.film_reflectance(
        1.0, 550.0, thickness_nm=550 / 2 / 2.4, film=2.4, substrate=1.5
    )
    assert quarter == pytest.approx(0, abs=1e-12)
    assert half == pytest.approx(0.04)


def test_a_film_of_soap_turns_black_before_it_bursts() -> None:
    bubble = Material("b", "test", kind="thin_glass", ior=1.0, thin_film_ior=1.33)
    thick, thin = (
        thin_film.reflectance(replace(bubble, thin_film_thickness_nm=d), np.array([1.0]))
        for d in (300.0, 5.0)
    )
    assert thick.max() > 0.03
    assert thin.max() < 0.002


def test_colours_are_those_of_the_standard_observer_in_daylight() -> None:
    """Against the tables of CIE 1931 and D65 that Mitsuba has, at every nanometre."""
    mi = backend.load()
    nm = np.arange(380.0, 780.0)
    xyz = np.array(mi.cie1931_xyz(mi.Float(nm))).reshape(3, -1)
    weights = xyz * np.array(mi.cie_d65(mi.Float(nm)))
    weights /= weights[1].sum()
    ours = thin_film.wavelengths_nm()
    for thickness in (25.0, 52.0, 120.0, 250.0, 500.0):
        values = {"thickness_nm": thickness, "film": 2.43}

        def spectrum(at: Any, values: Any = values) -> Any:
            below = optics.metal_index("titanium", at)
            return thin_film.film_reflectance(1.0, at, substrate=below, **values)

        expected = np.array(mi.xyz_to_srgb(mi.Color3f(*(weights @ spectrum(nm)).tolist()))).ravel()
        found = thin_film.to_rgb(spectrum(ours))
        np.testing.assert_allclose(found, np.clip(expected, 0, 1), atol=0.02)


@given(share=st.floats(0, 1))
def test_a_grey_mirror_stays_grey(share: float) -> None:
    grey = np.full(thin_film.wavelengths_nm().shape, share)
    assert thin_film.to_rgb(grey) == pytest.approx([share] * 3, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    thickness=st.floats(0.1, 3000),
    film=st.floats(1.0, 4.0),
    color=st.tuples(*[st.floats(0, 1)] * 3),
    metallic=st.sampled_from([0.0, 0.4, 1.0]),
    clearcoat=st.sampled_from([0.0, 1.0]),
    pane=st.booleans(),
    ior=st.floats(1.0, 4.0),
)
def test_no_film_makes_energy(
    thickness: float, film: float, color: Any, metallic: float, clearcoat: float, pane: bool,
    ior: float,
) -> None:  # fmt: skip
    cosine = np.linspace(0, 1, 33)
    made = Material(
        "m", "test", kind="thin_glass" if pane else "opaque", base_color=color, metallic=metallic,
        clearcoat=clearcoat, ior=ior, thin_film_thickness_nm=thickness, thin_film_ior=film,
    )  # fmt: skip
    found = thin_film.reflectance(made, cosine)
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1
    spectral = thin_film.film_reflectance(
        cosine[:, None], NM, thickness_nm=thickness, film=film, substrate=ior
    )
    assert spectral.max() <= 1 + 1e-9


def test_a_share_of_film_lies_between_film_and_none() -> None:
    whole = LIBRARY["titanium_anodised_blue"]
    cosine = np.array([1.0, 0.5])
    none, half, full = (
        thin_film.reflectance(replace(whole, thin_film_weight=w), cosine) for w in (0.0, 0.5, 1.0)
    )
    assert half == pytest.approx((none + full) / 2)
    assert none[0] == pytest.approx(optics.metal("titanium"), abs=0.015)


@pytest.mark.parametrize(
    ("oxide_nm", "low_deg", "high_deg"),
    [(25, 25, 50), (40, 255, 325), (52, 195, 230), (115, 30, 60), (140, 290, 350), (170, 180, 210)],
    ids=["gold", "purple", "blue", "yellow", "pink", "teal"],
)
def test_anodised_titanium_takes_its_known_colours_in_turn(
    oxide_nm: float, low_deg: float, high_deg: float
) -> None:
    """The sequence that every anodiser knows, from some 10 V to 80 V."""
    made = material("titanium_anodised_blue", {"thin_film_thickness_nm": oxide_nm})
    red, green, blue = thin_film.reflectance(made, np.array([1.0]))[0]
    hue, saturation, _ = colorsys.rgb_to_hsv(red, green, blue)
    assert low_deg < hue * 360 < high_deg
    assert saturation > 0.4


@pytest.mark.parametrize("name", [n for n, m in LIBRARY.items() if m.has_film])
def test_films_of_the_library_change_with_the_angle(name: str) -> None:
    head_on, slanted = thin_film.reflectance(LIBRARY[name], np.cos(np.radians([0, 70])))
    assert np.abs(head_on - slanted).max() > 0.02


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("stainless", {"thin_film_thickness_nm": -1}, "thin_film_thickness_nm is out of range"),
        ("stainless", {"thin_film_ior": 0.5}, "expected: 1 to 5"),
        ("stainless", {"thin_film_weight": "much"}, "thin_film_weight is no number"),
        ("stainless", {"thin_film_substrate": "titanum"}, "did you mean 'titanium'?"),
        ("plastic_white", {"thin_film_substrate": "iron"}, "names a metal"),
        ("paint", {"thin_film_thickness_nm": 100}, "takes the sampled paint"),
        ("stainless", {"thin_film_thicknes_nm": 9}, "did you mean 'thin_film_thickness_nm'?"),
    ],
)
def test_impossible_films_are_explained(name: str, values: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError) as caught:
        material(name, values)
    assert says in str(caught.value)
