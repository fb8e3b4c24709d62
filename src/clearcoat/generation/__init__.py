"""From a spec to a data set: ties spec, product, renderer and store together."""

from clearcoat.generation.generate import Job, Studio, generate
from clearcoat.generation.labels import LabelSpec, label_raster
from clearcoat.generation.scene import Scene, load_scene
from clearcoat.generation.scene_spec import SceneSpec, load_scene_spec

__all__ = [
    "Job",
    "LabelSpec",
    "Scene",
    "SceneSpec",
    "Studio",
    "generate",
    "label_raster",
    "load_scene",
    "load_scene_spec",
]
