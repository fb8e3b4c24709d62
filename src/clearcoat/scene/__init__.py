"""What chance decides about an image: pure functions of (spec, seed, index), NumPy only."""

from clearcoat.scene.camera import CameraSample, CameraSpec
from clearcoat.scene.distributions import Distribution, draw, draw_weighted, stream
from clearcoat.scene.framing import Pose, frame_subject
from clearcoat.scene.sample import (
    BackdropSample,
    EnvironmentSample,
    PaintSample,
    SceneSample,
    Stage,
    SunSample,
    sample,
)
from clearcoat.scene.spec import BackdropSpec, LightSpec, PaintSpec, SceneModel, SunSpec

__all__ = [
    "BackdropSample",
    "BackdropSpec",
    "CameraSample",
    "CameraSpec",
    "Distribution",
    "EnvironmentSample",
    "LightSpec",
    "PaintSample",
    "PaintSpec",
    "Pose",
    "SceneModel",
    "SceneSample",
    "Stage",
    "SunSample",
    "SunSpec",
    "draw",
    "draw_weighted",
    "frame_subject",
    "sample",
    "stream",
]
