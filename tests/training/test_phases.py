"""Phases: which images a run shows, in which order, at which rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from clearcoat.errors import UsageError
from clearcoat.training import RECIPES, recipe, training_config
from clearcoat.training.phases import learning_rate, plan_phases
from clearcoat.training.selection import REAL, SYNTHETIC, Sources, TrainingData, load, select

# Phases ask for the number of images alone.
_DATA = TrainingData(
    train=range(36),  # type: ignore[arg-type]
    real_count=4,
    validation={REAL: None, SYNTHETIC: None},  # type: ignore[dict-item]
    validate_on=REAL,
)


def _plan(pretrained: bool = False, **values: object) -> list[tuple[str, int, float]]:
    """Name, number of images and rate of every phase."""
    settings = {"batch_size": 4, "learning_rate": 0.002, "tuning_rate": 0.0005, **values}
    phases = plan_phases(training_config(settings), _DATA, pretrained=pretrained)
    return [(phase.name, phase.image_count, phase.learning_rate) for phase in phases]


def test_the_tuning_rate_holds_once_renders_have_been_seen() -> None:
    assert _plan() == [("synthetic", 32, 0.002), ("real", 4, 0.0005)]
    assert _plan(real_share=0.5) == [("synthetic", 32, 0.002), ("real", 36, 0.0005)]
    assert _plan(pretrained=True, real_share=0.5) == [("real", 36, 0.0005)]
    assert _plan(pretrained=True, mix="balanced") == [("balanced", 36, 0.0005)]
    assert _plan(mix="balanced") == [("balanced", 36, 0.002)]
    assert _plan(mix="concatenate") == [("all", 36, 0.002)]
    assert _plan(tuning_rate=None) == [("synthetic", 32, 0.002), ("real", 4, 0.002)]


@pytest.mark.parametrize(
    ("how", "says"),
    [({"pretrained": True}, "--init"), ({"mix": "balanced", "real_share": 1.0}, "--real-share 1")],
)
def test_renders_that_no_phase_would_show_are_refused(how: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match="no phase shows a render") as caught:
        _plan(**how)
    assert "32 renders" in str(caught.value) and says in str(caught.value)
    # Without renders there is nothing to say.
    alone = TrainingData(range(4), 4, {REAL: None}, REAL)  # type: ignore[arg-type,dict-item]
    [phase] = plan_phases(training_config({"batch_size": 4}), alone, pretrained=True)
    assert phase.name == REAL


def test_a_schedule_falls_from_the_phases_own_rate() -> None:
    config = training_config(
        {"batch_size": 4, "schedule": "cosine", "max_steps": 40, "tuning_rate": 0.0005}
    )
    first, second = plan_phases(config, _DATA)
    assert learning_rate(config, first, 0) == pytest.approx(0.002)
    assert learning_rate(config, second, 0) == pytest.approx(0.0005)
    assert learning_rate(config, second, 20) == pytest.approx(0.00025)
    assert learning_rate(config, second, 40) == pytest.approx(0)


def test_linear_falls_evenly_and_plateau_halves() -> None:
    values = {"batch_size": 4, "mix": "concatenate", "max_steps": 41, "warmup_steps": 1}
    linear = training_config({**values, "schedule": "linear"})
    (phase,) = plan_phases(linear, _DATA)  # type: ignore[arg-type]
    rates = [learning_rate(linear, phase, step) for step in (0, 1, 21, 41)]
    assert rates == pytest.approx([0.001, 0.002, 0.001, 0.0])
    plateau = training_config({**values, "schedule": "plateau"})
    assert [learning_rate(plateau, phase, 9, cuts) for cuts in (0, 1, 3)] == [0.002, 0.001, 0.00025]


def test_renders_alone_get_the_steps_that_they_get_before_photos() -> None:
    config = training_config(recipe("few-photos"))
    kinds = {SYNTHETIC: None}
    alone = TrainingData(range(32), 0, kinds, SYNTHETIC)  # type: ignore[arg-type]
    [phase] = plan_phases(config, alone)  # type: ignore[arg-type]
    before, _ = plan_phases(config, _DATA)
    assert phase.max_steps == before.max_steps == config.pretrain_max_steps


def test_recipes_are_valid_settings_and_the_papers_is_the_default() -> None:
    for name in RECIPES:
        training_config(recipe(name))
    assert training_config(recipe("paper")) == training_config({})
    with pytest.raises(UsageError) as caught:
        recipe("few-photo")
    assert "did you mean 'few-photos'?" in str(caught.value)


def test_what_is_given_wins_over_a_recipe() -> None:
    assert recipe("few-photos", {"max_steps": 5})["max_steps"] == 5
    # A recipe for shared batches is no reason to refuse another mix; a share that was given is.
    assert training_config(recipe("few-photos", {"mix": "concatenate"})).real_share is None
    with pytest.raises(UsageError, match="real_share"):
        training_config(recipe("few-photos", {"mix": "concatenate", "real_share": 0.5}))


def test_a_recipes_start_belongs_to_its_model() -> None:
    own = training_config(recipe("few-photos-cpu"))
    assert own.initialisation is not None and own.initialisation.encoder == "imagenet"
    part = training_config(recipe("few-photos-cpu", {"model": {"dropout": 0.1}}))
    assert part.model == own.model.model_copy(update={"dropout": 0.1})
    assert part.initialisation == own.initialisation
    # Another network has no weights to start from, and none of the recipe's channels.
    other = training_config(recipe("few-photos-cpu", {"model": {"name": "unet"}}))
    assert other.model == training_config({}).model and other.initialisation is None


@pytest.mark.parametrize(
    ("values", "roles"),
    [
        ({"real_count": 4, "synthetic_count": 3}, ("real", "synthetic")),
        ({"mode": "paper", "mix": "balanced"}, ("real", "synthetic", "test")),
        ({"mode": "paper", "real_count": 0}, ("real", "synthetic", "test")),
        ({}, ("real", "validation")),
        ({"real_count": 4, "self_training": {}}, ("real", "synthetic", "unlabelled")),
        ({}, ("synthetic",)),
    ],
)
def test_a_run_is_planned_alike_before_and_after_its_images_are_read(
    values: dict[str, Any], roles: tuple[str, ...], squares: Any, tmp_path: Path
) -> None:
    given = {
        name: squares(name, 12, size=24, seed=seed, where=tmp_path)
        for seed, name in enumerate(roles)
    }
    sources = Sources(**given)
    config = training_config({"size": 16, "model": {"filters": [4, 8]}, "batch_size": 4} | values)
    chosen = select(config, sources)
    data = load(chosen, sources, config, torch.device("cpu"))
    assert chosen.parts == data.parts
    assert chosen.validation == set(data.validation)
    before, after = plan_phases(config, chosen), plan_phases(config, data)
    assert [(p.name, p.max_steps, p.validate_on) for p in before] == [
        (p.name, p.max_steps, p.validate_on) for p in after
    ]
