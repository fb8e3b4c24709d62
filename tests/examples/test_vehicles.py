"""The ready-made specs fit the shared vehicles: every rule takes a part, every class is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clearcoat.errors import DatasetError
from clearcoat.generation import load_scene
from clearcoat.generation.presets import copy_presets

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "vehicles"
_PHOTO_CLASSES = {
    "back_bumper", "back_glass", "back_door", "back_light", "front_bumper", "front_glass",
    "front_door", "front_light", "hood", "mirror", "tailgate", "trunk", "wheel",
}  # fmt: skip
_PAPER_CLASSES = {
    "back_door", "back_window", "rear_window", "front_door", "front_window", "door_handle",
    "mirror", "tail_light",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("bmw_m6", {"back_door", "trunk"}),
        ("asam_vehicle", {"back_bumper", "back_door", "trunk", "hood"}),
        ("car_concept", {"back_door", "trunk", "hood", "tailgate", "front_bumper"}),
        ("bmw_m6_paper", {"back_door"}),
        ("asam_vehicle_paper", {"back_door", "back_window", "door_handle"}),
        ("car_concept_paper", {"back_door"}),
    ],
)
def test_every_rule_takes_a_part(shared: Path, name: str, absent: set[str]) -> None:
    scene = load_scene(_EXAMPLES / f"{name}.yaml")
    known = _PAPER_CLASSES if name.endswith("_paper") else _PHOTO_CLASSES
    assert set(scene.classes.names) == known
    assert set(scene.classes.absent) == absent
    assert scene.hdri_folder is not None
    assert scene.hdri_folder.samefile(shared / "hdri")


def test_no_trademark_is_rendered(shared: Path) -> None:
    scene = load_scene(_EXAMPLES / "bmw_m6.yaml")
    assert not [part.path for part in scene.product.parts if "emblem" in part.path]


def test_the_presets_name_the_box_of_a_pickup(tmp_path: Path) -> None:
    spec = copy_presets(tmp_path) / "pickup.yaml"
    spec.write_text("extends: family.yaml\nproduct: {builtin: pickup}\n")
    scene = load_scene(spec)
    assert set(scene.classes.absent) == {"tailgate"}
    trunk = scene.classes.names.index("trunk")
    named = [
        part.path
        for part, classes in zip(scene.product.parts, scene.classes.of_part, strict=True)
        if classes and trunk in classes
    ]
    assert {"bed/panel", "bed/side_left", "bed/side_right"} <= set(named)


@pytest.mark.parametrize("preset", ["family", "family_paper", "family_18"])
def test_the_presets_cover_every_class_with_the_family(tmp_path: Path, preset: str) -> None:
    scene = load_scene(copy_presets(tmp_path) / f"{preset}.yaml")
    assert scene.classes.absent == ()
    assert len(scene.classes.names) == {"family": 13, "family_paper": 8, "family_18": 18}[preset]


@pytest.mark.parametrize(
    ("style", "absent"),
    [
        ("sedan", {"trunk"}),
        ("coupe", {"trunk", "back_door"}),
        ("hatchback", {"tailgate"}),
        ("pickup", {"tailgate"}),
    ],
)
def test_the_presets_fit_a_single_style(tmp_path: Path, style: str, absent: set[str]) -> None:
    folder = copy_presets(tmp_path)
    spec = folder / f"{style}.yaml"
    spec.write_text(f"extends: family.yaml\nproduct: {{builtin: {style}, seed: 2}}\n")
    assert set(load_scene(spec).classes.absent) == absent


def test_the_18_classes_are_those_of_the_photos(shared: Path, tmp_path: Path) -> None:
    scene = load_scene(copy_presets(tmp_path) / "family_18.yaml")
    labels = json.loads((shared / "photos" / "car_parts" / "annotations.json").read_text())
    categories = {c["name"] for c in labels["categories"]} - {"_background_"}
    assert set(scene.classes.names) == categories


def test_copied_presets_keep_what_a_user_changed(tmp_path: Path) -> None:
    folder = copy_presets(tmp_path / "specs")
    changed = folder / "family.yaml"
    changed.write_text("mine")
    copy_presets(folder)
    assert changed.read_text() == "mine"


def test_presets_are_copied_whole_or_not_at_all(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The disk is full after a hundred bytes of a file.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(DatasetError, match="cannot write the file"):
            copy_presets(tmp_path / "specs")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list((tmp_path / "specs").iterdir())


def test_presets_need_a_folder(tmp_path: Path) -> None:
    (tmp_path / "afile").write_text("")
    with pytest.raises(DatasetError, match="cannot write the file"):
        copy_presets(tmp_path / "afile" / "demo")
