"""What the untouched photos say: how much of a score, and of a gain, was chosen by its luck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import fmean

from clearcoat.report.study.comparing import Groups, counts_by_id, matched
from clearcoat.report.study.facts import CellFacts, StudyFacts, means
from clearcoat.statistics import (
    Interval,
    ScoredRun,
    difference_interval,
    gain_difference,
    mean_interval,
    mean_iou_difference,
    mean_iou_interval,
)
from clearcoat.studies import (
    GRID_ARM,
    SELF_TRAINED_ARM,
    SELF_TRAINING_CONTROL,
    CellKey,
    Confirmation,
    Look,
)
from clearcoat.studies.transfer import CONTROL

_DRAWS = 1000


@dataclass(frozen=True)
class OnUntouched:
    """A cell's models on the photos that nothing was chosen by, beside their split tests."""

    key: CellKey
    look: int
    models: int
    split_tests: Interval
    """Mean IoU of the models that were scored again."""
    untouched: Interval
    optimism: Interval
    """Split tests less untouched."""
    gain_on_split_tests: Interval | None
    """Over photos alone (over control, in a transfer study), where photos without labels were there
    over the same cell without them; None for photos alone themselves."""
    gain: Interval | None
    gain_optimism: Interval | None
    over_images: bool
    """Whether the intervals know that other photos would give other scores."""


@dataclass(frozen=True)
class Across:
    """Few photos with renders against more photos alone, in the first look."""

    mix: CellKey
    alone: CellKey
    on_split_tests: Interval
    """The mix less photos alone."""
    on_untouched: Interval


def confirmed_cells(study: StudyFacts) -> tuple[OnUntouched, ...]:
    """Return what each look showed, in the order of the ledger."""
    found = []
    for look in study.ledger.looks:
        scores, looked = looked_cells(study, look)
        for key, cell in looked.items():
            base = _baseline(key)
            baseline = looked.get(base) if key != base else None
            found.append(_cell(study, look, cell, baseline, scores))
    return tuple(found)


def has_unlabelled(key: CellKey) -> bool:
    """Whether a cell is one beside the grid for photos without labels, or for their control."""
    return key.arm in (SELF_TRAINED_ARM, SELF_TRAINING_CONTROL)


def _baseline(key: CellKey) -> CellKey:
    """What a cell's gain is over: the same without what its models had besides."""
    if has_unlabelled(key):
        return key._replace(arm=GRID_ARM)
    return CellKey(GRID_ARM if key.arm == GRID_ARM else CONTROL, key.real, 0)


def confirmed_across(study: StudyFacts) -> tuple[Across, ...]:
    """Set the mixes of no photo and of the fewest against more photos alone, on a grid."""
    first = next((look for look in study.ledger.looks if look.number == 1), None)
    if first is None:
        return ()
    scores, looked = looked_cells(study, first)
    grid = {key: cell for key, cell in looked.items() if key.arm in (GRID_ARM, SELF_TRAINED_ARM)}
    alone = sorted(key for key in grid if key.arm == GRID_ARM and not key.synthetic)
    fewest = min((key.real for key in alone), default=0)
    found = []
    for mix in sorted(key for key in grid if key.synthetic and key.real <= fewest):
        for other in alone:
            if other.real > mix.real:
                gains = _gains(study, grid[mix], grid[other], scores)
                found.append(Across(mix, other, gains[0], gains[1]))
    return tuple(found)


def looked_cells(
    study: StudyFacts, look: Look
) -> tuple[dict[str, Confirmation], dict[CellKey, CellFacts]]:
    """Return the scores of a look by run id, and its cells with the runs that it scored."""
    scores = {
        c.run_id: c
        for c in study.ledger.confirmations
        if c.look == look.number and c.run_id in look.runs
    }
    again = {key: _scored_again(cell, scores) for key, cell in study.cells.items()}
    return scores, {key: cell for key, cell in again.items() if cell.entries}


def _scored_again(cell: CellFacts, scores: Mapping[str, Confirmation]) -> CellFacts:
    """Return the cell with the runs that a look scored, each with its weights' own test score."""
    again = tuple(
        entry.model_copy(update={"mean_iou": found.on_tests(entry)})
        for entry in cell.entries
        if (found := scores.get(entry.run_id)) is not None and found.mean_iou is not None
    )
    return replace(cell, entries=again)


def _cell(
    study: StudyFacts,
    look: Look,
    cell: CellFacts,
    baseline: CellFacts | None,
    scores: Mapping[str, Confirmation],
) -> OnUntouched:
    runs = cell.independent
    before, after = _means(runs, scores)
    tests, apart = _counts(study, runs), _counts(study, runs, scores)
    gains = (None, None, None) if baseline is None else _gains(study, cell, baseline, scores)
    return OnUntouched(
        key=cell.key,
        look=look.number,
        models=len(cell.entries),
        split_tests=mean_interval(before),
        untouched=mean_iou_interval(apart, draws=_DRAWS) if apart else mean_interval(after),
        optimism=mean_iou_difference(tests, apart, draws=_DRAWS, paired=True)
        if tests and apart
        else difference_interval(before, after, paired=True),
        gain_on_split_tests=gains[0],
        gain=gains[1],
        gain_optimism=gains[2],
        over_images=bool(tests and apart),
    )


def _gains(
    study: StudyFacts,
    cell: CellFacts,
    baseline: CellFacts,
    scores: Mapping[str, Confirmation],
) -> tuple[Interval, Interval, Interval | None]:
    """Gain on split tests, gain on the untouched photos, and the former less the latter."""
    ours, theirs = matched(cell, baseline) if study.paired else ([], [])
    paired = bool(ours)
    if not paired:
        ours, theirs = cell.independent, baseline.independent
    tests = _counts(study, ours), _counts(study, theirs)
    apart = _counts(study, ours, scores), _counts(study, theirs, scores)
    if not (tests[0] and tests[1] and apart[0] and apart[1]):
        (a, c), (b, d) = _means(ours, scores), _means(theirs, scores)
        optimism = None
        if paired:
            gains = [[x - y for x, y in zip(*both, strict=True)] for both in ((a, b), (c, d))]
            optimism = difference_interval(gains[0], gains[1], paired=True)
        return (
            difference_interval(a, b, paired=paired),
            difference_interval(c, d, paired=paired),
            optimism,
        )
    return (
        mean_iou_difference(tests[0], tests[1], draws=_DRAWS, paired=paired),
        mean_iou_difference(apart[0], apart[1], draws=_DRAWS, paired=paired),
        gain_difference((tests[0], tests[1]), (apart[0], apart[1]), draws=_DRAWS, paired=paired),
    )


def _counts(
    study: StudyFacts, groups: Groups, scores: Mapping[str, Confirmation] | None = None
) -> list[list[ScoredRun]] | None:
    counts = counts_by_id(study, groups, scores)
    return None if counts is None else [[counts[e.run_id] for e in group] for group in groups]


def _means(groups: Groups, scores: Mapping[str, Confirmation]) -> tuple[list[float], list[float]]:
    """Mean IoU on the split tests and on the untouched photos of runs that count as one."""
    again = [fmean(scores[e.run_id].mean_iou or 0.0 for e in group) for group in groups]
    return means(groups), again
