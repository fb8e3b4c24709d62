"""Solids look outwards all over: a viewer that draws one side of a triangle shows every part."""

from __future__ import annotations

import numpy as np
import pytest

from clearcoat.vehicles import draw_parameters
from clearcoat.vehicles.rims import rim
from clearcoat.vehicles.solids import loft


@pytest.mark.parametrize("way", [1.0, -1.0])
@pytest.mark.parametrize("roundness", [1.0, 0.5])
def test_a_loft_and_its_ends_look_outwards(way: float, roundness: float) -> None:
    path = np.linspace([-way, 0.0, 0.0], [way, 0.2, 0.1], 5)
    side, up = np.tile([0.0, 1.0, 0.0], (5, 1)), np.tile([0.0, 0.0, 1.0], (5, 1))
    solid = loft(path, side, up, np.full(5, 0.3), np.full(5, 0.2), 12, roundness)
    corners = solid.vertices[solid.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # A loft is star-shaped about its middle.
    assert (np.einsum("ij,ij->i", across, corners.mean(axis=1) - path.mean(axis=0)) > 0).all()
    facing = np.einsum("fi,fki->fk", across, solid.normals[solid.faces])
    assert (facing > 0).all()


@pytest.mark.parametrize("style", ["coupe", "van"])
def test_the_lip_of_a_rim_looks_outwards(style: str) -> None:
    parameters = draw_parameters(style, 0)
    _, face = rim(parameters, "single")
    radius = parameters.wheel_diameter_mm / 2000 * parameters.rim_ratio
    corners = face.vertices[face.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    middle = corners.mean(axis=1)
    # What stands foremost between tyre and spokes is the front of the lip.
    front = np.hypot(middle[:, 0], middle[:, 2]) > radius - 0.005
    front &= middle[:, 1] > parameters.tyre_width_mm / 2000 - 0.009
    assert front.sum() > 50
    assert (across[front, 1] > 0).all()
