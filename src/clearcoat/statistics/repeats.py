"""What a repeat has in common over the cells of a paired design: its photos, its test images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Labels = Sequence[Sequence[int]]
"""Of each score the repeats that it is the mean of, mostly one."""


@dataclass(frozen=True, eq=False)
class SharedEffects:
    """By how much each repeat lies above or below the others in all cells at once.

    A two-way analysis of variance without interaction: score = cell + repeat + rest. The rest is
    drawn anew per run; what is a repeat's own is drawn once for all cells, or a curve through
    them would seem to be known better than its repeats allow.
    """

    columns: Mapping[int, int]
    """Which column a repeat's effect stands in."""
    estimates: FloatArray
    """(repeats,) effects, which add up to 0."""
    draws: FloatArray
    """(draws, repeats) plausible effects of other repeats: Student's t in every mean of them."""
    rest: FloatArray
    """(scores,) residuals without the effects, of the spread that single runs have."""
    degrees: int
    """Degrees of freedom of that spread."""

    def of(self, labels: Labels) -> FloatArray:
        """Return (scores,) the estimated effect in each score."""
        return np.asarray(self._shares(labels) @ self.estimates)

    def drawn(self, labels: Labels) -> FloatArray:
        """Return (draws, scores) of plausible effects in each score."""
        return np.asarray(self.draws @ self._shares(labels).T)

    def _shares(self, labels: Labels) -> FloatArray:
        return _shares(labels, self.columns)


def shared_effects(
    cells: FloatArray, values: FloatArray, labels: Labels, draws: int, random: np.random.Generator
) -> SharedEffects | None:
    """Estimate the effects of repeats from scores (n,), their cells (n,) and their repeats.

    None where nothing tells them apart from what is left: fewer than two repeats, or no two
    cells that share two of them.
    """
    columns = {r: i for i, r in enumerate(sorted({r for label in labels for r in label}))}
    shares = _shares(labels, columns)
    centred, residuals = shares.copy(), np.array(values, dtype=np.float64)
    places = [np.flatnonzero(cells == cell) for cell in np.unique(cells)]
    for where in places:
        centred[where] -= centred[where].mean(axis=0)
        residuals[where] -= residuals[where].mean()
    rank = int(np.linalg.matrix_rank(centred))
    degrees = len(values) - len(places) - rank
    # Effects that cannot all be told apart leave some of a repeat's luck in the rest.
    if rank < len(columns) - 1 or not rank or degrees < 1:
        return None
    estimates = np.asarray(np.linalg.lstsq(centred, residuals, rcond=None)[0], np.float64)
    rest = residuals - centred @ estimates
    several = np.concatenate([where for where in places if len(where) > 1])
    scale = np.zeros_like(rest)
    scale[several] = math.sqrt(len(several) / degrees)
    spread = float(estimates.std(ddof=1))
    # One chi-square per draw for all repeats: their means are then Student's t, as they should.
    heavy = np.sqrt(rank / random.chisquare(rank, size=(draws, 1)))
    effects = spread * heavy * random.standard_normal((draws, len(columns)))
    return SharedEffects(columns, estimates, np.asarray(effects), scale * rest, degrees)


def _shares(labels: Labels, columns: Mapping[int, int]) -> FloatArray:
    """(scores, repeats) share of each repeat in each score; repeats without a column have none."""
    shares = np.zeros((len(labels), len(columns)))
    for row, label in enumerate(labels):
        for repeat in label:
            if repeat in columns:
                shares[row, columns[repeat]] += 1 / len(label)
    return shares
