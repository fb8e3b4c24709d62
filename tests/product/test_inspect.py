"""The summary behind `clearcoat inspect`."""

from __future__ import annotations

import json

from clearcoat.product import ClassRules, MaterialRule, Product, resolve_classes, summarize
from clearcoat.product.inspect import TreeNode


def test_tree_and_totals(car: Product) -> None:
    summary = summarize(car)

    def spell(node: TreeNode) -> object:
        return {
            name: (c.part is not None, c.triangles, spell(c)) for name, c in node.children.items()
        }

    door = {"door_handle__l": (True, 1, {}), "window": (True, 1, {})}
    assert spell(summary.tree) == {
        "root": (
            False,
            6,
            {
                "door__front": (True, 3, door),
                "Hood": (True, 1, {}),
                "wheel_01": (True, 1, {}),
                "Body": (True, 1, {}),
            },
        )
    }
    assert sum(entry.parts for entry in summary.materials) == len(car.parts)
    assert sum(entry.triangles for entry in summary.materials) == car.triangle_count


def test_plain_data(car: Product) -> None:
    plain = json.loads(json.dumps(summarize(car).as_dict(), allow_nan=False))
    assert (plain["part_count"], plain["triangle_count"]) == (6, 6)
    assert plain["size_m"] == [6.0, 6.0, 5.0]
    assert plain["parts"][5]["material"] is None
    assert "classes" not in plain["parts"][0]

    rules = ClassRules.model_validate(
        {
            "names": ["door", "wheel"],
            "rules": [{"part": "*door*", "is": "door"}, {"part": "*Body", "is": "ignore"}],
        }
    )
    paint = MaterialRule(part="*Hood", use="paint")
    given = summarize(car, resolve_classes(car, rules), [None, None, None, paint, None, None])
    plain = given.as_dict()
    assert [part["classes"] for part in plain["parts"]] == [["door"]] * 3 + [[], [], "ignore"]
    assert [part["library_material"] for part in plain["parts"]] == [None] * 3 + ["paint"] + [
        None
    ] * 2
    assert plain["classes_without_part"] == ["wheel"]
