"""Predictions are written under names that are each one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearcoat.training.pictures import output_names


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/car.jpg", "b/car.jpg", "c/bus.jpg"], ["car", "car-2", "bus"]),
        (["car-2.png", "car.jpg", "car.png"], ["car-2", "car", "car-3"]),
        (["car.jpg", "car.png", "car-2.png", "car-2.jpg"], ["car", "car-3", "car-2", "car-2-2"]),
    ],
)
def test_no_prediction_writes_over_another(files: list[str], names: list[str]) -> None:
    assert output_names([Path(file) for file in files]) == names
