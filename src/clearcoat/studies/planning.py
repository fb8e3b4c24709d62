"""What to run next: a pure function of the study and its ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from clearcoat.statistics import Stop, StoppingRule, stopping_point
from clearcoat.studies.ledger import Entry
from clearcoat.studies.runs import CellKey, CellPlan, PlannedRun, StudyPlan


@dataclass(frozen=True)
class CellState:
    """How far a cell is."""

    cell: CellPlan
    entries: tuple[Entry, ...]
    """Its runs without a gap, in order of repeat: those that count."""
    stop: Stop
    next: tuple[PlannedRun, ...]
    """Runs that are surely needed, the first first; one more may then decide, or none."""

    @property
    def values(self) -> list[float]:
        """Mean IoU of the runs that count."""
        return [entry.mean_iou for entry in self.entries if entry.mean_iou is not None]


@dataclass(frozen=True)
class Progress:
    """How far a study is."""

    states: Mapping[CellKey, CellState]
    next: tuple[PlannedRun, ...]
    """Every run that can be started or must be waited for, in the order to take them."""
    foreign: int
    """Ledger lines that belong to other data, another config or a cell no longer asked for."""

    @property
    def finished(self) -> bool:
        """Whether every cell has stopped."""
        return not self.next


def plan(study: StudyPlan, entries: Sequence[Entry]) -> Progress:
    """Return what is done and what to run next.

    Runs come in rounds, repeat by repeat over all cells, small cells first: wherever a study is
    cut off, all cells have about equally many runs.
    """
    done = {entry.run_id: entry for entry in entries}
    states = {cell.key: cell_state(cell, done) for cell in study.cells}
    wanted: dict[str, PlannedRun] = {}
    rounds = [run for state in states.values() for run in state.next]
    for run in sorted(rounds, key=lambda run: (run.repeat, run.key.synthetic + run.key.real)):
        if run.start is not None and run.start.run_id not in done:
            wanted.setdefault(run.start.run_id, run.start)
        wanted.setdefault(run.run_id, run)
    known = {run.run_id for state in states.values() for run in _made(state, done)}
    return Progress(states, tuple(wanted.values()), sum(e.run_id not in known for e in entries))


def cell_state(cell: CellPlan, done: Mapping[str, Entry]) -> CellState:
    """Return how far a cell is, and what its rule asks for next."""
    names = (cell.make(repeat).run_id for repeat in range(cell.rule.most))
    entries, stop = counted(names, done, cell.rule)
    coming: tuple[PlannedRun, ...] = ()
    if stop.state == "open":
        # Below the least number all are needed; beyond it, each result decides about the next.
        last = max(cell.rule.least, len(entries) + 1)
        runs = (cell.make(repeat) for repeat in range(len(entries), last))
        coming = tuple(run for run in runs if run.run_id not in done)
    return CellState(cell, entries, stop, coming)


def counted(
    names: Iterable[str], done: Mapping[str, Entry], rule: StoppingRule
) -> tuple[tuple[Entry, ...], Stop]:
    """Apply the stopping rule: the runs of a cell that count, and where the rule stands.

    `names` are those of all its runs, in order of repeat, as `done` has them. What comes after the
    first that is not done counts no more than what comes after the point of stopping.
    """
    entries: list[Entry] = []
    for repeat, name in enumerate(names):
        if name not in done:
            break
        # A line that was written under another `seed` may be another repeat of this study.
        entries.append(done[name].model_copy(update={"repeat": repeat}))
    stop = stopping_point([entry.mean_iou for entry in entries], rule)
    return tuple(entries[: stop.count]), stop


def _made(state: CellState, done: Mapping[str, Entry]) -> list[PlannedRun]:
    runs = (state.cell.make(repeat) for repeat in range(state.cell.rule.most))
    made = []
    for run in runs:
        if run.start is not None:
            made.append(run.start)
        if run.run_id in done:
            made.append(run)
    return made
