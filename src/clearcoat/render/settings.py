"""What a spec may say about how images are computed and developed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from clearcoat.spec import Model


class RenderSettings(Model):
    """Path tracing and development. None of it changes the labels."""

    samples: Annotated[int, Field(ge=1, le=65536)] = 32
    """Light paths per pixel, rounded up to rows times columns of a pixel (31 becomes 35). The
    denoiser makes 16 to 64 enough."""
    max_depth: Annotated[int, Field(ge=2, le=64)] = 7
    """Longest light path; 7 lets light through two panes and back."""
    denoise: bool = True
    """Clean with Intel Open Image Denoise, guided by albedo and normals."""
    tone_curve: Literal["filmic", "linear"] = "filmic"
    """`filmic` rolls highlights off as cameras do; `linear` clips them."""
