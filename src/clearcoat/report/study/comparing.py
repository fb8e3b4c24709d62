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
    counts = _counts(study, cell, baseline)
    found = []
    for number, name in enumerate(study.classes):
        # A run whose test photos show the class nowhere says nothing of it, nor does its pair.
        ours, theirs = cell.showing(name), baseline.showing(name)
        paired = pair and study.paired and len(_common(ours, theirs)[0].entries) > 1
        if paired:
            ours, theirs = _common(ours, theirs)
        a, b = ours.class_values(name), theirs.class_values(name)
        if not a or not b:
            continue
        gain = (
            difference_interval(a, b, paired=paired)
            if counts is None
            else class_iou_difference(
                [counts[e.run_id] for e in ours.entries],
                [counts[e.run_id] for e in theirs.entries],
                number,
                draws=1000,
                paired=paired,
            )
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
    if counts is None:
        return None
    a, b = ([counts[e.run_id] for e in one.entries] for one in (cell, baseline))
    return mean_iou_difference(a, b, draws=1000, paired=study.paired)


def _common(cell: CellFacts, baseline: CellFacts) -> tuple[CellFacts, CellFacts]:
    """Both with the repeats alone that both have: what a paired design compares."""
    common = cell.by_repeat.keys() & baseline.by_repeat.keys()
    ours, theirs = (
        replace(one, entries=tuple(e for e in one.entries if e.repeat in common))
        for one in (cell, baseline)
    )
    return ours, theirs


def _counts(study: StudyFacts, *cells: CellFacts) -> dict[str, ScoredRun] | None:
    """Return the counts per image of each run by its id; None where some are lacking."""
    entries = [entry for cell in cells for entry in cell.entries]
    counts = study.counts_of(entries)
    if counts is None:
        return None
    return {entry.run_id: run for entry, run in zip(entries, counts, strict=True)}
