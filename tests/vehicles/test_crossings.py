"""The test for parts that pass through each other can fail, and measures what it says."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import trimesh

from clearcoat.product.model import Product
from clearcoat.vehicles import build, draw_parameters
from clearcoat.vehicles.form import Form
from tests.products import part
from tests.vehicles.crossings import crossings
from tests.vehicles.meetings import DEEP_MM, KNOWN, deep_crossings


def _boxes(offset_m: tuple[float, float, float]) -> tuple[int, float]:
    """How many crossings two boxes of 100 mm have, the second shifted, and the deepest (mm)."""
    shapes = [trimesh.creation.box((0.1, 0.1, 0.1)) for _ in range(2)]
    shapes = [shape.subdivide().subdivide() for shape in shapes]
    shapes[1].apply_translation(offset_m)
    found = crossings(
        [part("one", shapes[0]), part("other", shapes[1])], ~np.eye(2, dtype=np.bool_)
    )
    return len(found.at), float(found.depth_mm.max(initial=0.0))


def test_depth_of_a_corner_in_a_box() -> None:
    # Off the lattice of the other's edges, or they would touch and not pierce.
    count, depth = _boxes((0.097, 0.041, 0.032))
    assert count > 0
    assert depth == pytest.approx(3.0, abs=0.02)


@pytest.mark.parametrize("offset_m", [(0.1, 0.03, 0.02), (0.0, 0.0, 0.0), (0.12, 0.0, 0.0)])
def test_what_touches_or_is_apart_does_not_cross(offset_m: tuple[float, float, float]) -> None:
    assert _boxes(offset_m)[1] < 0.01


@cache
def _vehicle() -> tuple[Product, Form]:
    return build("hatchback", 5), Form(draw_parameters("hatchback", 5))


def _planted(path: str, move_m: tuple[float, float, float]) -> list[str]:
    product, form = _vehicle()
    parts = tuple(
        replace(p, mesh=replace(p.mesh, vertices=p.mesh.vertices + np.float32(move_m)))
        if p.path == path
        else p
        for p in product.parts
    )
    return deep_crossings(replace(product, parts=parts), form)


@pytest.mark.parametrize(
    ("path", "move_m", "through"),
    [
        ("doors/front_left/mirror/housing", (0.0, -0.10, 0.0), "doors/front_left/"),
        ("body/hood", (-0.04, 0.0, 0.012), "glass/windscreen_seal"),
        ("wheels/rear_left/tyre", (0.0, 0.0, 0.06), "body/wheel_well_rear_left"),
    ],
)
def test_a_planted_crossing_is_found(
    path: str, move_m: tuple[float, float, float], through: str
) -> None:
    said = _planted(path, move_m)
    assert any(path in line and through in line for line in said), said


def test_every_known_meeting_says_why() -> None:
    assert all(len(why) > 8 and others for _, others, why in KNOWN)
    assert DEEP_MM < 2.0
