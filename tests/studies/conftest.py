"""Fixtures of the study tests: two small data sets and studies that take seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from clearcoat.studies import (
    CellKey,
    Entry,
    PlannedRun,
    StudyPlan,
    SupplementSpec,
    TransferSpec,
    conduct,
    open_data,
    plan_supplement,
    plan_transfer,
    read_ledger,
)
from clearcoat.training.environment import device_name, find_device
from tests.training.conftest import squares

__all__ = ["squares"]

DEVICE = device_name(find_device())
TRAINING: dict[str, Any] = {
    "model": {"filters": [4, 8]},
    "batch_size": 4,
    "min_steps_per_epoch": 1,
    "max_steps": 2,
    "learning_rate": 0.01,
    "validation_count": 2,
    "precision": "fp32",
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data(squares: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 20 `photos` and 12 `renders`."""
    folder = tmp_path_factory.mktemp("study")
    squares("photos", 20, size=24, seed=1, where=folder)
    squares("renders", 12, size=24, seed=2, where=folder)
    return folder


def supplement(data: Path, **changes: Any) -> StudyPlan:
    """A grid of five cells, two or three runs each."""
    values: dict[str, Any] = {
        "real": data / "photos",
        "synthetic": data / "renders",
        "test_count": 4,
        "splits": 2,
        "real_counts": [0, 4, 8],
        "synthetic_counts": [0, 8],
        "repeats": {"min": 2, "max": 3, "width": 0.2},
        "size": 16,
        "training": TRAINING,
    }
    spec = SupplementSpec.model_validate(values | changes)
    return plan_supplement(spec, open_data(spec))


def transfer(data: Path, **changes: Any) -> StudyPlan:
    """A transfer study of one repeat."""
    values: dict[str, Any] = {
        "real": data / "photos",
        "synthetic": data / "renders",
        "test_count": 4,
        "real_counts": [4],
        "pretrain_count": 8,
        "pretrainings": 1,
        "mix_counts": [8],
        "repeats": {"min": 1, "width": None},
        "size": 16,
        "training": TRAINING | {"model": {"filters": [4, 8, 8, 8, 8]}},
        "vgg19": {"encoder_filters": [4, 4, 8, 8, 8]},
    }
    spec = TransferSpec.model_validate(values | changes)
    return plan_transfer(spec, open_data(spec))


def entry(run: PlannedRun, mean_iou: float | None, wall_s: float = 10.0) -> Entry:
    return Entry(
        run_id=run.run_id,
        study="supplement",
        **run.key._asdict(),
        repeat=run.repeat,
        split=run.split,
        seed=run.config.seed,
        mean_iou=mean_iou,
        started_from=None if run.start is None else run.start.run_id,
        wall_s=wall_s,
        config=run.config.model_dump(mode="json"),
        device=DEVICE,
    )


def key_of(study: StudyPlan, real: int, synthetic: int) -> CellKey:
    return next(c.key for c in study.cells if tuple(c.key[1:]) == (real, synthetic))


def first_runs(study: StudyPlan, key: CellKey, count: int) -> list[PlannedRun]:
    cell = next(cell for cell in study.cells if cell.key == key)
    return [cell.make(repeat) for repeat in range(count)]


_TIMES = ("train_s", "validation_s", "wall_s", "exclusive", "finished_at")


def facts(folder: Path) -> dict[str, dict[str, Any]]:
    """Ledger lines by run, without what the clock says."""
    entries = read_ledger(folder).entries
    return {entry.run_id: entry.model_dump(exclude=set(_TIMES)) for entry in entries}


@pytest.fixture(scope="session")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a grid that has been run."""
    out = tmp_path_factory.mktemp("finished") / "grid"
    figure = {"real": [4, 8], "synthetic": 8, "images": 2}
    outcome = conduct(supplement(data, qualitative=figure), out)
    assert outcome.ended_by == "finished"
    return out
