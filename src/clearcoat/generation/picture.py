"""From a frame to the picture that is stored."""

from __future__ import annotations

from clearcoat.render import Frame, develop
from clearcoat.render.sensor import Photograph, SensorSample, photograph
from clearcoat.scene import SceneSample


def take_picture(
    frame: Frame, drawn: SceneSample, sensor: SensorSample | None, tone_curve: str
) -> Photograph:
    """Return the picture of a frame, as a sensor takes it or, without one, as it is."""
    if sensor is None:
        return Photograph(
            develop(frame.radiance, exposure_ev=drawn.exposure_ev, tone_curve=tone_curve)
        )
    return photograph(
        frame.radiance,
        drawn.camera,
        sensor,
        exposure_ev=drawn.exposure_ev,
        tone_curve=tone_curve,
        seed=drawn.seed,
        index=drawn.index,
    )
