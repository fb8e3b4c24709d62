"""What a study's folder says of its plan, for whoever has the folder and not the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clearcoat.dataset import Dataset
from clearcoat.dataset.files import make_folder, write_whole
from clearcoat.dataset.layout import MANIFEST, first_fault
from clearcoat.errors import RunError, UsageError
from clearcoat.statistics import Stop, StoppingRule
from clearcoat.studies.data import StudyData, record_paths
from clearcoat.studies.journal import JOURNAL
from clearcoat.studies.ledger import LEDGER, Entry
from clearcoat.studies.planning import counted
from clearcoat.studies.runs import CellKey, StudyPlan
from clearcoat.studies.spec import Count, Prices, content
from clearcoat.training.folder import CONFIG, CURVE

STUDY = "study.json"
RUNS = "runs"
_OTHERS = {
    "a data set": (MANIFEST,),
    "a training run": (CONFIG, CURVE),
    "a search": (JOURNAL,),
}
"""What else may have a folder, and the files that say so."""


_Path = Annotated[str, Field(pattern=r"^[^\x00]+$")]


class _Part(BaseModel):
    # Later versions may add keys; a reader leaves alone what it does not know.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _RecordedKey(_Part):
    arm: str
    real: Count
    synthetic: Count

    @property
    def key(self) -> CellKey:
        """What the runs of the cell have in common."""
        return CellKey(self.arm, self.real, self.synthetic)


class RecordedCell(_RecordedKey):
    """A cell as the study planned it."""

    least: int
    most: int
    width: float | None
    depicted: bool
    runs: tuple[_Path, ...]
    """Names of the folders of its runs, by repeat."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.runs) != self.rule.most:
            raise ValueError(f"{len(self.runs)} runs, and most = {self.most}")
        return self

    @property
    def rule(self) -> StoppingRule:
        """When its runs are enough."""
        return StoppingRule(self.least, self.most, self.width)

    def counted(self, by_name: Mapping[str, Entry]) -> tuple[tuple[Entry, ...], Stop]:
        """Return the runs that count, in order of repeat, and where the rule stands."""
        return counted(self.runs, by_name, self.rule)


class RecordedSkip(_RecordedKey):
    """A cell that could not be run."""

    why: str


class RecordedImages(_Part):
    """Numbers of images by role, those of photos by split."""

    real: tuple[Count, ...]
    test: tuple[Count, ...]
    synthetic: Count
    untouched: Count = 0


class RecordedDigests(_Part):
    """Digests of the data sets by role, those of photos by split."""

    real: tuple[str, ...]
    test: tuple[str, ...]
    synthetic: str
    untouched: str | None = None
    unlabelled: str | None = None
    photos: str | None = None
    """Of the data set that photos were taken from, as a whole."""


class RecordedPrices(Prices, extra="ignore"):
    """The user's prices, of whatever version."""


class RecordedTraining(_Part):
    """What is read of the options of training."""

    mode: str | None = None


class RecordedFigure(_Part):
    """What is read of Fig. 5."""

    synthetic: int | None = None
    images: Annotated[int, Field(ge=1)] = 1


class RecordedSettings(_Part):
    """What is read of the study's YAML."""

    design: Literal["paired", "independent"]
    training: RecordedTraining = RecordedTraining()
    prices: RecordedPrices | None = None
    qualitative: RecordedFigure | None = None
    pretrainings: int | None = None


class StudyRecord(_Part):
    """The plan of a study as its folder holds it."""

    kind: Literal["supplement", "transfer"]
    spec: Mapping[str, Any]
    """The YAML in full, for who shows it or goes on with the study."""
    settings: RecordedSettings = Field(validation_alias="spec")
    """The same as far as it is read here."""
    classes: tuple[str, ...]
    images: RecordedImages
    paths: Mapping[str, _Path]
    digests: RecordedDigests
    cells: tuple[RecordedCell, ...]
    skipped: tuple[RecordedSkip, ...]

    def places(self, folder: Path) -> dict[str, Path]:
        """Return where the data sets lie, by role; `folder` is the study's."""
        found = {}
        for role, written in self.paths.items():
            # Earlier versions wrote the paths as they had been given.
            places = (folder / written, Path(written))
            found[role] = next((place for place in places if place.exists()), places[0])
        return found


def entries_by_name(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    """Return ledger entries by the name of their run's folder."""
    return {entry.run_id[:16]: entry for entry in entries}


def write_record(study: StudyPlan, out: Path) -> None:
    """Write what the report needs to know of the study besides its runs.

    Raises UsageError where the folder is a study's of the other kind or no study's, and
    DatasetError where it cannot be written.
    """
    require_place(study.kind, out)
    make_folder(out)
    write_whole(out / STUDY, json.dumps(_content(study, out), indent=1).encode())


def require_place(kind: str, out: Path) -> None:
    """Raise UsageError where a folder is a study's of the other kind, or something else's."""
    if not (out / STUDY).exists():
        _require_free(out)
    try:
        found = json.loads((out / STUDY).read_bytes())["kind"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
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


def _require_free(out: Path) -> None:
    for what, files in _OTHERS.items():
        if all((out / name).is_file() for name in files):
            # A report on the folder would be about that, and say nothing of the study.
            raise UsageError(
                f"the folder holds {what}",
                where=out,
                found=" and ".join(files),
                expected="a new or empty folder, or that of the study",
                do="give the study a folder of its own with --out",
            )


def read_record(folder: Path) -> StudyRecord:
    """Read a study's plan. Raises RunError where there is none or it is damaged."""
    file = folder / STUDY
    try:
        return StudyRecord.model_validate_json(file.read_bytes(), strict=True)
    except OSError as error:
        raise RunError(
            "not a study",
            where=folder,
            found=error.strerror,
            expected="the --out folder of `clearcoat study`",
        ) from error
    except ValidationError as error:
        raise RunError(
            "a study's plan is damaged, or another version's",
            where=file,
            found=first_fault(error),
            do="run the same `clearcoat study` command again: it writes the file anew; or use the "
            "version of clearcoat that ran the study",
        ) from error


def _content(study: StudyPlan, out: Path) -> dict[str, Any]:
    untouched = study.data.untouched
    return {
        "kind": study.kind,
        "spec": content(study.spec),
        "classes": study.data.classes,
        "paths": record_paths(study.data, out),
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
        "photos": Dataset.open(data.real[0].path).digest(),
    }
    for name, part in (("untouched", data.untouched), ("unlabelled", data.unlabelled)):
        if part is not None:
            digests[name] = part.digest()
    return digests
