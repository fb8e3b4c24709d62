"""Fixtures of the report tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.training import Sources, run_training, training_config

CLASSES = ("<b>left</b>", "right & top")


def make_dataset(path: Path, count: int, kind: str = "real", seed: int = 0) -> Dataset:
    """Images with two rectangles, 24 × 40, the top rows unknown; class names need escaping."""
    writer = DatasetWriter.create(path, CLASSES, {"kind": kind})
    random = np.random.default_rng(seed)
    for index in range(count):
        planes = np.zeros((2, 24, 40), dtype=np.bool_)
        planes[0, 4:12, 4:12] = planes[1, 8:20, 20:30] = True
        ignore = np.zeros((24, 40), dtype=np.bool_)
        ignore[:3] = True
        image = random.integers(0, 256, (24, 40, 3), dtype=np.uint8)
        writer.write(
            Record(index=index, image=image, labels=LabelRaster.from_planes(planes, ignore))
        )
    return Dataset.open(path)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data sets `photos`, `renders`, `test` and four trained runs in `runs`."""
    folder = tmp_path_factory.mktemp("workshop")
    torch.set_num_threads(1)
    sources = Sources(
        real=make_dataset(folder / "photos", 6),
        synthetic=make_dataset(folder / "renders", 8, "synthetic", 1),
        test=make_dataset(folder / "test", 3, seed=2),
    )
    for seed in (0, 1):
        for synthetic in (0, 4):
            config = training_config(
                {
                    "model": {"filters": (4, 8)},
                    "size": 16,
                    "seed": seed,
                    "real_count": 3,
                    "synthetic_count": synthetic,
                    "max_steps": 3,
                    "min_steps_per_epoch": 1,
                    "precision": "fp32",
                }
            )
            run_training(config, sources, folder / "runs" / f"{synthetic}-{seed}", device="cpu")
    return folder
