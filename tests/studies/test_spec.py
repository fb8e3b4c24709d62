"""Study files: what they say, and how their mistakes are answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clearcoat.dataset import merge_datasets
from clearcoat.errors import ClearcoatError, SpecError
from clearcoat.studies import SupplementSpec, TransferSpec, load_study
from clearcoat.studies.presets import PRESETS
from clearcoat.training import SelfTraining

from .conftest import TRAINING, supplement

GRID = """
real: photos
synthetic: renders
test_count: 4
preset: paper
repeats: {min: 3, max: 5}
more_repeats:
  - {real: [16, 32], min: 7, max: 9}
training: {mix: concatenate, augment: strong}
"""


def _write(folder: Path, text: str) -> Path:
    file = folder / "study.yaml"
    file.write_text(text)
    return file


def test_a_study_file(tmp_path: Path) -> None:
    spec = load_study(_write(tmp_path, GRID), SupplementSpec)
    assert spec.real == tmp_path / "photos"
    real, synthetic = spec.grid
    # Section IV.B: an 11 x 11 grid of {0, 16, 32, ..., 8192}.
    assert real == synthetic == PRESETS["paper"][0]
    assert len(real) == 11 and real[:3] == (0, 16, 32) and real[-1] == 8192
    assert (spec.rule(16).least, spec.rule(16).most) == (7, 9)
    assert (spec.rule(64).least, spec.rule(64).most) == (3, 5)
    assert spec.config().augment.rotate_deg == 10
    assert not spec.shares_pretraining


def test_the_weights_of_an_encoder_lie_beside_the_study(tmp_path: Path) -> None:
    text = GRID.replace("augment: strong", "model: {name: vgg19_unet}")
    text += "encoder: {imagenet: vgg19.pth}\n"
    spec = load_study(_write(tmp_path, text), SupplementSpec)
    assert spec.encoder is not None and spec.encoder.imagenet == tmp_path / "vgg19.pth"


def test_photos_without_labels_lie_beside_the_study(tmp_path: Path) -> None:
    text = GRID.replace("concatenate", "sequential")
    text += "self_training: {real: [16], photos: more, confidence: 0.8}\n"
    own = load_study(_write(tmp_path, text), SupplementSpec).self_training
    assert own is not None and own.photos == tmp_path / "more"
    assert own.covers(16, 8192) and own.covers(16, 0) and not own.covers(32, 0)
    assert own.phase() == SelfTraining(confidence=0.8)


def test_a_recipe_gives_a_grid_its_size_and_encoder(tmp_path: Path) -> None:
    text = "real: photos\nsynthetic: renders\ntest_count: 4\npreset: paper\n"
    text += "recipe: few-photos-cpu\n"

    def loaded(more: str = "") -> SupplementSpec:
        return load_study(_write(tmp_path, text + more), SupplementSpec)

    spec = loaded()
    assert spec.size == spec.config().size == 96
    assert spec.encoder is not None and spec.encoder.frozen
    # Which run starts from what is the plan's to say.
    assert spec.config().initialisation is None
    assert loaded("encoder: {frozen: false}\nsize: 128\n").config().size == 128
    assert loaded("encoder: null\n").encoder is None
    assert loaded("training: {model: {name: unet}}\n").encoder is None


def test_the_default_rule_is_the_papers(tmp_path: Path) -> None:
    text = "real: photos\nsynthetic: renders\ntest_count: 4\npreset: paper\n"
    rule = load_study(_write(tmp_path, text), SupplementSpec).rule(16)
    assert (rule.least, rule.most, rule.relative_width) == (7, 30, 0.05)


@pytest.mark.parametrize(
    ("change", "telling"),
    [
        (("preset: paper", "preset: papr"), "paper"),
        (("preset: paper", ""), "real_counts"),
        (("test_count: 4", ""), "test_count"),
        (("min: 3, max: 5", "min: 5, max: 3"), "greater"),
        (("min: 3, max: 5", "min: 1, max: 3"), "width"),
        (("max: 5", "max: 20000"), "repeats: max (20000) is greater than 100"),
        (("max: 9", "max: 101"), "max (101) is greater than 100"),
        (("max: 5", "max: 101, width: null"), "max (101) is greater than 100"),
        (("augment: strong", "augment: stron"), "strong"),
        (("augment: strong", "seed: 3"), "give `seed` beside `training`"),
        (("augment: strong", "learning_rat: 3"), "learning_rat"),
        (("real: photos", "reel: photos"), "real"),
        (("preset: paper", "preset: paper\nrecipe: [few-photos]"), "recipe"),
        (("augment: strong", "self_training: {max_steps: 9}"), "give `self_training` in a grid"),
        (("preset: paper", "preset: paper\nself_training: {real: [17]}"), "17 is no count"),
        (("preset: paper", "preset: paper\nself_training: {synthetic: [3]}"), "synthetic: 3 is no"),
        (("preset: paper", "preset: paper\nself_training: {confidence: 2}"), "confidence"),
        (("preset: paper", "preset: paper\nself_training: {real: [0]}"), "self_training.real"),
        (("preset: paper", "preset: paper\nself_training: {}"), "6 (self_training)"),
        (
            (
                "mix: concatenate",
                "real_share: 0.5}\nself_training: {}\nwithout_renders: {mix: concatenate",
            ),
            "10 (self_training)",
        ),
        (("test_count: 4", f"test_count: 4\nseed: {2**63 - 1}"), "5 (seed)"),
        (("[16, 32]", "[16, 99]"), "8 (more_repeats[0].real)"),
        (("preset: paper", "preset: paper\npretrainings: 2"), "6 (pretrainings)"),
        (("augment: strong", "subset: independent"), "9 (training.subset)"),
        (
            ("training:", "without_renders: {subset: independent}\ntraining:"),
            "9 (without_renders.subset)",
        ),
    ],
)
def test_mistakes_are_named(change: tuple[str, str], telling: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_study(_write(tmp_path, GRID.replace(*change)), SupplementSpec)
    assert telling in str(caught.value)
    assert "study.yaml" in str(caught.value)
    assert "{'real': 'photos'" not in str(caught.value)


def test_independent_runs_may_draw_independent_photos(tmp_path: Path) -> None:
    text = GRID.replace("augment: strong", "subset: independent") + "design: independent\n"
    spec = load_study(_write(tmp_path, text), SupplementSpec)
    assert spec.config().subset == "independent"


def test_few_pretrainings_need_runs_that_start_from_them(tmp_path: Path) -> None:
    text = GRID.replace("mix: concatenate", "mix: sequential") + "pretrainings: 2\n"
    assert load_study(_write(tmp_path, text), SupplementSpec).pretrainings == 2
    with pytest.raises(SpecError, match="no run starts from another"):
        load_study(_write(tmp_path, text + "share_pretraining: false\n"), SupplementSpec)


@pytest.mark.parametrize("key", ["real_counts", "freeze"])
def test_a_transfer_study_of_nothing_is_refused(key: str, tmp_path: Path) -> None:
    values = {"real_counts": "[4]", "pretrain_count": "8", key: "[]"}
    text = "real: photos\nsynthetic: renders\ntest_count: 4\n"
    text += "".join(f"{name}: {value}\n" for name, value in values.items())
    with pytest.raises(SpecError, match=f"{key}: tuple should have at least 1 item"):
        load_study(_write(tmp_path, text), TransferSpec)


def test_mistakes_of_a_transfer_study(tmp_path: Path) -> None:
    text = (
        "real: photos\nsynthetic: renders\ntest_count: 4\nreal_counts: [4]\npretrain_count: 8\n"
        "initialisations: [synth-sinth]\n"
    )
    with pytest.raises(SpecError, match="synth-sinth"):
        load_study(_write(tmp_path, text), TransferSpec)


@pytest.mark.parametrize(
    "changes",
    [
        *("seed: 7", "synthetic_count: 3", "validation_count: 2", "initialisation: {}"),
        *("mode: paper", "real_share: 0.5", "size: 32"),
        "model: {name: unet, filters: [8, 16]}",
    ],
)
def test_what_the_base_model_cannot_be_told_is_refused(changes: str, tmp_path: Path) -> None:
    text = "real: photos\nsynthetic: renders\ntest_count: 4\nreal_counts: [4]\npretrain_count: 8\n"
    with pytest.raises(SpecError, match=f"pretrain.{changes.partition(':')[0]}"):
        load_study(_write(tmp_path, f"{text}pretrain: {{{changes}}}\n"), TransferSpec)


def test_networks_of_a_transfer_study_cannot_be_replaced(tmp_path: Path) -> None:
    text = "real: photos\nsynthetic: renders\ntest_count: 4\nreal_counts: [4]\npretrain_count: 8\n"
    with pytest.raises(SpecError, match=r"without_renders\.model"):
        load_study(
            _write(tmp_path, f"{text}without_renders: {{model: {{name: unet}}}}\n"), TransferSpec
        )


def test_a_base_with_other_outputs_is_refused(tmp_path: Path) -> None:
    text = "real: photos\nsynthetic: renders\ntest_count: 4\nreal_counts: [4]\npretrain_count: 8\n"
    losses = "training: {loss: cross_entropy_dice}\npretrain: {loss: binary_cross_entropy_dice}\n"
    with pytest.raises(SpecError, match=r"pretrain\.loss"):
        load_study(_write(tmp_path, text + losses), TransferSpec)


def test_mistakes_are_named_where_they_were_written(tmp_path: Path) -> None:
    text = "real: photos\nsynthetic: renders\ntest_count: 4\nreal_counts: [4]\npretrain_count: 8\n"
    for section in ("without_renders", "pretrain", "training"):
        with pytest.raises(SpecError) as caught:
            load_study(_write(tmp_path, f"{text}{section}:\n  learning_rat: 0.1\n"), TransferSpec)
        assert caught.value.what == "unknown option 'learning_rat'"
        assert str(caught.value.where).endswith(f"study.yaml:7 ({section}.learning_rat)")
        assert caught.value.do == "did you mean 'learning_rate'?"


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("filterz: [4, 4, 4, 4]", "did you mean 'filters'?"),
        ("filters: [4, 4]", "needs 4 levels"),
        ("name: wnet", "the study's own to choose"),
    ],
)
def test_a_mistake_of_vgg19_is_told_although_its_weights_are_not_at_hand(
    option: str, says: str, tmp_path: Path
) -> None:
    text = "real: photos\nsynthetic: renders\ntest_count: 4\nreal_counts: [4]\npretrain_count: 8\n"
    with pytest.raises(SpecError) as caught:
        load_study(_write(tmp_path, f"{text}vgg19:\n  {option}\n"), TransferSpec)
    name = option.partition(":")[0]
    assert str(caught.value.where).endswith(f"study.yaml:7 (vgg19.{name})")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("training", "where", "says"),
    [
        ("mode: papr", "11 (training.mode)", "did you mean 'paper'?"),
        ("augment: stron", "11 (training.augment)", "did you mean 'strong'?"),
        ("augment: 3", "11 (training.augment)", "not a mapping"),
        ("augment:\n    scale: [2, 1]", "12 (training.augment.scale)", "smaller first"),
        ("model: unet", "11 (training.model)", "not a mapping"),
        ("model:\n    name: unett", "12 (training.model.name)", "did you mean 'unet'?"),
        ("model:\n    filterz: [4, 8]", "12 (training.model.filterz)", "did you mean 'filters'?"),
        ("model:\n    filters: [4, x]", "12 (training.model.filters[1])", "filters[1]: input"),
        ("class_weights:\n    hood: 0", "12 (training.class_weights.hood)", "not above 0"),
        ("mix: concatenate\n  real_share: 0.5", "12 (training.real_share)", "'balanced'"),
        ("seed: 3", "11 (training.seed)", "give `seed` beside"),
        # The study's own, which does not fit the model.
        ("model: {filters: [4, 4, 4, 4, 4, 4]}", "9 (size)", "no multiple of 32; use 32"),
    ],
)
def test_a_mistake_of_training_is_told_at_its_line(
    training: str, where: str, says: str, tmp_path: Path
) -> None:
    text = GRID.replace("training: {mix: concatenate, augment: strong}", "size: 16\ntraining:")
    with pytest.raises(SpecError) as caught:
        load_study(_write(tmp_path, f"{text.rstrip()}\n  {training}\n"), SupplementSpec)
    assert str(caught.value.where).endswith(f"study.yaml:{where}")
    assert says in str(caught.value)
    assert "unet.filterz" not in str(caught.value) and "_name_of" not in str(caught.value)


@pytest.mark.parametrize("section", ["training", "without_renders"])
def test_weights_are_those_of_classes_that_there_are(section: str, data: Path) -> None:
    own = {"training": TRAINING} | {section: TRAINING | {"class_weights": {"brihgt": 2}}}
    with pytest.raises(SpecError, match="no class 'brihgt'") as raised:
        supplement(data, **own)
    assert raised.value.where == f"{section}.class_weights"
    assert "did you mean 'bright'?" in str(raised.value)


@pytest.mark.parametrize("untouched", [0, 4])
def test_photos_to_score_on_are_none_to_train_on(data: Path, untouched: int) -> None:
    with pytest.raises(SpecError, match="also among those to train on") as raised:
        supplement(data, test=data / "photos", test_count=None, splits=1, untouched_count=untouched)
    assert "20 of 20" in (raised.value.found or "")


@pytest.mark.parametrize(
    ("changes", "where", "found"),
    [
        ({}, "photos", "8 of 8"),
        ({"untouched_count": 3}, "photos", "11 of 11"),
        ({"test": "photos", "real": "renders", "splits": 1}, "photos", "20 of 20"),
        ({"test": "others", "untouched_count": 3, "splits": 1}, "photos", "3 of 3"),
    ],
)
def test_photos_to_score_on_are_no_renders(
    changes: dict[str, Any], where: str, found: str, data: Path, squares: Any, tmp_path: Path
) -> None:
    others = squares("others", 3, size=24, seed=3, where=tmp_path).path
    places = {"photos": data / "photos", "renders": data / "renders", "others": others}
    changes = {"test_count": None if "test" in changes else 4} | changes
    changes = {key: places.get(value, value) for key, value in changes.items()}
    # As a slip of copying makes it.
    with pytest.raises(SpecError, match="also among those to train on") as raised:
        supplement(data, synthetic=data / "photos", **changes)
    assert raised.value.where == str(places[where])
    assert raised.value.found == f"{found} are also among the 20 from {data / 'photos'}"
    assert "synthetic" in (raised.value.do or "")


@pytest.mark.parametrize("untouched", [0, 9])
def test_copies_of_photos_to_score_on_are_not_trained_on(
    untouched: int, data: Path, squares: Any, tmp_path: Path
) -> None:
    pair = [squares(name, 9, size=24, seed=3, where=tmp_path) for name in ("once", "again")]
    merge_datasets(pair, tmp_path / "photos")
    changes: dict[str, Any] = {"splits": 1, "untouched_count": untouched}
    if untouched:
        changes |= {"test": data / "photos", "test_count": None}
    with pytest.raises(SpecError, match="also among those to train on") as raised:
        supplement(data, real=tmp_path / "photos", **changes)
    assert "copies" in (raised.value.do or "")


def test_splits_are_disjoint_and_leave_the_untouched_alone(data: Path) -> None:
    study = supplement(data, splits=3, untouched_count=5)
    tests = [set(test.indices) for test in study.data.test]
    for number, test in enumerate(tests):
        assert len(test) == 4
        assert not test & set(study.data.real[number].indices)
        assert len(study.data.real[number]) == 20 - 5 - 4
        for other in tests[:number]:
            assert not test & other
    assert study.data.untouched is not None
    untouched = set(study.data.untouched.indices)
    assert len(untouched) == 5
    assert not any(
        untouched & (set(r.indices) | t) for r, t in zip(study.data.real, tests, strict=True)
    )
    # More splits later must not reach into what was set apart.
    again = supplement(data, untouched_count=5).data.untouched
    assert again is not None and set(again.indices) == untouched


def test_too_few_photos_for_the_splits(data: Path) -> None:
    with pytest.raises(ClearcoatError, match="too few photos"):
        supplement(data, splits=5)
    with pytest.raises(ClearcoatError, match="untouched"):
        supplement(data, untouched_count=20)


def test_a_test_set_of_its_own(data: Path, squares: Any, tmp_path: Path) -> None:
    given = squares("test", 5, size=24, seed=3, where=tmp_path)
    study = supplement(data, test=given.path, test_count=None, splits=1)
    assert study.data.test[0].digest() == given.digest()
    assert len(study.data.real[0]) == 20
