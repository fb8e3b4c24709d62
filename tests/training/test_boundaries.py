"""Boundary F-score against distances computed by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from clearcoat.training.boundaries import boundary, boundary_f, tolerance_px

Mask = NDArray[np.bool_]


def _edge(mask: Mask, counted: Mask) -> Mask:
    eroded = ndimage.binary_erosion(mask | ~counted, np.ones((3, 3)), border_value=1)
    return mask & ~eroded


def _reference(predicted: Mask, truth: Mask, counted: Mask, reach: int) -> float:
    predicted, truth = predicted & counted, truth & counted
    if not (predicted | truth).any():
        return float("nan")
    edges = _edge(predicted, counted), _edge(truth, counted)
    if not edges[0].any() and not edges[1].any():
        return float(np.array_equal(predicted, truth))
    if not edges[0].any() or not edges[1].any():
        return 0.0
    near = [ndimage.distance_transform_edt(~edge) <= reach for edge in edges]
    precision, recall = near[1][edges[0]].mean(), near[0][edges[1]].mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _blob(random: np.random.Generator, size: int) -> Mask:
    noise = ndimage.gaussian_filter(random.standard_normal((size, size)), size / 10)
    mask: Mask = noise > random.choice([-9.0, -0.01, 0.02, 9.0])
    return mask


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([12, 24, 190]))
def test_agrees_with_distances(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    predicted, truth = _blob(random, size), _blob(random, size)
    counted = random.random((size, size)) < random.choice([0.0, 0.9, 1.0])
    planes = (torch.from_numpy(mask)[None, None] for mask in (predicted, truth, counted))
    expected = _reference(predicted, truth, counted, tolerance_px(size, size))
    np.testing.assert_allclose(boundary_f(*planes).item(), expected, rtol=1e-5)


def test_the_tolerance_is_three_quarters_of_a_percent_of_the_diagonal() -> None:
    assert tolerance_px(64, 64) == 1
    assert tolerance_px(1080, 1920) == 17


def test_a_class_in_place_of_another_scores_nothing() -> None:
    """As on a photo of which little is labelled: all that counts is of one class."""
    all_of_it = torch.ones(1, 1, 24, 24, dtype=torch.bool)
    counted = torch.zeros_like(all_of_it)
    counted[..., 4:9, 4:9] = True
    assert boundary_f(all_of_it, ~all_of_it, counted).item() == 0
    assert boundary_f(all_of_it, all_of_it, counted).item() == 1


@pytest.mark.parametrize("rows", [slice(0, 5), slice(0, 10)])
def test_neither_the_images_border_nor_that_of_ignored_pixels_is_a_boundary(rows: slice) -> None:
    mask = torch.zeros(1, 1, 10, 10, dtype=torch.bool)
    mask[..., rows, :] = True
    everything = torch.ones_like(mask)
    edge = boundary(mask, everything)
    assert edge.sum() == (10 if rows.stop == 5 else 0)
    counted = everything.clone()
    counted[..., 5:, :] = False
    assert not boundary(mask & counted, counted).any()
