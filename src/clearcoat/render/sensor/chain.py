"""From the light of a scene to the file of a camera: one pure function."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcoat.render.develop import encode, tone
from clearcoat.render.sensor import mosaic, optics
from clearcoat.render.sensor.electrons import expose, photons_of_white
from clearcoat.render.sensor.spec import SensorSample
from clearcoat.scene import CameraSample, stream

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture, and its compressed file where the camera writes one."""

    image: NDArray[np.uint8]
    """(H, W, 3), sRGB."""
    jpeg: bytes | None = None
    """A file that decodes to `image`."""


def photograph(
    radiance: Float32Array,
    camera: CameraSample,
    sensor: SensorSample,
    *,
    exposure_ev: float,
    tone_curve: str,
    seed: int,
    index: int,
) -> Photograph:
    """Take the picture of (H, W, 3) linear radiance: lens, sensor, raw development, file.

    Noise comes from (seed, index) alone, the fixed pattern of the pixels from the seed.
    """
    linear = raw_to_linear(
        raw(radiance, camera, sensor, exposure_ev=exposure_ev, seed=seed, index=index),
        sensor,
    )
    image = encode(tone(linear.astype(np.float32), tone_curve))
    if sensor.jpeg_quality is None:
        return Photograph(image)
    file = BytesIO()
    Image.fromarray(image).save(
        file, "JPEG", quality=sensor.jpeg_quality, subsampling=sensor.jpeg_subsampling
    )
    with Image.open(BytesIO(file.getvalue())) as decoded:
        return Photograph(np.asarray(decoded.convert("RGB")).copy(), file.getvalue())


def raw(
    radiance: Float32Array,
    camera: CameraSample,
    sensor: SensorSample,
    *,
    exposure_ev: float,
    seed: int,
    index: int,
) -> FloatArray:
    """Return the sensor's digital numbers: (H, W), or (H, W, 3) without a mosaic."""
    light = optics.blur(np.maximum(radiance, 0), sensor.blur_sigma_px)
    light = optics.glare(light, sensor.glare)
    if sensor.natural_vignetting or sensor.vignetting:
        share = optics.vignetting(
            camera,
            (light.shape[1], light.shape[0]),
            natural=sensor.natural_vignetting,
            coefficients=sensor.vignetting,
        )
        light = light * share[..., None]
    f_number = sensor.f_number if camera.aperture is None else camera.aperture.f_number
    white = photons_of_white(sensor, f_number, camera.exposure_s) * 2.0**exposure_ev
    photons = light.astype(np.float64) * white
    efficiency = np.array(sensor.quantum_efficiency)
    if sensor.mosaic == "mono":
        # Without filters a pixel answers to all of the light, weighted as the eye does (BT.709).
        photons = photons @ np.array([0.2126, 0.7152, 0.0722])
        efficiency = efficiency[1:2]
    elif sensor.mosaic != "none":
        photons = mosaic.take(photons, sensor.mosaic)
        efficiency = efficiency[mosaic.channels(sensor.mosaic, photons.shape)]
    return expose(
        photons,
        efficiency,
        sensor,
        camera.exposure_s,
        stream(seed, index, "sensor.noise"),
        stream(seed, 0, "sensor.fixed_pattern"),
    )


def raw_to_linear(numbers: FloatArray, sensor: SensorSample) -> FloatArray:
    """Return (H, W, 3) linear sRGB of digital numbers: black level, demosaic, white balance.

    1 is what saturates the converter, except that automatic exposure puts white at 1 as the
    renderer does: a brighter converter's range is the highlights' headroom.
    """
    top = 1.0 if sensor.light_lux is not None else 1 / sensor.white_share
    signal = (numbers - sensor.black_level_dn) / sensor.gain_dn_e / sensor.full_scale_e * top
    if sensor.mosaic == "mono":
        return np.maximum(np.repeat(signal[..., None], 3, axis=2), 0)
    if sensor.mosaic != "none":
        # Balanced before it is demosaiced, so that filters across colours see grey as grey.
        balance = _balance(sensor)
        signal = signal * balance[mosaic.channels(sensor.mosaic, signal.shape)]
        # Cut where the weakest colour saturates: burnt-out light is white, not magenta.
        return np.clip(mosaic.demosaic(np.minimum(signal, top), sensor.mosaic), 0, top)
    return np.clip(signal * _balance(sensor), 0, top)


def _balance(sensor: SensorSample) -> FloatArray:
    """Gains of red, green and blue that make grey grey, times their errors."""
    red, green, blue = sensor.quantum_efficiency
    return np.array(
        [sensor.white_balance[0] * green / red, 1.0, sensor.white_balance[1] * green / blue]
    )
