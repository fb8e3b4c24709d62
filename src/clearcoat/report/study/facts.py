"""What a study's folder says: its plan, and the runs of its ledger that count.

The folder is enough: the data sets and the weights may be gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from clearcoat.errors import RunError
from clearcoat.statistics import (
    Interval,
    ScoredRun,
    Stop,
    StoppingRule,
    mean_interval,
    stopping_point,
)
from clearcoat.studies import CellKey, Entry, Ledger, read_ledger
from clearcoat.studies.work import RUNS, STUDY
from clearcoat.training.folder import PER_IMAGE


@dataclass(frozen=True)
class CellFacts:
    """A cell and the runs that count."""

    key: CellKey
    rule: StoppingRule
    stop: Stop
    entries: tuple[Entry, ...]
    """With a score, in order of repeat."""
    failed: int
    """Runs that diverged."""

    @property
    def values(self) -> list[float]:
        """Mean IoU of each run, 0 to 1."""
        return [entry.mean_iou for entry in self.entries if entry.mean_iou is not None]

    @property
    def by_repeat(self) -> dict[int, float]:
        """Mean IoU by number of the repeat."""
        return {e.repeat: e.mean_iou for e in self.entries if e.mean_iou is not None}

    @property
    def interval(self) -> Interval:
        """Mean over the runs, with Student's t interval."""
        return mean_interval(self.values)

    def class_values(self, name: str) -> list[float]:
        """IoU of one class in each run that has one."""
        found = (entry.classes.get(name) for entry in self.entries)
        return [value for value in found if value is not None]


@dataclass(frozen=True)
class StudyFacts:
    """A study as its folder tells it."""

    path: Path
    name: str
    kind: str
    """`supplement` or `transfer`."""
    spec: Mapping[str, Any]
    classes: tuple[str, ...]
    images: Mapping[str, Any]
    paths: Mapping[str, str]
    digests: Mapping[str, Any]
    cells: Mapping[CellKey, CellFacts]
    """Those with a score."""
    planned: int
    """Cells that the study asks for and that can be run."""
    skipped: tuple[tuple[CellKey, str], ...]
    depicted: tuple[tuple[CellKey, str], ...]
    """Cells of Fig. 5, and the name of the file with their predictions."""
    ledger: Ledger
    belonging: frozenset[str] = field(default_factory=frozenset)
    """Ids of ledger lines that count in some cell or start one that does."""

    @property
    def paired(self) -> bool:
        """Whether equal repeats have equal photos."""
        return bool(self.spec["design"] == "paired")

    @property
    def foreign(self) -> int:
        """Ledger lines that belong to other data, other settings or beyond a stopping point."""
        return sum(entry.run_id not in self.belonging for entry in self.ledger.entries)

    def scored_runs(self, cell: CellFacts) -> list[ScoredRun] | None:
        """Return the counts per image of a cell's runs; None where some are not at hand."""
        runs = []
        for entry in cell.entries:
            try:
                text = (self.path / RUNS / entry.run_id[:16] / PER_IMAGE).read_bytes()
                counts = np.array(json.loads(text)["intersection_and_union"], dtype=np.float64)
                runs.append(ScoredRun(entry.split, counts))
            except (OSError, ValueError, KeyError):
                return None
        return runs


def is_study(folder: Path) -> bool:
    """Whether a folder is that of a study."""
    return (folder / STUDY).is_file()


def read_study(folder: Path) -> StudyFacts:
    """Read a study's folder. Raises RunError where it is none or its plan is damaged."""
    file = folder / STUDY
    try:
        plan = json.loads(file.read_bytes())
        return _facts(folder, plan)
    except OSError as error:
        raise RunError(
            "not a study",
            where=folder,
            found=error.strerror,
            expected="the --out folder of `clearcoat study`",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            "a study's plan is damaged",
            where=file,
            found=repr(error),
            do="run the same `clearcoat study` command again: it writes the file anew",
        ) from error


def _facts(folder: Path, plan: Mapping[str, Any]) -> StudyFacts:
    ledger = read_ledger(folder)
    by_name = {entry.run_id[:16]: entry for entry in ledger.entries}
    cells: dict[CellKey, CellFacts] = {}
    belonging: set[str] = set()
    for planned in plan["cells"]:
        cell = _cell(planned, by_name)
        starts = {entry.started_from for entry in cell.entries if entry.started_from}
        belonging |= starts | {entry.run_id for entry in cell.entries}
        if cell.entries:
            cells[cell.key] = cell
    return StudyFacts(
        path=folder,
        name=folder.resolve().name,
        kind=plan["kind"],
        spec=plan["spec"],
        classes=tuple(plan["classes"]),
        images=plan["images"],
        paths=plan["paths"],
        digests=plan["digests"],
        cells=cells,
        planned=len(plan["cells"]),
        skipped=tuple((_key(row), row["why"]) for row in plan["skipped"]),
        depicted=tuple(
            (_key(row), f"{row['runs'][0]}.npz") for row in plan["cells"] if row["depicted"]
        ),
        ledger=ledger,
        belonging=frozenset(belonging),
    )


def _cell(planned: Mapping[str, Any], by_name: Mapping[str, Entry]) -> CellFacts:
    rule = StoppingRule(planned["least"], planned["most"], planned["width"])
    entries: list[Entry] = []
    for name in planned["runs"]:
        if name not in by_name:
            break
        entries.append(by_name[name])
    stop = stopping_point([entry.mean_iou for entry in entries], rule)
    counted = entries[: stop.count]
    return CellFacts(
        key=_key(planned),
        rule=rule,
        stop=stop,
        entries=tuple(entry for entry in counted if entry.mean_iou is not None),
        failed=sum(entry.failed is not None for entry in counted),
    )


def _key(row: Mapping[str, Any]) -> CellKey:
    return CellKey(row["arm"], row["real"], row["synthetic"])
