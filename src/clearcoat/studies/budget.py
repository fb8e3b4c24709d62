"""Which run to take next when time is short: the one that tells most per second.

What a study is asked for is differences: each cell against the cell of the same arm or row without
renders. The interval of a difference narrows with the next run of either cell; how much that is
worth depends on how open the difference still is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from clearcoat.studies.ledger import Entry
from clearcoat.studies.planning import CellState, Progress
from clearcoat.studies.runs import CellKey, PlannedRun

_NEIGHBOURS = 4
_UNKNOWN_SPREAD = 0.05
"""Standard deviation of mean IoU between runs that is taken before any cell has shown its own."""
_CLOSE_CALL_SE = 3.0
"""Standard errors from zero beyond which a difference is as good as decided."""


def expected_cost_s(run: PlannedRun, entries: Sequence[Entry]) -> float | None:
    """Seconds that a run will take, from the runs most like it; None before any has finished."""
    known = [entry for entry in entries if entry.failed is None and entry.wall_s > 0]
    same = [e.wall_s for e in known if (e.arm, e.real, e.synthetic) == tuple(run.key)]
    if same:
        return sum(same) / len(same)
    kind = [e for e in known if (e.started_from is None) == (run.start is None)] or known
    if not kind:
        return None
    near = sorted(kind, key=lambda entry: _distance(run.key, entry))[:_NEIGHBOURS]
    weights = [1 / (0.1 + _distance(run.key, entry)) for entry in near]
    logs = [math.log(entry.wall_s) for entry in near]
    return math.exp(sum(w * x for w, x in zip(weights, logs, strict=True)) / sum(weights))


def in_order_of_worth(progress: Progress, entries: Sequence[Entry]) -> tuple[PlannedRun, ...]:
    """Return the planned runs, those that change the answer most per second first.

    Cells without two runs come before all others, in rounds: without them there is no interval
    to narrow. A pretraining run is worth what the best of the runs is that wait for it.
    """
    spread = _spread(progress.states)
    done = {entry.run_id for entry in entries}
    worth: dict[str, float] = {}
    for run in progress.next:
        if run.key not in progress.states:
            continue
        value = _worth(run, progress.states, spread)
        cost = expected_cost_s(run, entries) or 1.0
        if run.start is not None and run.start.run_id not in done:
            cost += expected_cost_s(run.start, entries) or 1.0
            share = value / cost
            worth[run.start.run_id] = max(share, worth.get(run.start.run_id, 0.0))
        worth[run.run_id] = max(value / cost, worth.get(run.run_id, 0.0))
    rank = {run.run_id: place for place, run in enumerate(progress.next)}

    def key(run: PlannedRun) -> tuple[int, float, int]:
        first_rounds = min(run.repeat, 2)
        return first_rounds, -worth.get(run.run_id, 0.0) * (first_rounds == 2), rank[run.run_id]

    return tuple(sorted(progress.next, key=key))


def baseline_of(key: CellKey) -> CellKey:
    """Return the cell that a cell of a grid is compared with."""
    return key._replace(synthetic=0)


def _worth(run: PlannedRun, states: Mapping[CellKey, CellState], spread: float) -> float:
    """Sum over the differences that the run's cell is part of: variance gained × openness."""
    key = run.key
    gained = _variance(states[key], spread, more=0) - _variance(states[key], spread, more=1)
    partners = [other for other in states if _compared(key, other)]
    if not partners:
        return gained
    return gained * sum(_openness(states[key], states[o], spread) for o in partners)


def _compared(key: CellKey, other: CellKey) -> bool:
    if key == other or key.real != other.real:
        return False
    if key.arm == other.arm:
        return 0 in (key.synthetic, other.synthetic)
    return "control" in (key.arm, other.arm)


def _openness(a: CellState, b: CellState, spread: float) -> float:
    """1 where a difference is undecided, towards 0 where it is many standard errors from zero."""
    if len(a.values) < 2 or len(b.values) < 2:
        return 1.0
    difference = sum(a.values) / len(a.values) - sum(b.values) / len(b.values)
    error = math.sqrt(_variance(a, spread, more=0) + _variance(b, spread, more=0))
    return math.exp(-0.5 * (difference / max(error, 1e-9) / _CLOSE_CALL_SE) ** 2)


def _variance(state: CellState, spread: float, *, more: int) -> float:
    """Squared standard error of a cell's mean with so many more runs, its spread shrunk to all."""
    count = len(state.values)
    own = 0.0
    if count > 1:
        mean = sum(state.values) / count
        own = sum((value - mean) ** 2 for value in state.values)
    shrunk = (own + 2 * spread**2) / (max(0, count - 1) + 2)
    return shrunk / max(1, count + more)


def _spread(states: Mapping[CellKey, CellState]) -> float:
    squares, degrees = 0.0, 0
    for state in states.values():
        if len(state.values) > 1:
            mean = sum(state.values) / len(state.values)
            squares += sum((value - mean) ** 2 for value in state.values)
            degrees += len(state.values) - 1
    return math.sqrt(squares / degrees) if degrees else _UNKNOWN_SPREAD


def _distance(key: CellKey, entry: Entry) -> float:
    counts = math.hypot(
        math.log2(1 + key.real) - math.log2(1 + entry.real),
        math.log2(1 + key.synthetic) - math.log2(1 + entry.synthetic),
    )
    return counts + 2.0 * (key.arm != entry.arm)
