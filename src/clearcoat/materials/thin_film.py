"""The colours of a transparent film of less than a few wavelengths: oxide, lacquer, soap.

Light that the film's two faces reflect interferes. Its reflectance is computed per wavelength
(Airy's sum of all internal reflections, with Fresnel's equations for both polarisations) and
integrated to linear sRGB, which Belcour and Barla (2017, doi 10.1145/3072959.3073620) do in closed
form for real-time use; a renderer looks it up in a table over the angle.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcoat.materials.material import Color, Material
from clearcoat.materials.optics import CHANNELS_NM, metal, metal_index

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

COAT_INDEX = 1.5
"""Refractive index of a clear coat over a film."""
_WAVELENGTHS_NM = np.arange(385.0, 746.0, 5.0)
_WHITE_K = 6504.0
"""Temperature of a black body of about the colour of D65, the white of sRGB."""
_XYZ_TO_SRGB = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)
_BRIGHTEST = 0.9999


def film_reflectance(
    cosine: ArrayLike,
    wavelength_nm: ArrayLike,
    *,
    thickness_nm: float,
    film: float,
    substrate: ArrayLike,
    ambient: float = 1.0,
) -> FloatArray:
    """Return the share of unpolarised light that a film on a smooth substrate reflects.

    All arrays broadcast (Born and Wolf, Principles of Optics, section 1.6.4).

    Args:
        cosine: of the angle of incidence, in the ambient medium; 0 is grazing.
        wavelength_nm: in vacuum.
        thickness_nm: of the film.
        film: its refractive index.
        substrate: refractive index n + ik below the film.
        ambient: refractive index above it.
    """
    below = np.asarray(substrate, complex)
    # Exactly along a face of the film the sum would be 0 / 0.
    c1 = np.maximum(cosine, 1e-6).astype(complex)
    sine = ambient * np.sqrt(1 - c1**2)
    c2, c3 = np.sqrt(1 - (sine / film) ** 2), np.sqrt(1 - (sine / below) ** 2)
    c2 = np.where(np.abs(c2) < 1e-6, 1e-6, c2)
    turn = np.exp(4j * np.pi * film * thickness_nm * c2 / np.asarray(wavelength_nm))
    found = np.zeros(np.broadcast_shapes(turn.shape, c3.shape))
    for upper, lower in (
        (_s_wave(ambient, c1, film, c2), _s_wave(film, c2, below, c3)),
        (_p_wave(ambient, c1, film, c2), _p_wave(film, c2, below, c3)),
    ):
        amplitude = (upper + lower * turn) / (1 + upper * lower * turn)
        found = found + 0.5 * np.abs(amplitude) ** 2
    return found


def to_rgb(spectrum: FloatArray) -> FloatArray:
    """Integrate reflectances at `wavelengths_nm()`, (..., W), to linear sRGB (..., 3), 0 to 1.

    A constant spectrum keeps its value in every channel; colours outside sRGB are cut to it.
    """
    return np.clip(spectrum @ _sensitivities(), 0.0, 1.0)


def wavelengths_nm() -> FloatArray:
    """(W,): the wavelengths that colours are integrated over."""
    return _WAVELENGTHS_NM


def reflectance(material: Material, cosine: FloatArray) -> FloatArray:
    """Return what a smooth surface of a material with a film reflects: (N, 3), linear sRGB.

    Where the film covers a part only (`thin_film_weight`), it is the mean of film and bare
    surface. Below a clear coat it is what flakes or metal in the coat reflect, without the coat.

    Args:
        material: opaque, or a pane, whose outer face has the film.
        cosine: (N,) of the angle of incidence in air.
    """
    if material.kind == "thin_glass":
        return to_rgb(_pane(material, cosine[:, None]))
    ambient = 1.0
    if material.clearcoat > 0.5:
        ambient = COAT_INDEX
        cosine = np.sqrt(1 - (1 - cosine**2) / COAT_INDEX**2)
    found = np.zeros((len(cosine), 3))
    if material.metallic < 1:
        head_on = np.sqrt(0.08 * material.specular)
        index = np.full(_WAVELENGTHS_NM.shape, (1 + head_on) / (1 - head_on), complex)
        found += (1 - material.metallic) * _covered(material, cosine, index, ambient)
    if material.metallic > 0:
        named = material.thin_film_substrate
        index = metal_index(named, _WAVELENGTHS_NM) if named else _real_index(material.base_color)
        # Of a named metal the colour says what share dirt or scratches leave.
        left = np.array(material.base_color) / np.array(metal(named)) if named else 1.0
        found += material.metallic * left * _covered(material, cosine, index, ambient)
    return np.clip(found, 0.0, 1.0)


def pane_reflectance(cosine: ArrayLike, n: float) -> FloatArray:
    """Return the share that both faces of a pane without a film reflect, back and forth."""
    once = film_reflectance(cosine, 550.0, thickness_nm=0.0, film=n, substrate=n)
    return 2 * once / (1 + once)


def _covered(
    material: Material, cosine: FloatArray, substrate: ComplexArray, ambient: float
) -> FloatArray:
    """(N, 3): mean of the covered and the bare share of an opaque surface."""
    film, bare = (
        to_rgb(
            film_reflectance(
                cosine[:, None],
                _WAVELENGTHS_NM,
                thickness_nm=thickness,
                film=material.thin_film_ior,
                substrate=substrate,
                ambient=ambient,
            )
        )
        for thickness in (material.thin_film_thickness_nm, 0.0)
    )
    return material.thin_film_weight * film + (1 - material.thin_film_weight) * bare


def _pane(material: Material, cosine: FloatArray) -> FloatArray:
    """(N, W): a pane is thick, so that light reflected inside it adds up without interference."""
    n, weight = material.ior, material.thin_film_weight
    back = film_reflectance(cosine, _WAVELENGTHS_NM, thickness_nm=0.0, film=n, substrate=n)
    front = (
        weight
        * film_reflectance(
            cosine,
            _WAVELENGTHS_NM,
            thickness_nm=material.thin_film_thickness_nm,
            film=material.thin_film_ior,
            substrate=n,
        )
        + (1 - weight) * back
    )
    together: FloatArray = front + (1 - front) ** 2 * back / np.maximum(1 - front * back, 1e-9)
    return together


def _s_wave(n1: ArrayLike, c1: ArrayLike, n2: ArrayLike, c2: ArrayLike) -> ComplexArray:
    above, below = np.multiply(n1, c1), np.multiply(n2, c2)
    amplitude: ComplexArray = (above - below) / (above + below)
    return amplitude


def _p_wave(n1: ArrayLike, c1: ArrayLike, n2: ArrayLike, c2: ArrayLike) -> ComplexArray:
    above, below = np.multiply(n1, c2), np.multiply(n2, c1)
    amplitude: ComplexArray = (below - above) / (above + below)
    return amplitude


def _real_index(color: Color) -> ComplexArray:
    """(W,): the index without absorption that reflects a colour head on.

    KHR_materials_iridescence takes a metal for such a dielectric too, since its colour alone does
    not say how it shifts the phase of light.
    """
    amplitude = np.sqrt(np.clip(np.array(color), 0.0, _BRIGHTEST))
    spread = np.interp(_WAVELENGTHS_NM, CHANNELS_NM[::-1], amplitude[::-1])
    index: ComplexArray = ((1 + spread) / (1 - spread)).astype(complex)
    return index


@lru_cache(maxsize=1)
def _sensitivities() -> FloatArray:
    """(W, 3): what each wavelength of white light adds to linear sRGB.

    Colour matching functions: the fit of Wyman, Sloan and Shirley (JCGT 2(2), 2013) to CIE 1931.
    """
    matching = np.stack(
        [
            1.056 * _lobe(599.8, 37.9, 31.0)
            + 0.362 * _lobe(442.0, 16.0, 26.7)
            - 0.065 * _lobe(501.1, 20.4, 26.2),
            0.821 * _lobe(568.8, 46.9, 40.5) + 0.286 * _lobe(530.9, 16.3, 31.1),
            1.217 * _lobe(437.0, 11.8, 36.0) + 0.681 * _lobe(459.0, 26.0, 13.8),
        ],
        axis=1,
    )
    metres = _WAVELENGTHS_NM * 1e-9
    white = metres**-5 / np.expm1(0.014387769 / (metres * _WHITE_K))
    weights = white[:, None] * (matching @ _XYZ_TO_SRGB.T)
    # White is white in every channel: what the black body differs from D65 cancels but for a rest.
    shares: FloatArray = weights / weights.sum(axis=0)
    return shares


def _lobe(peak_nm: float, left_nm: float, right_nm: float) -> FloatArray:
    away = _WAVELENGTHS_NM - peak_nm
    lobe: FloatArray = np.exp(-0.5 * (away / np.where(away < 0, left_nm, right_nm)) ** 2)
    return lobe
