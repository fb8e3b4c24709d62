"""What a study's folder says: its plan, and the runs of its ledger that count.

The folder is enough: the data sets and the weights may be gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from clearcoat.statistics import (
    Interval,
    ScoredRun,
    Stop,
    StoppingRule,
    mean_interval,
)
from clearcoat.studies import CellKey, Confirmation, Entry, Ledger, read_ledger
from clearcoat.studies.confirming import untouched_file
from clearcoat.studies.record import (
    RUNS,
    STUDY,
    RecordedDigests,
    RecordedImages,
    RecordedSettings,
    StudyRecord,
    entries_by_name,
    read_record,
)
from clearcoat.training.folder import PER_IMAGE

_ALIKE = 1e-6
"""By how much a score may differ from that of its own counts, for rounding."""


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
    def scores(self) -> list[float]:
        """Mean IoU of each run, 0 to 1."""
        return [entry.mean_iou for entry in self.entries if entry.mean_iou is not None]

    @property
    def values(self) -> list[float]:
        """Independent scores: runs that go on from the same run count as one, at their mean.

        What they start from is a part of chance that they share; docs/decisions/0122-statistics.md.
        """
        return means(self.independent)

    @property
    def independent(self) -> list[list[Entry]]:
        """The runs, those together that go on from the same run."""
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries:
            groups.setdefault(entry.started_from or entry.run_id, []).append(entry)
        return list(groups.values())

    @property
    def interval(self) -> Interval:
        """Mean of the independent scores, with Student's t interval."""
        return mean_interval(self.values)

    def showing(self, name: str) -> CellFacts:
        """Return the cell with those of its runs alone that have an IoU of this class."""
        shown = tuple(e for e in self.entries if e.classes.get(name) is not None)
        return replace(self, entries=shown)


def means(groups: Sequence[Sequence[Entry]], name: str | None = None) -> list[float]:
    """Return the mean of each group's mean IoU, or of its IoU of the class `name`; all have one."""
    found = []
    for group in groups:
        values = [e.mean_iou if name is None else e.classes[name] for e in group]
        found.append(fmean(value for value in values if value is not None))
    return found


@dataclass(frozen=True)
class StudyFacts:
    """A study as its folder tells it."""

    path: Path
    name: str
    kind: str
    """`supplement` or `transfer`."""
    spec: Mapping[str, Any]
    """The study's YAML in full."""
    settings: RecordedSettings
    classes: tuple[str, ...]
    images: RecordedImages
    paths: Mapping[str, Path]
    digests: RecordedDigests
    cells: Mapping[CellKey, CellFacts]
    """Those with a score."""
    planned: int
    """Cells that the study asks for and that can be run."""
    open: int
    """Of those the ones that still lack runs."""
    failed: int
    """Runs that diverged, in cells with a score or without."""
    skipped: tuple[tuple[CellKey, str], ...]
    depicted: tuple[tuple[CellKey, str], ...]
    """Cells of Fig. 5, and the name of the file with their predictions."""
    ledger: Ledger
    belonging: frozenset[str] = field(default_factory=frozenset)
    """Ids of ledger lines that count in some cell, failed ones too, or start one that does."""

    @property
    def paired(self) -> bool:
        """Whether equal repeats have equal photos."""
        return self.settings.design == "paired"

    @property
    def foreign(self) -> int:
        """Ledger lines that belong to other data, other settings or beyond a stopping point."""
        return sum(entry.run_id not in self.belonging for entry in self.ledger.entries)

    def counts_of(
        self, entries: Sequence[Entry], scores: Mapping[str, Confirmation] | None = None
    ) -> list[ScoredRun] | None:
        """Return the counts per image of runs, on their test photos.

        With `scores` by run id, of a look, on the untouched ones. None where some are not at hand,
        or of other classes, another number of images or another score: then they are of weights
        that were made again.
        """
        runs = []
        for entry in entries:
            found = None if scores is None else scores[entry.run_id]
            name = PER_IMAGE if found is None else untouched_file(found.look)
            images = entry.test_images if found is None else self.images.untouched
            expected = entry.mean_iou if found is None else found.mean_iou
            try:
                text = (self.path / RUNS / entry.run_id[:16] / name).read_bytes()
                counts = np.array(json.loads(text)["intersection_and_union"], dtype=np.float64)
                if counts.shape != (images, 2, len(self.classes)):
                    return None
                run = ScoredRun("untouched" if found else entry.split, counts)
            except (OSError, ValueError, LookupError, TypeError, RecursionError):
                return None
            if expected is None or abs(run.mean_iou - expected) > _ALIKE:
                return None
            runs.append(run)
        return runs


def is_study(folder: Path) -> bool:
    """Whether a folder is that of a study."""
    return (folder / STUDY).is_file()


def read_study(folder: Path) -> StudyFacts:
    """Read a study's folder. Raises RunError where it is none or its plan is damaged."""
    return _facts(folder, read_record(folder))


def _facts(folder: Path, record: StudyRecord) -> StudyFacts:
    ledger = read_ledger(folder)
    by_name = entries_by_name(ledger.entries)
    cells: dict[CellKey, CellFacts] = {}
    belonging: set[str] = set()
    unfinished = diverged = 0
    for planned in record.cells:
        counted, stop = planned.counted(by_name)
        starts = {entry.started_from for entry in counted if entry.started_from}
        belonging |= starts | {entry.run_id for entry in counted}
        unfinished += stop.state == "open"
        failed = sum(entry.failed is not None for entry in counted)
        diverged += failed
        scored = tuple(entry for entry in counted if entry.mean_iou is not None)
        if scored:
            cells[planned.key] = CellFacts(planned.key, planned.rule, stop, scored, failed)
    return StudyFacts(
        path=folder,
        name=folder.resolve().name,
        kind=record.kind,
        spec=record.spec,
        settings=record.settings,
        classes=record.classes,
        images=record.images,
        paths=record.places(folder),
        digests=record.digests,
        cells=cells,
        planned=len(record.cells),
        open=unfinished,
        failed=diverged,
        skipped=tuple((cell.key, cell.why) for cell in record.skipped),
        depicted=tuple((cell.key, f"{cell.runs[0]}.npz") for cell in record.cells if cell.depicted),
        ledger=ledger,
        belonging=frozenset(belonging),
    )
