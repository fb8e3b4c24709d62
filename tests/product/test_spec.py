"""The product section of a scene spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from clearcoat.errors import SpecError
from clearcoat.product import UNIT_M, ProductSpec, load_file_product


def test_a_spec_is_applied(gltf: Any, tmp_path: Path) -> None:
    gltf.write(tmp_path)
    spec = ProductSpec.model_validate(
        {"file": "product.glb", "unit": "cm", "up": "z", "front": "-y"}
    )
    product = load_file_product(spec, tmp_path)
    assert (product.unit_m, product.up, product.front) == (0.01, "z", "-y")
    with pytest.raises(SpecError, match="`drop` matches no part") as caught:
        load_file_product(
            ProductSpec(file=Path("product.glb"), drop=("cub",)),
            tmp_path,
            where=lambda number: f"car.yaml:{number}",
        )
    assert caught.value.where == "car.yaml:0"
    assert "'cube'" in str(caught.value.do)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"file": "a.glb", "builtin": "sedan"},
        {"file": "a.glb", "up": "y", "front": "-y"},
        {"file": "a.glb", "unit": "parsec"},
        {"file": "a.glb", "up": "w"},
        {"file": "a.glb", "seed": 3},
        {"file": "a.glb", "tessellation": {"linear_mm": 0}},
        {"builtin": "sedan", "unit": "mm"},
        {"builtin": "sedan", "seed": -1},
    ],
)
def test_contradictions(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProductSpec.model_validate(content)


def test_every_unit_has_a_length() -> None:
    units = ProductSpec.model_json_schema()["properties"]["unit"]["anyOf"][0]["enum"]
    assert set(units) == set(UNIT_M)
