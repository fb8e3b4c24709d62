"""One cell against another, by the design of the study."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from clearcoat.report.study.facts import CellFacts, StudyFacts, means
from clearcoat.statistics import (
    Interval,
    OneSidedTest,
    ScoredRun,
    class_iou_difference,
    difference_interval,
    holm,
    mean_iou_difference,
    paired_one_sided,
    relative_gain,
    two_sided,
    welch_one_sided,
)
from clearcoat.studies import Confirmation, Entry

ALPHA = 0.05
Groups = list[list[Entry]]
"""Runs, those together that count as one."""


def matched(*cells: CellFacts) -> tuple[Groups, ...]:
    """Return of each cell the runs of the repeats that all have: what a paired design compares.

    The i-th group of one cell belongs to the i-th of every other. Repeats whose runs go on from
    the same runs are one group, unless cells of one arm do: what these share is no difference.
    Other arms take other parts of what they start from, whose luck does not cancel.
    """
    one_arm = len({cell.key.arm for cell in cells}) == 1
    runs = [{entry.repeat: entry for entry in cell.entries} for cell in cells]
    groups: dict[Hashable, list[int]] = {}
    for repeat in sorted(set[int].intersection(*(set(one) for one in runs))):
        starts = tuple(one[repeat].started_from for one in runs)
        alike = len(set(starts)) == 1 and (one_arm or starts[0] is None)
        shared: Hashable = repeat if alike else starts
        groups.setdefault(shared, []).append(repeat)
    return tuple([[one[r] for r in group] for group in groups.values()] for one in runs)


@dataclass(frozen=True)
class Contrast:
    """Mean IoU of a cell less that of its baseline."""

    cell: CellFacts
    baseline: CellFacts
    runs: int
    """Of the cell's runs those that are compared: of a paired design, with the same repeats."""
    ours: list[float]
    """Scores that are compared, one per group of runs that count as one."""
    theirs: list[float]
    """Of the baseline; of a paired test, equally many."""
    difference: Interval
    relative: Interval | None
    welch: OneSidedTest
    paired: OneSidedTest | None
    """Over repeats that both have; None in an independent design or without two pairs."""
    over_images: Interval | None
    """Of the difference over runs and test images; None where the counts are not at hand."""

    @property
    def p_value(self) -> float | None:
        """Of the test that fits the design, one-sided for a gain."""
        return self.welch.p_value if self.paired is None else self.paired.p_value

    @property
    def without_spread(self) -> bool:
        """Whether there are runs enough to test, which do not differ."""
        return self.p_value is None and min(len(self.ours), len(self.theirs)) > 1

    @property
    def loss_p(self) -> float | None:
        """Of the same test for a loss."""
        return None if self.p_value is None else 1 - self.p_value


def contrast(
    study: StudyFacts, cell: CellFacts, baseline: CellFacts, *, images: bool = True
) -> Contrast:
    """Compare two cells of a study, over runs and, where `images`, over test images too."""
    ours, theirs, paired = _compared(study, cell, baseline)
    a, b = means(ours), means(theirs)
    return Contrast(
        cell=cell,
        baseline=baseline,
        runs=sum(map(len, ours)),
        ours=a,
        theirs=b,
        difference=difference_interval(a, b, paired=paired),
        relative=relative_gain(a, b, paired=paired),
        welch=welch_one_sided(cell.values, baseline.values),
        paired=paired_one_sided(a, b) if paired else None,
        over_images=_over_images(study, ours, theirs, paired=paired) if images else None,
    )


def _compared(
    study: StudyFacts, cell: CellFacts, baseline: CellFacts
) -> tuple[Groups, Groups, bool]:
    """Both cells' runs as groups that count as one, and whether the groups belong together."""
    if study.paired:
        ours, theirs = matched(cell, baseline)
        # One pair tells no more than its difference; all runs of both would be of other photos.
        if ours:
            return ours, theirs, True
    return cell.independent, baseline.independent, False


@dataclass(frozen=True)
class ClassContrast:
    """IoU of one class in a cell less that in its baseline."""

    name: str
    without: float
    """Mean IoU of the baseline's runs."""
    with_renders: float
    gain: Interval
    over_images: bool
    """Whether the interval is over runs and test images (bootstrap), and not over runs alone."""
    p_value: float | None
    """Two-sided, over runs, adjusted over the classes (Holm)."""

    @property
    def better(self) -> bool:
        """Whether a gain is shown: the interval above zero, and the test among all classes."""
        return self._told and self.gain.low is not None and self.gain.low > 0

    @property
    def worse(self) -> bool:
        """Whether a loss is shown."""
        return self._told and self.gain.high is not None and self.gain.high < 0

    @property
    def _told(self) -> bool:
        return self.p_value is not None and self.p_value < ALPHA


def class_contrasts(
    study: StudyFacts, cell: CellFacts, baseline: CellFacts
) -> tuple[ClassContrast, ...]:
    """Compare two cells class by class; classes without a score in one of them are left out."""
    counts = counts_by_id(study, [cell.entries, baseline.entries])
    found, tests = [], []
    for number, name in enumerate(study.classes):
        # A run whose test photos show the class nowhere says nothing of it, nor does its pair.
        ours, theirs, paired = _compared(study, cell.showing(name), baseline.showing(name))
        a, b = means(ours, name), means(theirs, name)
        if not a or not b:
            continue
        gain = (
            difference_interval(a, b, paired=paired)
            if counts is None
            else class_iou_difference(
                [[counts[e.run_id] for e in group] for group in ours],
                [[counts[e.run_id] for e in group] for group in theirs],
                number,
                draws=1000,
                paired=paired,
            )
        )
        with_renders, without = sum(a) / len(a), sum(b) / len(b)
        found.append(ClassContrast(name, without, with_renders, gain, counts is not None, None))
        test = paired_one_sided(a, b) if paired else welch_one_sided(a, b)
        tests.append(two_sided(test))
    # One of many classes is always the luckiest.
    return tuple(replace(one, p_value=p) for one, p in zip(found, holm(tests), strict=True))


def _over_images(
    study: StudyFacts, ours: Groups, theirs: Groups, *, paired: bool
) -> Interval | None:
    if study.paired and not paired:
        return None
    counts = counts_by_id(study, [*ours, *theirs])
    if counts is None:
        return None
    a, b = ([[counts[e.run_id] for e in group] for group in groups] for groups in (ours, theirs))
    return mean_iou_difference(a, b, draws=1000, paired=paired)


def counts_by_id(
    study: StudyFacts,
    groups: Sequence[Sequence[Entry]],
    scores: Mapping[str, Confirmation] | None = None,
) -> dict[str, ScoredRun] | None:
    """Return the counts per image of each run by its id; None where some are not at hand.

    With the `scores` of a look those on the untouched photos.
    """
    entries = [entry for group in groups for entry in group]
    counts = study.counts_of(entries, scores)
    if counts is None:
        return None
    return {entry.run_id: run for entry, run in zip(entries, counts, strict=True)}
