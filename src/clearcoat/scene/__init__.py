"""What chance decides about an image: pure functions of (spec, seed, index), NumPy only."""

from clearcoat.scene.backdrop import BackdropSample, BackdropSpec, PhotoSample
from clearcoat.scene.camera import CameraSample, CameraSpec
from clearcoat.scene.conditions import ConditionSample
from clearcoat.scene.constraints import Rejections, RequireSpec, breaches
from clearcoat.scene.distributions import Distribution, draw, draw_weighted, stream
from clearcoat.scene.framing import Pose, frame_subject
from clearcoat.scene.joint import Joint, resolve
from clearcoat.scene.light import (
    EnvironmentSample,
    LampSample,
    LampSpec,
    LightSpec,
    SkySample,
    SkySpec,
    SunSample,
    SunSpec,
    TunnelSample,
    TunnelSpec,
)
from clearcoat.scene.occluders import OccluderSample, OccluderSpec
from clearcoat.scene.sample import PaintSample, SceneSample, Stage, sample
from clearcoat.scene.spec import PaintSpec, SceneModel
from clearcoat.scene.states import HingeSpec, ReplacementSpec, StateSample, StateSpec

__all__ = [
    "BackdropSample",
    "BackdropSpec",
    "CameraSample",
    "CameraSpec",
    "ConditionSample",
    "Distribution",
    "EnvironmentSample",
    "HingeSpec",
    "Joint",
    "LampSample",
    "LampSpec",
    "LightSpec",
    "OccluderSample",
    "OccluderSpec",
    "PaintSample",
    "PaintSpec",
    "PhotoSample",
    "Pose",
    "Rejections",
    "ReplacementSpec",
    "RequireSpec",
    "SceneModel",
    "SceneSample",
    "SkySample",
    "SkySpec",
    "Stage",
    "StateSample",
    "StateSpec",
    "SunSample",
    "SunSpec",
    "TunnelSample",
    "TunnelSpec",
    "breaches",
    "draw",
    "draw_weighted",
    "frame_subject",
    "resolve",
    "sample",
    "stream",
]
