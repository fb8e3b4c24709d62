"""Segmentation models: the paper's U-Net as encoder, decoder and head."""

from clearcoat.models.config import DropoutPlacement, ModelConfig, UNetConfig
from clearcoat.models.counting import ParameterCount, count_parameters
from clearcoat.models.registry import build_model
from clearcoat.models.unet import SegmentationModel, UNetDecoder, UNetEncoder, build_unet

__all__ = [
    "DropoutPlacement",
    "ModelConfig",
    "ParameterCount",
    "SegmentationModel",
    "UNetConfig",
    "UNetDecoder",
    "UNetEncoder",
    "build_model",
    "build_unet",
    "count_parameters",
]
