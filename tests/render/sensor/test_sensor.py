"""The sensor against physics: photon transfer, saturation, colour, vignetting, MTF, files."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from clearcoat.errors import SpecError
from clearcoat.render.develop import develop
from clearcoat.render.sensor import (
    CAMERAS,
    SensorSample,
    SensorSpec,
    mosaic,
    optics,
    photograph,
    sample_sensor,
)
from clearcoat.render.sensor.chain import raw, raw_to_linear
from clearcoat.render.sensor.electrons import expose, photons_of_white
from clearcoat.scene import CameraSample, CameraSpec, SceneModel, Stage, sample

_CORNERS = np.array([[x, y, z] for x in (-2.3, 2.3) for y in (-0.9, 0.9) for z in (0.0, 1.4)])


def _camera(**camera: Any) -> CameraSample:
    model = SceneModel(camera=CameraSpec.model_validate(camera))
    return sample(model, Stage(points_m=_CORNERS), 0, 0).camera


def _sensor(**sensor: Any) -> SensorSample:
    return sample_sensor(SensorSpec.model_validate(sensor), 0, 0)


def _flat(sensor: SensorSample, electrons: float, seed: int = 0, side: int = 200) -> np.ndarray:
    """Numbers of an evenly lit sensor with `electrons` per pixel on average."""
    return expose(
        np.full((side, side), electrons),
        np.ones((1, 1)),
        sensor,
        0.01,
        np.random.default_rng(seed),
        np.random.default_rng(99),
    )


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("gain_db", [0.0, 12.0])
def test_photon_transfer_gives_gain_and_dark_noise_back(camera: str, gain_db: float) -> None:
    """EMVA 1288, 2.2: variance over mean has the slope K and starts at the dark noise."""
    sensor = _sensor(camera=camera, gain_db=gain_db)
    means, variances = [], []
    for electrons in np.linspace(20, 0.6 * sensor.full_scale_e, 12):
        # The difference of two images is free of the fixed pattern.
        first, second = (_flat(sensor, electrons, seed) for seed in (1, 2))
        means.append((first.mean() + second.mean()) / 2)
        variances.append((first - second).var() / 2)
    dark = (_flat(sensor, 0, 1) - _flat(sensor, 0, 2)).var() / 2
    slope = np.polyfit(means, variances, 1)[0]
    assert slope == pytest.approx(sensor.gain_dn_e, rel=0.03)
    # Dark current and quantisation (1/12) belong to it.
    expected = sensor.gain_dn_e**2 * (sensor.dark_noise_e**2 + sensor.dark_current_e_s * 0.01)
    assert dark == pytest.approx(expected + 1 / 12, rel=0.05)


def test_a_full_pixel_is_as_noisy_as_its_electrons() -> None:
    """The industrial camera's maximum SNR is the datasheet's 40.3 dB."""
    sensor = replace(_sensor(camera="industrial"), prnu=0.0)
    below = 0.98 * sensor.saturation_capacity_e
    signal = _flat(sensor, below) - sensor.black_level_dn
    snr_db = 20 * np.log10(signal.mean() / signal.std())
    assert snr_db == pytest.approx(40.3, abs=0.15)


def test_saturation_ends_at_the_well_or_at_the_converter() -> None:
    sensor = _sensor(camera="phone")
    assert _flat(sensor, 1e7).mean() == pytest.approx(4095, abs=1.5)
    boosted = _sensor(camera="phone", gain_db=20)
    assert boosted.full_scale_e == pytest.approx(sensor.saturation_capacity_e / 10)
    assert (_flat(boosted, 2 * boosted.full_scale_e) == 4095).all()


def test_the_fixed_pattern_stays_and_the_noise_changes() -> None:
    sensor = replace(_sensor(), prnu=0.05, dsnu_e=20.0)
    camera, light = _camera(), np.full((60, 60, 3), 0.5, np.float32)

    def shot(seed: int, index: int) -> np.ndarray:
        return raw(light, camera, sensor, exposure_ev=0, seed=seed, index=index)

    assert np.array_equal(shot(1, 0), shot(1, 0))
    same_camera = np.corrcoef(shot(1, 0).ravel(), shot(1, 1).ravel())[0, 1]
    other_camera = np.corrcoef(shot(1, 0).ravel(), shot(2, 1).ravel())[0, 1]
    assert same_camera > other_camera + 0.1


def test_photons_by_the_radiometry_of_a_lens() -> None:
    """EMVA 1288, 2.1: 50.36 photons per um^2, ms, um and uW/cm^2."""
    sensor = _sensor(light_lux=1000, camera="industrial")
    # 1000 lx on white at f/4: 15.6 lx on the sensor, / 683 lm/W at 555 nm, in uW/cm^2.
    irradiance = 1000 / (4 * 4.0**2) / 683 * 100
    emva = 50.36 * 3.45**2 * 5.0 * 0.555 * irradiance
    assert photons_of_white(sensor, 4.0, 0.005) == pytest.approx(emva, rel=2e-3)


@pytest.mark.parametrize("order", ["rggb", "bggr", "grbg", "gbrg"])
@pytest.mark.parametrize("shape", [(16, 20), (17, 13)])
def test_demosaicing_keeps_what_is_constant_or_linear(order: str, shape: tuple[int, int]) -> None:
    flat = np.broadcast_to([0.2, 0.5, 0.9], (*shape, 3))
    assert mosaic.demosaic(mosaic.take(flat, order), order) == pytest.approx(flat, abs=1e-12)
    # Every kernel sums to one and is even: a grey ramp is kept, away from the mirrored border.
    ramp = np.arange(shape[0])[:, None] * 0.01 + np.arange(shape[1])[None] * 0.02
    full = np.repeat(ramp[..., None], 3, axis=2)
    seen = mosaic.demosaic(mosaic.take(full, order), order)
    assert seen[2:-2, 2:-2] == pytest.approx(full[2:-2, 2:-2], abs=1e-12)


@pytest.mark.parametrize("kind", ["rggb", "none", "mono"])
def test_without_noise_the_chain_gives_the_light_back(kind: str) -> None:
    perfect = replace(
        _sensor(mosaic=kind),
        saturation_capacity_e=1e9,
        dark_noise_e=0.0,
        dark_current_e_s=0.0,
        dsnu_e=0.0,
        prnu=0.0,
        bits=16,
        black_level_dn=0.0,
    )
    light = np.full((24, 24, 3), 0.3, np.float32)
    seen = raw_to_linear(raw(light, _camera(), perfect, exposure_ev=0, seed=0, index=0), perfect)
    assert seen == pytest.approx(light, rel=2e-3)
    taken = photograph(
        light, _camera(), perfect, exposure_ev=0, tone_curve="filmic", seed=0, index=0
    )
    plain = develop(light, exposure_ev=0, tone_curve="filmic")
    assert np.abs(taken.image.astype(int) - plain).max() <= 1


def test_burnt_out_light_is_white() -> None:
    sensor = _sensor()
    light = np.full((16, 16, 3), 50.0, np.float32)
    seen = raw_to_linear(raw(light, _camera(), sensor, exposure_ev=0, seed=0, index=0), sensor)
    assert np.ptp(seen[4:-4, 4:-4].mean(axis=(0, 1))) < 0.02


def test_white_balance_errors_tint() -> None:
    light = np.full((40, 40, 3), 0.3, np.float32)

    def tint(errors: tuple[float, float]) -> np.ndarray:
        sensor = replace(_sensor(), white_balance=errors)
        seen = raw_to_linear(raw(light, _camera(), sensor, exposure_ev=0, seed=0, index=0), sensor)
        return seen.mean(axis=(0, 1))

    assert tint((1.0, 1.0)) == pytest.approx([0.3] * 3, rel=0.02)
    assert tint((1.2, 0.8)) == pytest.approx([0.36, 0.3, 0.24], rel=0.03)


def test_natural_vignetting_is_the_cosine_to_the_fourth() -> None:
    camera = _camera(focal_mm=18)
    share = optics.vignetting(camera, (101, 101), natural=True)
    assert share[50, 50] == pytest.approx(1, abs=1e-4)
    # The middle of the right edge lies half a sensor off the axis: tan = 18 mm / 18 mm.
    off_axis = np.arctan(18 / 18 * 100 / 101)
    assert share[50, 100] == pytest.approx(np.cos(off_axis) ** 4, rel=1e-3)
    fitted = optics.vignetting(camera, (100, 60), natural=False, coefficients=(-0.3, 0.1))
    corner = (99**2 + 59**2) / (100**2 + 60**2)
    assert fitted[0, 0] == pytest.approx(1 - 0.3 * corner + 0.1 * corner**2, rel=1e-5)


def test_blur_has_the_mtf_of_its_sigma() -> None:
    frequency, sigma = 0.1, 0.187 / 0.1
    wave = 1 + np.sin(2 * np.pi * frequency * np.arange(200))
    image = np.repeat(np.tile(wave, (5, 1))[..., None], 3, axis=2).astype(np.float32)
    seen = optics.blur(image, sigma)[2, 50:150, 0]
    assert seen.std() * np.sqrt(2) == pytest.approx(0.5, abs=0.005)
    assert seen.mean() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("shape", [(96, 128), (33, 20)])
def test_glare_scatters_and_loses_nothing(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = rng.gamma(0.2, 5.0, (*shape, 3)).astype(np.float32)
    assert optics.glare(image, 0.0) is image
    veiled = optics.glare(image, 0.1)
    assert veiled.sum(axis=(0, 1)) == pytest.approx(image.sum(axis=(0, 1)), rel=1e-4)
    assert veiled.min() > image.min()
    flat = np.full((*shape, 3), 0.7, np.float32)
    assert optics.glare(flat, 0.3) == pytest.approx(flat, rel=1e-5)


def test_the_glare_of_a_point_falls_with_the_square_of_the_distance() -> None:
    image = np.zeros((255, 255, 1), np.float32)
    image[127, 127] = 1e4
    seen = optics.glare(image, 0.05)[127, 127:, 0]
    assert seen[0] == pytest.approx(9500, rel=0.01)
    near, far = seen[8], seen[32]
    assert near / far == pytest.approx(16, rel=0.35)


def test_the_stored_file_decodes_to_the_picture() -> None:
    light = np.random.default_rng(0).random((32, 48, 3)).astype(np.float32)
    taken = photograph(
        light, _camera(), _sensor(jpeg_quality=60), exposure_ev=0, tone_curve="linear",
        seed=0, index=0,
    )  # fmt: skip
    assert taken.jpeg is not None
    with Image.open(BytesIO(taken.jpeg)) as file:
        assert file.format == "JPEG"
        assert np.array_equal(np.asarray(file), taken.image)


def test_every_number_may_be_drawn() -> None:
    spec = SensorSpec.model_validate(
        {
            "camera": {
                **CAMERAS["phone"].model_dump(),
                "dark_noise_e": {"log_uniform": [1, 10]},
            },
            "gain_db": {"uniform": [0, 24]},
            "jpeg_quality": {"uniform": [40, 95]},
            "vignetting": {"coefficients": [{"uniform": [-0.3, 0]}]},
        }
    )
    drawn = [sample_sensor(spec, 0, index) for index in range(20)]
    assert len({d.gain_db for d in drawn}) == len({d.dark_noise_e for d in drawn}) == 20
    assert all(40 <= (d.jpeg_quality or 0) <= 95 and -0.3 <= d.vignetting[0] <= 0 for d in drawn)
    assert sample_sensor(spec, 0, 3) == drawn[3]


def test_mistakes_are_named() -> None:
    with pytest.raises(ValidationError, match="unknown camera 'industral'"):
        SensorSpec(camera="industral")
    with pytest.raises(SpecError, match=r"sensor\.blur_sigma_px must be at least 0"):
        _sensor(blur_sigma_px=-1)
