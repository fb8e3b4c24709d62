"""The Mitsuba 3 backend: a scene sample in, a frame and an 8-bit picture out. Knows no files
but the HDR environments it lights with and the photographs it puts behind.
"""

from clearcoat.render.bsdf import from_source
from clearcoat.render.develop import develop
from clearcoat.render.frame import Frame
from clearcoat.render.hdri import list_hdris
from clearcoat.render.moving import State
from clearcoat.render.peel import Extent
from clearcoat.render.photo import list_photos
from clearcoat.render.renderer import Renderer, resolve_materials
from clearcoat.render.settings import RenderSettings
from clearcoat.render.stand_ins import StandIn, fit

__all__ = [
    "Extent",
    "Frame",
    "RenderSettings",
    "Renderer",
    "StandIn",
    "State",
    "develop",
    "fit",
    "from_source",
    "list_hdris",
    "list_photos",
    "resolve_materials",
]
