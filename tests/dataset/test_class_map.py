from __future__ import annotations

from pathlib import Path

import pytest

from clearcoat.dataset import load_class_map
from clearcoat.dataset.class_map import check_covers, identity_map
from clearcoat.errors import DatasetError, SpecError

GOOD = """\
classes: [door, mirror]
map:
  left_door: door
  mirror: [mirror, door]
  glass: ignore
  rest: background
"""


def test_a_map(tmp_path):
    file = tmp_path / "map.yaml"
    file.write_text(GOOD)
    loaded = load_class_map(file)
    assert loaded.classes == ("door", "mirror")
    assert loaded.targets == {
        "left_door": {0},
        "mirror": {0, 1},
        "glass": None,
        "rest": frozenset(),
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("left_door: door", "left_door: dor", 3, "did you mean 'door'?"),
        ("[mirror, door]", "[mirror, ignore]", 4, "give 'mirror' the target `ignore` and no other"),
        ("[door, mirror]", "[door, door]", 1, "names once each"),
        (
            "[door, mirror]",
            "[door, ignore]",
            1,
            "none of them _background_ or background or ignore",
        ),
        ("map:", "mop:", 2, "did you mean 'map'?"),
    ],
)
def test_mistakes_in_a_map_name_their_line(tmp_path, old, new, line, message):
    file = tmp_path / "map.yaml"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(SpecError) as caught:
        load_class_map(file)
    assert f"map.yaml:{line}" in str(caught.value)
    assert message in str(caught.value)


def test_map_and_labels_must_agree(tmp_path):
    file = tmp_path / "map.yaml"
    file.write_text(GOOD)
    loaded = load_class_map(file)
    check_covers(loaded, ["mirror", "rest", "glass", "left_door"], "labels")
    with pytest.raises(SpecError) as unknown:
        check_covers(loaded, ["mirror", "rest", "glass", "left_doors"], "labels")
    assert "map.yaml:3" in str(unknown.value)
    assert "did you mean 'left_doors'?" in str(unknown.value)
    with pytest.raises(SpecError) as missing:
        check_covers(loaded, [*loaded.targets, "doors"], "labels")
    assert "'doors'" in missing.value.what
    assert "did you mean 'door'?" in str(missing.value)


def test_without_a_map_every_category_is_a_class():
    found = identity_map(["_background_", "b", "a", "ignore", "b"], "labels")
    assert found.classes == ("b", "a")
    assert found.targets == {"_background_": frozenset(), "b": {0}, "a": {1}, "ignore": None}
    with pytest.raises(DatasetError):
        identity_map(["background"], "labels")


def test_the_map_of_the_real_photos():
    file = Path(__file__).parents[2] / "examples/classes/car_parts_13.yaml"
    loaded = load_class_map(file)
    assert len(loaded.classes) == 13
    assert len(loaded.targets) == 19
    covered = set().union(*(target or () for target in loaded.targets.values()))
    assert covered == set(range(13))
