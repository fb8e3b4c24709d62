"""Photons, electrons, digital numbers: the linear camera model of EMVA 1288 (release 4.0)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.sensor.spec import SensorSample

FloatArray = NDArray[np.float64]

_PHOTONS_PER_LUX = 4.09e15
"""Photons of 555 nm per second and square metre in one lux: 1 / (683 lm/W) / (h c / 555 nm)."""


def photons_of_white(sample: SensorSample, f_number: float, exposure_s: float) -> float:
    """Photons that a pixel catches from a white diffuser (radiance 1 in the renderer's units).

    With `light_lux`: image-plane illuminance is that of the surface / (4 N^2), for a lens without
    loss focused far away. Without: as many as bring a green pixel to `white_share` of what
    saturates it at the gain.
    """
    if sample.light_lux is None:
        return sample.white_share * sample.full_scale_e / sample.quantum_efficiency[1]
    area_m2 = (sample.pixel_um * 1e-6) ** 2
    illuminance = sample.light_lux / (4 * f_number**2)
    return _PHOTONS_PER_LUX * illuminance * area_m2 * exposure_s


def expose(
    photons: FloatArray,
    efficiency: FloatArray,
    sample: SensorSample,
    exposure_s: float,
    noise: np.random.Generator,
    pattern: np.random.Generator,
) -> FloatArray:
    """Return digital numbers, whole, of (H, W, ...) mean photons per pixel.

    Args:
        photons: mean number per pixel.
        efficiency: electrons per photon, broadcast against `photons`.
        sample: the sensor.
        exposure_s: exposure time.
        noise: generator of what differs from image to image.
        pattern: generator of what is the same in every image of the camera.
    """
    if sample.prnu > 0:
        photons = photons * np.maximum(1 + sample.prnu * pattern.standard_normal(photons.shape), 0)
    mean_e = photons * efficiency + sample.dark_current_e_s * exposure_s
    # Photons arrive independently, and so do the electrons that a share of them frees. A bright
    # light may mean more than a Poisson generator takes; the pixel is full long before.
    electrons = noise.poisson(np.clip(mean_e, 0, 1e9)).astype(np.float64)
    electrons = np.minimum(electrons, sample.saturation_capacity_e)
    if sample.dsnu_e > 0:
        electrons += sample.dsnu_e * pattern.standard_normal(photons.shape)
    electrons += sample.dark_noise_e * noise.standard_normal(photons.shape)
    numbers = np.round(electrons * sample.gain_dn_e + sample.black_level_dn)
    return np.clip(numbers, 0, 2**sample.bits - 1)
