"""What a spec may say about the sensor, and what chance makes of that for one image."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import field_validator

from clearcoat.errors import SpecError, did_you_mean
from clearcoat.render.sensor.datasheets import CAMERAS, Datasheet
from clearcoat.scene import Distribution, draw
from clearcoat.spec import Model

Mosaic = Literal["rggb", "bggr", "grbg", "gbrg", "none", "mono"]


class VignettingSpec(Model):
    """How the picture darkens towards its corners."""

    natural: bool = True
    """The cosine-to-the-fourth law of the angle to the optical axis."""
    coefficients: tuple[Distribution, ...] = ()
    """a1, a2, ... of 1 + a1 r^2 + a2 r^4 + ..., with r = 1 in the corner of the picture."""


class SensorSpec(Model):
    """A sensor. Without this key in a spec, pictures are developed without noise."""

    camera: Datasheet | str = "industrial"
    """`industrial`, `phone`, or the numbers of a datasheet."""
    mosaic: Mosaic = "rggb"
    """Order of the colour filters; `none` has three sensors, `mono` one without filters."""
    light_lux: Distribution | None = None
    """Illuminance of a white surface. With it, photons follow from the aperture (`f_number` here or
    the camera's depth of field), `exposure_s` and `pixel_um`; without it, exposure is automatic."""
    f_number: Distribution = 4.0
    """Of the lens, where the camera has no depth of field."""
    white_share: Distribution = 0.6
    """Automatic exposure: share of the converter's range that a white surface reaches."""
    gain_db: Distribution = 0.0
    """Analogue gain. With automatic exposure it leaves fewer electrons: the picture has more noise,
    not more light."""
    white_balance: tuple[Distribution, Distribution] = (1.0, 1.0)
    """Errors of the red and blue gains: 1 is neutral."""
    vignetting: VignettingSpec | None = None
    blur_sigma_px: Distribution = 0.0
    """Standard deviation of the lens's point spread in pixels of the picture. An MTF of 50 % at f
    cycles per pixel is a sigma of 0.187 / f."""
    glare: Distribution = 0.0
    """Share of the light that the lens scatters over the whole picture: bright spots bloom and
    shadows are veiled. ISO 9358 measures it; good lenses have 0.005 to 0.03, dirty ones 0.1."""
    jpeg_quality: Distribution | None = None
    """Quality of JPEG compression, 1 to 100. The compressed file is what is stored."""
    jpeg_subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0"

    @field_validator("camera")
    @classmethod
    def _known(cls, value: Datasheet | str) -> Datasheet | str:
        if isinstance(value, str) and value not in CAMERAS:
            raise SpecError(
                f"unknown camera {value!r}",
                expected="one of " + ", ".join(CAMERAS) + ", or the numbers of a datasheet",
                do=did_you_mean(value, list(CAMERAS)),
            )
        return value

    @property
    def datasheet(self) -> Datasheet:
        """The numbers of the camera."""
        return CAMERAS[self.camera] if isinstance(self.camera, str) else self.camera


@dataclass(frozen=True)
class SensorSample:
    """A sensor for one image."""

    pixel_um: float
    quantum_efficiency: tuple[float, float, float]
    saturation_capacity_e: float
    dark_noise_e: float
    dark_current_e_s: float
    dsnu_e: float
    prnu: float
    bits: int
    black_level_dn: float
    mosaic: Mosaic
    light_lux: float | None
    f_number: float
    white_share: float
    gain_db: float
    white_balance: tuple[float, float]
    natural_vignetting: bool
    vignetting: tuple[float, ...]
    blur_sigma_px: float
    glare: float
    jpeg_quality: int | None
    jpeg_subsampling: str

    def as_dict(self) -> dict[str, Any]:
        """Return the values as plain data, for the record of the image."""
        return asdict(self)

    @property
    def gain_dn_e(self) -> float:
        """Overall system gain K in digital numbers per electron: at 0 dB the full pixel is the
        converter's greatest number.
        """
        range_dn: float = 2**self.bits - 1 - self.black_level_dn
        return float(range_dn / self.saturation_capacity_e * 10 ** (self.gain_db / 20))

    @property
    def full_scale_e(self) -> float:
        """Electrons at which pixel or converter saturate, whichever is first."""
        range_dn: float = 2**self.bits - 1 - self.black_level_dn
        return min(self.saturation_capacity_e, range_dn / self.gain_dn_e)


def sample_sensor(spec: SensorSpec, seed: int, index: int) -> SensorSample:
    """Sample the sensor of image `index`.

    Raises SpecError where a value is drawn that no sensor can have.
    """

    def number(name: str, value: Distribution, least: float = -math.inf) -> float:
        drawn = draw(value, seed, index, f"sensor.{name}")
        if drawn < least:
            raise SpecError(
                f"sensor.{name} must be at least {least:g}",
                found=f"{drawn:g} in image {index}",
                do="give its distribution a least value",
            )
        return drawn

    def of_camera(name: str, least: float = 0.0) -> float:
        # The camera is the same in every image of a series, unless its datasheet is random.
        return number(f"camera.{name}", getattr(spec.datasheet, name), least)

    sheet, tiny = spec.datasheet, 1e-9
    red, green, blue = (
        number(f"camera.quantum_efficiency.{channel}", value, tiny)
        for channel, value in zip("rgb", sheet.quantum_efficiency, strict=True)
    )
    vignetting = spec.vignetting
    quality = spec.jpeg_quality
    return SensorSample(
        pixel_um=of_camera("pixel_um", tiny),
        quantum_efficiency=(red, green, blue),
        saturation_capacity_e=of_camera("saturation_capacity_e", 1.0),
        dark_noise_e=of_camera("dark_noise_e"),
        dark_current_e_s=of_camera("dark_current_e_s"),
        dsnu_e=of_camera("dsnu_e"),
        prnu=of_camera("prnu"),
        bits=sheet.bits,
        black_level_dn=min(sheet.black_level_dn, 2**sheet.bits - 2),
        mosaic=spec.mosaic,
        light_lux=None if spec.light_lux is None else number("light_lux", spec.light_lux, 0.0),
        f_number=number("f_number", spec.f_number, tiny),
        white_share=number("white_share", spec.white_share, tiny),
        gain_db=number("gain_db", spec.gain_db),
        white_balance=(
            number("white_balance.r", spec.white_balance[0], 0.0),
            number("white_balance.b", spec.white_balance[1], 0.0),
        ),
        natural_vignetting=vignetting is not None and vignetting.natural,
        vignetting=tuple(
            number(f"vignetting.a{place + 1}", value)
            for place, value in enumerate(() if vignetting is None else vignetting.coefficients)
        ),
        blur_sigma_px=number("blur_sigma_px", spec.blur_sigma_px, 0.0),
        glare=min(number("glare", spec.glare, 0.0), 1.0),
        jpeg_quality=None
        if quality is None
        else min(max(round(number("jpeg_quality", quality)), 1), 100),
        jpeg_subsampling=spec.jpeg_subsampling,
    )
