"""What a look at the untouched photos would score, and whether one may be taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from clearcoat.dataset import Dataset
from clearcoat.errors import DatasetError, RunError, UsageError
from clearcoat.studies.choosing import Candidate, candidates, choose
from clearcoat.studies.data import open_untouched
from clearcoat.studies.grid_spec import SupplementSpec
from clearcoat.studies.ledger import Ledger, Look, read_ledger
from clearcoat.studies.record import STUDY, StudyRecord, entries_by_name, read_record
from clearcoat.studies.spec import StudySpec
from clearcoat.studies.transfer_spec import TransferSpec

_KINDS: dict[str, type[StudySpec]] = {"supplement": SupplementSpec, "transfer": TransferSpec}


@dataclass(frozen=True)
class LookRequest:
    """Which cells of a study a look is to score, and which of its guards it is to pass.

    Raises UsageError for `cells` besides `everything`.
    """

    cells: Sequence[str] = ()
    """As in `16+1024` or `ARM:16+1024`; none: the baseline and the best at each number of photos"""
    everything: bool = False
    """Every cell with weights."""
    early: bool = False
    """Also where cells still lack runs or weights."""
    again: bool = False
    """Also after a look: the report will say so."""

    def __post_init__(self) -> None:
        if self.cells and self.everything:
            raise UsageError(
                "a look is at chosen cells or at every cell", do="give one of --cell and --all"
            )


THE_USUAL_LOOK = LookRequest()


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
    out: Path, request: LookRequest = THE_USUAL_LOOK, *, photos: Path | None = None
) -> PlannedLook:
    """Return what `confirm` would score, without looking. Raises as it does."""
    return planned_look(open_study(out, photos), read_ledger(out), request)


@dataclass(frozen=True)
class OpenStudy:
    """A study with its untouched photos."""

    out: Path
    record: StudyRecord
    spec: StudySpec
    untouched: Dataset


def open_study(out: Path, photos: Path | None) -> OpenStudy:
    """Open a study and its untouched photos. Raises RunError, UsageError and DatasetError."""
    record = read_record(out)
    spec = _spec(record, out)
    return OpenStudy(out, record, spec, _untouched(record, spec, photos, out))


def planned_look(study: OpenStudy, ledger: Ledger, request: LookRequest) -> PlannedLook:
    """Return what is scored of what was asked for. Raises UsageError where no look may be taken."""
    out, images = study.out, len(study.untouched)
    cells = candidates(study.record, study.spec, ledger, out)
    look = unfinished_look(ledger)
    if look is not None:
        _require_the_same(look, study.untouched, request, out)
        of_it = tuple(
            replace(cell, ready=ready)
            for cell in cells
            if (ready := tuple(e for e in cell.ready if e.run_id in look.runs))
        )
        return PlannedLook(of_it, images, look.number, True, look.early)
    _require_first(ledger, out, request.again)
    unsettled = _require_finished(study.record, ledger, out, request.early)
    chosen = choose(cells, request.cells, request.everything, request.early, out)
    return PlannedLook(chosen, images, 1 + max(_numbers(ledger), default=0), False, unsettled)


def _require_the_same(look: Look, data: Dataset, request: LookRequest, out: Path) -> None:
    if request.cells or request.everything:
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


def is_open(ledger: Ledger, look: Look) -> bool:
    """Whether a look still lacks scores."""
    scored = {c.run_id for c in ledger.confirmations if c.look == look.number}
    return not scored.issuperset(look.runs)


def unfinished_look(ledger: Ledger) -> Look | None:
    """Return the look that was cut off, if there is one."""
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
