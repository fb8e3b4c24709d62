"""Few photos with renders against more photos alone: how many they are shown to stand for."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clearcoat.report.study.comparing import ALPHA, Contrast, contrast
from clearcoat.report.study.facts import CellFacts, StudyFacts
from clearcoat.report.tables import Table
from clearcoat.statistics import equivalence

MARGIN = 0.01
"""Difference of mean IoU that would matter: a hundredth."""
Cells = Mapping[tuple[int, int], CellFacts]
"""By numbers of photos and renders."""


@dataclass(frozen=True)
class StandsFor:
    """The fewest photos, at their best count of renders, against more photos alone."""

    tried: tuple[Contrast, ...]
    """With each greater number of photos alone, ascending."""
    contrast: Contrast
    """With the most photos that the mix is shown not to be worse than; where it is shown for
    none with the fewest that a test was made for."""
    not_worse_p: float | None
    """One-sided, for a margin of `MARGIN`, adjusted over the mixes that it is the best of
    (Bonferroni); of photos tried one after the other, from the fewest up to the first that is not
    shown, which needs no further correction."""
    mixes: int
    """Of how many mixes it is the best."""

    @property
    def shown(self) -> bool:
        """Whether it is shown that the mix is not worse."""
        return self.not_worse_p is not None and self.not_worse_p < ALPHA


def stands_for(study: StudyFacts, cells: Cells, fewest: int | None = None) -> StandsFor | None:
    """Set the best mix of the fewest photos against more photos alone.

    `fewest`: that many in place of the fewest that were run alone.
    """
    alone = sorted(real for real, synthetic in cells if real and not synthetic)
    least = fewest or (alone[0] if alone else 0)
    mixes = [cell for (real, s), cell in cells.items() if s and real == least]
    more = [real for real in alone if real > least]
    if not mixes or not more:
        return None
    best = max(mixes, key=lambda cell: (len(cell.values) > 1, cell.interval.estimate))
    tried = tuple(contrast(study, best, cells[real, 0], images=False) for real in more)
    # The best of several mixes is best partly by chance.
    tests = ((both, not_worse(both)) for both in tried)
    told = [(both, min(1.0, p * len(mixes))) for both, p in tests if p is not None]
    # A fixed sequence (Maurer, Hothorn and Lehmacher 1995): more photos are tried only once fewer
    # are passed, so that all tests together err as often as one.
    shown = [*itertools.takewhile(lambda item: item[1] < ALPHA, told)]
    if shown:
        return StandsFor(tried, shown[-1][0], max(p for _, p in shown), len(mixes))
    both, p_value = told[0] if told else (tried[0], None)
    return StandsFor(tried, both, p_value, len(mixes))


def not_worse(both: Contrast) -> float | None:
    """One-sided p-value for a cell that is no worse than its baseline by the margin or more."""
    paired = both.paired is not None
    return equivalence(both.ours, both.theirs, MARGIN, paired=paired).not_worse_p


def across_table(found: Sequence[StandsFor]) -> Table:
    """One row per mix and number of photos alone."""
    rows = []
    for one in found:
        for both in one.tried:
            difference = both.difference
            rows.append(
                (
                    str(both.cell.key), both.baseline.key.real, len(both.ours),
                    both.cell.interval.estimate, both.baseline.interval.estimate,
                    difference.estimate, difference.low, difference.high, not_worse(both),
                )
            )  # fmt: skip
    return Table(
        (
            "mix", "photos alone", "pairs or runs", "mean IoU of the mix", "of photos alone",
            "difference", "95 % low", "95 % high", f"p not worse by {MARGIN}",
        ),
        tuple(rows),
    )  # fmt: skip
