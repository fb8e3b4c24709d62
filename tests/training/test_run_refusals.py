"""Runs refuse what does not fit, in words, before they write anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clearcoat.dataset import Dataset
from clearcoat.errors import ClearcoatError, DatasetError, RunError, TrainingError, UsageError
from clearcoat.training import Sources, load_model, run_training
from clearcoat.training.selection import select

from .tiny import Interrupt, tiny_config

Make = Callable[..., Dataset]


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"real_count": 99}, UsageError, "--real-count 11 or less"),
        ({"synthetic_count": 99}, UsageError, "--synthetic-count"),
        ({"real_count": 0, "synthetic_count": 0}, UsageError, "nothing to train on"),
        ({"validation_count": 13}, UsageError, "too few real images"),
        ({"validation_count": 12}, UsageError, "--real-count 0"),
        ({"mode": "paper", "validation_source": "synthetic"}, UsageError, "leave one of them out"),
        ({"learning_rate": 1e30, "mix": "balanced"}, TrainingError, "--learning-rate"),
        ({"max_steps": 3, "warmup_steps": 3}, UsageError, "--warmup-steps"),
        ({"class_weights": {"brigth": 2.0}}, UsageError, "did you mean 'bright'"),
        (
            {"real_count": 1, "synthetic_count": 0, "size": 8, "model": {"filters": (2, 2, 2, 2)}},
            UsageError,
            "--size 16",
        ),
    ],
)
def test_what_cannot_be_trained_is_said(
    changes: dict[str, Any],
    error: type[ClearcoatError],
    says: str,
    sources: Sources,
    tmp_path: Path,
) -> None:
    with pytest.raises(error) as caught:
        run_training(tiny_config(**changes), sources, tmp_path / "run")
    assert says in str(caught.value)
    if error is UsageError:
        assert not (tmp_path / "run").exists()
        # Nor is a folder claimed that is there already.
        (tmp_path / "run").mkdir()
        with pytest.raises(error):
            run_training(tiny_config(**changes), sources, tmp_path / "run")
        assert not list((tmp_path / "run").iterdir())


def test_images_to_stop_on_are_given_or_held_back(sources: Sources, tmp_path: Path) -> None:
    given = dataclasses.replace(sources, validation=sources.test)
    for changes in ({"validation_source": "synthetic"}, {"validation_count": 2}):
        with pytest.raises(UsageError, match="--validation DIR"):
            run_training(tiny_config(**changes), given, tmp_path / "run")


def test_mode_paper_holds_no_image_back(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--validation-count"):
        run_training(tiny_config(mode="paper", validation_count=2), sources, tmp_path / "run")


def test_what_is_trained_on_is_not_stopped_on(sources: Sources, tmp_path: Path) -> None:
    given = dataclasses.replace(sources, validation=sources.real)
    with pytest.raises(UsageError, match="photos to stop on are also among those to train") as said:
        run_training(tiny_config(real_count=5, synthetic_count=0), given, tmp_path / "run")
    assert "5 of 12 are trained on, as --real" in str(said.value)
    assert "give --validation photos of their own" in str(said.value)


@pytest.mark.parametrize("kind", ["real", "synthetic"])
def test_what_is_trained_on_is_not_scored(kind: str, sources: Sources, tmp_path: Path) -> None:
    trained_on = getattr(sources, kind)
    chosen = {"real_count": 3, "synthetic_count": 5}
    with pytest.raises(UsageError, match="also among those to train on") as caught:
        run_training(
            tiny_config(**chosen), dataclasses.replace(sources, test=trained_on), tmp_path / "run"
        )
    count = chosen[f"{kind}_count"]
    assert f"{count} of {len(trained_on)} are trained on, as --{kind}" in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("where", ["validation", "real"])
def test_what_is_stopped_on_is_not_scored(where: str, sources: Sources, tmp_path: Path) -> None:
    assert sources.real is not None
    held = select(tiny_config(real_count=2, validation_count=3), sources).held_back["real"]
    given, config = dataclasses.replace(sources, validation=sources.test), tiny_config()
    if where == "real":
        given = dataclasses.replace(sources, test=sources.real.subset(held))
        config = tiny_config(real_count=2, validation_count=3)
    with pytest.raises(UsageError, match="among those to stop on") as caught:
        run_training(config, given, tmp_path / "run")
    assert f"are stopped on, as --{where}" in str(caught.value.found)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"size": 33}, "use 32"),
        ({"real_share": 0.5, "mix": "concatenate"}, "use 'balanced'"),
        ({"batch_size": 0}, "batch_size"),
        ({"schedule": "plateau", "patience_epochs": 10}, "fewer plateau_epochs"),
        ({"lerning_rate": 1}, "did you mean 'learning_rate'?"),
        ({"size": 33}, "where:    size"),
        ({"mode": "papr"}, "did you mean 'paper'?"),
        ({"model": {"name": "unett"}}, "did you mean 'unet'?"),
        ({"model": {"filterz": (4, 8)}}, "where:    model.filterz"),
        ({"model": {"filters": (4, "x")}}, "where:    model.filters[1]"),
        ({"model": {"filters": (4,)}}, "two levels"),
        ({"augment": {"scale": (2, 1)}}, "smaller first"),
        ({"class_weights": {"bright": 0}}, "not above 0"),
        ({"class_weights": {"bright": float("inf")}}, "finite"),
        ({"learning_rate": float("inf")}, "finite"),
        ({"augment": {"scale": (1, float("inf"))}}, "finite"),
        ({"seed": 2**64}, "less than"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        tiny_config(**changes)
    assert says in str(caught.value)


def test_other_classes_are_refused_by_name(squares: Make, sources: Sources, tmp_path: Path) -> None:
    other = squares("other", 3, classes=("bright", "dim"))
    with pytest.raises(DatasetError) as caught:
        run_training(tiny_config(), Sources(sources.real, other), tmp_path / "run")
    assert "without dark; with dim" in str(caught.value)
    swapped = squares("swapped", 3, classes=("dark", "bright"))
    with pytest.raises(DatasetError, match="other classes") as caught:
        run_training(tiny_config(), Sources(sources.real, swapped), tmp_path / "run")
    assert "another order" in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_another_config_in_the_same_folder_is_refused(sources: Sources, tmp_path: Path) -> None:
    run_training(tiny_config(), sources, tmp_path / "run")
    with pytest.raises(RunError) as caught:
        run_training(tiny_config(seed=7), sources, tmp_path / "run")
    assert "config.seed = 7" in str(caught.value)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="holds no run"):
        run_training(tiny_config(), sources, tmp_path / "full")


def test_folders_that_are_no_finished_run_are_refused(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run"):
        load_model(tmp_path)
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run_training(tiny_config(), sources, run, observer=Interrupt(1), checkpoint_every_s=0)
    with pytest.raises(RunError, match="not finished"):
        load_model(run)
    run_training(tiny_config(), sources, run)
    content = (run / "best.pt").read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    for damaged in (content[:500], bytes(flipped)):
        (run / "best.pt").write_bytes(damaged)
        with pytest.raises(RunError, match="damaged"):
            load_model(run)


@pytest.mark.parametrize("damage", [b"\0\xff\x07", b'"step"', b'{"step": 3,'])
def test_a_damaged_evaluation_is_named_by_its_line(
    sources: Sources, tmp_path: Path, damage: bytes
) -> None:
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run_training(tiny_config(), sources, run, observer=Interrupt(2), checkpoint_every_s=0)
    curve = run / "curve.jsonl"
    whole = curve.read_bytes()
    first, _, rest = whole.split(b"\n", 2)
    curve.write_bytes(b"\n".join((first, damage, rest)))
    with pytest.raises(RunError) as caught:
        run_training(tiny_config(), sources, run)
    assert str(caught.value.where).endswith("curve.jsonl, line 2")
    curve.write_bytes(whole)
    run_training(tiny_config(), sources, run)


def test_weights_of_another_model_cannot_start_a_run(sources: Sources, tmp_path: Path) -> None:
    run_training(tiny_config(), sources, tmp_path / "base")
    config = tiny_config(model={"filters": (4, 8, 8)})
    with pytest.raises(RunError, match="another model"):
        run_training(config, sources, tmp_path / "run", init=tmp_path / "base")
