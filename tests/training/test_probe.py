"""The probe answers with something that can be run, remembers it, and measures nothing forced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from clearcoat.errors import UsageError
from clearcoat.models import SegmentationModel, UNetConfig, build_model
from clearcoat.training import TrainingConfig, probe, training_config
from clearcoat.training.computing import Computing, autocast, lay_out, step_function
from clearcoat.training.probe import choose_computing

IMAGES = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SegmentationModel:
    monkeypatch.setenv("CLEARCOAT_CACHE", str(tmp_path))
    return build_model(UNetConfig(filters=(4, 8)), class_count=2)


def _config(**values: Any) -> TrainingConfig:
    return training_config({"model": {"filters": (4, 8)}, "size": 16, **values})


def test_the_answer_is_kept_and_the_model_left_alone(
    model: SegmentationModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {k: v.clone() for k, v in model.state_dict().items()}
    first = choose_computing(model, IMAGES, _config())
    assert not first.cached
    assert first.how.precision in ("fp32", "bf16")
    # On a processor precision and layout are measured, the rest is not tried.
    assert len(first.images_per_s) == 3
    assert not first.how.compile and not first.how.cuda_graphs
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())

    monkeypatch.setattr(probe, "_rate", lambda *_: pytest.fail("measured again"))
    again = choose_computing(model, IMAGES, _config())
    assert again.cached
    assert (again.how, again.images_per_s) == (first.how, pytest.approx(first.images_per_s, abs=1))


def test_the_faster_way_is_taken_where_it_is_faster_by_more_than_noise(
    model: SegmentationModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {"fp32": 10.0, "bf16": 12.0}
    monkeypatch.setattr(
        probe, "_rate", lambda model, images, how: rates[how.precision] + how.channels_last
    )
    assert choose_computing(model, IMAGES, _config()).how == Computing("bf16", channels_last=True)
    rates["bf16"] = 10.5
    other = torch.zeros(3, 3, 16, 16, dtype=torch.uint8)
    assert choose_computing(model, other, _config()).how == Computing("fp32", channels_last=True)


def test_a_way_that_fails_is_left_out_and_tried_again_next_time(
    model: SegmentationModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rate(_: object, images: object, how: Computing) -> float:
        if how.precision == "bf16":
            raise RuntimeError("Failed to find C compiler")
        return 1.0

    monkeypatch.setattr(probe, "_rate", rate)
    for _ in range(2):
        answer = choose_computing(model, IMAGES, _config())
        assert answer.how.precision == "fp32" and not answer.cached
        assert sorted(answer.images_per_s.values()) == [0.0, 1.0, 1.0]
    with pytest.raises(RuntimeError, match="compiler"):
        choose_computing(model, IMAGES, _config(precision="bf16"))


def test_what_is_forced_is_not_measured(
    model: SegmentationModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_rate", lambda *_: pytest.fail("measured"))
    config = _config(precision="bf16", channels_last="off")
    answer = choose_computing(model, IMAGES, config)
    assert answer.how == Computing("bf16", channels_last=False)
    assert answer.images_per_s == {}


def test_cuda_graphs_need_cuda(model: SegmentationModel) -> None:
    with pytest.raises(UsageError, match="CUDA graphs"):
        choose_computing(model, IMAGES, _config(cuda_graphs="on"))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("channels_last", [True, False])
def test_every_way_computes_the_same(
    model: SegmentationModel, precision: Any, channels_last: bool
) -> None:
    images = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    expected = model.eval()(images)
    how = Computing(precision, channels_last)
    lay_out(model, how)
    with autocast(torch.device("cpu"), precision):
        found = step_function(model, how, images)(images)
    assert found.dtype == (torch.bfloat16 if precision == "bf16" else torch.float32)
    torch.testing.assert_close(found.float(), expected, atol=0.1, rtol=0.05)
