"""What a model is to be: plain, frozen, comparable data that goes into a run's config."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

DropoutPlacement = Literal["bottleneck", "encoder", "decoder", "all", "none"]


class UNetConfig(BaseModel):
    """The U-Net of the paper (section IV.A; widths derived from Table II)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["unet"] = "unet"
    filters: tuple[int, ...] = (32, 64, 128, 256, 512)
    """Channels per level, from full resolution down."""
    input_channels: int = Field(default=3, ge=1)
    dropout: float = Field(default=0.30, ge=0.0, lt=1.0)
    """Probability that a value is dropped (paper: 0.30)."""
    dropout_placement: DropoutPlacement = "bottleneck"
    """The paper does not say where; see docs/decisions/0020-dropout-placement.md."""
    batch_norm_momentum: float = Field(default=0.1, gt=0.0, le=1.0)
    """Share of the newest batch in the running statistics (PyTorch's sense of momentum)."""

    @field_validator("filters")
    @classmethod
    def _at_least_two_levels(cls, filters: tuple[int, ...]) -> tuple[int, ...]:
        if len(filters) < 2 or min(filters) < 1:
            raise ValueError("needs at least two levels of at least one filter each")
        return filters

    @property
    def stride(self) -> int:
        """Input pixels per pixel of the deepest level; input sizes are multiples of it."""
        return 1 << (len(self.filters) - 1)


ModelConfig = UNetConfig
"""Every model's config; a union once there is a second model."""
