"""What a study's folder says of its plan, for whoever has the folder and not the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearcoat.dataset.files import write_whole
from clearcoat.errors import RunError, TrainingError, UsageError
from clearcoat.statistics import Stop, StoppingRule, stopping_point
from clearcoat.studies.data import StudyData, record_paths
from clearcoat.studies.ledger import LEDGER, Entry
from clearcoat.studies.runs import CellKey, StudyPlan
from clearcoat.studies.spec import content

STUDY = "study.json"
RUNS = "runs"


@dataclass(frozen=True)
class RecordedCell:
    """A cell as the study planned it."""

    key: CellKey
    rule: StoppingRule
    depicted: bool
    runs: tuple[str, ...]
    """Names of the folders of its runs, by repeat."""

    def counted(self, by_name: Mapping[str, Entry]) -> tuple[tuple[Entry, ...], Stop]:
        """Return the runs that count, in order of repeat, and where the rule stands."""
        entries: list[Entry] = []
        for repeat, name in enumerate(self.runs):
            if name not in by_name:
                break
            # A line that was written under another `seed` may be another repeat of this study.
            entries.append(by_name[name].model_copy(update={"repeat": repeat}))
        stop = stopping_point([entry.mean_iou for entry in entries], self.rule)
        return tuple(entries[: stop.count]), stop


@dataclass(frozen=True)
class StudyRecord:
    """The plan of a study as its folder holds it."""

    kind: str
    """`supplement` or `transfer`."""
    spec: Mapping[str, Any]
    classes: tuple[str, ...]
    images: Mapping[str, Any]
    """Numbers of images by role; lists have one number per split."""
    paths: Mapping[str, str]
    digests: Mapping[str, Any]
    cells: tuple[RecordedCell, ...]
    skipped: tuple[tuple[CellKey, str], ...]


def entries_by_name(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    """Return ledger entries by the name of their run's folder."""
    return {entry.run_id[:16]: entry for entry in entries}


def write_record(study: StudyPlan, out: Path) -> None:
    """Write what the report needs to know of the study besides its runs.

    Raises UsageError where the folder has a study of the other kind, and TrainingError where it
    cannot be written.
    """
    _require_kind(study.kind, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            "cannot make the study's folder", where=out, found=error.strerror
        ) from error
    write_whole(out / STUDY, json.dumps(_content(study), indent=1).encode())


def _require_kind(kind: str, out: Path) -> None:
    try:
        found = json.loads((out / STUDY).read_bytes())["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        # There is none, or it is damaged and written anew.
        return
    if found != kind:
        raise UsageError(
            f"the folder belongs to a {found} study",
            where=out,
            expected=f"a folder of its own for the {kind} study",
            do=f"give another --out. Trainings that both need are not repeated if you copy "
            f"{LEDGER} and {RUNS}/ there first",
        )


def read_record(folder: Path) -> StudyRecord:
    """Read a study's plan. Raises RunError where there is none or it is damaged."""
    file = folder / STUDY
    try:
        plan = json.loads(file.read_bytes())
        return StudyRecord(
            kind=plan["kind"],
            spec=_mapping(plan["spec"]),
            classes=tuple(plan["classes"]),
            images=_mapping(plan["images"]),
            paths=_mapping(plan["paths"]),
            digests=_mapping(plan["digests"]),
            cells=tuple(_cell(row) for row in plan["cells"]),
            skipped=tuple((_key(row), row["why"]) for row in plan["skipped"]),
        )
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


def _content(study: StudyPlan) -> dict[str, Any]:
    untouched = study.data.untouched
    return {
        "kind": study.kind,
        "spec": content(study.spec),
        "classes": study.data.classes,
        "paths": record_paths(study.data),
        "digests": _digests(study.data),
        "images": {
            "real": [len(data) for data in study.data.real],
            "test": [len(data) for data in study.data.test],
            "synthetic": len(study.data.synthetic),
            "untouched": 0 if untouched is None else len(untouched),
        },
        "cells": [
            {
                **cell.key._asdict(),
                "least": cell.rule.least,
                "most": cell.rule.most,
                "width": cell.rule.relative_width,
                "depicted": cell.depicted,
                "runs": [cell.make(r).folder_name for r in range(cell.rule.most)],
            }
            for cell in study.cells
        ],
        "skipped": [{**cell.key._asdict(), "why": cell.why} for cell in study.skipped],
    }


def _digests(data: StudyData) -> dict[str, Any]:
    digests: dict[str, Any] = {
        "real": [photos.digest() for photos in data.real],
        "test": [photos.digest() for photos in data.test],
        "synthetic": data.synthetic.digest(),
    }
    if data.untouched is not None:
        digests["untouched"] = data.untouched.digest()
    return digests


def _mapping(found: Any) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise TypeError(f"expected names with values, got {found!r}")
    return found


def _cell(row: Mapping[str, Any]) -> RecordedCell:
    rule = StoppingRule(row["least"], row["most"], row["width"])
    return RecordedCell(_key(row), rule, row["depicted"], tuple(row["runs"]))


def _key(row: Mapping[str, Any]) -> CellKey:
    return CellKey(str(row["arm"]), int(row["real"]), int(row["synthetic"]))
