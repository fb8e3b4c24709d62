"""Rules: who wins, what is refused, and what the errors say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from clearcoat.errors import SpecError
from clearcoat.product import (
    ClassRules,
    MaterialRule,
    Mesh,
    Part,
    PartPattern,
    Product,
    SourceMaterial,
    check_groups,
    drop_parts,
    resolve_classes,
    resolve_materials,
)
from clearcoat.product.color import color_difference

NAMES = ["hood", "front_door", "door_handle", "wheel", "trunk"]


def classes(*rules: dict[str, Any]) -> ClassRules:
    return ClassRules.model_validate({"names": NAMES, "rules": list(rules)})


def test_first_match_wins_and_a_part_may_have_several_classes(car: Product) -> None:
    found = resolve_classes(
        car,
        classes(
            {"part": "*door_handle*", "is": ["door_handle", "front_door"]},
            {"material": "Glass", "is": "background"},
            {"part": "root/door__*", "is": "front_door"},
            {"part_regex": r"wheel_\d+$", "is": "wheel"},
            {"part": "*/Body", "is": "ignore"},
        ),
    )
    assert found.names == tuple(NAMES)
    assert found.of_part == (
        *(frozenset({1}), frozenset({1, 2}), frozenset(), frozenset()),
        *(frozenset({3}), None),
    )
    assert found.rule_of_part == (2, 0, 1, None, 3, 4)
    assert found.absent == ("hood", "trunk")


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ({"part": "*Hood"}, [3]),
        ({"part": "root/[Hw]*"}, [3, 4]),
        ({"part_regex": "door"}, [0, 1, 2]),
        ({"part_regex": "^root/[^/]*$"}, [0, 3, 4, 5]),
        ({"material": "*"}, [0, 1, 2, 3, 4]),  # the part without material has no name to match
        ({"material_regex": "^(Paint|Glass)$"}, [0, 2, 3]),
        ({"part": "*door*", "material": "Paint"}, [0]),
    ],
)
def test_conditions(car: Product, rule: dict[str, str], parts: list[int]) -> None:
    found = resolve_materials(car, [MaterialRule.model_validate({**rule, "use": "x"})])
    assert [i for i, taken in enumerate(found) if taken] == parts


def test_material_rules_carry_parameters(car: Product) -> None:
    rule = MaterialRule.model_validate(
        {"part": "*Hood", "use": "car_paint", "with": {"flakes": 0.2, "color": [1, 0, 0]}}
    )
    found = resolve_materials(car, [rule])
    assert found[3] is rule
    assert found[0] is None
    assert rule.parameters == {"flakes": 0.2, "color": [1, 0, 0]}


@pytest.mark.parametrize(
    ("rule", "advice"),
    [
        ({"part": "*door_handel*"}, "'door_handle'"),
        ({"part": "*hood"}, "'Hood'"),  # globs see case
        ({"part_regex": "^root/wheal"}, "'root/wheel_01'"),
        ({"material": "Rubbr"}, "'Rubber'"),
        ({"part": "zzz"}, "inspect"),
    ],
)
def test_a_rule_without_a_match_is_an_error(
    car: Product, rule: dict[str, str], advice: str
) -> None:
    good = {"part": "*Hood", "is": "hood"}
    rules = classes(good, {**rule, "is": "wheel"})
    with pytest.raises(SpecError, match="matches no part") as caught:
        resolve_classes(car, rules)
    assert caught.value.where == "rule 2"
    assert advice in str(caught.value.do)
    with pytest.raises(SpecError) as caught:
        resolve_classes(car, rules, where=lambda number: f"car.yaml:{10 + number}")
    assert caught.value.where == "car.yaml:11"
    optional = classes(good, {**rule, "is": "wheel", "optional": True})
    assert resolve_classes(car, optional).of_part[3] == frozenset({0})


def test_conditions_that_never_meet(car: Product) -> None:
    rules = classes({"part": "*Hood", "material": "Glass", "is": "hood"})
    with pytest.raises(SpecError, match="matches no part") as caught:
        resolve_classes(car, rules)
    assert caught.value.found == "part alone matches 1, material alone matches 1"


def test_a_dead_rule_is_an_error(car: Product) -> None:
    first, dead = {"part": "*door*", "is": "front_door"}, {"material": "Glass", "is": "background"}
    with pytest.raises(SpecError, match="takes no part") as caught:
        resolve_classes(car, classes(first, dead))
    assert "part '*door*' (rule 1)" in str(caught.value.found)
    found = resolve_classes(car, classes(first, {**dead, "optional": True}))
    assert found.of_part[2] == frozenset({1})


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"names": NAMES, "rules": [{"is": "hood"}]}, "needs a condition"),
        ({"names": NAMES, "rules": [{"part_regex": "(", "is": "hood"}]}, "regular expression"),
        ({"names": NAMES, "rules": [{"part": "*", "is": "wheal"}]}, "did you mean 'wheel'"),
        ({"names": NAMES, "rules": [{"part": "*", "is": []}]}, "empty list"),
        ({"names": NAMES, "rules": [{"part": "*", "is": ["hood", "hood"]}]}, "twice"),
        ({"names": NAMES, "rules": [{"part": "*", "is": ["hood", "ignore"]}]}, "alone"),
        ({"names": NAMES, "rules": [{"part": "*"}]}, "Field required"),
        ({"names": NAMES, "rules": [{"prt": "*", "is": "hood"}]}, "Extra inputs"),
        ({"names": ["a", "b", "a"]}, "twice"),
        ({"names": ["ignore"]}, "meaning of its own"),
        ({"names": []}, "at least 1"),
    ],
)
def test_malformed_rules(content: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        ClassRules.model_validate(content)


def test_drop(car: Product) -> None:
    assert [part.name for part in drop_parts(car, ["*door*", "*/Body"]).parts] == [
        *("Hood", "wheel_01")
    ]
    with pytest.raises(SpecError, match="matches no part") as caught:
        drop_parts(car, ["*Hood", "*whel*"], where=lambda number: f"line {number}")
    assert caught.value.where == "line 1"
    assert "'wheel" in str(caught.value.do)
    with pytest.raises(SpecError, match="every part"):
        drop_parts(car, ["*"])


def _marked() -> Product:
    """Parts that differ in colour, layer and metadata, not in name."""
    triangle = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.uint32))
    red, dark = (
        SourceMaterial("a", base_color=(1.0, 0.0, 0.0)),
        SourceMaterial("b", (0.1, 0.1, 0.1)),
    )
    return Product(
        name="marked",
        parts=(
            Part("p/0", triangle, red),
            # Its own colour counts, not that of its material.
            Part("p/1", triangle, red, color=(0.0, 0.0, 1.0)),
            Part("p/2", triangle, dark, layer="outer skin, doors"),
            Part("p/3", triangle, None, metadata={"supplier": "Glas AG", "mass": "3"}),
        ),
    )


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ({"color": "#ff0000"}, [0]),
        ({"color": "#fe0202"}, [0]),  # within what an eye can tell
        ({"color": "#e01010"}, []),
        ({"color": "#e01010", "color_within": 20}, [0]),
        ({"color": "#0000ff"}, [1]),
        ({"color": "#000000", "color_within": 200}, [0, 1, 2]),  # 3 has no colour
        ({"layer": "doors"}, [2]),
        ({"layer": "outer*"}, [2]),
        ({"layer": "door"}, []),
        ({"layer": "*"}, [2]),
        ({"metadata": {"supplier": "Glas*"}}, [3]),
        ({"metadata": {"supplier": "Glas*", "mass": "4"}}, []),
        ({"metadata": {"colour": "*"}}, []),
        ({"group": "mixed"}, [0, 2]),
        ({"group": "mixed", "part": "*2"}, [2]),
    ],
)
def test_conditions_on_what_the_file_says(rule: dict[str, Any], parts: list[int]) -> None:
    groups = {"mixed": [PartPattern.model_validate(p) for p in ("*/0", {"layer": "doors"})]}
    chosen = MaterialRule.model_validate({**rule, "use": "x", "optional": True})
    found = resolve_materials(_marked(), [chosen], groups=groups)
    assert [i for i, taken in enumerate(found) if taken] == parts


def test_priority_comes_before_order(car: Product) -> None:
    rules = classes(
        {"part": "*", "is": "background", "priority": -1},
        {"part": "*door*", "is": "front_door"},
        {"part": "*door_handle*", "is": "door_handle", "priority": 5},
    )
    assert resolve_classes(car, rules).rule_of_part == (1, 2, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("rule", "advice"),
    [
        ({"layer": "dors"}, "'doors'"),
        ({"metadata": {"supplier": "Glass AG"}}, "'Glas AG'"),
        ({"metadata": {"suplier": "*"}}, "inspect"),
        ({"color": "#00ff00"}, "inspect"),
    ],
)
def test_the_nearest_layer_or_value_is_named(rule: dict[str, Any], advice: str) -> None:
    with pytest.raises(SpecError, match="matches no part") as caught:
        resolve_materials(_marked(), [MaterialRule.model_validate({**rule, "use": "x"})])
    assert advice in str(caught.value.do)


def test_groups_are_known_and_flat() -> None:
    rules = classes({"group": "whels", "is": "wheel"}).rules
    with pytest.raises(SpecError, match="'whels'") as caught:
        check_groups(rules, {"wheels": [PartPattern(part="*")]}, "class rule")
    assert caught.value.do == "did you mean 'wheels'?"
    with pytest.raises(ValidationError, match="cannot hold a group"):
        PartPattern.model_validate({"group": "wheels"})
    with pytest.raises(ValidationError, match="not a colour"):
        PartPattern.model_validate({"color": "red"})


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        # L* of mid grey 0.184 is 50 by definition of L*; white and black are 100 apart.
        ((1, 1, 1), (0, 0, 0), 100.0),
        ((0.18418652,) * 3, (0, 0, 0), 50.0),
        # sRGB red (53.24, 80.09, 67.20) and green (87.73, -86.18, 83.18), as tables have them.
        ((1, 0, 0), (0, 1, 0), 170.57),
    ],
)
def test_color_differences(one: Any, other: Any, difference: float) -> None:
    assert color_difference(one, other) == pytest.approx(difference, abs=0.1)
