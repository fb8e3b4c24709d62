from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clearcoat.dataset import DatasetWriter

from .records import CLASSES, make_record


@pytest.fixture
def make_dataset(tmp_path: Path) -> Callable[..., Path]:
    """Write a small data set of given indices and return its folder."""

    def make(*indices: int, name: str = "data") -> Path:
        writer = DatasetWriter.create(
            tmp_path / name, CLASSES, {"kind": "synthetic", "fingerprint": "a"}, ("x", "y", "z")
        )
        for index in indices:
            writer.write(make_record(index))
        return tmp_path / name

    return make
