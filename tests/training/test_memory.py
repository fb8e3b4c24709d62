"""When memory runs out, the batch that is named fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from clearcoat.dataset import Dataset
from clearcoat.errors import TrainingError
from clearcoat.models import UNetConfig, build_model
from clearcoat.training import RunFolder, Sources, memory, run_training, trainer, training_config
from clearcoat.training.computing import Computing
from clearcoat.training.memory import bytes_per_image, is_out_of_memory, largest_fitting


@pytest.mark.parametrize("limit", [0, 1, 7, 40, 63])
def test_the_largest_fitting_batch_fits_and_is_nearly_the_limit(limit: int) -> None:
    def attempt(batch: int) -> None:
        if batch > limit:
            raise torch.OutOfMemoryError("CUDA out of memory")

    found = largest_fitting(attempt, 64)
    if limit == 0:
        assert found is None
    else:
        assert found is not None and 0.8 * limit <= found <= limit


def test_other_errors_are_no_lack_of_memory() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))

    def attempt(batch: int) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        largest_fitting(attempt, 8)


def test_memory_per_image_grows_with_its_area() -> None:
    model = build_model(UNetConfig(filters=(4, 8)), 2)
    small, large = (bytes_per_image(model, size, Computing()) for size in (16, 32))
    # Two maps of four channels at full resolution are the least that must be kept.
    assert small > 2 * 4 * 16 * 16 * 4
    assert large == pytest.approx(4 * small, rel=0.1)


def test_a_run_out_of_memory_says_what_fits_and_can_be_read(
    squares: Callable[..., Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = training_config(
        {"model": {"filters": (4, 8)}, "size": 16, "batch_size": 8, "max_steps": 4,
         "min_steps_per_epoch": 2, "precision": "fp32", "channels_last": "on"}
    )  # fmt: skip
    sources = Sources(squares("real", 12))
    original = trainer.step_function

    def too_much(*arguments: object) -> object:
        torch.empty(1 << 62, dtype=torch.uint8)
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer, "step_function", too_much)
    monkeypatch.setattr(memory, "free_memory_bytes", lambda device: 1 << 20)
    run = tmp_path / "run"
    with pytest.raises(TrainingError, match="too little memory") as caught:
        run_training(config, sources, run)
    each = bytes_per_image(build_model(config.model, 3), 16, Computing())
    fitting = min(4, int(0.8 * (1 << 20) / each))
    assert fitting >= 1
    assert f"--batch-size {fitting}" in str(caught.value)
    folder = RunFolder(run)
    assert not folder.finished and len(folder.read_curve()) == 1
    # The lock ended with the attempt: once there is memory the same command goes on.
    monkeypatch.undo()
    run_training(config, sources, run)
    assert folder.finished
