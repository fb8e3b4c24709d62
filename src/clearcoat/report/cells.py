"""Runs grouped into cells (real count × synthetic count) and compared along a row.

Runs fall into one cell only if nothing but their seed differs. How real and synthetic images
are mixed says nothing about a run on one kind, so a run without renders is the baseline of
every mix.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from clearcoat.report.facts import RunFacts
from clearcoat.statistics import (
    Interval,
    OneSidedTest,
    difference_interval,
    holm,
    mean_interval,
    paired_one_sided,
    relative_gain,
    welch_one_sided,
)
from clearcoat.training import AUGMENTATIONS, SelfTraining

SIGNIFICANT = 0.05
_COUNTS = ("real_count", "synthetic_count", "seed")
_MIXING = ("mix", "real_share", "pretrain_max_steps", "tuning_rate")
_BUDGET = frozenset(
    (
        *("max_steps", "max_epochs", "min_steps_per_epoch", "batch_size", "learning_rate"),
        *("schedule", "plateau_epochs", "warmup_steps", "ema_decay", "patience_epochs"),
        *("stop_on", "validation_source", "validation_count"),
        *("precision", "channels_last", "compile", "cuda_graphs"),
    )
)
"""Settings of how long a model is trained, when that ends and how it is computed."""

Settings = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Cell:
    """Runs that differ in nothing but the seed."""

    label: str
    real: int
    synthetic: int
    mixing: Settings
    """How both kinds are mixed and which renders they are; empty with one kind only."""
    settings: Settings
    """Everything else that was chosen."""
    scored_on: str
    runs: tuple[RunFacts, ...]
    """Those with a score, by seed."""

    @property
    def values(self) -> list[float]:
        """Mean IoU of each run, 0 to 1."""
        return [run.mean_iou for run in self.runs if run.mean_iou is not None]

    @property
    def independent(self) -> list[float]:
        """Mean IoU of runs that share no start; those that start from one run are one, at their
        mean: its luck is in all of them (docs/decisions/0122-statistics.md)."""
        by_start: dict[str, list[float]] = defaultdict(list)
        for run in self.runs:
            by_start[_start(run) or run.run_id].append(run.mean_iou or 0.0)
        return [fmean(values) for values in by_start.values()]

    @property
    def interval(self) -> Interval:
        """Mean IoU over the independent ones."""
        return mean_interval(self.independent)

    @property
    def best(self) -> RunFacts:
        """The run with the highest mean IoU."""
        return max(self.runs, key=lambda run: run.mean_iou or 0.0)


@dataclass(frozen=True)
class Comparison:
    """A cell with renders against the same number of real images without."""

    cell: Cell
    baseline: Cell
    absolute: Interval
    """Difference of the means of mean IoU."""
    relative: Interval | None
    welch: OneSidedTest
    gain_p: float | None
    """Of Welch's test, adjusted over all comparisons (Holm)."""
    loss_p: float | None
    """The same for a loss."""
    paired: OneSidedTest | None
    """Over runs of equal seed and equal real images; None unless there are two such pairs."""
    differences: str
    """Settings in which the two differ besides the renders, in words; usually none."""

    @property
    def verdict(self) -> str:
        """`gain`, `loss`, `unclear`, or `too few` runs to tell.

        What is shown is so at 5 % among all comparisons: one of many is always the luckiest.
        """
        if self.gain_p is None or self.loss_p is None:
            return "too few"
        if self.gain_p < SIGNIFICANT:
            return "gain"
        return "loss" if self.loss_p < SIGNIFICANT else "unclear"


def group(runs: Sequence[RunFacts]) -> tuple[Cell, ...]:
    """Return the cells of the scored runs, by real count, synthetic count and settings.

    Of copies of a run the first counts: the same training again is no further seed.
    """
    trained: dict[tuple[str, str], RunFacts] = {}
    for run in runs:
        if run.mean_iou is not None:
            trained.setdefault((_training(run), run.scored_on), run)
    scored = list(trained.values())
    real_sets = {run.data["real"] for run in scored if run.data and "real" in run.data}
    only_real = real_sets.pop() if len(real_sets) == 1 else None
    found: dict[tuple[Any, ...], list[RunFacts]] = defaultdict(list)
    for run in scored:
        key = (run.real, run.synthetic, _mixing(run), _settings(run, only_real), run.scored_on)
        found[key].append(run)
    keys = sorted(found)
    return tuple(
        Cell(
            label=label,
            real=key[0],
            synthetic=key[1],
            mixing=key[2],
            settings=key[3],
            scored_on=key[4],
            runs=tuple(sorted(found[key], key=lambda run: (run.seed or 0, run.name))),
        )
        for key, label in zip(keys, _labels(keys, scored), strict=True)
    )


def _start(run: RunFacts) -> str | None:
    """Id of the run whose weights this one starts from."""
    return (run.data or {}).get("init")


def _training(run: RunFacts) -> str:
    """Return what tells trainings apart: other photos to score on afterwards make no other one."""
    data = dict(run.data or {})
    if data.pop("test", None) is None or run.config is None or run.config.get("mode") == "paper":
        return run.run_id
    return json.dumps([run.config, data], sort_keys=True)


def compare(cells: Sequence[Cell]) -> tuple[Comparison, ...]:
    """Return every cell with renders beside its baseline, where it has one."""
    mixes = ((cell, _baseline(cell, cells)) for cell in cells if cell.synthetic and cell.real)
    pairs = [(cell, base) for cell, base in mixes if base is not None]
    tests = [welch_one_sided(cell.independent, base.independent) for cell, base in pairs]
    gains = holm([test.p_value for test in tests])
    losses = holm([None if test.p_value is None else 1 - test.p_value for test in tests])
    return tuple(
        _comparison(cell, base, welch, gain_p, loss_p)
        for (cell, base), welch, gain_p, loss_p in zip(pairs, tests, gains, losses, strict=True)
    )


def _comparison(
    cell: Cell, baseline: Cell, welch: OneSidedTest, gain_p: float | None, loss_p: float | None
) -> Comparison:
    a, b = cell.independent, baseline.independent
    pairs = _pairs(cell, baseline)
    return Comparison(
        cell=cell,
        baseline=baseline,
        absolute=difference_interval(a, b),
        relative=relative_gain(a, b),
        welch=welch,
        gain_p=gain_p,
        loss_p=loss_p,
        paired=paired_one_sided(*zip(*pairs, strict=True)) if len(pairs) > 1 else None,
        differences=_differences(dict(cell.settings), dict(baseline.settings)),
    )


def _baseline(cell: Cell, cells: Sequence[Cell]) -> Cell | None:
    candidates = [
        other
        for other in cells
        if other.real == cell.real and not other.synthetic and other.scored_on == cell.scored_on
    ]
    same = [other for other in candidates if other.settings == cell.settings]
    if same:
        return same[0]
    # Another training budget for the mix is a fair thing to try: it is compared, and said. What
    # another model, size or loss brings would pass for a gain of the renders.
    free = _BUDGET | ({"initialisation"} if "started from" in dict(cell.mixing) else set())
    return (
        candidates[0] if len(candidates) == 1 and _differing(cell, candidates[0]) <= free else None
    )


def _differing(cell: Cell, other: Cell) -> set[str]:
    """Return the settings in which two cells differ."""
    return {name for name, _ in {*cell.settings} ^ {*other.settings}}


def _pairs(cell: Cell, baseline: Cell) -> list[tuple[float, float]]:
    """Scores of both over runs of one seed and the same photos; pairs that share a start are one,
    at their means."""

    def by_seed(runs: Sequence[RunFacts]) -> dict[Any, RunFacts]:
        numbers = [
            (run.seed, tuple(run.image_numbers["real"] if run.image_numbers else ()))
            for run in runs
        ]
        return {key: run for key, run in zip(numbers, runs, strict=True) if numbers.count(key) == 1}

    ours, theirs = by_seed(cell.runs), by_seed(baseline.runs)
    by_start: dict[Any, list[tuple[float, float]]] = defaultdict(list)
    for key in sorted(ours.keys() & theirs.keys()):
        start = _start(ours[key]) or _start(theirs[key]) or key
        by_start[start].append((ours[key].mean_iou or 0.0, theirs[key].mean_iou or 0.0))
    return [(fmean(a for a, _ in pairs), fmean(b for _, b in pairs)) for pairs in by_start.values()]


def _mixing(run: RunFacts) -> Settings:
    if not run.synthetic or run.config is None:
        return ()
    before = run.before or {}
    chosen = {"renders": (run.data or {}).get("synthetic") or before.get("renders") or ""}
    if run.real:
        chosen |= {name: _text(name, run.config.get(name)) for name in _MIXING}
    if run.before is not None:
        # Seeds may start from runs of their own; what counts is what those runs have seen.
        chosen["started from"] = f"{run.before['steps']:,} steps on " + counts_label(
            run.before["real"], run.before["synthetic"]
        )
        if without := run.before.get("unlabelled"):
            chosen["started from"] += f" + {without:,} photos without labels"
    return tuple(sorted(chosen.items()))


def _settings(run: RunFacts, only_real: str | None) -> Settings:
    config, data = run.config or {}, run.data or {}
    chosen: dict[str, str] = {}
    for name, value in config.items():
        if name == "model":
            chosen |= {f"model {key}": _text(key, item) for key, item in value.items()}
        elif name not in (*_COUNTS, *_MIXING):
            chosen[name] = _text(name, value)
    chosen["photos"] = data.get("real", only_real or "")
    chosen["validation photos"] = data.get("validation", "")
    chosen["photos without labels"] = data.get("unlabelled", "")
    if run.before is not None and not run.synthetic:
        chosen["started from"] = data.get("init", "")
    return tuple(sorted(chosen.items()))


def _text(name: str, value: Any) -> str:
    if name == "augment":
        for preset, augmentation in AUGMENTATIONS.items():
            if value == augmentation.model_dump(mode="json"):
                return preset
    if name == "self_training" and isinstance(value, dict):
        text = f"from {value.get('confidence')} on for {value.get('max_steps')} steps"
        augment = value.get("augment")
        usual = SelfTraining().augment.model_dump(mode="json")
        if value.get("control"):
            text = f"control of {text}"
        return text if augment == usual else f"{text}, augmented {_text('augment', augment)}"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _labels(keys: Sequence[tuple[Any, ...]], runs: Sequence[RunFacts]) -> list[str]:
    """Name each cell by its counts, and by what else tells it from others of those counts."""
    named = {
        digest: (run.paths or {}).get(role, digest[:8])
        for run in runs
        for role, digest in (run.data or {}).items()
    }
    labels = []
    for key in keys:
        twins = [_choices(other) for other in keys if other[:2] == key[:2]]
        own = _choices(key)
        shown = []
        for name in _telling(twins):
            values = [twin.get(name, "") for twin in twins]
            value = own.get(name, "")
            # What most of them share goes without saying; the rest still tells all apart.
            if value != max(dict.fromkeys(values), key=values.count):
                shown.append(f"{name} {named.get(value, value) or 'none'}")
        labels.append(" · ".join([counts_label(key[0], key[1]), *shown]))
    return labels


def _choices(key: tuple[Any, ...]) -> dict[str, str]:
    return {**dict(key[2]), **dict(key[3]), "scored on": key[4]}


def _telling(twins: Sequence[Mapping[str, str]]) -> list[str]:
    """Return few settings by which all of these differ from each other, the best first."""
    names = sorted({name for twin in twins for name in twin})
    chosen: list[str] = []

    def told_apart(by: Sequence[str]) -> int:
        return len({tuple(twin.get(name, "") for name in by) for twin in twins})

    while told_apart(chosen) < len(twins):
        chosen.append(max(names, key=lambda name: told_apart([*chosen, name])))
    return chosen


def counts_label(real: int, synthetic: int) -> str:
    """Return a cell's counts in words."""
    return f"{real:,} real + {synthetic:,} synthetic"


def _differences(first: Mapping[str, str], second: Mapping[str, str]) -> str:
    names = [name for name in first if first[name] != second.get(name)]
    return ", ".join(f"{name} {first[name]} against {second.get(name)}" for name in names)
