"""Which run to take next when time is short: the one that tells most per second.

What a study is asked for is differences: each cell against the cell of the same arm or row without
renders. How much a narrower interval of a difference is worth depends on how open it still is. In
an independent design the interval narrows with the next run of either cell; in a paired one with
the next repeat that both have, whatever more runs one of them has alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

from clearcoat.studies.ledger import Entry, RunSettings
from clearcoat.studies.planning import Progress
from clearcoat.studies.runs import SELF_TRAINED_ARM, CellKey, PlannedRun

_OF_A_REPEAT = ("seed", "real_count", "synthetic_count")
"""Keys of a config in which runs of the same settings differ."""
_NEIGHBOURS = 4
_UNKNOWN_SPREAD = 0.05
"""Standard deviation of mean IoU, or of a paired difference, that is taken before any is shown."""
_CLOSE_CALL_SE = 3.0
"""Standard errors from zero beyond which a difference is as good as decided."""
_LEAST_S = 1.0
"""Seconds of a run of which nothing is known, or that has as good as ended."""


@dataclass(frozen=True)
class Costs:
    """What runs take here, as far as the ledger's lines tell."""

    entries: Sequence[Entry]
    device: str
    """Its name. Lines that were written on another one tell nothing."""
    spent_s: Mapping[str, float] = field(default_factory=dict)
    """What runs that were cut off have behind them, by id."""

    def whole_s(self, run: PlannedRun) -> float | None:
        """Seconds that a run takes from its first step to its score; None where no line tells.

        Lines of the same settings tell, those of the same cell before those of the nearest; where
        there are none, lines of other settings in proportion to the limits of steps.
        """
        alike = self._by_settings.get(_settings(run.config.model_dump(mode="json")), [])
        same = [_took_s(e) for e in alike if (e.arm, e.real, e.synthetic) == tuple(run.key)]
        if same:
            return sum(same) / len(same)
        if alike:
            return _from_nearest(run, [(entry, _took_s(entry)) for entry in alike])
        limit = RunSettings.model_validate(run.config.model_dump()).step_limit
        if limit is None:
            return None
        others = (entry for lines in self._by_settings.values() for entry in lines)
        scaled = [
            (entry, _took_s(entry) * limit / entry.settings.step_limit)
            for entry in others
            if entry.settings.step_limit
        ]
        return _from_nearest(run, scaled) if scaled else None

    def left_s(self, run: PlannedRun) -> float | None:
        """Seconds that a run still takes where it was cut off; None where no line tells."""
        whole = self.whole_s(run)
        return None if whole is None else max(_LEAST_S, whole - self.spent_s.get(run.run_id, 0.0))

    @cached_property
    def _by_settings(self) -> Mapping[str, Sequence[Entry]]:
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.failed is None and entry.device == self.device and _took_s(entry) > 0:
                found.setdefault(_settings(entry.config), []).append(entry)
        return found


def _settings(config: Mapping[str, Any]) -> str:
    """Return what of a run's config makes it long or short beside its images, to compare."""
    return json.dumps({k: v for k, v in config.items() if k not in _OF_A_REPEAT}, sort_keys=True)


def _took_s(entry: Entry) -> float:
    # Of a run that was cut off, earlier versions wrote down the wall time of its last session.
    return max(entry.wall_s, entry.train_s + entry.validation_s)


def _from_nearest(run: PlannedRun, took_s: Sequence[tuple[Entry, float]]) -> float:
    kind = [
        (entry, seconds)
        for entry, seconds in took_s
        if (entry.started_from is None) == (run.start is None)
    ]
    near = sorted(kind or took_s, key=lambda line: _distance(run.key, line[0]))[:_NEIGHBOURS]
    weights = [1 / (0.1 + _distance(run.key, entry)) for entry, _ in near]
    logs = [math.log(seconds) for _, seconds in near]
    return math.exp(sum(w * x for w, x in zip(weights, logs, strict=True)) / sum(weights))


def in_order_of_worth(progress: Progress, costs: Costs, *, paired: bool) -> tuple[PlannedRun, ...]:
    """Return the planned runs, those that change the answer most per second first.

    Cells without two runs come before all others, in rounds: without them there is no interval
    to narrow. `paired`: equal repeats belong together, so that a run tells by itself only where
    the other cell has its repeat; where both cells are still to be run, the two runs together are
    worth what they narrow over what both cost. A pretraining run is worth what the best of the
    runs is that wait for it.
    """
    differences = _Differences(progress, paired=paired)
    done = {entry.run_id for entry in costs.entries}
    planned = [run for run in progress.next if run.key in progress.states]
    before_s = {
        run.run_id: costs.left_s(run.start) or _LEAST_S
        for run in planned
        if run.start is not None and run.start.run_id not in done
    }
    cost_s = {
        run.run_id: (costs.left_s(run) or _LEAST_S) + before_s.get(run.run_id, 0.0)
        for run in planned
    }
    alone = {run.run_id: differences.narrowed(run) for run in planned}
    worth = {name: value / cost_s[name] for name, value in alone.items()}
    if paired:
        for one, other in combinations(planned, 2):
            if one.repeat != other.repeat or not _compared(one.key, other.key):
                continue
            both = differences.narrowed_by_pair(one.key, other.key)
            for name in (one.run_id, other.run_id):
                share = (alone[name] + both) / (cost_s[one.run_id] + cost_s[other.run_id])
                worth[name] = max(worth[name], share)
    for run in planned:
        if run.start is not None and run.run_id in before_s:
            start = run.start.run_id
            worth[start] = max(worth[run.run_id], worth.get(start, 0.0))
    rank = {run.run_id: place for place, run in enumerate(progress.next)}

    def key(run: PlannedRun) -> tuple[int, float, int]:
        first_rounds = min(run.repeat, 2)
        return first_rounds, -worth.get(run.run_id, 0.0) * (first_rounds == 2), rank[run.run_id]

    return tuple(sorted(progress.next, key=key))


class _Differences:
    """The differences that a study is asked for, and how much of their variance runs take away.

    What a run is worth is a sum over the differences of its cell: variance gained × openness.
    """

    def __init__(self, progress: Progress, *, paired: bool) -> None:
        self.paired = paired
        self.scores = {
            key: {e.repeat: e.mean_iou for e in state.entries if e.mean_iou is not None}
            for key, state in progress.states.items()
        }
        self.spread = _spread(scores.values() for scores in self.scores.values())
        self.spread_of_pairs = _spread(
            self._pairs(a, b) for a, b in combinations(self.scores, 2) if _compared(a, b)
        )

    def narrowed(self, run: PlannedRun) -> float:
        """Return what a run takes away by itself."""
        gained = _gained(self.scores[run.key].values(), self.spread)
        others = [other for other in self.scores if _compared(run.key, other)]
        if not others:
            return gained
        if not self.paired:
            return gained * sum(self._openness(run.key, other) for other in others)
        return sum(
            self.narrowed_by_pair(run.key, other)
            for other in others
            if run.repeat in self.scores[other]
        )

    def narrowed_by_pair(self, a: CellKey, b: CellKey) -> float:
        """Return what one more repeat that both cells have takes away from their difference."""
        return _gained(self._pairs(a, b), self.spread_of_pairs) * self._openness(a, b)

    def _pairs(self, a: CellKey, b: CellKey) -> list[float]:
        ours, theirs = self.scores[a], self.scores[b]
        return [ours[repeat] - theirs[repeat] for repeat in sorted(ours.keys() & theirs.keys())]

    def _openness(self, a: CellKey, b: CellKey) -> float:
        """1 where a difference is undecided, towards 0 where it is many standard errors from 0."""
        if self.paired:
            pairs = self._pairs(a, b)
            if len(pairs) < 2:
                return 1.0
            difference, variance = _mean(pairs), _variance(pairs, self.spread_of_pairs)
        else:
            ours, theirs = self.scores[a].values(), self.scores[b].values()
            if len(ours) < 2 or len(theirs) < 2:
                return 1.0
            difference = _mean(ours) - _mean(theirs)
            variance = _variance(ours, self.spread) + _variance(theirs, self.spread)
        error = max(math.sqrt(variance), 1e-9)
        return math.exp(-0.5 * (difference / error / _CLOSE_CALL_SE) ** 2)


def _compared(key: CellKey, other: CellKey) -> bool:
    if key == other or key.real != other.real:
        return False
    if key.arm == other.arm:
        return 0 in (key.synthetic, other.synthetic)
    if SELF_TRAINED_ARM in (key.arm, other.arm):
        # With the same cell without photos without labels, and with its control.
        return key.synthetic == other.synthetic
    return "control" in (key.arm, other.arm)


def _gained(values: Collection[float], spread: float) -> float:
    return _variance(values, spread) - _variance(values, spread, more=1)


def _variance(values: Collection[float], spread: float, *, more: int = 0) -> float:
    """Squared standard error of a mean with so many more values, its spread shrunk to `spread`."""
    degrees = max(0, len(values) - 1)
    shrunk = (_squares(values) + 2 * spread**2) / (degrees + 2)
    return shrunk / max(1, len(values) + more)


def _spread(samples: Iterable[Collection[float]]) -> float:
    """Standard deviation within samples, pooled over all of them."""
    several = [values for values in samples if len(values) > 1]
    degrees = sum(len(values) - 1 for values in several)
    return math.sqrt(sum(map(_squares, several)) / degrees) if degrees else _UNKNOWN_SPREAD


def _squares(values: Collection[float]) -> float:
    return sum((value - _mean(values)) ** 2 for value in values)


def _mean(values: Collection[float]) -> float:
    return sum(values) / len(values)


def _distance(key: CellKey, entry: Entry) -> float:
    counts = math.hypot(
        math.log2(1 + key.real) - math.log2(1 + entry.real),
        math.log2(1 + key.synthetic) - math.log2(1 + entry.synthetic),
    )
    return counts + 2.0 * (key.arm != entry.arm)
