"""What a camera's EMVA 1288 datasheet says, and two cameras to start from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from clearcoat.scene import Distribution
from clearcoat.spec import Model


class Datasheet(Model):
    """A sensor in the terms of EMVA 1288, release 4.0 linear."""

    pixel_um: Distribution
    """Pitch of the pixels; with `light_lux` it decides how many photons they catch."""
    quantum_efficiency: tuple[Distribution, Distribution, Distribution]
    """Electrons per photon of red, green and blue pixels, colour filters included."""
    saturation_capacity_e: Distribution
    """Electrons at which a pixel is full."""
    dark_noise_e: Distribution
    """Temporal dark noise: standard deviation of a pixel without light."""
    dark_current_e_s: Distribution = 0.0
    """Electrons per second without light, at the temperature of use."""
    dsnu_e: Distribution = 0.0
    """Standard deviation of the pixels' offsets, the same in every image of a series (DSNU1288)."""
    prnu: Distribution = 0.0
    """Standard deviation of the pixels' sensitivities, a share of the signal (PRNU1288)."""
    bits: Annotated[int, Field(ge=4, le=16)] = 12
    """Bits of the analogue-digital converter."""
    black_level_dn: Annotated[float, Field(ge=0)] = 0.0
    """Digital number of a pixel without light, so that its noise is not cut off."""


CAMERAS: dict[str, Datasheet] = {
    # Sony IMX255 (Pregius, global shutter). Pitch, bits, maximum SNR of 40.3 dB and dynamic range
    # of 71.3 dB from the appendix on sensors of the manual of Matrix Vision's mvBlueFOX3. SNR^2 of
    # a full pixel is its number of electrons: 10,700; EMVA 1288's threshold of 2.92 electrons,
    # which is sqrt(dark noise^2 + 0.25) + 0.5, makes the dark noise 2.4. Quantum efficiencies,
    # dark current and non-uniformities are typical of the class, not of one datasheet.
    "industrial": Datasheet(
        pixel_um=3.45,
        quantum_efficiency=(0.45, 0.6, 0.5),
        saturation_capacity_e=10700.0,
        dark_noise_e=2.4,
        dark_current_e_s=2.0,
        dsnu_e=0.6,
        prnu=0.005,
        bits=12,
        black_level_dn=64.0,
    ),
    # Sony IMX477 (back-illuminated, of the class of telephones). Pitch, 8,180 electrons, 3
    # electrons of noise and black level as measured in "Pi HQ Cam Sensor Performance",
    # strollswithmydog.com. The rest is typical of the class.
    "phone": Datasheet(
        pixel_um=1.55,
        quantum_efficiency=(0.55, 0.7, 0.6),
        saturation_capacity_e=8180.0,
        dark_noise_e=3.0,
        dark_current_e_s=5.0,
        dsnu_e=0.5,
        prnu=0.008,
        bits=12,
        black_level_dn=256.0,
    ),
}
