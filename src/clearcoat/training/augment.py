"""Random changes to a batch, made on the device where the batch lies."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from clearcoat.training.arrays import IGNORE
from clearcoat.training.config import Augmentation

_BLUR_RADIUS = 3


def augment(
    images: Tensor,
    labels: Tensor,
    how: Augmentation,
    generator: torch.Generator,
    other_side: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Change (N, 3, H, W) uint8 images and their (N, H, W) labels alike.

    `other_side` is (K,): the label that each one turns into in a mirrored image, where left and
    right are classes of their own.

    Returns images as float from 0 to 1 (or uint8 where only flips were asked for) and labels of
    the type given, or wide enough for `other_side`. Pixels that come from outside the image are
    *ignore*. `generator` lives on the CPU, so that the same seed gives the same draws on every
    device.
    """
    draw = _Draw(len(images), generator, images.device)
    mirrored = draw.uniform(0.0, 1.0) < (0.5 if how.flip else 0.0)
    if how.moves:
        images, labels = _move(images, labels, how, draw, mirrored)
    else:
        images = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(-1), images)
        labels = torch.where(mirrored.view(-1, 1, 1), labels.flip(-1), labels)
    if other_side is not None:
        labels = torch.where(mirrored.view(-1, 1, 1), other_side[labels.long()], labels)
    return _recolour(images, how, draw), labels


class _Draw:
    """Random numbers, one per image."""

    def __init__(self, count: int, generator: torch.Generator, device: torch.device) -> None:
        self.count = count
        self.generator = generator
        self.device = device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        values = torch.rand(self.count, *shape, generator=self.generator)
        return (low + (high - low) * values).to(self.device)

    def around_one(self, spread: float, channels: int = 1) -> Tensor:
        return self.uniform(1 - spread, 1 + spread, channels, 1, 1)


def _move(
    images: Tensor, labels: Tensor, how: Augmentation, draw: _Draw, mirrored: Tensor
) -> tuple[Tensor, Tensor]:
    zoom = torch.exp(draw.uniform(math.log(how.scale[0]), math.log(how.scale[1])))
    angle = torch.deg2rad(draw.uniform(-how.rotate_deg, how.rotate_deg))
    # affine_grid maps output to input, in units of half an image: hence 1 / zoom and 2 × shift.
    shift = draw.uniform(-2 * how.shift, 2 * how.shift, 2)
    side = torch.where(mirrored, -1.0, 1.0)
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    rows = torch.stack([side * cos, -sin, shift[:, 0], side * sin, cos, shift[:, 1]], dim=1)
    shape = [len(images), 1, *images.shape[-2:]]
    grid = F.affine_grid(rows.view(-1, 2, 3), shape, align_corners=False)
    moved = F.grid_sample(
        images.float() / 255.0, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    # Zero padding makes everything outside IGNORE. Positions are exact in float up to 2^24.
    assert IGNORE == 0
    placed = F.grid_sample(
        labels.float().unsqueeze(1), grid, mode="nearest", padding_mode="zeros", align_corners=False
    )
    return moved, placed.squeeze(1).to(labels.dtype)


def _recolour(images: Tensor, how: Augmentation, draw: _Draw) -> Tensor:
    if not (
        how.brightness or how.contrast or how.saturation or how.tint or how.blur_px or how.noise
    ):
        return images
    x = images.float() / 255.0 if images.dtype == torch.uint8 else images
    if how.contrast:
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        x = mean + (x - mean) * draw.around_one(how.contrast)
    if how.saturation:
        grey = x.mean(dim=1, keepdim=True)
        x = grey + (x - grey) * draw.around_one(how.saturation)
    if how.brightness:
        x = x * draw.around_one(how.brightness)
    if how.tint:
        x = x * draw.around_one(how.tint, channels=x.shape[1])
    if how.blur_px:
        x = _blur(x, draw.uniform(-how.blur_px, how.blur_px).clamp(min=0.0))
    if how.noise:
        sigma = draw.uniform(0.0, how.noise, 1, 1, 1)
        noise = torch.randn(x.shape, generator=draw.generator).to(x.device)
        x = x + sigma * noise
    return x.clamp(0.0, 1.0)


def _blur(x: Tensor, sigma: Tensor) -> Tensor:
    """Blur each image with its own Gaussian; sigma 0 leaves it as it is."""
    count, channels, height, width = x.shape
    offsets = torch.arange(-_BLUR_RADIUS, _BLUR_RADIUS + 1, device=x.device)
    weights = torch.exp(-0.5 * (offsets / sigma.clamp(min=1e-3).unsqueeze(1)) ** 2)
    weights = (weights / weights.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    flat = x.reshape(1, count * channels, height, width)
    for kernel, padding in (
        (weights.view(-1, 1, 1, len(offsets)), (_BLUR_RADIUS, _BLUR_RADIUS, 0, 0)),
        (weights.view(-1, 1, len(offsets), 1), (0, 0, _BLUR_RADIUS, _BLUR_RADIUS)),
    ):
        flat = F.conv2d(F.pad(flat, padding, mode="replicate"), kernel, groups=count * channels)
    return flat.view(count, channels, height, width)
