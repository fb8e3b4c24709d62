"""Boundary F-score: how well outlines agree, however large the areas within them are.

Csurka et al. 2013, "What is a good evaluation measure for semantic segmentation?"
(doi 10.5244/C.27.32): precision is the share of the predicted boundary that lies near the true
one, recall the reverse, and F their harmonic mean, per image and class.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_TOLERANCE = 0.0075
"""Of the image's diagonal, as in the paper."""


def tolerance_px(height: int, width: int) -> int:
    """Return how far apart boundaries may lie and still agree: at least one pixel."""
    return max(1, round(_TOLERANCE * math.hypot(height, width)))


def boundary_f(predicted: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """(N, C, H, W) bool masks and (N, 1, H, W) bool to (N, C) F-scores.

    NaN where neither mask has a pixel. Neither the border of the image nor that of an ignored
    region is a boundary. Where just one of the two has a boundary the score is 0. Where neither
    has one it is 1 for the same mask, both filling all that counts, and 0 for another.
    """
    predicted, truth = predicted & counted, truth & counted
    edges = boundary(predicted, counted), boundary(truth, counted)
    reach = tolerance_px(*predicted.shape[-2:])
    found, there = (edge.sum(dim=(2, 3)) for edge in edges)
    found_near = (edges[0] & _dilated(edges[1], reach)).sum(dim=(2, 3))
    there_near = (edges[1] & _dilated(edges[0], reach)).sum(dim=(2, 3))
    precision = found_near / found.clamp(min=1)
    recall = there_near / there.clamp(min=1)
    score = 2 * precision * recall / (precision + recall).clamp(min=1e-12)
    same = (predicted == truth).all(dim=3).all(dim=2).to(score.dtype)
    score = torch.where((found == 0) & (there == 0), same, score)
    present = (predicted | truth).any(dim=3).any(dim=2)
    return torch.where(present, score, torch.nan)


def boundary(masks: Tensor, counted: Tensor) -> Tensor:
    """(N, C, H, W) bool: pixels of a mask with a counted one beside them that is not in it."""
    # Max-pooling pads with minus infinity, so what lies outside the image erodes nothing.
    outside = (~masks & counted).to(torch.float32)
    return masks & (F.max_pool2d(outside, 3, stride=1, padding=1) > 0)


def _dilated(masks: Tensor, radius: int) -> Tensor:
    count, channels, height, width = masks.shape
    offsets = torch.arange(-radius, radius + 1, device=masks.device)
    disc = (offsets**2 + offsets.view(-1, 1) ** 2 <= radius**2).to(torch.float32)
    flat = masks.reshape(count * channels, 1, height, width).to(torch.float32)
    near = F.conv2d(flat, disc[None, None], padding=radius)
    return (near > 0.5).view(masks.shape)
