"""Fixtures of the training tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.training import Sources

MakeDataset = Callable[..., Dataset]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Sums over threads come in another order each time; resuming is tested bit for bit."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> MakeDataset:
    """Make a data set in which a bright square is class 0, a dark one class 1, the top ignored."""

    def make(
        name: str,
        count: int,
        *,
        size: int = 32,
        seed: int = 0,
        classes: tuple[str, ...] = ("bright", "dark"),
        where: Path | None = None,
    ) -> Dataset:
        path = (where or tmp_path_factory.mktemp("data")) / name
        writer = DatasetWriter.create(path, classes, {"kind": "test"})
        random = np.random.default_rng(seed)
        for index in range(count):
            image = random.integers(100, 150, (size, size, 3), dtype=np.uint8)
            planes = np.zeros((len(classes), size, size), dtype=np.bool_)
            ignore = np.zeros((size, size), dtype=np.bool_)
            ignore[:2] = True
            for number, value in enumerate((240, 10)):
                row = int(random.integers(2, size - 10))
                column = int(random.integers(0, size // 2 - 8)) + number * size // 2
                image[row : row + 8, column : column + 8] = value
                planes[number, row : row + 8, column : column + 8] = True
            labels = LabelRaster.from_planes(planes, ignore)
            writer.write(Record(index=index, image=image, labels=labels))
        return Dataset.open(path)

    return make


@pytest.fixture(scope="module")
def sources(squares: MakeDataset) -> Sources:
    """12 photos, 20 renders and 4 photos to score on."""
    return Sources(
        real=squares("real", 12, seed=1),
        synthetic=squares("synthetic", 20, seed=2),
        test=squares("test", 4, seed=3),
    )
