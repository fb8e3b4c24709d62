"""What a model is to be: plain, frozen, comparable data that goes into a run's config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from clearcoat.errors import SpecError

DropoutPlacement = Literal["bottleneck", "encoder", "decoder", "all", "none"]
MapActivation = Literal["softmax", "sigmoid"]


class _NetworkConfig(BaseModel):
    """What all networks have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dropout: float = Field(default=0.30, ge=0.0, lt=1.0)
    """Probability that a value is dropped (paper: 0.30)."""
    dropout_placement: DropoutPlacement = "bottleneck"
    """The paper does not say where; see docs/decisions/0020-dropout-placement.md."""
    batch_norm_momentum: float = Field(default=0.1, gt=0.0, le=1.0)
    """Share of the newest batch in the running statistics (PyTorch's sense of momentum)."""

    @property
    def encoder_dropout(self) -> tuple[float, float]:
        """Dropout after each level of the encoder, and after the deepest one."""
        levels = self.dropout if self.dropout_placement in ("encoder", "all") else 0.0
        return levels, self.dropout if self.dropout_placement == "bottleneck" else levels

    @property
    def decoder_dropout(self) -> float:
        """Dropout after each level of the decoder."""
        return self.dropout if self.dropout_placement in ("decoder", "all") else 0.0


class UNetConfig(_NetworkConfig):
    """The U-Net of the paper (section IV.A; widths derived from Table II)."""

    name: Literal["unet"] = "unet"
    filters: tuple[int, ...] = (32, 64, 128, 256, 512)
    """Channels per level, from full resolution down."""
    input_channels: int = Field(default=3, ge=1)

    @field_validator("filters")
    @classmethod
    def _at_least_two_levels(cls, filters: tuple[int, ...]) -> tuple[int, ...]:
        if len(filters) < 2 or min(filters) < 1:
            raise ValueError("needs at least two levels of at least one filter each")
        return filters

    @property
    def levels(self) -> int:
        """Resolutions at which the network works."""
        return len(self.filters)

    @property
    def stride(self) -> int:
        """Input pixels per pixel of the deepest level; input sizes are multiples of it."""
        return 1 << (self.levels - 1)


class VGG19UNetConfig(_NetworkConfig):
    """A U-Net whose encoder is that of VGG19 (paper, section V.A; doi 10.48550/arXiv.1409.1556)."""

    name: Literal["vgg19_unet"] = "vgg19_unet"
    filters: tuple[int, ...] = (32, 64, 128, 256)
    """Channels per level of the decoder, from full resolution down."""
    encoder_filters: tuple[int, ...] = (64, 128, 256, 512, 512)
    """Channels per block of the encoder; ImageNet weights fit VGG19's own only."""

    @field_validator("filters", "encoder_filters")
    @classmethod
    def _as_many_as_vgg19(cls, filters: tuple[int, ...], info: Any) -> tuple[int, ...]:
        wanted = 4 if info.field_name == "filters" else 5
        if len(filters) != wanted or min(filters) < 1:
            raise ValueError(f"needs {wanted} levels of at least one filter each")
        return filters

    @property
    def levels(self) -> int:
        """Resolutions at which the network works."""
        return len(self.encoder_filters)

    @property
    def stride(self) -> int:
        """Input pixels per pixel of the deepest level; input sizes are multiples of it."""
        return 1 << (self.levels - 1)


class EfficientNetUNetConfig(_NetworkConfig):
    """A U-Net whose encoder is EfficientNet-Lite0 (doi 10.48550/arXiv.1905.11946)."""

    name: Literal["efficientnet_lite0_unet"] = "efficientnet_lite0_unet"
    filters: tuple[int, ...] = (32, 64, 128, 256, 512)
    """Channels per level of the decoder, from full resolution down: at each the U-Net's own, so
    that the decoder of a U-Net's run fits."""
    encoder_filters: tuple[int, ...] = (32, 16, 24, 40, 80, 112, 192, 320)
    """Channels of stem and stages; ImageNet weights fit EfficientNet-Lite0's own only."""

    @field_validator("filters", "encoder_filters")
    @classmethod
    def _as_many_as_efficientnet(cls, filters: tuple[int, ...], info: Any) -> tuple[int, ...]:
        wanted = 5 if info.field_name == "filters" else 8
        if len(filters) != wanted or min(filters) < 1:
            raise ValueError(f"needs {wanted} levels of at least one filter each")
        return filters

    @property
    def levels(self) -> int:
        """Resolutions at which the network works."""
        return len(self.filters) + 1

    @property
    def stride(self) -> int:
        """Input pixels per pixel of the deepest level; input sizes are multiples of it."""
        return 1 << (self.levels - 1)


def _name_of(config: Any) -> Any:
    """Say which model a config is; one without a name is a U-Net, as it always was."""
    if isinstance(config, Mapping):
        return config.get("name", "unet")
    return getattr(config, "name", None)


FirstNetworkConfig = Annotated[
    Annotated[UNetConfig, Tag("unet")] | Annotated[VGG19UNetConfig, Tag("vgg19_unet")],
    Discriminator(_name_of),
]


class WNetConfig(_NetworkConfig):
    """Two U-Nets in a row (paper, section V.B). Dropout and batch norm here are the second's."""

    name: Literal["wnet"] = "wnet"
    first: FirstNetworkConfig = UNetConfig()
    filters: tuple[int, ...] = (16, 32, 64, 128, 256)
    """Channels per level of the second network: half the U-Net's (Table II)."""
    map_activation: MapActivation = "softmax"
    """What makes the first network's logits a map; follows the loss that training uses."""

    @model_validator(mode="after")
    def _as_deep_as_the_first(self) -> Self:
        if len(self.filters) != self.first.levels or min(self.filters) < 1:
            raise SpecError(
                f"filters needs {self.first.levels} levels of at least one filter each, "
                "as many as the first network has",
                key=("filters",),
            )
        return self

    @property
    def stride(self) -> int:
        """Input pixels per pixel of the deepest level; input sizes are multiples of it."""
        return self.first.stride


ModelConfig = Annotated[
    Annotated[UNetConfig, Tag("unet")]
    | Annotated[VGG19UNetConfig, Tag("vgg19_unet")]
    | Annotated[EfficientNetUNetConfig, Tag("efficientnet_lite0_unet")]
    | Annotated[WNetConfig, Tag("wnet")],
    Discriminator(_name_of),
]
"""Every model's config."""
