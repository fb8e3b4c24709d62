"""States in a data set: what a spec says of wrong parts is what pictures and labels show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import SpecError
from clearcoat.generation.generate import Studio
from clearcoat.generation.labels import LabelSpec, coverage, label_raster
from clearcoat.generation.scene import load_scene
from clearcoat.product import ClassMap
from clearcoat.render import Frame

_STATES = """\
paint: {{colors: ["#b01c1c"], metallic: 0}}
camera: {{fill: 0.8, azimuth_deg: 80, elevation_deg: 15, roll_deg: 0}}
backdrop: {{modes: {{grounded: 1}}}}
block: 1
states:
  {state}
"""


def _studio(toy_spec: Path, tmp_path: Path, state: str) -> Studio:
    names = "names: [body, glass, seat, wheel, handle"
    text = toy_spec.read_text().replace(names, names + ", wrong")
    text = text.replace("{file: toy.glb}", f"{{file: {toy_spec.parent / 'toy.glb'}}}")
    (tmp_path / "spec.yaml").write_text(text + _STATES.format(state=state))
    return Studio(load_scene(tmp_path / "spec.yaml"), (64, 48), 0)


def test_a_wrong_part_has_its_own_class_beside_the_right_ones(
    toy_spec: Path, tmp_path: Path
) -> None:
    studio = _studio(
        toy_spec, tmp_path,
        f"swap: {{parts: wheels_front, replaced_by: {{file: {toy_spec.parent / 'toy.glb'}, "
        "parts: body*, fit: own}, is: wrong, label: wrong_part, probability: 0.5}",
    )  # fmt: skip
    records = [studio.record(index) for index in range(4)]
    held = ["wrong_part" in record.metadata["image_labels"] for record in records]
    assert any(held)
    assert not all(held)
    wrong, wheel = 5, 3
    for record, holds in zip(records, held, strict=True):
        mask = record.labels.mask(wrong)
        # The wheel is small and hidden by the body; a second body in its place is not.
        assert (mask.sum() > 100) == holds
        assert np.array_equal(mask, record.labels.mask(wheel) & holds)


def test_of_two_parts_in_one_place_the_one_that_is_made_is_the_label(
    toy_spec: Path, tmp_path: Path
) -> None:
    studio = _studio(
        toy_spec, tmp_path,
        "a_look: {parts: wheels_front, material: plastic_black, label: look}\n"
        f"  b_swap: {{parts: wheels_front, replaced_by: {{file: {toy_spec.parent / 'toy.glb'}, "
        "parts: body*, fit: own}, is: wrong, label: wrong_part}",
    )  # fmt: skip
    record = studio.record(0)
    assert record.metadata["image_labels"] == ["look"]
    assert not record.labels.mask(5).any()


def test_nothing_is_said_of_parts_that_are_missing(toy_spec: Path, tmp_path: Path) -> None:
    studio = _studio(
        toy_spec, tmp_path,
        "a_look: {parts: 'wheels_*', material: plastic_black, label: look}\n"
        "  b_gone: {parts: 'wheels_*', missing: true, label: gone}\n"
        "  c_worn: {parts: wheels_front, wear: {amount: 1}, is: wrong, label: worn}\n"
        "  d_glass: {parts: cabin_glass, wear: {amount: 1}, label: dull glass}\n"
        "  e_turn: {parts: 'wheels_*', turn_deg: 20, is: wrong, label: turned}",
    )  # fmt: skip
    record = studio.record(0)
    # Nor of wear on glass, which does not wear.
    assert record.metadata["image_labels"] == ["gone"]
    assert not record.labels.mask(3).any() and not record.labels.mask(5).any()


def test_a_state_of_paint_has_the_paint_of_the_image(toy_spec: Path, tmp_path: Path) -> None:
    studio = _studio(toy_spec, tmp_path, "red: {parts: cabin_glass, material: paint}")
    scene = studio.scene
    record = studio.record(0)
    assert record.parts is not None
    names = [part.path for part in scene.product.parts]
    pane = record.image[record.parts == names.index("cabin_glass") + 1].astype(float)
    red, green, _ = pane.mean(axis=0)
    assert red / green > 1.8


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("x: {parts: wheels_front, replaced_by: wheels_raer}", "did you mean"),
        ("x: {parts: wheels_front, mirrored: y, is: wrnog}", "did you mean 'wrong'?"),
        ("x: {parts: wheels_front, missing: true, is: wrong}", "no pixels"),
    ],
)
def test_mistakes_are_explained(toy_spec: Path, tmp_path: Path, state: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        _studio(toy_spec, tmp_path, state)
    assert says in str(caught.value)


def test_what_covers_a_surface_is_labelled_beside_it_and_ignored_where_that_is() -> None:
    parts = np.array([[0, 1, 1, 2]], np.uint16)
    over = np.array([[False, True, False, True]])
    nothing = np.zeros((1, 4, 3), np.float32)
    frame = Frame(
        radiance=nothing, parts=parts, behind=parts, depth_m=np.ones((1, 4), np.float32),
        albedo=nothing, normal=nothing, conditions={"mud": over, "rain": ~over},
        fine_parts=np.repeat(parts, 2, 0).repeat(2, 1),
        fine_behind=np.repeat(parts, 2, 0).repeat(2, 1),
        fine_conditions={"mud": np.array([[0, 0, 1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1, 0, 0]]) > 0},
    )  # fmt: skip
    classes = ClassMap(("body", "dirt"), (frozenset({0}), None), (0, 1))
    # Rain has no class.
    raster = label_raster(frame, classes, LabelSpec(), {"mud": 1})
    assert raster.mask(0).tolist() == [[False, True, True, False]]
    assert raster.mask(1).tolist() == [[False, True, False, False]]
    assert raster.ignore().tolist() == [[False, False, False, True]]
    soft = coverage(frame, classes, LabelSpec(), {"mud": 1})
    assert soft is not None
    assert soft.share[..., soft.names.index("dirt")].tolist() == [[0, 255, 191, 0]]
