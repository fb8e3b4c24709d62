"""The ledger: one JSON line per finished run, only ever added to.

Looks at the untouched photos stand in it too: one line that opens a look and names the runs that
are to be scored, and one line per run that has been.

A line is whole or it is not there: it is written in one piece, flushed, and under a lock, since
several processes may work on one study. What a kill or a full disk leaves of a line is named by
its number and passed over; its run is simply run again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clearcoat.dataset.layout import first_fault
from clearcoat.errors import TrainingError
from clearcoat.studies.locks import study_lock
from clearcoat.studies.spec import Count

LEDGER = "ledger.jsonl"

IoU = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]


class SelfTrainingSettings(BaseModel):
    """What is read again of a run's self-training."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    max_steps: Count = 0


class RunSettings(BaseModel):
    """What is read again of a run's config."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    max_steps: Count | None = None
    pretrain_max_steps: Count | None = None
    mix: str = ""
    real_share: float | None = None
    self_training: SelfTrainingSettings | None = None

    @property
    def step_limit(self) -> int | None:
        """Steps that a run on photos may take, those on its own labels included; None: any."""
        own = 0 if self.self_training is None else self.self_training.max_steps
        return None if self.max_steps is None else self.max_steps + own


class Entry(BaseModel):
    """A finished run, or one that cannot be finished."""

    # Later versions may add keys; a reader leaves alone what it does not know.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    run_id: str
    study: str
    arm: str
    """Kind of model and start; `U-Net` in the grid."""
    real: Count
    synthetic: Count
    """Renders that the model has seen, in this run or the one it started from."""
    unlabelled: Count = 0
    """Photos without labels that it labelled itself."""
    repeat: Count
    split: Count
    seed: int
    mean_iou: IoU | None
    """On the split's test photos; None for a run that failed."""
    failed: str | None = None
    classes: Mapping[str, IoU | None] = {}
    """IoU per class."""
    test_images: Count = 0
    per_image_mean_iou: IoU | None = None
    validation_on: str = ""
    validation_mean_iou: IoU | None = None
    started_from: str | None = None
    """Run id of the pretraining run."""
    parameters: Count = 0
    trainable: Count = 0
    steps: Count = 0
    epochs: Count = 0
    images_seen: Count = 0
    train_s: Seconds = 0.0
    validation_s: Seconds = 0.0
    wall_s: Seconds = 0.0
    exclusive: bool | None = None
    """Whether the run had the device to itself; only then do its times mean anything."""
    device: str = ""
    precision: str = ""
    threads: Count = 0
    versions: Mapping[str, str] = {}
    data: Mapping[str, str] = {}
    """Digests of the data sets by role."""
    config: Mapping[str, Any] = {}
    """In full."""
    settings: RunSettings = Field(default=RunSettings(), validation_alias="config", exclude=True)
    """The same as far as it is read here."""
    finished_at: str = ""


class Look(BaseModel):
    """The beginning of a look at the untouched photos; it is over when all runs are scored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Literal["look"] = "look"
    number: int
    """1 for the first."""
    runs: tuple[str, ...]
    """Ids of the runs to be scored."""
    data: str
    """Digest of the untouched photos."""
    images: Count
    early: bool = False
    """Whether cells still lacked runs."""
    weightless: Count = 0
    """Models of its cells that could not be scored, for want of their weights."""
    began_at: str


class Confirmation(BaseModel):
    """A finished run's score on the untouched photos."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    kind: Literal["confirmation"] = "confirmation"
    look: int
    run_id: str
    mean_iou: IoU | None
    test_mean_iou: IoU | None = None
    """Of the same weights on their split's test photos; None where the run's line says it."""
    classes: Mapping[str, IoU | None] = {}
    """IoU per class."""
    per_image_mean_iou: IoU | None = None
    finished_at: str = ""

    def on_tests(self, entry: Entry) -> float | None:
        """Return what these weights score on the test photos.

        Weights that were made again on another machine score otherwise than the run's line.
        """
        return entry.mean_iou if self.test_mean_iou is None else self.test_mean_iou


_KINDS: Mapping[object, type[Look | Confirmation]] = {"look": Look, "confirmation": Confirmation}


@dataclass(frozen=True)
class Ledger:
    """What the file says."""

    entries: tuple[Entry, ...]
    """One per run, in the order of the file; of several the first that did not fail."""
    complaints: tuple[str, ...]
    """One sentence per line that could not be read."""
    looks: tuple[Look, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()

    @property
    def by_id(self) -> dict[str, Entry]:
        """Entries by run id."""
        return {entry.run_id: entry for entry in self.entries}

    def to_retry(self, tried: Collection[str] = ()) -> Ledger:
        """Return the ledger without what failed, but for runs that have been `tried` again."""
        kept = [e for e in self.entries if not e.failed or e.run_id in tried]
        return replace(self, entries=tuple(kept))


def read_ledger(folder: Path) -> Ledger:
    """Read the ledger of a study's folder; an absent one is empty. Raises TrainingError."""
    file = folder / LEDGER
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return Ledger((), ())
    except OSError as error:
        raise TrainingError("cannot read the ledger", where=file, found=error.strerror) from error
    found: dict[str, Entry] = {}
    looks: dict[tuple[int, str], Look] = {}
    confirmations: dict[tuple[int, str], Confirmation] = {}
    complaints = []
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = _kind(line).model_validate_json(line)
        except ValidationError as error:
            complaints.append(_passed_over(file, number, first_fault(error)))
            continue
        if isinstance(entry, Entry) and _in_a_circle(entry, found):
            complaints.append(
                _passed_over(file, number, "started_from: the run starts from itself")
            )
            continue
        if isinstance(entry, Look):
            looks.setdefault((entry.number, entry.began_at), entry)
        elif isinstance(entry, Confirmation):
            confirmations.setdefault((entry.look, entry.run_id), entry)
        # A run that failed may have been tried again.
        elif entry.run_id not in found or (found[entry.run_id].failed and not entry.failed):
            found[entry.run_id] = entry
    return Ledger(
        tuple(found.values()),
        tuple(complaints),
        tuple(looks.values()),
        tuple(confirmations.values()),
    )


def append(folder: Path, entry: Entry | Look | Confirmation) -> None:
    """Add a line, on disk when this returns. Raises TrainingError where that fails."""
    text = json.dumps(entry.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    file = folder / LEDGER
    try:
        with study_lock(folder), file.open("ab+") as stream:
            # A line that a kill cut short must not swallow this one.
            torn = stream.tell() and not _ends_line(stream)
            stream.write((b"\n" if torn else b"") + text.encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise TrainingError(
            "cannot write into the ledger",
            where=file,
            found=error.strerror,
            do="make room or get write permission, then run the same command again to go on",
        ) from error


def figures_of(metrics: Mapping[str, Any], environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry says of a run's result."""
    test = metrics["test"]
    return {
        "mean_iou": test["mean_iou"],
        "per_image_mean_iou": test["per_image_mean_iou"],
        "test_images": test["image_count"],
        "classes": {name: row["iou"] for name, row in test["per_class"].items()},
        "validation_on": metrics["validation"]["on"],
        "validation_mean_iou": metrics["validation"]["mean_iou"],
        "unlabelled": metrics["images"].get("unlabelled", 0),
        "parameters": metrics["parameters"]["total"],
        "trainable": metrics["parameters"]["trainable"],
        **{
            key: metrics[key]
            for key in (
                "steps", "epochs", "images_seen", "train_s", "validation_s", "wall_s",
                "exclusive", "precision", "threads",
            )
        },
        "device": environment["device_name"],
        "versions": {key: environment[key] for key in ("clearcoat", "torch", "python")},
    }  # fmt: skip


def _passed_over(file: Path, number: int, why: str) -> str:
    return f"{file}:{number} is no ledger line and is passed over ({why})"


def _in_a_circle(entry: Entry, found: Mapping[str, Entry]) -> bool:
    """Whether a run would start from itself, if it stood beside those found so far."""
    start = entry.started_from
    while start is not None and start != entry.run_id:
        start = found[start].started_from if start in found else None
    return start is not None


def _kind(line: bytes) -> type[Entry | Look | Confirmation]:
    try:
        kind = json.loads(line)["kind"]
        return _KINDS.get(kind, Entry)
    except (ValueError, LookupError, TypeError, RecursionError):
        # No kind, or one that is no name: the entry's own check says what is wrong, if anything.
        return Entry


def _ends_line(stream: Any) -> bool:
    stream.seek(-1, os.SEEK_END)
    last = stream.read(1)
    stream.seek(0, os.SEEK_END)
    return bool(last == b"\n")
