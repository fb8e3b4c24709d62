"""The analysis of a grid: gains, their tests, break points, and what renders are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from clearcoat.report.study.across import StandsFor, stands_for
from clearcoat.report.study.comparing import (
    ALPHA,
    ClassContrast,
    Contrast,
    class_contrasts,
    contrast,
    matched,
)
from clearcoat.report.study.facts import CellFacts, StudyFacts, means
from clearcoat.report.study.unlabelled import SelfTrained, cells_for_worth, self_trained
from clearcoat.statistics import (
    Band,
    BreakPoint,
    Equivalent,
    Scaling,
    Worth,
    benjamini_hochberg,
    break_point,
    holm,
    synthetic_scaling,
)
from clearcoat.statistics.worth import LEAST_COUNTS
from clearcoat.studies import GRID_ARM

Counts = tuple[int, int]


@dataclass(frozen=True)
class Gain:
    """A cell with renders against as many photos without."""

    contrast: Contrast
    holm_p: float | None
    """Adjusted over its row (Holm)."""
    fdr_p: float | None
    """Adjusted over the grid (Benjamini-Hochberg)."""
    loss_holm_p: float | None
    """That renders make it worse, adjusted over its row."""
    loss_fdr_p: float | None
    """The same, adjusted over the grid."""

    @property
    def verdict(self) -> str:
        """`gain`, `loss`, `unclear` or `too few` runs.

        What is shown is so after Holm over the row and after Benjamini and Hochberg over the grid:
        of many rows in which renders do nothing, some would pass the first alone.
        """
        if self.gain_p is None or self.loss_p is None:
            return "too few"
        if self.gain_p < ALPHA:
            return "gain"
        return "loss" if self.loss_p < ALPHA else "unclear"

    @property
    def gain_p(self) -> float | None:
        """The greater of both adjusted p-values."""
        return _greater(self.holm_p, self.fdr_p)

    @property
    def loss_p(self) -> float | None:
        """The same for a loss."""
        return _greater(self.loss_holm_p, self.loss_fdr_p)


@dataclass(frozen=True)
class GridAnalysis:
    """All that the figures and the verdict of a grid say."""

    study: StudyFacts
    real: tuple[int, ...]
    """Counts with at least one run, ascending."""
    synthetic: tuple[int, ...]
    cells: Mapping[Counts, CellFacts]
    gains: Mapping[Counts, Gain]
    breaks: Mapping[int, BreakPoint]
    """By real count; the p-values of their falls are adjusted over the rows (Holm)."""
    left_out: Mapping[Counts, CellFacts]
    """Cells with too few runs for the break point of their row, where others of it have enough."""
    worth: Worth | None
    equivalents: Mapping[Counts, Equivalent]
    scaling: Scaling | None
    stands_for: StandsFor | None
    first_photos: Contrast | None
    """The fewest photos with the most renders against those renders alone."""
    classes: Mapping[Counts, tuple[ClassContrast, ...]]
    """Of each row's best cell with renders, against as many photos without."""
    renders_alone: tuple[ClassContrast, ...]
    """Most renders alone against most photos alone: where renders are not enough."""
    self_trained: tuple[SelfTrained, ...]
    """Cells beside the grid whose models had photos without labels, too."""
    self_trained_worth: Worth | None
    self_trained_stands_for: StandsFor | None
    """Of them the fewest labelled photos with renders against more photos alone."""

    def row(self, real: int) -> dict[int, CellFacts]:
        """Return the cells of a row by synthetic count."""
        return {s: cell for (r, s), cell in self.cells.items() if r == real}

    def at(self, real: int, synthetic: int) -> tuple[float, ...]:
        """Return the scores of a cell, none where it was not run."""
        cell = self.cells.get((real, synthetic))
        return () if cell is None else tuple(cell.values)

    def may_extend(self, band: Band, counts: int) -> bool:
        """Whether a curve over so many counts tells what further images would bring.

        Two counts bend no curve; and where the repeats of a paired design cannot be told from
        chance, nothing tells how far the curve may be off.
        """
        return counts > 2 and (band.shared is not None or not self.study.paired)

    def best_gain(self, real: int) -> Gain | None:
        """Return the gain with the highest mean in a row, of those with runs enough to tell."""
        return _best(self.gains, real)


def analyse_grid(study: StudyFacts) -> GridAnalysis:
    """Compute everything from the runs that count; deterministic."""
    cells = {(k.real, k.synthetic): c for k, c in study.cells.items() if k.arm == GRID_ARM}
    real = tuple(sorted({r for r, _ in cells}))
    synthetic = tuple(sorted({s for _, s in cells}))
    values = {key: cell.values for key, cell in cells.items()}
    worth = _worth(study, cells)
    own = self_trained(study)
    beside = cells_for_worth(own, cells)
    own_mixes = [key for key in beside if key[1]]
    gains = _gains(study, cells, real)
    rows = {r: {s: cell for (q, s), cell in cells.items() if q == r} for r in real if r}
    scores = {r: _for_break(row, paired=study.paired) for r, row in rows.items()}
    best = [gain.contrast for r in real if (gain := _best(gains, r)) is not None]
    return GridAnalysis(
        study=study,
        real=real,
        synthetic=synthetic,
        cells=cells,
        gains=gains,
        breaks=_breaks(study, scores),
        left_out={
            (r, s): cell
            for r, row in rows.items()
            for s, cell in row.items()
            # Two cells have no break point, nor has a row that has been run once.
            if s not in scores[r] and len(row) > 2 and max(len(c.values) for c in row.values()) > 1
        },
        worth=worth,
        equivalents={}
        if worth is None
        else {key: worth.equivalent(*key) for key in cells if key[1] and key[0]},
        scaling=synthetic_scaling(values, repeats=_repeats(study, cells)),
        stands_for=stands_for(study, cells),
        first_photos=_first_photos(study, cells),
        classes={
            (both.cell.key.real, both.cell.key.synthetic): class_contrasts(
                study, both.cell, both.baseline
            )
            for both in best
        },
        renders_alone=_renders_alone(study, cells),
        self_trained=own,
        self_trained_worth=_worth(study, beside) if own_mixes else None,
        self_trained_stands_for=stands_for(study, beside, min(own_mixes)[0]) if own_mixes else None,
    )


def _best(gains: Mapping[Counts, Gain], real: int) -> Gain | None:
    row = [gain for (r, _), gain in gains.items() if r == real]
    # One run may lie anywhere: it is the best of a row only where every cell has but one.
    return max(
        row, key=lambda g: (g.verdict != "too few", g.contrast.difference.estimate), default=None
    )


def _renders_alone(
    study: StudyFacts, cells: Mapping[Counts, CellFacts]
) -> tuple[ClassContrast, ...]:
    photos = max((r for r, s in cells if r and not s), default=None)
    renders = max((s for r, s in cells if s and not r), default=None)
    if photos is None or renders is None:
        return ()
    return class_contrasts(study, cells[0, renders], cells[photos, 0])


def _first_photos(study: StudyFacts, cells: Mapping[Counts, CellFacts]) -> Contrast | None:
    counts = [(s, -r) for r, s in cells if r and s and (0, s) in cells]
    if not counts:
        return None
    synthetic = max(counts)[0]
    real = min(r for r, s in cells if r and s == synthetic)
    return contrast(study, cells[real, synthetic], cells[0, synthetic], images=False)


def _gains(
    study: StudyFacts, cells: Mapping[Counts, CellFacts], real: tuple[int, ...]
) -> dict[Counts, Gain]:
    contrasts = {
        key: contrast(study, cell, cells[key[0], 0])
        for key, cell in cells.items()
        if key[0] and key[1] and (key[0], 0) in cells
    }
    keys = sorted(contrasts)
    over_grid = zip(
        benjamini_hochberg([contrasts[key].p_value for key in keys]),
        benjamini_hochberg([contrasts[key].loss_p for key in keys]),
        strict=True,
    )
    fdr = dict(zip(keys, over_grid, strict=True))
    gains = {}
    for row in real:
        mine = [key for key in keys if key[0] == row]
        better = holm([contrasts[key].p_value for key in mine])
        worse = holm([contrasts[key].loss_p for key in mine])
        for key, up, down in zip(mine, better, worse, strict=True):
            gains[key] = Gain(contrasts[key], up, fdr[key][0], down, fdr[key][1])
    return gains


def _greater(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else max(first, second)


def _breaks(
    study: StudyFacts, rows: Mapping[int, Mapping[int, list[float]]]
) -> dict[int, BreakPoint]:
    tried = {row: break_point(scores, paired=study.paired) for row, scores in rows.items()}
    found = {row: one for row, one in tried.items() if one is not None}
    adjusted = holm([one.fall_p for one in found.values()])
    return {
        row: replace(one, fall_p=one.fall_p if p is None else p)
        for (row, one), p in zip(found.items(), adjusted, strict=True)
    }


def _for_break(row: Mapping[int, CellFacts], *, paired: bool) -> dict[int, list[float]]:
    """Scores by synthetic count that the break point of a row is looked for in.

    Paired: of repeats that all of the cells have, so that the i-th values belong together. Cells
    with fewer than two runs, or fewer than half of what most of the row have, would hold the others
    down to theirs and are left out. Half of a cell's least number is always enough: beyond that
    the stopping rule gives some cells more than others.
    """
    if not paired:
        return {synthetic: cell.values for synthetic, cell in row.items()}
    runs = [len(cell.entries) for cell in row.values()]
    usual = max(runs, key=lambda count: (runs.count(count), count))
    kept = {
        synthetic: cell
        for synthetic, cell in row.items()
        if len(cell.entries) >= max(2, min(usual, cell.rule.least) / 2)
    }
    if not kept:
        return {}
    scores = dict(zip(kept, map(means, matched(*kept.values())), strict=True))
    return scores if len(next(iter(scores.values()))) > 1 else {}


def _worth(study: StudyFacts, cells: Mapping[Counts, CellFacts]) -> Worth | None:
    photos = [real for real, synthetic in cells if real and not synthetic]
    # Without two runs somewhere nothing tells how far its numbers may be off.
    if len(photos) < LEAST_COUNTS or not any(len(cells[real, 0].values) > 1 for real in photos):
        return None
    values = {key: cell.values for key, cell in cells.items()}
    return Worth(values, repeats=_repeats(study, cells))


def _repeats(
    study: StudyFacts, cells: Mapping[Counts, CellFacts]
) -> dict[Counts, list[list[int]]] | None:
    """Per cell the repeats that each of its independent scores is of; None where unpaired."""
    if not study.paired:
        return None
    return {
        key: [[e.repeat for e in runs] for runs in cell.independent] for key, cell in cells.items()
    }
