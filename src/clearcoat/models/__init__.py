"""Segmentation models: U-Net, U-Net on VGG19, W-net; what they start from and what stays."""

from clearcoat.models.architectures import ARCHITECTURES, Architecture
from clearcoat.models.base import Freeze, SegmentationModel, freeze
from clearcoat.models.config import (
    DropoutPlacement,
    EfficientNetUNetConfig,
    MapActivation,
    ModelConfig,
    UNetConfig,
    VGG19UNetConfig,
    WNetConfig,
)
from clearcoat.models.counting import ParameterCount, count_parameters
from clearcoat.models.efficientnet import EfficientNetLite0Encoder, build_efficientnet_unet
from clearcoat.models.efficientnet_weights import read_efficientnet
from clearcoat.models.imagenet import read_imagenet
from clearcoat.models.initialisation import (
    INITIALISATIONS,
    InitConfig,
    Pretrained,
    Start,
    find_initialisation,
    initialise_from,
    plan_start,
)
from clearcoat.models.registry import build_model
from clearcoat.models.unet import EncoderDecoder, UNetDecoder, UNetEncoder, build_unet
from clearcoat.models.vgg19 import VGG19Encoder, build_vgg19_unet
from clearcoat.models.wnet import WNet, build_wnet

__all__ = [
    "ARCHITECTURES",
    "INITIALISATIONS",
    "Architecture",
    "DropoutPlacement",
    "EfficientNetLite0Encoder",
    "EfficientNetUNetConfig",
    "EncoderDecoder",
    "Freeze",
    "InitConfig",
    "MapActivation",
    "ModelConfig",
    "ParameterCount",
    "Pretrained",
    "SegmentationModel",
    "Start",
    "UNetConfig",
    "UNetDecoder",
    "UNetEncoder",
    "VGG19Encoder",
    "VGG19UNetConfig",
    "WNet",
    "WNetConfig",
    "build_efficientnet_unet",
    "build_model",
    "build_unet",
    "build_vgg19_unet",
    "build_wnet",
    "count_parameters",
    "find_initialisation",
    "freeze",
    "initialise_from",
    "plan_start",
    "read_efficientnet",
    "read_imagenet",
]
