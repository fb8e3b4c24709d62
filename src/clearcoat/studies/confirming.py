"""The last look: models of chosen cells scored once on the photos that nothing has seen.

Cells are chosen by their scores on the split test sets, and the best of many is best partly by
chance. What the untouched photos say of it is free of that, as long as nothing is chosen by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from pydantic import ValidationError

from clearcoat.dataset import Dataset
from clearcoat.errors import DatasetError, RunError, UsageError
from clearcoat.models import SegmentationModel
from clearcoat.studies.choosing import (
    Candidate,
    candidates,
    choose,
    run_folder,
    score_on_tests,
)
from clearcoat.studies.data import open_untouched
from clearcoat.studies.ledger import Confirmation, Ledger, Look, append, read_ledger
from clearcoat.studies.locks import Claims
from clearcoat.studies.record import STUDY, StudyRecord, entries_by_name, read_record
from clearcoat.studies.runs import CellKey
from clearcoat.studies.spec import StudySpec, SupplementSpec, TransferSpec
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

_KINDS: dict[str, type[StudySpec]] = {"supplement": SupplementSpec, "transfer": TransferSpec}
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


@dataclass(frozen=True)
class PlannedLook:
    """What a look would score, or goes on to score."""

    cells: tuple[Candidate, ...]
    images: int
    number: int
    """1 for the first."""
    cut_off: bool
    """Whether it was begun and cut off."""
    early: bool
    """Whether cells still lack runs."""


def plan_look(
    out: Path,
    wanted: Sequence[str] = (),
    *,
    everything: bool = False,
    early: bool = False,
    again: bool = False,
    photos: Path | None = None,
) -> PlannedLook:
    """Return what `confirm` would score, without looking. Raises as it does."""
    asked = _Asked(tuple(wanted), everything, early, again)
    return _planned(_open(out, photos), read_ledger(out), asked)


def confirm(
    out: Path,
    wanted: Sequence[str] = (),
    *,
    everything: bool = False,
    early: bool = False,
    again: bool = False,
    photos: Path | None = None,
    device: str = "auto",
    told: Callable[[int, int], None] = lambda *_: None,
) -> Confirmed:
    """Score chosen cells of the study in `out` on its untouched photos, once.

    `wanted` names cells as in `16+1024` or `ARM:16+1024`; without it (and without `everything`)
    the baseline and the best cell at each number of photos are chosen. `photos` is where the
    real data set lies now, if it has moved. A look that was cut off is gone on with.
    Raises UsageError for a second look (unless `again`), for other cells than those of a look that
    was cut off, for a study that still lacks runs or weights (unless `early`) or is being worked
    on, and for a device that is not there; RunError for weights, and DatasetError for photos, that
    cannot be read. None of these spends the look.
    """
    study = _open(out, photos)
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
        chosen = _planned(study, ledger, _Asked(tuple(wanted), everything, early, again))
        look = _unfinished(ledger)
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


@dataclass(frozen=True)
class _Asked:
    """What a look is asked for."""

    wanted: tuple[str, ...]
    everything: bool
    early: bool
    again: bool


@dataclass(frozen=True)
class _Study:
    """A study with its untouched photos."""

    out: Path
    record: StudyRecord
    spec: StudySpec
    untouched: Dataset


def _open(out: Path, photos: Path | None) -> _Study:
    record = read_record(out)
    spec = _spec(record, out)
    return _Study(out, record, spec, _untouched(record, spec, photos, out))


def _planned(study: _Study, ledger: Ledger, asked: _Asked) -> PlannedLook:
    out, images = study.out, len(study.untouched)
    cells = candidates(study.record, study.spec, ledger, out)
    look = _unfinished(ledger)
    if look is not None:
        _require_the_same(look, study.untouched, asked, out)
        of_it = tuple(
            replace(cell, ready=ready)
            for cell in cells
            if (ready := tuple(e for e in cell.ready if e.run_id in look.runs))
        )
        return PlannedLook(of_it, images, look.number, True, look.early)
    _require_first(ledger, out, asked.again)
    unsettled = _require_finished(study.record, ledger, out, asked.early)
    chosen = choose(cells, asked.wanted, asked.everything, asked.early, out)
    return PlannedLook(chosen, images, 1 + max(_numbers(ledger), default=0), False, unsettled)


def _require_the_same(look: Look, data: Dataset, asked: _Asked, out: Path) -> None:
    if asked.wanted or asked.everything:
        raise UsageError(
            "a look at the untouched photos was cut off, and its cells were chosen then",
            where=out,
            found=f"{len(look.runs)} models, {look.began_at}",
            do="go on with it: the same command without --cell and --all",
        )
    if look.data != data.digest():
        raise DatasetError(
            "the untouched photos are others than when the look began", where=data.path
        )


def _numbers(ledger: Ledger) -> set[int]:
    """Numbers of all looks, also of those whose own line is lost."""
    return {look.number for look in ledger.looks} | {c.look for c in ledger.confirmations}


def untouched_file(look: int) -> str:
    """Name of the file in a run's folder that a look leaves there.

    It has the pixels of intersection and union per untouched photo and class.
    """
    return "untouched.json" if look == 1 else f"untouched-{look}.json"


def is_open(ledger: Ledger, look: Look) -> bool:
    """Whether a look still lacks scores."""
    scored = {c.run_id for c in ledger.confirmations if c.look == look.number}
    return not scored.issuperset(look.runs)


def _unfinished(ledger: Ledger) -> Look | None:
    return next((look for look in ledger.looks if is_open(ledger, look)), None)


def _require_first(ledger: Ledger, out: Path, again: bool) -> None:
    if again or not _numbers(ledger):
        return
    found = "scores of a look whose own line is damaged"
    if ledger.looks:
        last = ledger.looks[-1]
        found = f"{len(last.runs)} models scored, {last.began_at}"
    raise UsageError(
        "the untouched photos of this study have been looked at",
        where=out,
        found=found,
        do="read the result in the report; or say --again: the report will then tell that what "
        "is chosen after a first look is confirmed by nothing",
    )


def _require_finished(record: StudyRecord, ledger: Ledger, out: Path, early: bool) -> bool:
    """Return whether cells still lack runs."""
    by_name = entries_by_name(ledger.entries)
    states = [cell.counted(by_name)[1].state for cell in record.cells]
    unfinished = states.count("open")
    if unfinished and not early:
        raise UsageError(
            "the study is not finished: what is confirmed now may not be what it ends with",
            where=out,
            found=f"{unfinished} of {len(states)} cells lack runs",
            do="finish it first; or say --early to spend the one look now",
        )
    return unfinished > 0


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


def _spec(record: StudyRecord, out: Path) -> StudySpec:
    try:
        spec = _KINDS[record.kind].model_validate(record.spec)
    except ValidationError as error:
        faults = (
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        )
        raise RunError(
            "the study's plan is none of this version's",
            where=out / STUDY,
            found="; ".join(faults),
            do="run the same `clearcoat study` command again: it writes the file anew; or use the "
            "version of clearcoat that ran the study",
        ) from error
    if not spec.untouched_count:
        raise UsageError(
            "this study sets no photos apart: there is nothing to confirm it on",
            where=out,
            do="give `untouched_count` in its YAML; that makes other test sets, and so another "
            "study",
        )
    return spec


def _untouched(record: StudyRecord, spec: StudySpec, photos: Path | None, out: Path) -> Dataset:
    known, written = record.digests.untouched, record.places(out).get("real")
    if known is None or written is None:
        raise RunError(
            "the study's folder does not say which photos are untouched",
            where=out,
            do="run the same `clearcoat study` command again: it writes that down",
        )
    place = photos or written
    if photos is None and not place.exists():
        raise DatasetError(
            "the photos of the study are no longer where they were",
            where=place,
            do="give them with --photos",
        )
    data = open_untouched(place, spec)
    if data.digest() != known:
        raise DatasetError(
            "these are not the photos that the study set apart",
            where=place,
            found=data.digest()[:16],
            expected=known[:16],
            do="give the data set that it was run on with --photos",
        )
    return data


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
