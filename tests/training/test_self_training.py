"""Photos without labels: a model labels them itself, and what it is unsure of does not count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record, check_dataset
from clearcoat.errors import UsageError
from clearcoat.training import (
    RunFolder,
    SelfTraining,
    Sources,
    TrainingConfig,
    find_loss,
    image_set,
    run_training,
    training_config,
)
from clearcoat.training.phases import plan_phases
from clearcoat.training.sampling import Phase
from clearcoat.training.selection import REAL, TrainingData, select
from clearcoat.training.self_labelled import SelfLabelled

from .conftest import MakeDataset
from .tiny import same_weights, tiny_config, weights_of

_OWN = {"confidence": 0.55, "max_steps": 6}


class _Brightness(nn.Module):
    """Takes bright pixels for class 0, dark ones for class 1, and is unsure in between."""

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) uint8 to logits of two classes."""
        value = images.float().mean(dim=1, keepdim=True)
        return torch.cat([value - 200, 50 - value], dim=1)


def _images(
    values: list[int],
    sets: list[frozenset[int] | None],
    shapes: list[tuple[int, int]] | None = None,
) -> SelfLabelled:
    """Images of one value each, the first of them labelled with `sets`, a column each."""
    index = np.tile(np.arange(len(sets), dtype=np.uint16), (len(sets), 1))
    rasters = [LabelRaster(index, tuple(sets))]
    rasters += [LabelRaster(np.zeros_like(index), (frozenset({0}),))] * (len(values) - 1)
    size = len(sets)
    images = [np.full((size, size, 3), value, np.uint8) for value in values]
    given = image_set(images, rasters, ("bright", "dark"))
    return SelfLabelled(given, range(1, len(values)), shapes or [(size, size)] * (len(values) - 1))


def test_a_model_labels_what_it_is_sure_of() -> None:
    images = _images([9, 255, 0, 128, 200], [frozenset({0}), frozenset({1})])
    loss = find_loss("binary_cross_entropy")
    _, before = images.fetch(np.arange(5))
    assert [images.sets[n] for n in before[0, 0].tolist()] == [frozenset({0}), frozenset({1})]
    # Labels that they have are not read.
    assert all(images.sets[n] is None for n in before[1:].unique().tolist())
    share = images.label(_Brightness(), loss, 0.9)
    _, labels = images.fetch(np.array([4, 1, 3, 2, 0]))
    found = [images.sets[piece.unique().item()] for piece in labels[:4]]
    # 128 is background; at 200 class 0 has even odds.
    assert found == [None, frozenset({0}), frozenset(), frozenset({1})]
    assert share == 0.75
    torch.testing.assert_close(labels[4], before[0])


def test_what_a_photo_does_not_cover_of_its_square_is_not_labelled() -> None:
    images = _images([9, 255, 0], [frozenset({0}), frozenset({1})], [(300, 600), (80, 80)])
    assert images.label(_Brightness(), find_loss("binary_cross_entropy"), 0.9) == 1
    _, labels = images.fetch(np.array([1, 2]))
    found = [[images.sets[number] for number in rows] for rows in labels[:, :, 0].tolist()]
    assert found == [[frozenset({0}), None], [frozenset({1})] * 2]


def test_background_is_labelled_where_a_softmax_is_sure_of_it() -> None:
    class Odds(nn.Module):
        """Of the two classes and of background, by the value of the pixel."""

        def forward(self, images: Tensor) -> Tensor:
            value = images.float().mean(dim=1, keepdim=True)
            known = {0: (1, 1, 98), 100: (9, 9, 82), 200: (98, 1, 1)}
            odds = torch.stack(
                [sum((value == v) * o[n] for v, o in known.items()) for n in range(3)], dim=2
            )
            return odds[:, 0].log()

    images = _images([0, 0, 100, 200], [frozenset({0}), frozenset({1})])
    assert images.label(Odds(), find_loss("cross_entropy_dice"), 0.9) == pytest.approx(2 / 3)
    _, labels = images.fetch(np.array([1, 2, 3]))
    found = [images.sets[piece.unique().item()] for piece in labels]
    # With 9 % each neither class is there, and yet background is not 90 % sure.
    assert found == [frozenset(), None, frozenset({0})]


def test_a_set_of_classes_that_no_label_has_stays_ignored() -> None:
    class Both(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.full((len(images), 2, *images.shape[2:]), 9.0)

    loss = find_loss("binary_cross_entropy")
    apart = _images([0, 0], [frozenset({0}), frozenset({1})])
    assert apart.label(Both(), loss, 0.9) == 0
    # Nor does a set count that only labels have which are not read.
    both = LabelRaster(np.zeros((2, 2), np.uint16), (frozenset({0, 1}),))
    known = LabelRaster(np.zeros((2, 2), np.uint16), (frozenset({0}),))
    pixels = np.zeros((2, 2, 3), np.uint8)
    given = image_set([pixels] * 2, [known, both], ("bright", "dark"))
    unread = SelfLabelled(given, range(1, 2), [(2, 2)])
    assert unread.label(Both(), loss, 0.9) == 0
    overlapping = _images([0, 0], [frozenset({0}), frozenset({0, 1})])
    assert overlapping.label(Both(), loss, 0.9) == 1
    _, labels = overlapping.fetch(np.array([1]))
    assert overlapping.sets[labels.unique().item()] == frozenset({0, 1})


def test_the_labels_of_photos_without_labels_are_not_read(
    sources: Sources, squares: MakeDataset, tmp_path: Path
) -> None:
    config = tiny_config(mix="sequential", self_training=_OWN)
    photos = squares("photos", 8, seed=5)
    writer = DatasetWriter.create(tmp_path / "wrong", photos.classes, {"kind": "test"})
    for number in photos.indices:
        wrong = LabelRaster(np.zeros((32, 32), np.uint16), (frozenset({1}),))
        writer.write(Record(index=number, image=photos.image(number), labels=wrong))
    wrong_ones = Dataset.open(tmp_path / "wrong")
    metrics = [
        run_training(config, replace(sources, unlabelled=unlabelled), tmp_path / name)
        for name, unlabelled in (("a", photos), ("b", wrong_ones))
    ]
    assert same_weights(weights_of(tmp_path / "a"), weights_of(tmp_path / "b"))
    for one in metrics:
        assert [phase["name"] for phase in one["phases"]] == ["synthetic", "real", "self-labelled"]
        assert one["images"] == metrics[0]["images"] | {"unlabelled": 8}
        assert one["images"]["synthetic"] == 19
        assert 0 <= one["phases"][-1]["labelled_itself"] <= 1
        assert one["phases"][-1]["batch"] == {"real": 1, "unlabelled": 3}
    readme = (tmp_path / "a" / "README.md").read_text("utf-8")
    assert "self-labelled" in readme and "| photos without labels | 8, of whose pixels" in readme


def test_renders_and_photos_without_labels_are_enough(
    sources: Sources, squares: MakeDataset, tmp_path: Path
) -> None:
    config = tiny_config(mix="sequential", self_training=_OWN)
    given = Sources(synthetic=sources.synthetic, unlabelled=squares("u", 6, seed=5))
    metrics = run_training(config, given, tmp_path / "run")
    assert metrics["images"]["real"] == 0
    assert [phase["batch"] for phase in metrics["phases"]] == [
        {"all": 4},
        {"unlabelled": 2, "synthetic": 2},
    ]


def test_photos_that_are_known_labelled_are_left_out(sources: Sources) -> None:
    config = tiny_config(mix="sequential", real_count=5, self_training=_OWN)
    chosen = select(config, replace(sources, unlabelled=sources.real))
    known = {*chosen.real, *chosen.held_back["real"]}
    assert sources.real is not None
    assert set(chosen.unlabelled) == set(sources.real.indices) - known
    assert chosen.as_json()["unlabelled"] == list(chosen.unlabelled)
    assert "unlabelled" not in select(tiny_config(), sources).as_json()


def test_refusals(sources: Sources, squares: MakeDataset, tmp_path: Path) -> None:
    config = tiny_config(mix="sequential", self_training=_OWN)
    with pytest.raises(UsageError, match="needs photos without labels"):
        select(config, sources)
    with pytest.raises(UsageError, match="no self-training that would use them"):
        select(tiny_config(), replace(sources, unlabelled=sources.real))
    with pytest.raises(UsageError, match="no photo without labels is left"):
        select(config, replace(sources, unlabelled=sources.real))
    with pytest.raises(UsageError, match="also among those to train on") as caught:
        run_training(config, replace(sources, unlabelled=sources.test), tmp_path / "run")
    assert "--unlabelled" in str(caught.value.found)
    with pytest.raises(UsageError, match="concatenate"):
        tiny_config(mix="concatenate", self_training=_OWN)
    assert not RunFolder(tmp_path / "run").path.exists()


def test_the_phase_comes_last_and_few_labelled_photos_are_not_lost() -> None:
    def plan(real: int, **values: object) -> list[tuple[str, dict[str, int], float]]:
        settings = {"batch_size": 16, "learning_rate": 0.002, "tuning_rate": 0.0005, **values}
        config: TrainingConfig = training_config(settings | {"self_training": {"max_steps": 50}})
        count = real + 200 + 4000
        own = SelfLabelled.__new__(SelfLabelled)
        own.rows = range(real, real + 200)
        kinds = {REAL: None, "synthetic": None}
        data = TrainingData(range(count), real, kinds, REAL, None, own)  # type: ignore[arg-type]
        phases = plan_phases(config, data)
        assert phases[-1].max_steps == 50 and phases[-1].self_training is not None
        return [(p.name, {s.name: s.per_batch for s in p.streams}, p.learning_rate) for p in phases]

    shares = {"real": 2, "unlabelled": 6, "synthetic": 8}
    assert plan(16, real_share=0.5) == [
        ("synthetic", {"synthetic": 16}, 0.002),
        ("real", {"real": 8, "synthetic": 8}, 0.0005),
        ("self-labelled", shares, 0.0005),
    ]
    assert plan(16, mix="balanced")[-1] == ("self-labelled", shares, 0.0005)
    assert plan(16, real_share=0.25)[-1][1] == {"real": 1, "unlabelled": 3, "synthetic": 12}
    assert plan(0)[-1][1] == {"unlabelled": 8, "synthetic": 8}
    # The last phases of `sequential` show photos alone, unless they are told otherwise.
    assert plan(16)[-1][1] == plan(16, real_share=1.0)[-1][1] == {"real": 4, "unlabelled": 12}
    assert plan(16, real_share=0.5, batch_size=3)[-1][1] == dict.fromkeys(shares, 1)
    with pytest.raises(UsageError, match="too small for self-training"):
        plan(16, real_share=0.5, batch_size=2)
    with pytest.raises(UsageError, match="warm-up") as caught:
        plan(16, warmup_steps=60)
    assert "--unlabelled-max-steps" in str(caught.value.do)


def test_the_control_shows_labelled_photos_in_their_place() -> None:
    def plan(real: int, **values: object) -> Phase:
        own = {"max_steps": 50, "control": True}
        config: TrainingConfig = training_config({"batch_size": 16, "self_training": own, **values})
        kinds = {REAL: None, "synthetic": None}
        data = TrainingData(range(real + 4000), real, kinds, REAL, None)  # type: ignore[arg-type]
        return plan_phases(config, data)[-1]

    def shares(real: int, **values: object) -> dict[str, int]:
        return {stream.name: stream.per_batch for stream in plan(real, **values).streams}

    phase = plan(16, real_share=0.5)
    assert phase.name == "control" and phase.max_steps == 50 and phase.restarts
    assert phase.self_training is not None
    # As much augmented as where photos have no labels.
    assert phase.self_training.augment == SelfTraining().augment
    assert shares(16, real_share=0.5) == {"real": 8, "synthetic": 8}
    assert shares(16) == {"real": 16}
    assert shares(0) == {"synthetic": 16}


def test_a_control_trains_and_takes_no_photos_without_labels(
    sources: Sources, tmp_path: Path
) -> None:
    config = tiny_config(mix="sequential", self_training=_OWN | {"control": True})
    metrics = run_training(config, sources, tmp_path / "run")
    assert metrics["phases"][-1]["name"] == "control"
    assert "labelled_itself" not in metrics["phases"][-1] and "unlabelled" not in metrics["images"]
    with pytest.raises(UsageError, match="no self-training that would use them"):
        select(config, replace(sources, unlabelled=sources.real))


def test_the_key_of_a_control_makes_no_other_run_of_one_that_is_none() -> None:
    own = SelfTraining(confidence=0.8)
    assert "control" not in own.model_dump(mode="json")
    assert own.model_copy(update={"control": True}).model_dump()["control"] is True


def test_images_are_mirrored_where_they_are_in_other_phases() -> None:
    own = SelfLabelled.__new__(SelfLabelled)
    own.rows = range(4, 8)
    kinds = {REAL: None}
    data = TrainingData(range(8), 4, kinds, REAL, None, own)  # type: ignore[arg-type]
    for preset, mirrored in (("none", False), ("geometry", True)):
        config = training_config({"self_training": {}, "augment": preset, "batch_size": 4})
        phase = plan_phases(config, data)[-1]
        assert phase.self_training is not None
        assert phase.self_training.augment.flip is mirrored
        assert phase.self_training.augment.blur_px > 0


def test_photos_without_labels_are_no_photos_to_train_on(
    squares: MakeDataset, tmp_path: Path
) -> None:
    writer = DatasetWriter.create(tmp_path / "u", ("bright", "dark"), {"kind": "test"})
    for number in range(4):
        unknown = LabelRaster(np.zeros((32, 32), np.uint16), (None,))
        image = np.full((32, 32, 3), 50 * number, np.uint8)
        writer.write(Record(index=number, image=image, labels=unknown))
    data = Dataset.open(tmp_path / "u")
    with pytest.raises(UsageError, match="no pixel of these images is labelled") as caught:
        run_training(tiny_config(), Sources(real=data), tmp_path / "run")
    assert "--unlabelled" in str(caught.value.do)
    assert not (tmp_path / "run").exists()
    photos = squares("photos", 6, seed=9)
    for role in ("validation", "test", "synthetic"):
        given = replace(Sources(real=photos), **{role: data})
        with pytest.raises(UsageError, match="no pixel of these") as caught:
            run_training(tiny_config(mix="balanced"), given, tmp_path / "run")
        assert f"--{role}" in str(caught.value.found)
    found = check_dataset(data)
    assert not found.errors
    assert [one.what.partition(":")[0] for one in found.warnings] == ["no pixel is labelled"]


def test_more_classes_than_a_word_has_bits() -> None:
    names = tuple(f"class {number}" for number in range(70))
    index = np.zeros((2, 2), np.uint16)
    rasters = [LabelRaster(index, (frozenset({69, 1}),)), LabelRaster(index, (None,))]
    given = image_set([np.zeros((2, 2, 3), np.uint8)] * 2, rasters, names)
    images = SelfLabelled(given, range(1, 2), [(2, 2)])

    class Model(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            logits = torch.full((len(images), 70, 2, 2), -9.0)
            logits[:, [1, 69]] = 9.0
            return logits

    assert images.label(Model(), find_loss("binary_cross_entropy"), 0.9) == 1
    _, labels = images.fetch(np.array([1]))
    assert images.sets[labels.unique().item()] == frozenset({1, 69})


def test_streamed_images_give_the_same_bits(
    sources: Sources, squares: MakeDataset, tmp_path: Path
) -> None:
    config = tiny_config(mix="balanced", ema_decay=0.9, self_training=_OWN)
    given = replace(sources, unlabelled=squares("u", 6, seed=5))
    for residence in ("device", "stream"):
        run_training(config, given, tmp_path / residence, residence=residence)  # type: ignore[arg-type]
    assert same_weights(weights_of(tmp_path / "device"), weights_of(tmp_path / "stream"))


def test_photos_to_stop_on_are_not_labelled_by_the_model(
    sources: Sources, squares: MakeDataset
) -> None:
    config = tiny_config(mix="sequential", self_training=_OWN)
    stopping = squares("stopping", 3, seed=8)
    assert sources.real is not None
    for given in (sources.real, stopping):
        with_them = replace(sources, validation=stopping, unlabelled=given, real=None)
        chosen = select(config, with_them) if given is sources.real else None
        if chosen is None:
            with pytest.raises(UsageError, match="no photo without labels is left"):
                select(config, with_them)
        else:
            assert chosen.unlabelled == sources.real.indices


@pytest.mark.parametrize("mix", ["sequential", "balanced"])
def test_a_student_begins_where_its_teacher_began_if_that_had_learned(
    mix: str, sources: Sources, squares: MakeDataset, tmp_path: Path
) -> None:
    config = tiny_config(mix=mix, self_training=_OWN)
    given = replace(sources, unlabelled=squares("u", 6, seed=5))
    run_training(config, given, tmp_path / "run")
    curve = RunFolder(tmp_path / "run").read_curve()
    first = {
        line["phase"]: line["validation_loss"] for line in reversed(curve) if line["step"] == 0
    }
    labelled = "real" if mix == "sequential" else mix
    before = min(line["validation_loss"] for line in curve if line["phase"] == labelled)
    if mix == "sequential":
        assert first["self-labelled"] == first["real"] != before
    else:
        # Random weights are no place to begin from: it goes on.
        assert first["self-labelled"] == before
