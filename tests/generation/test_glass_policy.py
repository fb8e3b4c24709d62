"""The glass policy goes by class, not by part: a pane may belong to classes of either policy."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from clearcoat.generation import Studio, load_scene
from clearcoat.generation.labels import LabelSpec, label_raster
from clearcoat.product import ClassMap
from clearcoat.render import Frame

# Numbers of the parts, and the classes of each: `cabin` is seen through, `glass` is hit first.
_NOTHING, _PANE, _SEAT, _DASH, _HIDER, _BODY = range(6)
_NAMES = ("glass", "cabin", "seat", "body")
_CLASSES = {
    _PANE: {"glass", "cabin"},
    _SEAT: {"seat", "cabin"},
    _DASH: {"body"},
    _HIDER: None,
    _BODY: {"body", "cabin"},
}


@pytest.mark.parametrize(
    ("front", "behind", "expected"),
    [
        # The pane keeps `glass`; `cabin` is what is behind it, here nothing.
        (_PANE, _NOTHING, {"glass"}),
        # `seat` is a first_hit class: behind a pane it is not labelled, its `cabin` is.
        (_PANE, _SEAT, {"glass", "cabin"}),
        (_PANE, _DASH, {"glass"}),
        (_PANE, _HIDER, {"glass"}),
        # Without a pane both policies see the same surface.
        (_SEAT, _SEAT, {"seat", "cabin"}),
        (_BODY, _BODY, {"body", "cabin"}),
        (_HIDER, _SEAT, None),
        (_NOTHING, _NOTHING, set()),
    ],
)
def test_each_class_of_a_pane_has_its_own_policy(
    front: int, behind: int, expected: set[str] | None
) -> None:
    blank = np.zeros((1, 1, 3), np.float32)
    frame = Frame(
        radiance=blank,
        parts=np.array([[front]], np.uint16),
        behind=np.array([[behind]], np.uint16),
        depth_m=np.ones((1, 1), np.float32),
        albedo=blank,
        normal=blank,
    )
    of_part = tuple(
        None if names is None else frozenset(map(_NAMES.index, names))
        for names in _CLASSES.values()
    )
    classes = ClassMap(names=_NAMES, of_part=of_part, rule_of_part=(None,) * len(of_part))
    raster = label_raster(frame, classes, LabelSpec(see_through=("cabin",)))
    (members,) = raster.sets
    assert (None if members is None else {_NAMES[n] for n in members}) == expected


def test_a_rendered_pane_of_both_policies(toy_spec: Path, tmp_path: Path) -> None:
    shutil.copy(toy_spec.parent / "toy.glb", tmp_path)
    text = toy_spec.read_text()
    for old, new in (
        ("handle]", "cabin]"),
        ('"*glass", is: glass', '"*glass", is: [glass, cabin]'),
        ('"*seat", is: seat', '"*seat", is: [seat, cabin]'),
        ("see_through: [seat]", "see_through: [cabin]"),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "toy.yaml").write_text(text)
    scene = load_scene(tmp_path / "toy.yaml")
    record = Studio(scene, (48, 48), 0).record(1)
    assert record.parts is not None
    assert record.behind is not None
    number = {
        name: next(i for i, p in enumerate(scene.product.parts, start=1) if name in p.path)
        for name in ("glass", "seat")
    }
    mask = {
        name: record.labels.mask(scene.classes.names.index(name))
        for name in ("glass", "seat", "cabin")
    }
    pane, seat_behind = record.parts == number["glass"], record.behind == number["seat"]
    assert (pane & seat_behind).any()
    assert (pane & ~seat_behind).any()
    assert np.array_equal(mask["glass"], pane)
    assert np.array_equal(mask["cabin"], seat_behind)
    # A first_hit class is not labelled through the pane.
    assert np.array_equal(mask["seat"], record.parts == number["seat"])
    objects = {scene.objects.entries[one.object].class_name: one for one in record.objects or ()}
    assert objects["cabin"].pixels == mask["cabin"].sum()
    assert objects["glass"].pixels == mask["glass"].sum()
