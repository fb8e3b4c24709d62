"""One cell against another, by the design of the study."""

from __future__ import annotations

from dataclasses import dataclass, replace

from clearcoat.report.study.facts import CellFacts, StudyFacts
from clearcoat.statistics import (
    Interval,
    OneSidedTest,
    ScoredRun,
    class_iou_difference,
    difference_interval,
    mean_iou_difference,
    paired_one_sided,
    relative_gain,
    welch_one_sided,
)


@dataclass(frozen=True)
class Contrast:
    """Mean IoU of a cell less that of its baseline."""

    cell: CellFacts
    baseline: CellFacts
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
    def loss_p(self) -> float | None:
        """Of the same test for a loss."""
        return None if self.p_value is None else 1 - self.p_value


def contrast(
    study: StudyFacts, cell: CellFacts, baseline: CellFacts, *, images: bool = True
) -> Contrast:
    """Compare two cells of a study, over runs and, where `images`, over test images too."""
    ours, theirs = cell.by_repeat, baseline.by_repeat
    common = sorted(ours.keys() & theirs.keys()) if study.paired else []
    paired = len(common) > 1
    a, b = (
        ([ours[r] for r in common], [theirs[r] for r in common])
        if paired
        else (cell.values, baseline.values)
    )
    return Contrast(
        cell=cell,
        baseline=baseline,
        difference=difference_interval(a, b, paired=paired),
        relative=relative_gain(a, b, paired=paired),
        welch=welch_one_sided(cell.values, baseline.values),
        paired=paired_one_sided(a, b) if paired else None,
        over_images=_over_images(study, cell, baseline) if images else None,
    )


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

    @property
    def better(self) -> bool:
        """Whether the whole interval is above zero."""
        return self.gain.low is not None and self.gain.low > 0

    @property
    def worse(self) -> bool:
        """Whether the whole interval is below zero."""
        return self.gain.high is not None and self.gain.high < 0


def class_contrasts(
    study: StudyFacts, cell: CellFacts, baseline: CellFacts, *, pair: bool = True
) -> tuple[ClassContrast, ...]:
    """Compare two cells class by class; classes without a score in one of them are left out.

    `pair`: equal repeats belong together where the study is paired.
    """
    pair = pair and study.paired
    ours, theirs = _common(cell, baseline)
    too_few = pair and len(ours.entries) < 2
    if pair and not too_few:
        cell, baseline = ours, theirs
    counts = None if too_few else _counts(study, cell, baseline)
    found = []
    for number, name in enumerate(study.classes):
        a, b = cell.class_values(name), baseline.class_values(name)
        if not a or not b:
            continue
        gain = (
            difference_interval(a, b)
            if counts is None
            else class_iou_difference(*counts, number, draws=1000, paired=pair)
        )
        with_renders, without = sum(a) / len(a), sum(b) / len(b)
        found.append(ClassContrast(name, without, with_renders, gain, counts is not None))
    return tuple(found)


def _over_images(study: StudyFacts, cell: CellFacts, baseline: CellFacts) -> Interval | None:
    if study.paired:
        cell, baseline = _common(cell, baseline)
        if len(cell.entries) < 2:
            return None
    counts = _counts(study, cell, baseline)
    return None if counts is None else mean_iou_difference(*counts, draws=1000, paired=study.paired)


def _common(cell: CellFacts, baseline: CellFacts) -> tuple[CellFacts, CellFacts]:
    """Both with the repeats alone that both have: what a paired design compares."""
    common = cell.by_repeat.keys() & baseline.by_repeat.keys()
    ours, theirs = (
        replace(one, entries=tuple(e for e in one.entries if e.repeat in common))
        for one in (cell, baseline)
    )
    return ours, theirs


def _counts(
    study: StudyFacts, cell: CellFacts, baseline: CellFacts
) -> tuple[list[ScoredRun], list[ScoredRun]] | None:
    """Return the counts per image of both, in order of repeat; None where some are lacking."""
    a, b = study.scored_runs(cell), study.scored_runs(baseline)
    return (a, b) if a and b else None
