"""The sensor: from linear radiance to the picture that a real camera would have taken of it.

One file per stage: `optics` (vignetting, blur), `electrons` (EMVA 1288), `mosaic` (Bayer),
`chain` (their order, and JPEG). Nothing here knows the renderer.
"""

from clearcoat.render.sensor.chain import Photograph, photograph
from clearcoat.render.sensor.datasheets import CAMERAS, Datasheet
from clearcoat.render.sensor.spec import SensorSample, SensorSpec, sample_sensor

__all__ = [
    "CAMERAS",
    "Datasheet",
    "Photograph",
    "SensorSample",
    "SensorSpec",
    "photograph",
    "sample_sensor",
]
