"""Sided classes change places in mirrored images."""

from __future__ import annotations

import pytest
import torch

from clearcoat.training import AUGMENTATIONS
from clearcoat.training.arrays import BACKGROUND, IGNORE
from clearcoat.training.augment import augment
from clearcoat.training.sides import (
    mirrored_sets,
    opposite_classes,
    opposite_name,
    without_opposite,
)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("front_left_door", "front_right_door"),
        ("Left mirror", "Right mirror"),
        ("MIRROR-RH", "MIRROR-LH"),
        ("door.l", "door.r"),
        ("doorLeft", "doorRight"),
        ("leftDoor", "rightDoor"),
        ("frontRightLamp", "frontLeftLamp"),
        ("door_fl", "door_fr"),
        ("wheel RL", "wheel RR"),
        ("lhs_door", "rhs_door"),
        ("doorL", "doorR"),
        ("FrontDoorLH", "FrontDoorRH"),
        # No side: words that have one as a part.
        ("cleft", "cleft"),
        ("bright", "bright"),
        ("wheel", "wheel"),
        ("leftover", "leftover"),
        ("headlamp_low", "headlamp_low"),
    ],
)
def test_names_change_their_side(name: str, other: str) -> None:
    assert opposite_name(name) == other
    assert opposite_name(other) == name


def test_pairs_are_found_and_lonely_ones_told() -> None:
    classes = ("left_door", "hood", "right_door", "right_plate", "lamp_l")
    assert opposite_classes(classes) == {0: 2, 2: 0}
    assert without_opposite(classes) == ["right_plate"]


def test_the_table_gets_the_sets_of_the_other_side_and_keeps_its_own() -> None:
    sets = (None, frozenset(), frozenset({0, 1}), frozenset({2}))
    table, way = mirrored_sets(sets, ("left_door", "hood", "right_door"))
    assert table[: len(sets)] == sets
    assert way is not None
    opposite = [table[position] for position in way.tolist()]
    assert opposite[:4] == [None, frozenset(), frozenset({2, 1}), frozenset({0})]
    assert [way[way[position]] for position in range(len(table))] == list(range(len(table)))
    assert mirrored_sets(sets, ("door", "hood", "roof")) == (sets, None)


@pytest.mark.parametrize("name", ["flip", "strong"])
def test_what_lies_on_the_left_is_the_left_one_in_every_image(name: str) -> None:
    images = torch.zeros(64, 3, 16, 16, dtype=torch.uint8)
    labels = torch.full((64, 16, 16), BACKGROUND, dtype=torch.uint8)
    # One mirror on the left and none on the right: a car from one side.
    images[:, :, 4:12, 1:7] = 200
    labels[:, 4:12, 1:7] = 2
    _, way = mirrored_sets((None, frozenset(), frozenset({0})), ("left_mirror", "right_mirror"))
    generator = torch.Generator().manual_seed(0)
    _, moved = augment(images, labels, AUGMENTATIONS[name], generator, way)
    columns = torch.arange(16).float()
    sides = set()
    for one in moved:
        [label] = set(one.unique().tolist()) - {IGNORE, BACKGROUND}
        middle = ((one == label) * columns).sum() / (one == label).sum()
        sides.add((label, bool(middle < 7.5)))
    # Label 2 is the left one, 3 the right one.
    assert sides == {(2, True), (3, False)}
