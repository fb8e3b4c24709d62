"""What is copied, what stays, and what moves in a step of training."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from clearcoat.errors import UsageError
from clearcoat.models import (
    INITIALISATIONS,
    Freeze,
    InitConfig,
    ModelConfig,
    Pretrained,
    SegmentationModel,
    UNetConfig,
    VGG19UNetConfig,
    build_model,
    find_initialisation,
    freeze,
    initialise_from,
    plan_start,
    read_imagenet,
)
from tests.models.tiny import TINY, UNET, VGG19

State = dict[str, Tensor]


def _state(model: SegmentationModel) -> State:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _pretrained(name: str, outputs: int = 3) -> Pretrained:
    """Return the weights of a model whose every tensor differs from a fresh one's."""
    state = build_model(TINY[name], outputs).state_dict()
    return Pretrained({key: value + 1 for key, value in state.items()}, f"runs/{name}")


def _imagenet(config: VGG19UNetConfig = VGG19) -> State:
    state = build_model(config, 2).encoder_part.state_dict()
    weights = {name: value + 2 for name, value in state.items()}
    return {**weights, "classifier.0.weight": torch.zeros(2, 2)}


def _moved_in_a_step(model: SegmentationModel) -> set[str]:
    before = _state(model)
    model.train()
    # A rate and a decay that would show on any weight handed to the optimiser.
    optimiser = torch.optim.AdamW(
        [w for w in model.parameters() if w.requires_grad], lr=0.1, weight_decay=0.1
    )
    logits = model(torch.rand(4, 3, 32, 32))
    torch.autograd.backward(F.cross_entropy(logits, torch.randint(0, 3, (4, 32, 32))))
    optimiser.step()
    return {
        name for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }


@pytest.mark.parametrize(
    ("name", "what"),
    [
        (name, what)
        for name in TINY
        for what in get_args(Freeze)
        if what != "first_network" or name.startswith("wnet")
    ],
)
def test_a_step_moves_all_that_is_not_frozen_and_nothing_else(name: str, what: Freeze) -> None:
    model = build_model(TINY[name], 3)
    freeze(model, what)
    first = "first." if name.startswith("wnet") else ""
    held = {"none": (), "encoder": (f"{first}encoder.",), "first_network": ("first.",)}[what]
    moved = _moved_in_a_step(model)
    constants = (f"{first}normalisation.",)
    expected = {key for key in model.state_dict() if not key.startswith((*held, *constants))}
    assert moved == expected
    assert any("running_mean" in key for key in moved)
    # What is frozen carries no gradient, so that its backward pass costs nothing either.
    for key, weight in model.named_parameters():
        assert (weight.grad is None) == key.startswith(held or ("-",))


def test_thawing_lets_everything_move_again() -> None:
    model = build_model(UNET, 3)
    freeze(model, "encoder")
    freeze(model, "none")
    assert any(key.startswith("encoder.") and "running" in key for key in _moved_in_a_step(model))


def test_dropout_behind_a_frozen_encoder_goes_on() -> None:
    model = build_model(UNET.model_copy(update={"dropout": 0.5}), 3)
    freeze(model, "encoder")
    model.train()
    image = torch.rand(2, 3, 32, 32)
    deepest = [model.encoder_part(image)[-1] for _ in range(2)]
    assert not torch.equal(*deepest)


def test_a_frozen_first_network_does_in_training_what_it_does_in_use() -> None:
    config = TINY["wnet"].model_copy(update={"first": UNET.model_copy(update={"dropout": 0.5})})
    model = build_model(config, 3)
    freeze(model, "first_network")
    image = torch.rand(2, 3, 32, 32)
    assert model.first_part is not None
    used = model.eval().first_part(image)  # type: ignore[misc]
    assert torch.equal(model.train().first_part(image), used)  # type: ignore[misc]


def test_only_a_wnet_has_a_first_network() -> None:
    with pytest.raises(UsageError, match="first network"):
        freeze(build_model(UNET, 2), "first_network")


# Name -> parts of the model that come from the run, from ImageNet, from neither.
SECTION_V_A = {
    "control": ("", "", "encoder decoder head"),
    "synth-random": ("encoder", "", "decoder head"),
    "synth-synth": ("encoder decoder head", "", ""),
    "VGG19-random": ("", "encoder", "decoder head"),
    "VGG19-synth": ("decoder head", "encoder", ""),
}


@pytest.mark.parametrize("freezing", ["none", "encoder"])
@pytest.mark.parametrize("name", SECTION_V_A)
def test_the_papers_initialisations(name: str, freezing: Freeze) -> None:
    assert list(SECTION_V_A) == list(INITIALISATIONS)
    vgg19 = name.startswith("VGG19")
    model = build_model(VGG19 if vgg19 else UNET, 3)
    fresh = _state(model)
    run = _pretrained("unet")
    file = Pretrained(_imagenet(), "file")
    imagenet = {f"encoder.{key}": value for key, value in file.weights.items()}
    start = initialise_from(model, find_initialisation(name, freezing), run=run, imagenet=file)
    sources = zip(SECTION_V_A[name], (run.weights, imagenet, fresh), strict=True)
    for parts, source in sources:
        for key, value in model.state_dict().items():
            if key.split(".")[0] in parts.split():
                assert torch.equal(value, fresh[key] if key in start.unfit else source[key]), key
    assert set(start.copied) == {
        key
        for key in fresh
        if not key.startswith("normalisation.")
        and key.split(".")[0] not in SECTION_V_A[name][2].split()
        and key not in start.unfit
    }
    assert model.freezing == freezing
    assert all(w.requires_grad != (freezing == "encoder") for w in model.encoder_part.parameters())
    # Under wider skips the first convolution of each level of the decoder has another shape.
    unfit = [f"decoder.blocks.{level}.0.weight" for level in range(4)]
    assert list(start.unfit) == (
        [key for key in unfit if fresh[key].shape != run.weights[key].shape]
        if name == "VGG19-synth"
        else []
    )


def test_at_full_width_four_tensors_of_a_synthetic_decoder_do_not_fit_vgg19() -> None:
    with torch.device("meta"):
        ours, theirs = build_model(VGG19UNetConfig(), 8), build_model(UNetConfig(), 8)
    start = plan_start(
        ours.state_dict(),
        InitConfig(decoder="run"),
        run=Pretrained(theirs.state_dict(), "run"),
    )
    assert start.unfit == tuple(f"decoder.blocks.{level}.0.weight" for level in range(4))
    assert len(start.copied) == len(theirs.decoder.state_dict()) + 2 - 4  # type: ignore[operator]


def test_a_plan_changes_nothing_that_it_is_given() -> None:
    state = _state(build_model(UNET, 3))
    kept = {name: value.clone() for name, value in state.items()}
    plan_start(state, INITIALISATIONS["synth-synth"], run=_pretrained("unet"))
    assert all(torch.equal(state[name], kept[name]) for name in kept)


def test_a_unets_run_is_a_wnets_first_network() -> None:
    model = build_model(TINY["wnet"], 3)
    fresh, run = _state(model), _pretrained("unet")
    initialise_from(
        model, InitConfig(encoder="run", decoder="run", freeze="first_network"), run=run
    )
    for key, value in model.state_dict().items():
        if key.startswith("second."):
            assert torch.equal(value, fresh[key])
        elif "normalisation" not in key:
            assert torch.equal(value, run.weights[key.removeprefix("first.")])


def test_a_wnets_run_gives_both_networks_to_a_wnet_and_the_first_to_a_unet() -> None:
    run = _pretrained("wnet")
    both = INITIALISATIONS["synth-synth"]
    whole = plan_start(build_model(TINY["wnet"], 3).state_dict(), both, run=run)
    assert all(torch.equal(whole.weights[key], run.weights[key]) for key in whole.copied)
    assert any(key.startswith("second.") for key in whole.copied)
    first = plan_start(build_model(UNET, 3).state_dict(), both, run=run)
    assert all(
        torch.equal(value, run.weights[f"first.{key}"])
        for key, value in first.weights.items()
        if key in first.copied
    )


def test_imagenet_weights_go_to_a_wnets_first_encoder() -> None:
    start = plan_start(
        build_model(TINY["wnet on vgg19"], 3).state_dict(),
        INITIALISATIONS["VGG19-random"],
        imagenet=Pretrained(_imagenet(), "file"),
    )
    assert len(start.copied) == 32
    assert all(key.startswith("first.encoder.features.") for key in start.copied)


@pytest.mark.parametrize(
    ("config", "name", "run", "says"),
    [
        (UNET, "synth-random", None, "--init RUN"),
        (VGG19, "VGG19-random", None, "--imagenet FILE"),
        (UNET, "VGG19-random", None, "only encoders of VGG19"),
        (UNetConfig(filters=(4, 6, 8, 8, 9)), "synth-random", "unet", "encoder.blocks.4.0.weight"),
        (VGG19, "synth-random", "unet", "no such tensor"),
    ],
)
def test_what_cannot_be_started_from_is_said(
    config: ModelConfig, name: str, run: str | None, says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        plan_start(
            build_model(config, 3).state_dict(),
            INITIALISATIONS[name],
            run=None if run is None else _pretrained(run),
        )
    assert says in str(caught.value)


def test_an_unknown_initialisation_is_the_users_mistake() -> None:
    with pytest.raises(UsageError, match="synth-sinth") as caught:
        find_initialisation("synth-sinth")
    assert "'synth-synth'" in str(caught.value)


def _save(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def test_imagenet_weights_are_read_and_their_digest_is_told(tmp_path: Path) -> None:
    plain = _save(tmp_path / "mine.pth", _imagenet())
    digest = sha256(plain.read_bytes()).hexdigest()
    found, told = read_imagenet(plain)
    assert told == digest
    assert set(found.weights) == set(_imagenet()) - {"classifier.0.weight"}
    # torchvision's file is in the format that torch wrote before 1.6.
    old = tmp_path / "old.pth"
    torch.save(_imagenet(), old, _use_new_zipfile_serialization=False)
    assert set(read_imagenet(old)[0].weights) == set(found.weights)
    named = plain.rename(tmp_path / f"vgg19-{digest[:8]}.pth")
    assert read_imagenet(named)[1] == digest


class _Code:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return print, ("executed",)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("vgg19-dcbb9e9d.pth", {"features.0.weight": torch.zeros(1)}, "sha256 dcbb9e9d"),
        ("a.pth", {"layer1.weight": torch.zeros(1)}, "torchvision's layout"),
        ("a.pth", [1, 2], "torchvision's layout"),
        ("a.pth", {"features.0.weight": _Code()}, "torchvision's layout"),
    ],
)
def test_other_files_than_vgg19s_weights_are_refused(
    name: str, content: object, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        read_imagenet(_save(tmp_path / name, content))
    assert says in str(caught.value)
    assert "executed" not in capsys.readouterr().out


def test_a_missing_file_of_imagenet_weights_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_imagenet(tmp_path / "vgg19-dcbb9e9d.pth")
    assert "torchvision's documentation" in str(caught.value)


def test_the_model_holds_the_preprocessing_that_imagenet_weights_expect() -> None:
    state = build_model(VGG19, 2).state_dict()
    torch.testing.assert_close(
        state["normalisation.mean"].flatten(), torch.tensor([0.485, 0.456, 0.406])
    )
    torch.testing.assert_close(
        1 / state["normalisation.scale"].flatten(), torch.tensor([0.229, 0.224, 0.225])
    )
