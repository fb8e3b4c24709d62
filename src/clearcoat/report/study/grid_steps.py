"""What to do next, the most promising first: label, render, improve the renders, or repeat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clearcoat.report.study.grid import Gain, GridAnalysis
from clearcoat.report.study.words import gain_text, signed
from clearcoat.statistics import difference_interval


@dataclass(frozen=True)
class _Step:
    """Something to do, and how much mean IoU it is expected to bring."""

    expected: float
    text: str


def next_steps(grid: GridAnalysis, row: int | None) -> list[str]:
    """Return the steps as sentences; `row` is the user's number of photos, where it was studied."""
    steps = [*_more_photos(grid, row), *_more_renders(grid, row), *_better_renders(grid)]
    texts = [step.text for step in sorted(steps, key=lambda step: -step.expected)]
    undecided = [
        key
        for key, gain in sorted(grid.gains.items())
        if gain.verdict == "too few"
        or (gain.verdict == "unclear" and gain.contrast.difference.estimate > 0)
    ]
    if undecided:
        real, synthetic = undecided[0]
        difference = grid.gains[real, synthetic].contrast.difference
        texts.append(
            f"Repeat more often where it is open: {len(undecided)} of {len(grid.gains)} "
            "comparisons have "
            f"a higher mean that may be chance, first {real:,} photos + {synthetic:,} renders "
            f"({gain_text(difference)})."
        )
    return texts


def _more_photos(grid: GridAnalysis, row: int | None) -> list[_Step]:
    if grid.worth is None:
        return []
    most = row or max(r for r, s in grid.cells if r and not s)
    gains = [float(np.diff(c.at([most, 2 * most]))[0]) for c in grid.worth.band.draws]
    expected = float(np.diff(grid.worth.band.curve.at([most, 2 * most]))[0])
    low, high = np.quantile(gains, [0.025, 0.975])
    return [
        _Step(
            expected,
            f"Label {most:,} more photos: from {most:,} to {2 * most:,} photos alone the "
            "learning curve "
            f"rises by {signed(expected)} ({signed(low)} to {signed(high)}).",
        )
    ]


def _more_renders(grid: GridAnalysis, row: int | None) -> list[_Step]:
    """The gain from the last doubling or so of renders in the user's row, if it still rises."""
    if row is None:
        return []
    counts = sorted(s for s in grid.row(row) if s)
    found = grid.breaks.get(row)
    if len(counts) < 2 or (found is not None and found.shown()):
        return []
    last, before = grid.cells[row, counts[-1]], grid.cells[row, counts[-2]]
    difference = difference_interval(last.values, before.values)
    if difference.estimate <= 0:
        return []
    return [
        _Step(
            difference.estimate,
            f"Render more: with {row:,} photos the step from {counts[-2]:,} to {counts[-1]:,} "
            "renders "
            f"brought {gain_text(difference)}, and no break point is seen.",
        )
    ]


def _better_renders(grid: GridAnalysis) -> list[_Step]:
    """The class where models on renders alone are furthest behind models on photos alone."""
    alone = [r for r in grid.real if r and (r, 0) in grid.cells]
    renders = [s for s in grid.synthetic if s and (0, s) in grid.cells]
    if not alone or not renders:
        return []
    photos, made = grid.cells[alone[-1], 0], grid.cells[0, renders[-1]]
    gaps = []
    for name in grid.study.classes:
        a, b = photos.class_values(name), made.class_values(name)
        if a and b:
            gaps.append((name, difference_interval(a, b)))
    if not gaps:
        return []
    sure = [(name, gap) for name, gap in gaps if gap.low is not None and gap.low > 0]
    name, gap = max(sure or gaps, key=lambda item: item[1].estimate)
    if gap.estimate <= 0:
        return []
    helped = _class_gain(grid.best_gain(alone[0]), name)
    # A class is one of many in the mean: closing its gap moves the mean by that share.
    return [
        _Step(
            gap.estimate / len(gaps),
            f"{'Improve' if sure else 'Perhaps improve'} the renders of {name}: models on "
            f"{renders[-1]:,} renders alone find it worst "
            f"compared with {alone[-1]:,} photos ({gain_text(gap)} behind){helped}. "
            f"Closing that gap would move the mean by up to {signed(gap.estimate / len(gaps))}; "
            "“clearcoat gap” says how its pictures differ.",
        )
    ]


def _class_gain(gain: Gain | None, name: str) -> str:
    if gain is None:
        return ""
    both = gain.contrast
    a, b = both.cell.class_values(name), both.baseline.class_values(name)
    if not a or not b:
        return ""
    return (
        f"; with {both.cell.key.real:,} photos renders give it "
        f"{gain_text(difference_interval(a, b))}"
    )
