"""The last look: models of chosen cells scored once on the photos that nothing has seen.

Cells are chosen by their scores on the split test sets, and the best of many is best partly by
chance. What the untouched photos say of it is free of that, as long as nothing is chosen by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from clearcoat.dataset import Dataset
from clearcoat.errors import RunError, UsageError
from clearcoat.models import SegmentationModel
from clearcoat.studies.choosing import score_on_tests
from clearcoat.studies.ledger import Confirmation, Ledger, Look, append, read_ledger
from clearcoat.studies.locks import Claims
from clearcoat.studies.looking import (
    THE_USUAL_LOOK,
    LookRequest,
    open_study,
    planned_look,
    unfinished_look,
)
from clearcoat.studies.record import StudyRecord, entries_by_name
from clearcoat.studies.runs import CellKey
from clearcoat.studies.weights import run_folder
from clearcoat.training import (
    RunFolder,
    TrainingConfig,
    find_loss,
    load_model,
    pack,
    require_same_classes,
    score_model,
)
from clearcoat.training.environment import find_device
from clearcoat.training.feeding import Images

_CLAIM = "confirm"
_Loaded = tuple[SegmentationModel, TrainingConfig, tuple[str, ...]]


@dataclass(frozen=True)
class ConfirmedCell:
    """A cell's models on both kinds of photos."""

    key: CellKey
    split_tests: tuple[float, ...]
    """Mean IoU of each model on the test photos of its split, by the weights that were scored."""
    untouched: tuple[float, ...]
    """Of the same models on the untouched photos."""


@dataclass(frozen=True)
class Confirmed:
    """What a look showed."""

    look: Look
    cells: tuple[ConfirmedCell, ...]


def confirm(
    out: Path,
    request: LookRequest = THE_USUAL_LOOK,
    *,
    photos: Path | None = None,
    device: str = "auto",
    told: Callable[[int, int], None] = lambda *_: None,
) -> Confirmed:
    """Score chosen cells of the study in `out` on its untouched photos, once.

    `photos` is where the real data set lies now, if it has moved. A look that was cut off is gone
    on with.
    Raises UsageError for a second look (unless `request.again`), for other cells than those of a
    look that was cut off, for a study that still lacks runs or weights (unless `request.early`) or
    is being worked on, and for a device that is not there; RunError for weights, and DatasetError
    for photos, that cannot be read. None of these spends the look.
    """
    study = open_study(out, photos)
    data = study.untouched
    where = find_device(device)
    with Claims(out) as claims:
        if not claims.take(_CLAIM):
            raise UsageError("another process is scoring the untouched photos", where=out)
        if claims.others():
            raise UsageError(
                "the study is being worked on: its weights may change",
                where=out,
                found=f"{len(claims.others())} runs in training",
                do="wait for them to end, or stop them",
            )
        ledger = read_ledger(out)
        chosen = planned_look(study, ledger, request)
        look = unfinished_look(ledger)
        runs = (
            tuple(dict.fromkeys(e.run_id for cell in chosen.cells for e in cell.ready))
            if look is None
            else look.runs
        )
        packed = _required(runs, data, out, where)
        if look is None:
            look = Look(
                number=chosen.number,
                runs=runs,
                data=data.digest(),
                images=len(data),
                early=chosen.early,
                weightless=sum(cell.weightless for cell in chosen.cells),
                began_at=_now(),
            )
            append(out, look)
        _score(look, ledger, packed, data, out, where, told)
    return Confirmed(look, _cells(study.record, look, read_ledger(out)))


def untouched_file(look: int) -> str:
    """Name of the file in a run's folder that a look leaves there.

    It has the pixels of intersection and union per untouched photo and class.
    """
    return "untouched.json" if look == 1 else f"untouched-{look}.json"


def _required(
    runs: Sequence[str], data: Dataset, out: Path, where: torch.device
) -> dict[int, Images]:
    """Return the photos by size, after every model and every photo has been read once."""
    packed: dict[int, Images] = {}
    for run_id in runs:
        _, config, classes = _model(out, run_id, torch.device("cpu"))
        require_same_classes(f"the data set {data.path}", data.classes, "the study", classes)
        if config.size not in packed:
            packed[config.size] = pack(data, data.indices, config.size).to(where)
    return packed


def _model(out: Path, run_id: str, where: torch.device) -> _Loaded:
    folder = run_folder(out, run_id)
    try:
        return load_model(folder, str(where))
    except RunError as error:
        raise RunError(
            "the weights of a run to be confirmed are gone or damaged",
            where=error.where,
            found=error.found,
            do=f"remove {folder} and run the study again with --remake-weights",
        ) from error


def _score(
    look: Look,
    ledger: Ledger,
    packed: Mapping[int, Images],
    data: Dataset,
    out: Path,
    where: torch.device,
    told: Callable[[int, int], None],
) -> None:
    done = {c.run_id for c in ledger.confirmations if c.look == look.number}
    told(len(done), len(look.runs))
    for run_id in look.runs:
        if run_id in done:
            continue
        model, config, _ = _model(out, run_id, where)
        # In fp32, as the scores on the split test sets are.
        _, score = score_model(model, packed[config.size], find_loss(config.loss))
        RunFolder(run_folder(out, run_id)).write_json(
            untouched_file(look.number),
            {
                "classes": score.classes,
                "images": list(data.indices),
                "intersection_and_union": score.per_image,
            },
        )
        append(
            out,
            Confirmation(
                look=look.number,
                run_id=run_id,
                mean_iou=score.mean_iou,
                test_mean_iou=score_on_tests(out, run_id),
                classes=dict(zip(score.classes, score.iou, strict=True)),
                per_image_mean_iou=score.per_image_mean_iou,
                finished_at=_now(),
            ),
        )
        done.add(run_id)
        told(len(done), len(look.runs))


def _cells(record: StudyRecord, look: Look, ledger: Ledger) -> tuple[ConfirmedCell, ...]:
    by_name = entries_by_name(ledger.entries)
    scores = {c.run_id: c for c in ledger.confirmations if c.look == look.number}
    cells = []
    for cell in record.cells:
        before, after = [], []
        for entry in cell.counted(by_name)[0]:
            found = scores.get(entry.run_id)
            tests = None if found is None else found.on_tests(entry)
            if found is not None and found.mean_iou is not None and tests is not None:
                before.append(tests)
                after.append(found.mean_iou)
        if after:
            cells.append(ConfirmedCell(cell.key, tuple(before), tuple(after)))
    return tuple(cells)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
