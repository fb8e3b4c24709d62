"""Which runs stand in one cell, and what is compared with what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clearcoat.report import RunFacts, compare, group
from clearcoat.statistics import paired_one_sided, welch_one_sided
from tests.report.facts import make_run


def test_seeds_share_a_cell_and_settings_do_not() -> None:
    runs = [make_run(16, 0, seed, 0.1 * (seed + 1)) for seed in range(3)]
    runs += [make_run(16, 0, 0, 0.4, loss="binary_cross_entropy"), make_run(32, 0, 0, 0.5)]
    cells = group(runs)
    assert [(cell.real, len(cell.runs)) for cell in cells] == [(16, 1), (16, 3), (32, 1)]
    plain = cells[1]
    assert plain.interval.estimate == pytest.approx(0.2)
    assert plain.best.seed == 2
    assert sum("loss" in cell.label for cell in cells) == 1
    assert cells[2].label == "32 real + 0 synthetic"


def test_labels_say_what_tells_cells_apart_and_no_more() -> None:
    runs = [
        make_run(16, 0, 0, 0.1, max_steps=100, batch_size=8),
        make_run(16, 0, 0, 0.1, max_steps=100, batch_size=8, augment={"flip": False}),
        make_run(16, 0, 0, 0.1, max_steps=200, batch_size=16),
        make_run(16, 64, 0, 0.1, max_steps=100, batch_size=8),
    ]
    labels = [cell.label for cell in group(runs)]
    assert len(set(labels)) == 4
    assert "16 real + 64 synthetic" in labels and "16 real + 0 synthetic" in labels
    assert "16 real + 0 synthetic · augment none" in labels
    # Two settings differ; one of them is enough.
    assert "16 real + 0 synthetic · batch_size 16" in labels


def test_a_baseline_serves_every_mix_and_every_set_of_renders() -> None:
    other = {"real": "photos", "synthetic": "better renders"}
    runs = [
        make_run(16, 0, 0, 0.1, data={"real": "photos"}),
        make_run(16, 64, 0, 0.2),
        make_run(16, 64, 0, 0.3, mix="balanced"),
        make_run(16, 64, 0, 0.4, data=other),
        make_run(0, 64, 0, 0.05, data={"synthetic": "renders"}),
    ]
    cells = group(runs)
    comparisons = compare(cells)
    assert len(cells) == 5 and len(comparisons) == 3
    assert {comparison.baseline.label for comparison in comparisons} == {"16 real + 0 synthetic"}
    assert not any(comparison.differences for comparison in comparisons)
    assert any("mix balanced" in cell.label for cell in cells)


def test_runs_that_start_from_another_share_a_cell_whatever_that_run_was_called() -> None:
    runs = [make_run(16, 0, seed, 0.1 + 0.01 * seed) for seed in range(2)]
    for seed in range(2):
        before = {"run": "r", "real": 0, "synthetic": 64, "steps": 9, "renders": "renders"}
        data = {"real": "photos", "init": f"run of seed {seed}"}
        runs.append(make_run(16, 64, seed, 0.3 + 0.01 * seed, data=data, before=before))
    (comparison,) = compare(group(runs))
    assert len(comparison.cell.runs) == len(comparison.baseline.runs) == 2
    assert comparison.verdict == "gain"
    assert not comparison.differences


def _from_bases(scores: list[float], bases: int) -> list[RunFacts]:
    """Runs on 16 photos that go on from so many runs on renders in turn."""
    before = {"run": "r", "real": 0, "synthetic": 64, "steps": 9, "renders": "renders"}
    return [
        make_run(
            16,
            64,
            seed,
            score,
            before=before,
            data={"real": "photos", "init": f"base {seed % bases}"},
        )
        for seed, score in enumerate(scores)
    ]


def test_runs_that_start_from_one_run_count_as_one() -> None:
    alone = [0.20, 0.21, 0.19, 0.22, 0.20, 0.21]
    mixed = [0.25, 0.26, 0.27, 0.24, 0.25, 0.26]
    photos = [make_run(16, 0, seed, score) for seed, score in enumerate(alone)]
    (one,) = compare(group([*photos, *_from_bases(mixed, 1)]))
    assert one.verdict == "too few" and one.paired is None
    assert one.cell.interval.low is None and one.cell.values == mixed
    (three,) = compare(group([*photos, *_from_bases(mixed, 3)]))
    means = [(mixed[i] + mixed[i + 3]) / 2 for i in range(3)]
    assert three.cell.independent == pytest.approx(means)
    assert three.welch == welch_one_sided(three.cell.independent, alone)
    assert three.paired == paired_one_sided(
        means, [(alone[i] + alone[i + 3]) / 2 for i in range(3)]
    )


def test_self_training_is_named_in_few_words() -> None:
    own = {"confidence": 0.9, "max_steps": 50}
    other = own | {"augment": {"flip": True}}
    runs = [make_run(16, 64, 0, 0.1, self_training=value) for value in (own, other, None)]
    told = [cell.label.partition("self_training ")[2] for cell in group(runs)]
    assert set(told) <= {
        "",
        "from 0.9 on for 50 steps",
        "from 0.9 on for 50 steps, augmented flip",
        "none",
    }
    assert len(set(told)) == 3


def test_copies_of_a_run_count_once() -> None:
    runs = [make_run(16, 0, seed, 0.10 + 0.02 * seed, run_id=f"alone {seed}") for seed in range(2)]
    runs += [make_run(16, 64, seed, 0.14 + 0.02 * seed, run_id=f"mix {seed}") for seed in range(2)]
    (once,) = compare(group(runs))
    (copied,) = compare(group([*runs, *(replace(run, path=Path(run.name)) for run in runs)]))
    assert once.verdict == copied.verdict == "unclear"
    assert copied.cell.runs == once.cell.runs and copied.welch == once.welch
    assert copied.paired == once.paired


@pytest.mark.parametrize(("mode", "seeds"), [("strict", 1), ("paper", 2)])
def test_a_training_that_is_scored_on_other_photos_is_no_further_seed(
    mode: str, seeds: int
) -> None:
    # Trained twice with another --test each, and scored by the report on photos of its own.
    data = {"real": "photos", "test": "some"}
    runs = [
        make_run(16, 0, 0, 0.2, mode=mode, data=data),
        make_run(16, 0, 0, 0.2, mode=mode, data=data | {"test": "others"}),
    ]
    (cell,) = group(runs)
    # Mode `paper` stops on what it scores on, so that these are two trainings.
    assert len(cell.runs) == seeds
    # Each with its own score they are of two cells.
    apart = [replace(run, scored_on=(run.data or {})["test"]) for run in runs]
    assert [len(cell.runs) for cell in group(apart)] == [1, 1]


def test_another_budget_is_compared_and_said_and_another_test_set_is_not() -> None:
    runs = [make_run(16, 0, 0, 0.1, max_steps=100), make_run(16, 64, 0, 0.2, max_steps=200)]
    (comparison,) = compare(group(runs))
    assert comparison.differences == "max_steps 200 against 100"
    runs = [make_run(16, 0, 0, 0.1), make_run(16, 64, 0, 0.2, scored_on="bbbb")]
    assert compare(group(runs)) == ()
    # What another network, size or loss brings is no gain of the renders.
    for name, value in (("size", 192), ("loss", "dice"), ("model", {"name": "wnet"})):
        runs = [make_run(16, 0, 0, 0.1), make_run(16, 64, 0, 0.2, **{name: value})]
        assert compare(group(runs)) == ()
    # Two baselines, neither of the same settings: which one is meant cannot be known.
    runs = [make_run(16, 0, 0, 0.1, max_steps=steps) for steps in (100, 150)]
    assert compare(group([*runs, make_run(16, 64, 0, 0.2, max_steps=200)])) == ()


def test_comparison_is_welch_and_pairs_go_by_seed() -> None:
    base, mixed = [0.10, 0.20, 0.30], [0.15, 0.26, 0.34]
    runs = [make_run(16, 0, seed, value) for seed, value in enumerate(base)]
    runs += [make_run(16, 64, seed, value) for seed, value in reversed([*enumerate(mixed)])]
    (comparison,) = compare(group(runs))
    assert comparison.welch == welch_one_sided(mixed, base)
    assert comparison.absolute.estimate == pytest.approx(0.05)
    assert comparison.relative is not None
    assert comparison.relative.estimate == pytest.approx(0.25)
    assert comparison.paired is not None and comparison.paired.p_value is not None
    assert comparison.paired.p_value < 0.05 < (comparison.welch.p_value or 0)
    assert comparison.verdict == "unclear"


@pytest.mark.parametrize(
    ("base", "mixed", "verdict"),
    [
        ([0.1, 0.11, 0.12], [0.2, 0.21, 0.22], "gain"),
        ([0.2, 0.21, 0.22], [0.1, 0.11, 0.12], "loss"),
        ([0.1, 0.2, 0.3], [0.12, 0.2, 0.31], "unclear"),
        ([0.1], [0.2, 0.3], "too few"),
    ],
)
def test_verdict(base: list[float], mixed: list[float], verdict: str) -> None:
    runs = [make_run(16, 0, seed, value) for seed, value in enumerate(base)]
    runs += [make_run(16, 64, seed, value) for seed, value in enumerate(mixed)]
    assert compare(group(runs))[0].verdict == verdict
