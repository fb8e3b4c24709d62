"""Run a study: take the next run, train it, write its line; until none is left or time is up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clearcoat import __version__
from clearcoat.errors import (
    ClearcoatError,
    DivergedError,
    OccupiedError,
    TrainingError,
)
from clearcoat.studies.budget import Costs, in_order_of_worth
from clearcoat.studies.figure_5 import Figure5
from clearcoat.studies.ledger import Entry, Ledger, append, figures_of, read_ledger
from clearcoat.studies.locks import Claims
from clearcoat.studies.planning import Progress, plan
from clearcoat.studies.record import write_record
from clearcoat.studies.runs import PlannedRun, StudyPlan
from clearcoat.studies.weights import has_weights, run_folder
from clearcoat.training import Observer, RunFolder, Silent, StoppedError, run_training
from clearcoat.training.environment import device_name, find_device
from clearcoat.training.folder import BEST, ENVIRONMENT, METRICS

_WAIT_S = 2.0


@dataclass(frozen=True)
class Conditions:
    """How a study is run; nothing of it changes a result."""

    device: str = "auto"
    budget_s: float | None = None
    """Seconds after which no run is begun, and the running one is stopped to be gone on with."""
    retry_failed: bool = False
    remake_weights: bool = False
    """Train finished runs once more that lack weights which the study is to keep, or pictures."""
    observer: Observer = field(default_factory=Silent)
    tell: Callable[[str], None] = lambda _: None
    after_run: Callable[[PlannedRun, Entry, Progress], None] = lambda *_: None


@dataclass(frozen=True)
class Outcome:
    """How far a study got."""

    progress: Progress
    complaints: tuple[str, ...]
    runs_here: int
    """Runs that this process finished."""
    ended_by: str
    """`finished`; `budget`, which is spent; or `no_run_fits`, in what is left of it."""
    shortest_s: float | None = None
    """Where no run fits, what the shortest one takes."""
    left_s: float | None = None
    """Where no run fits, what is left of the budget."""


def conduct(study: StudyPlan, out: Path, conditions: Conditions | None = None) -> Outcome:
    """Run what the ledger in `out` lacks, with any number of processes beside this one.

    Raises TrainingError and DatasetError as `run_training` does; what is finished stays.
    """
    conditions = conditions or Conditions()
    worker = _Worker(study, out, conditions)
    write_record(study, out)
    with Claims(out) as claims:
        return worker.work(claims)


def runs_to_remake(study: StudyPlan, out: Path, progress: Progress) -> list[PlannedRun]:
    """Return the finished runs that `remake_weights` would train once more."""
    return _Worker(study, out, Conditions(remake_weights=True)).weightless(progress)


class _Worker:
    """One process at work on a study."""

    def __init__(self, study: StudyPlan, out: Path, conditions: Conditions) -> None:
        self.study, self.out, self.conditions = study, out, conditions
        self.figure_5 = Figure5(study, out)
        self.device = device_name(find_device(conditions.device))
        self.runs_here = 0
        self.told: set[str] = set()
        budget = conditions.budget_s
        self.deadline = None if budget is None else time.monotonic() + budget
        # What failed is tried again once, not for ever.
        self.tried: set[str] = set()
        # Runs whose folders others hold although no claim says so, until the next wait.
        self.occupied: set[str] = set()

    def work(self, claims: Claims) -> Outcome:
        """Take runs until there is none to take."""
        self.figure_5.draw_finished(self._ledger().by_id)
        while True:
            ledger = self._ledger()
            progress = plan(self.study, ledger.entries)
            if self.conditions.remake_weights:
                progress = replace(progress, next=(*progress.next, *self.weightless(progress)))
            if progress.finished:
                return self._outcome("finished")
            left_s = self._left_s()
            if left_s <= 0:
                return self._outcome("budget")
            runs, shortest_s = self._to_take(progress, ledger, left_s)
            if not runs:
                outcome = self._outcome("no_run_fits")
                return replace(outcome, shortest_s=shortest_s, left_s=left_s)
            run = self._claimed(runs, ledger, claims)
            if run is None:
                self._tell_once(
                    "every run that is next is with another process: waiting for one to end"
                )
                time.sleep(_WAIT_S)
                self.occupied.clear()
                continue
            try:
                self._do(run, progress)
            except StoppedError:
                return self._outcome("budget")
            except OccupiedError:
                # As of a process that was cut off from the claims for so long that its own is gone.
                self.occupied.add(run.run_id)
            finally:
                claims.release(run.run_id)

    def _ledger(self) -> Ledger:
        ledger = read_ledger(self.out)
        for complaint in ledger.complaints:
            self._tell_once(complaint)
        return ledger.to_retry(self.tried) if self.conditions.retry_failed else ledger

    def _tell_once(self, text: str) -> None:
        if text not in self.told:
            self.told.add(text)
            self.conditions.tell(text)

    def _to_take(
        self, progress: Progress, ledger: Ledger, left_s: float
    ) -> tuple[Sequence[PlannedRun], float]:
        """Return what fits into the time left, the best first, and how long the shortest run is."""
        if self.deadline is None:
            return progress.next, 0.0
        done = ledger.by_id
        # Where weights must be made first, that is what would be begun.
        first = {run.run_id: self._first_task(run, done) for run in progress.next}
        tasks = {run.run_id: run for run in (*progress.next, *first.values())}
        spent_s = {name: self._spent_s(task) for name, task in tasks.items()}
        costs = Costs(ledger.entries, self.device, spent_s)
        paired = self.study.spec.design == "paired"
        order = in_order_of_worth(progress, costs, paired=paired)
        needed_s = {
            run.run_id: sum(
                costs.left_s(task) or 0.0 for task in dict.fromkeys((first[run.run_id], run))
            )
            for run in order
        }
        fitting = [run for run in order if needed_s[run.run_id] <= left_s]
        if not fitting and not self.runs_here:
            # A run that takes longer than a budget is done in pieces, or it would never be; what
            # is begun goes first, or many would be half done.
            fitting = sorted(order, key=lambda run: not spent_s[first[run.run_id].run_id])
        return fitting, min(needed_s.values())

    def _left_s(self) -> float:
        return math.inf if self.deadline is None else self.deadline - time.monotonic()

    def _spent_s(self, run: PlannedRun) -> float:
        """Return how long it took to get where a run's checkpoint is; 0 where it has none."""
        folder = RunFolder(self._folder(run))
        progress = None if folder.finished else folder.read_progress()
        if progress is None:
            return 0.0
        # Checkpoints of earlier versions have no wall time.
        counted_s = progress["train_s"] + progress["validation_s"]
        return float(max(progress.get("wall_s", 0.0), counted_s))

    def _claimed(
        self, runs: Sequence[PlannedRun], ledger: Ledger, claims: Claims
    ) -> PlannedRun | None:
        """Return the first run that is ready and free, claimed."""
        done = ledger.by_id
        for run in runs:
            task = self._first_task(run, done)
            if task is not run:
                self._require_first_try(task)
            if task.run_id in self.occupied or not claims.take(task.run_id):
                continue
            # Another process may have ended it between our look at the ledger and the claim.
            done = self._ledger().by_id
            ended = task is run and run.run_id in done and not self._remade(run)
            if not ended and self._first_task(run, done) is task:
                return task
            claims.release(task.run_id)
        return None

    def _first_task(self, run: PlannedRun, done: Mapping[str, Entry]) -> PlannedRun:
        """Return the run, or the one whose weights it starts from where these are to be made."""
        if run.start is None or self._has_weights(run.start):
            return run
        started = done.get(run.start.run_id)
        # Nothing comes of a start that failed; the run is written down as failed, too.
        return run.start if started is None or not started.failed else run

    def weightless(self, progress: Progress) -> list[PlannedRun]:
        """Return the finished runs that are to be trained once more for their weights."""
        return [
            run
            for state in progress.states.values()
            for entry in state.entries
            if not entry.failed
            and self._remade(run := state.cell.make(entry.repeat))
            and run.run_id not in self.tried
        ]

    def _require_first_try(self, start: PlannedRun) -> None:
        if start.run_id in self.tried and not self._has_weights(start):
            raise TrainingError(
                f"{start.key}, repeat {start.repeat}, has a score in the ledger and no weights, "
                "and diverges when it is trained again",
                where=self._folder(start),
                do="bring its folder from where it was trained, or run the study into another "
                "--out: here it computes otherwise",
            )

    def _remade(self, run: PlannedRun) -> bool:
        if not self.conditions.remake_weights or self._has_weights(run):
            return False
        keeps = run.starts_others or self.study.spec.keeps_weights(*run.key, run.repeat)
        return keeps or self.figure_5.lacks(run)

    def _do(self, run: PlannedRun, progress: Progress) -> None:
        done = self._ledger().by_id
        try:
            entry = self._train(run, done)
        except DivergedError as error:
            entry = self._entry(run, None, failed=f"{error.what} ({error.where})")
        except OccupiedError:
            raise
        except ClearcoatError as error:
            # It ends the study, which has many runs.
            error.what = f"{run.key}, repeat {run.repeat}: {error.what}"
            raise
        self.tried.add(run.run_id)
        if not run.starts_others and not self.study.spec.keeps_weights(*run.key, run.repeat):
            # Before the line: after a kill between the two nobody would come back for them.
            RunFolder(self._folder(run)).remove(BEST)
        if run.run_id not in done or done[run.run_id].failed:
            append(self.out, entry)
        elif entry.mean_iou != done[run.run_id].mean_iou:
            self.conditions.tell(
                f"{run.key}, repeat {run.repeat}: trained again it scores {entry.mean_iou}, and "
                f"{done[run.run_id].mean_iou} in the ledger, which stays: another machine or "
                "version computes otherwise"
            )
        self.runs_here += 1
        self.conditions.after_run(run, entry, progress)

    def _train(self, run: PlannedRun, done: dict[str, Entry]) -> Entry:
        if run.start is not None:
            started = done.get(run.start.run_id)
            if started is not None and started.failed:
                return self._entry(run, None, failed="the run that it starts from failed")
        folder = self._folder(run)
        wanted = run.starts_others or self._remade(run)
        if (folder / METRICS).exists() and wanted and not self._has_weights(run):
            # Its weights were removed; without a result and a checkpoint it begins anew.
            RunFolder(folder).remove(METRICS)
        metrics = run_training(
            run.config,
            run.sources,
            folder,
            init=None if run.start is None else self._folder(run.start),
            imagenet=run.imagenet,
            device=self.conditions.device,
            observer=self.conditions.observer,
            stop=lambda: self._left_s() <= 0,
            # Thousands of runs, whose weights are dropped: the study has pictures of its own.
            depict=False,
        )
        if metrics["run_id"] != run.run_id:
            raise TrainingError(
                "a run's folder holds another run",
                where=folder,
                do="remove the folder and run the same command again",
            )
        self.figure_5.draw(run)
        return self._entry(run, metrics)

    def _entry(
        self, run: PlannedRun, metrics: dict[str, Any] | None, failed: str | None = None
    ) -> Entry:
        facts: dict[str, Any] = {
            "run_id": run.run_id,
            "study": self.study.kind,
            **run.key._asdict(),
            "repeat": run.repeat,
            "split": run.split,
            "seed": run.config.seed,
            "started_from": None if run.start is None else run.start.run_id,
            "data": {name: data.digest() for name, data in run.sources.named().items()},
            "config": run.config.model_dump(mode="json"),
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "failed": failed,
            "mean_iou": None,
            "versions": {"clearcoat": __version__},
        }
        if metrics is not None:
            facts |= figures_of(metrics, RunFolder(self._folder(run)).read_json(ENVIRONMENT))
        return Entry.model_validate(facts)

    def _folder(self, run: PlannedRun) -> Path:
        return run_folder(self.out, run.run_id)

    def _has_weights(self, run: PlannedRun) -> bool:
        return has_weights(self.out, run.run_id)

    def _outcome(self, ended_by: str) -> Outcome:
        ledger = read_ledger(self.out)
        if cells := self.figure_5.undrawn(ledger.by_id):
            self.conditions.tell(
                f"Fig. 5 lacks images that `qualitative` asks for, of {'; '.join(cells)}: the runs "
                "are done and their weights gone; --remake-weights trains them again and draws "
                "the images"
            )
        return Outcome(
            plan(self.study, ledger.entries), ledger.complaints, self.runs_here, ended_by
        )
