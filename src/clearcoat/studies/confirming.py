"""The last look: models of chosen cells scored once on the photos that nothing has seen.

Cells are chosen by their scores on the split test sets, and the best of many is best partly by
chance. What the untouched photos say of it is free of that, as long as nothing is chosen by them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import torch
from pydantic import ValidationError

from clearcoat.dataset import Dataset
from clearcoat.errors import DatasetError, RunError, UsageError, did_you_mean
from clearcoat.studies.data import open_untouched
from clearcoat.studies.ledger import Confirmation, Entry, Ledger, Look, append, read_ledger
from clearcoat.studies.locks import Claims
from clearcoat.studies.record import RUNS, STUDY, StudyRecord, entries_by_name, read_record
from clearcoat.studies.runs import GRID_ARM, CellKey
from clearcoat.studies.spec import StudySpec, SupplementSpec, TransferSpec
from clearcoat.studies.supplement import QUALITATIVE_ARM
from clearcoat.studies.transfer import CONTROL, CONTROL_MIX, FROM_RENDERS
from clearcoat.training import (
    RunFolder,
    find_loss,
    load_model,
    pack,
    require_same_classes,
    score_model,
)
from clearcoat.training.environment import find_device
from clearcoat.training.feeding import Images
from clearcoat.training.folder import BEST, METRICS

UNTOUCHED = "untouched.json"
"""In a run's folder: its pixels of intersection and union per untouched photo and class."""
_KINDS: dict[str, type[StudySpec]] = {"supplement": SupplementSpec, "transfer": TransferSpec}
_CLAIM = "confirm"


@dataclass(frozen=True)
class ConfirmedCell:
    """A cell's models on both kinds of photos."""

    key: CellKey
    split_tests: tuple[float, ...]
    """Mean IoU of each model on the test photos of its split."""
    untouched: tuple[float, ...]
    """Of the same models on the untouched photos."""


@dataclass(frozen=True)
class Confirmed:
    """What a look showed."""

    look: Look
    cells: tuple[ConfirmedCell, ...]
    weightless: int
    """Runs of the chosen cells that could not be scored since their weights were not kept."""


@dataclass(frozen=True)
class _Candidate:
    """A cell that may be chosen, and those of its runs that count and have weights."""

    key: CellKey
    mean: float
    ready: tuple[Entry, ...]
    weightless: int


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
    was cut off, for a study that still lacks runs (unless `early`), for cells without weights and
    for a device that is not there; RunError, DatasetError.
    """
    record = read_record(out)
    spec = _spec(record, out)
    data = _untouched(record, spec, photos, out)
    # Before a look is opened: a mistake is not to spend it.
    where = find_device(device)
    with Claims(out) as claims:
        if not claims.take(_CLAIM):
            raise UsageError("another process is scoring the untouched photos", where=out)
        ledger = read_ledger(out)
        look = _unfinished(ledger)
        weightless = 0
        if look is None:
            _require_first(ledger, out, again)
            unsettled = _require_finished(record, ledger, out, early)
            chosen = _choose(_candidates(record, ledger, out), wanted, everything, out)
            weightless = sum(cell.weightless for cell in chosen)
            look = Look(
                number=len(ledger.looks) + 1,
                runs=tuple(dict.fromkeys(e.run_id for cell in chosen for e in cell.ready)),
                data=data.digest(),
                images=len(data),
                early=unsettled,
                began_at=_now(),
            )
            append(out, look)
        elif wanted or everything:
            raise UsageError(
                "a look at the untouched photos was cut off, and its cells were chosen then",
                where=out,
                found=f"{len(look.runs)} models, {look.began_at}",
                do="go on with it: the same command without --cell and --all",
            )
        elif look.data != data.digest():
            raise DatasetError(
                "the untouched photos are others than when the look began", where=data.path
            )
        _score(look, ledger, data, out, where, told)
    return Confirmed(look, _cells(record, look, read_ledger(out)), weightless)


def is_open(ledger: Ledger, look: Look) -> bool:
    """Whether a look still lacks scores."""
    scored = {c.run_id for c in ledger.confirmations if c.look == look.number}
    return not scored.issuperset(look.runs)


def _unfinished(ledger: Ledger) -> Look | None:
    return next((look for look in ledger.looks if is_open(ledger, look)), None)


def _require_first(ledger: Ledger, out: Path, again: bool) -> None:
    if not ledger.looks or again:
        return
    last = ledger.looks[-1]
    raise UsageError(
        "the untouched photos of this study have been looked at",
        where=out,
        found=f"{len(last.runs)} models scored, {last.began_at}",
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


def _candidates(record: StudyRecord, ledger: Ledger, out: Path) -> list[_Candidate]:
    by_name = entries_by_name(ledger.entries)
    found = []
    for cell in record.cells:
        entries = [e for e in cell.counted(by_name)[0] if e.mean_iou is not None]
        if not entries or cell.key.arm == QUALITATIVE_ARM:
            continue
        ready = tuple(e for e in entries if _has_weights(out, e.run_id))
        mean = fmean(e.mean_iou for e in entries if e.mean_iou is not None)
        found.append(_Candidate(cell.key, mean, ready, len(entries) - len(ready)))
    return found


def _choose(
    cells: Sequence[_Candidate], wanted: Sequence[str], everything: bool, out: Path
) -> list[_Candidate]:
    if wanted:
        names = {name_of(cell.key): cell for cell in cells}
        for name in wanted:
            if name not in names:
                raise UsageError(
                    f"no cell {name!r} with a score",
                    where=out,
                    do=did_you_mean(name, names),
                )
        chosen = [names[name] for name in dict.fromkeys(wanted)]
    else:
        chosen = list(cells) if everything else default_choice(cells)
    bare = [cell for cell in chosen if not cell.ready]
    if bare and not everything:
        raise UsageError(
            "the weights of cells to be confirmed were not kept",
            where=out,
            found=", ".join(name_of(cell.key) for cell in bare),
            do="choose other cells with --cell; or list these under `confirm` in the study's "
            "YAML and run it again with --remake-weights",
        )
    chosen = [cell for cell in chosen if cell.ready]
    if not chosen:
        raise UsageError("no cell has a score and weights", where=out)
    return chosen


def default_choice(cells: Sequence[_Candidate]) -> list[_Candidate]:
    """At each number of photos: the models on photos alone, and the best of the others.

    In a transfer study the best of each kind of others: trained on photos and renders in one go,
    with an encoder from renders, which the report's verdict is about, and all that is left.
    """
    chosen = []
    for real in sorted({cell.key.real for cell in cells}):
        row = [cell for cell in cells if cell.key.real == real]
        alone = [c for c in row if c.key.arm in (GRID_ARM, CONTROL) and not c.key.synthetic]
        mixes = [c for c in row if c.key.arm == CONTROL_MIX]
        starts = [c for c in row if c.key.arm.startswith(FROM_RENDERS)]
        others = [c for c in row if c not in (*alone, *mixes, *starts)]
        chosen += alone
        chosen += [max(some, key=lambda c: c.mean) for some in (mixes, starts, others) if some]
    return chosen


def name_of(key: CellKey) -> str:
    """Return how a cell is named on the command line."""
    counts = f"{key.real}+{key.synthetic}"
    return counts if key.arm == GRID_ARM else f"{key.arm}:{counts}"


def _score(
    look: Look,
    ledger: Ledger,
    data: Dataset,
    out: Path,
    where: torch.device,
    told: Callable[[int, int], None],
) -> None:
    done = {c.run_id for c in ledger.confirmations if c.look == look.number}
    packed: dict[int, Images] = {}
    told(len(done), len(look.runs))
    for run_id in look.runs:
        if run_id in done:
            continue
        if not _has_weights(out, run_id):
            raise RunError(
                "the weights of a run to be confirmed are gone",
                where=_folder(out, run_id),
                do="run the study again with --remake-weights",
            )
        model, config, classes = load_model(_folder(out, run_id), str(where))
        require_same_classes(f"the data set {data.path}", data.classes, "the study", classes)
        if config.size not in packed:
            packed[config.size] = pack(data, data.indices, config.size).to(where)
        # In fp32, as the scores on the split test sets are.
        _, score = score_model(model, packed[config.size], find_loss(config.loss))
        RunFolder(_folder(out, run_id)).write_json(
            UNTOUCHED,
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
                classes=dict(zip(score.classes, score.iou, strict=True)),
                per_image_mean_iou=score.per_image_mean_iou,
                finished_at=_now(),
            ),
        )
        done.add(run_id)
        told(len(done), len(look.runs))


def _cells(record: StudyRecord, look: Look, ledger: Ledger) -> tuple[ConfirmedCell, ...]:
    by_name = entries_by_name(ledger.entries)
    scores = {c.run_id: c.mean_iou for c in ledger.confirmations if c.look == look.number}
    cells = []
    for cell in record.cells:
        pairs = [
            (entry.mean_iou, score)
            for entry in cell.counted(by_name)[0]
            if entry.mean_iou is not None and (score := scores.get(entry.run_id)) is not None
        ]
        if pairs:
            before, after = zip(*pairs, strict=True)
            cells.append(ConfirmedCell(cell.key, before, after))
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


def _folder(out: Path, run_id: str) -> Path:
    return out / RUNS / run_id[:16]


def _has_weights(out: Path, run_id: str) -> bool:
    folder = _folder(out, run_id)
    return (folder / BEST).is_file() and (folder / METRICS).is_file()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
