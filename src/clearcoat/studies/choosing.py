"""Which cells a look at the untouched photos is for, and whether their models can be scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from clearcoat.errors import RunError, UsageError, did_you_mean
from clearcoat.studies.ledger import Entry, Ledger
from clearcoat.studies.record import StudyRecord, entries_by_name
from clearcoat.studies.runs import GRID_ARM, SELF_TRAINED_ARM, SELF_TRAINING_CONTROL, CellKey
from clearcoat.studies.spec import StudySpec
from clearcoat.studies.supplement import QUALITATIVE_ARM
from clearcoat.studies.transfer import (
    CONTROL,
    CONTROL_MIX,
    FROM_RENDERS,
    WNET_SYNTH,
    WNET_VGG19,
)
from clearcoat.studies.weights import has_weights, run_folder
from clearcoat.training import RunFolder
from clearcoat.training.folder import METRICS


@dataclass(frozen=True)
class Candidate:
    """A cell that may be chosen, and those of its runs that count and have weights."""

    key: CellKey
    mean: float
    """Of all its runs in the ledger."""
    ready: tuple[Entry, ...]
    weightless: int
    """Runs whose weights should be there and are not."""
    retrained: int
    """Runs whose weights score otherwise than their line in the ledger."""


def candidates(
    record: StudyRecord, spec: StudySpec, ledger: Ledger, out: Path
) -> tuple[Candidate, ...]:
    """Return all cells with a score. Raises RunError for a run whose result is damaged."""
    by_name = entries_by_name(ledger.entries)
    found = []
    for cell in record.cells:
        entries = [e for e in cell.counted(by_name)[0] if e.mean_iou is not None]
        if not entries or cell.key.arm == QUALITATIVE_ARM:
            continue
        ready = tuple(e for e in entries if has_weights(out, e.run_id))
        kept = [e for e in entries if spec.keeps_weights(*cell.key, e.repeat)]
        # Where the study keeps none of a cell's weights, it lacks them all.
        lacking = [e for e in kept or entries if e not in ready]
        found.append(
            Candidate(
                cell.key,
                fmean(e.mean_iou for e in entries if e.mean_iou is not None),
                ready,
                0 if not kept and ready else len(lacking),
                sum(score_on_tests(out, e.run_id) != e.mean_iou for e in ready),
            )
        )
    return tuple(found)


def choose(
    cells: Sequence[Candidate], wanted: Sequence[str], everything: bool, early: bool, out: Path
) -> tuple[Candidate, ...]:
    """Return the cells that were asked for, or the default choice.

    Raises UsageError for cells that are not there or lack weights: all of them, or, unless
    `early`, some.
    """
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
    if everything:
        chosen, bare = [cell for cell in chosen if cell.ready], []
    lacking = bare or [cell for cell in chosen if cell.weightless and not early]
    if lacking:
        raise UsageError(
            "the weights of cells to be confirmed were not kept",
            where=out,
            found=", ".join(
                f"{name_of(cell.key)}: {len(cell.ready)} of {len(cell.ready) + cell.weightless}"
                for cell in lacking
            ),
            do="run the study again with --remake-weights, with these cells under `confirm` in "
            "its YAML; or choose others with --cell"
            + ("" if bare else "; or say --early to look with those that are there"),
        )
    if not chosen:
        raise UsageError("no cell has a score and weights", where=out)
    return tuple(chosen)


def default_choice(cells: Sequence[Candidate]) -> list[Candidate]:
    """At each number of photos: the models on photos alone, and the best of the others.

    In a grid also the best of those that had photos without labels, and the same cell without. In a
    transfer study the best of each kind of others: trained on photos and renders in one go, with an
    encoder from renders, which the report's verdict is about, W-nets, and all that is left.
    """
    chosen = []
    for real in sorted({cell.key.real for cell in cells}):
        row = [cell for cell in cells if cell.key.real == real]
        alone = [c for c in row if c.key.arm in (GRID_ARM, CONTROL) and not c.key.synthetic]
        mixes = [c for c in row if c.key.arm == CONTROL_MIX]
        starts = [c for c in row if c.key.arm.startswith(FROM_RENDERS)]
        own = [c for c in row if c.key.arm == SELF_TRAINED_ARM]
        controls = [c for c in row if c.key.arm == SELF_TRAINING_CONTROL]
        wnets = [c for c in row if c.key.arm in (WNET_SYNTH, WNET_VGG19)]
        others = [c for c in row if c not in (*alone, *mixes, *starts, *wnets, *own, *controls)]
        chosen += alone
        kinds = (mixes, starts, wnets, others, own)
        best = [max(some, key=lambda c: c.mean) for some in kinds if some]
        without = {c.key._replace(arm=GRID_ARM) for c in best if c in own}
        chosen += [c for c in row if c in best or (c.key in without and c not in alone)]
    return chosen


def name_of(key: CellKey) -> str:
    """Return how a cell is named on the command line."""
    counts = f"{key.real}+{key.synthetic}"
    return counts if key.arm == GRID_ARM else f"{key.arm}:{counts}"


def score_on_tests(out: Path, run_id: str) -> float | None:
    """Return the mean IoU of a run's weights on its split's test photos, as its folder has it.

    Raises RunError where the file is damaged.
    """
    folder = run_folder(out, run_id)
    try:
        score: float | None = RunFolder(folder).read_json(METRICS)["test"]["mean_iou"]
    except (KeyError, TypeError) as error:
        raise RunError(
            "the result of a run is damaged",
            where=folder / METRICS,
            do="remove the run's folder and run the study again with --remake-weights",
        ) from error
    return score
