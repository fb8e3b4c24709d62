"""What a budget is spent on: the runs that tell most per second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clearcoat.studies import (
    GRID_ARM,
    SELF_TRAINED_ARM,
    Entry,
    PlannedRun,
    StudyPlan,
    plan,
)
from clearcoat.studies.budget import Costs, in_order_of_worth

from .conftest import DEVICE, TRAINING, entry, first_runs, key_of, supplement


def test_costs_are_those_of_the_runs_most_like_it(data: Path) -> None:
    study = supplement(data, real_counts=[0, 4, 6, 8])
    small, large = (first_runs(study, key_of(study, real, 0), 2) for real in (4, 8))
    assert Costs([], DEVICE).whole_s(small[0]) is None
    known = [entry(small[0], 0.5, wall_s=10), entry(large[0], 0.5, wall_s=40)]
    costs = Costs(known, DEVICE)
    assert costs.whole_s(small[1]) == pytest.approx(10)
    assert costs.whole_s(large[1]) == pytest.approx(40)
    between = costs.whole_s(first_runs(study, key_of(study, 6, 0), 1)[0])
    assert between is not None and 10 < between < 40
    # Renders alone are trained for half as many steps as photos alone.
    half = costs.whole_s(first_runs(study, key_of(study, 0, 8), 1)[0])
    assert half is not None and 5 <= half <= 20
    # Earlier versions wrote down the wall time of a run's last session alone.
    cut_off = known[1].model_copy(update={"wall_s": 0.5, "train_s": 70.0, "validation_s": 10.0})
    assert Costs([cut_off], DEVICE).whole_s(large[1]) == pytest.approx(80)


def test_lines_of_other_settings_and_devices_do_not_tell_as_if_they_fitted(data: Path) -> None:
    def runs(**changes: Any) -> list[PlannedRun]:
        study = supplement(data, **changes)
        return first_runs(study, key_of(study, 4, 0), 2)

    slow = runs(training=TRAINING | {"max_steps": 200})
    costs = Costs([entry(slow[0], 0.5, wall_s=1000)], DEVICE)
    assert costs.whole_s(runs(training=TRAINING | {"max_steps": 200}, seed=7)[0]) == 1000
    assert costs.whole_s(runs()[0]) == pytest.approx(10)
    assert costs.whole_s(runs(training=TRAINING | {"max_steps": None})[0]) is None
    assert Costs(costs.entries, "another device").whole_s(slow[1]) is None
    # What fits tells by itself.
    fitting = entry(runs()[0], 0.5, wall_s=3)
    assert Costs([*costs.entries, fitting], DEVICE).whole_s(runs()[1]) == 3


def _ledger(
    study: StudyPlan,
    values: dict[tuple[int, int], tuple[float, ...]],
    wall_s: dict[tuple[int, int], float] | None = None,
) -> list[Entry]:
    """Lines of the first repeats of cells, and of all trainings on renders for row 4."""
    lines = [
        entry(run, value, (wall_s or {}).get(counts, 10.0))
        for counts, scores in values.items()
        for run, value in zip(
            first_runs(study, key_of(study, *counts), len(scores)), scores, strict=True
        )
    ]
    starts = [r.start for r in first_runs(study, key_of(study, 4, 8), 9) if r.start is not None]
    return lines + [entry(run, 0.3) for run in starts]


@pytest.mark.parametrize("design", ["paired", "independent"])
def test_a_budget_goes_to_the_open_difference(data: Path, design: str) -> None:
    study = supplement(
        data, repeats={"min": 2, "max": 9, "width": 0.001}, real_counts=[4, 8], design=design
    )
    decided = {(4, 0): (0.10, 0.11), (4, 8): (0.80, 0.82)}
    open_still = {(8, 0): (0.50, 0.51), (8, 8): (0.50, 0.52)}
    lines = _ledger(study, decided | open_still)
    if design == "independent":
        runs = first_runs(study, key_of(study, 8, 8), 9)
        lines += [entry(run.start, 0.3) for run in runs if run.start is not None]
    order = in_order_of_worth(plan(study, lines), Costs(lines, DEVICE), paired=design == "paired")
    assert [run.key.real for run in order] == [8, 8, 4, 4]
    # Before every cell has two runs, nothing is compared.
    first = in_order_of_worth(
        plan(study, lines[2:]), Costs(lines[2:], DEVICE), paired=design == "paired"
    )
    assert tuple(first[0].key[1:]) == (4, 0)


def test_a_paired_run_without_its_partner_is_worth_nothing(data: Path) -> None:
    study = supplement(data, repeats={"min": 2, "max": 9, "width": 0.001}, real_counts=[4, 8])
    ahead = {(4, 0): (0.50, 0.52), (4, 8): (0.51, 0.54, 0.50, 0.53, 0.49, 0.55)}
    even = {(8, 0): (0.60, 0.62, 0.61, 0.63, 0.60), (8, 8): (0.61, 0.62, 0.63, 0.62, 0.60)}
    lines = _ledger(study, ahead | even)
    order = in_order_of_worth(plan(study, lines), Costs(lines, DEVICE), paired=True)
    # The baseline's next run finds its partner; one more of the mix that is ahead finds none.
    assert [tuple(run.key[1:]) for run in order] == [(4, 0), (8, 0), (8, 8), (4, 8)]
    # A design without pairs is narrowed by either.
    order = in_order_of_worth(plan(study, lines), Costs(lines, DEVICE), paired=False)
    assert tuple(order[-1].key[1:]) != (4, 8)


def test_two_paired_runs_are_worth_what_they_tell_over_what_both_cost(data: Path) -> None:
    study = supplement(data, repeats={"min": 2, "max": 9, "width": 0.001}, real_counts=[4, 8])
    wall_s = {(4, 0): 10.0, (4, 8): 1000.0, (8, 0): 100.0, (8, 8): 100.0}
    lines = _ledger(study, {key: (0.50, 0.51 if key[1] else 0.52) for key in wall_s}, wall_s)
    order = in_order_of_worth(plan(study, lines), Costs(lines, DEVICE), paired=True)
    # The cheapest run of all is of no use without the dearest.
    assert [tuple(run.key[1:]) for run in order] == [(8, 0), (8, 8), (4, 0), (4, 8)]
    # Once it is done, its partner is worth as much for its own time alone.
    lines.append(entry(first_runs(study, key_of(study, 8, 0), 3)[2], 0.5, wall_s=100.0))
    order = in_order_of_worth(plan(study, lines), Costs(lines, DEVICE), paired=True)
    assert tuple(order[0].key[1:]) == (8, 8)


def test_photos_without_labels_are_compared_with_the_same_cell_without(data: Path) -> None:
    study = supplement(
        data, repeats={"min": 2, "max": 9, "width": 0.001}, real_counts=[4, 8],
        self_training={"real": [8], "synthetic": [8]}, qualitative=None,
    )  # fmt: skip
    scores = {(4, 0): (0.1, 0.11), (4, 8): (0.8, 0.82), (8, 0): (0.1, 0.11), (8, 8): (0.8, 0.82)}
    lines = _ledger(study, scores)
    own = next(cell for cell in study.cells if cell.key.arm == SELF_TRAINED_ARM)
    runs = [own.make(repeat) for repeat in range(9)]
    lines += [entry(run, score) for run, score in zip(runs, (0.81, 0.82), strict=False)]
    order = in_order_of_worth(plan(study, lines), Costs(lines, DEVICE), paired=True)
    # All but what such photos bring is as good as decided.
    assert {run.key for run in order[:2]} == {own.key, own.key._replace(arm=GRID_ARM)}
