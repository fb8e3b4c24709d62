"""What to do next, the most promising first: train, label, render, improve the renders, repeat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clearcoat.report.study import unlabelled
from clearcoat.report.study.across import MARGIN
from clearcoat.report.study.comparing import ClassContrast, contrast
from clearcoat.report.study.grid import Gain, GridAnalysis
from clearcoat.report.study.words import gain_text, mean_text, signed
from clearcoat.report.verdict import images
from clearcoat.statistics import mean_interval

_LEARNED = 0.65
"""Mean IoU on unseen renders below which a score on photos says more of the training than of the
renders; see docs/decisions/0125-learned-renders.md."""


@dataclass(frozen=True)
class _Step:
    """Something to do, and how much mean IoU it is expected to bring."""

    expected: float
    text: str


def next_steps(grid: GridAnalysis, row: int | None) -> list[str]:
    """Return the steps as sentences; `row` is the user's number of photos, where it was studied."""
    more_renders = _more_renders(grid, row)
    steps = [*_more_photos(grid, row), *more_renders, *_better_renders(grid, row)]
    if own := unlabelled.step(grid.self_trained, row):
        steps.append(_Step(*own))
    # Before anything else is bought: it costs no photo and no render, and may change all answers.
    texts = [*_train_longer(grid), *_better_not_more(grid, more_helps=bool(more_renders))]
    texts += _without_renders(grid, row)
    texts += [step.text for step in sorted(steps, key=lambda step: -step.expected)]
    undecided = [
        key
        for key, gain in sorted(grid.gains.items())
        if gain.verdict in ("too few", "unclear") and gain.contrast.difference.estimate > 0
    ]
    if undecided:
        real, synthetic = undecided[0]
        gain = grid.gains[real, synthetic]
        texts.append(
            f"Repeat more often where it is open{_with_pretrainings(grid, gain)}: "
            f"{len(undecided)} of {images(len(grid.gains), 'comparison')} "
            f"{'has' if len(undecided) == 1 else 'have'} a higher mean that may be chance; begin "
            f"with {images(real, 'photo')} beside {images(synthetic, 'render')} "
            f"({gain_text(gain.contrast.difference)})."
        )
    return texts


def _with_pretrainings(grid: GridAnalysis, gain: Gain) -> str:
    """Say so where further repeats go on from runs on renders that others went on from."""
    turns = grid.study.settings.pretrainings
    if turns is None or len(gain.contrast.cell.entries) < turns:
        return ""
    return f", with more `pretrainings` than the {turns} over which repeats take turns"


def _without_renders(grid: GridAnalysis, row: int | None) -> list[str]:
    """Where renders are shown to cost and none to help: leave them out."""
    mine = [gain for (real, _), gain in grid.gains.items() if real == row]
    losses = [gain for gain in mine if gain.verdict == "loss"]
    if row is None or not losses or any(gain.verdict == "gain" for gain in mine):
        return []
    worst = min(losses, key=lambda gain: gain.contrast.difference.estimate).contrast
    return [
        f"Train without these renders with {row:,} photos: none of them is shown to help, and "
        f"{worst.cell.key.synthetic:,} cost {gain_text(worst.difference)}."
    ]


def _train_longer(grid: GridAnalysis) -> list[str]:
    """Whether the models on renders alone have learned what renders show."""
    renders = max((s for r, s in grid.cells if s and not r), default=None)
    if renders is None:
        return []
    cell = grid.cells[0, renders]
    found = [
        (entry.validation_mean_iou, entry.steps)
        for entry in cell.entries
        if entry.validation_on == "synthetic" and entry.validation_mean_iou is not None
    ]
    if not found:
        return []
    on_renders = mean_interval([value for value, _ in found])
    if on_renders.estimate >= _LEARNED:
        return []
    return [
        f"Train longer on the renders before you judge them: after {max(n for _, n in found):,} "
        f"steps on {renders:,} of them, models find the classes of renders that they have not "
        f"seen at {mean_text(on_renders)} only, and those of photos at {mean_text(cell.interval)}."
    ]


def _better_not_more(grid: GridAnalysis, *, more_helps: bool) -> list[str]:
    """Whether renders alone have reached an end below what photos reach.

    `more_helps`: more of them are shown to help beside the user's photos.
    """
    scaling = grid.scaling
    alone = [cell for (real, s), cell in grid.cells.items() if real and not s]
    if scaling is None or not alone or more_helps:
        return []
    if not grid.may_extend(scaling.band, len(scaling.counts)):
        return []
    best = max(alone, key=lambda cell: cell.interval.estimate)
    gain, low, high = scaling.doubled
    top = scaling.ceiling
    if scaling.now >= best.interval.estimate:
        return []
    if high >= MARGIN and (top is None or top[2] >= best.interval.estimate):
        return []
    told = (
        ""
        if top is None or math.isinf(top[2])
        else f", whose ceiling is {top[1]:.3f} to {top[2]:.3f}"
    )
    return [
        f"Render better rather than more: twice as many would add {signed(gain)} "
        f"({signed(low)} to {signed(high)}) to models on renders alone{told}; "
        f"{best.key.real:,} photos alone reach {mean_text(best.interval)}."
    ]


def _more_photos(grid: GridAnalysis, row: int | None) -> list[_Step]:
    """What more photos bring: beside the renders where those are worth it, else alone."""
    best = None if row is None else grid.best_gain(row)
    if row is not None and best is not None and best.verdict == "gain":
        cell = best.contrast.cell
        synthetic = cell.key.synthetic
        more = [r for r in grid.real if r > row and len(grid.at(r, synthetic)) > 1]
        if more:
            step = contrast(grid.study, grid.cells[more[0], synthetic], cell, images=False)
            if step.difference.high is not None and step.difference.high < MARGIN:
                return []
            return [
                _Step(
                    step.difference.estimate,
                    f"Label {more[0] - row:,} more photos: beside {synthetic:,} renders the step "
                    f"from {row:,} to {more[0]:,} brought {gain_text(step.difference)}.",
                )
            ]
    counts = sum(not synthetic for _, synthetic in grid.cells)
    if grid.worth is None or not grid.may_extend(grid.worth.band, counts):
        return []
    most = row or max(r for r, s in grid.cells if r and not s)
    gains = [float(np.diff(c.at([most, 2 * most]))[0]) for c in grid.worth.band.draws]
    expected = float(np.diff(grid.worth.band.curve.at([most, 2 * most]))[0])
    low, high = np.quantile(gains, [0.025, 0.975])
    if high < MARGIN:
        return []
    return [
        _Step(
            expected,
            f"Label {most:,} more photos: from {most:,} to {2 * most:,} photos alone the "
            "learning curve "
            f"rises by {signed(expected)} ({signed(low)} to {signed(high)}).",
        )
    ]


def _more_renders(grid: GridAnalysis, row: int | None) -> list[_Step]:
    """The gain from the last doubling or so of renders in the user's row, if it is shown."""
    if row is None:
        return []
    counts = sorted(s for s in grid.row(row) if s and len(grid.cells[row, s].values) > 1)
    found = grid.breaks.get(row)
    if len(counts) < 2 or (found is not None and found.shown()):
        return []
    gain = grid.gains.get((row, counts[-1]))
    if gain is not None and (
        gain.verdict in ("loss", "unclear") or gain.contrast.difference.estimate <= 0
    ):
        # More of what does not help may only cost less.
        return []
    last, before = grid.cells[row, counts[-1]], grid.cells[row, counts[-2]]
    difference = contrast(grid.study, last, before, images=False).difference
    if difference.low is None or difference.low <= 0:
        return []
    return [
        _Step(
            difference.estimate,
            f"Render more: with {row:,} photos the step from {counts[-2]:,} to {counts[-1]:,} "
            "renders "
            f"brought {gain_text(difference)}"
            + ("." if found is None else ", and no break point is seen."),
        )
    ]


def _better_renders(grid: GridAnalysis, row: int | None) -> list[_Step]:
    """The class that renders hurt most with the user's photos; else where renders alone fail."""
    mine = [(counts, found) for counts, found in grid.classes.items() if counts[0] == row]
    hurt = [(counts, one) for counts, found in mine for one in found if one.worse]
    if hurt:
        (real, synthetic), one = min(hurt, key=lambda item: item[1].gain.estimate)
        expected = -one.gain.estimate / max(1, len(mine[0][1]))
        return [
            _Step(
                expected,
                f"Improve the renders of {one.name}: with {real:,} photos, {synthetic:,} renders "
                f"cost it {gain_text(one.gain)} of IoU ({one.without:.3f} without, "
                f"{one.with_renders:.3f} with). Undoing that would move the mean by "
                f"{_share_of_mean(one, mine[0][1])}; “clearcoat gap” says how its pictures differ.",
            )
        ]
    sure = [one for one in grid.renders_alone if one.worse]
    behind = sure or [one for one in grid.renders_alone if one.gain.estimate < 0]
    if not behind:
        return []
    one = min(behind, key=lambda found: found.gain.estimate)
    photos = max(r for r, s in grid.cells if r and not s)
    renders = max(s for r, s in grid.cells if s and not r)
    # A class is one of many in the mean: closing its gap moves the mean by that share.
    expected = -one.gain.estimate / len(grid.renders_alone)
    return [
        _Step(
            expected,
            f"{'Improve' if sure else 'Perhaps improve'} the renders of {one.name}: models on "
            f"{renders:,} renders alone find it worst compared with {photos:,} photos "
            f"({gain_text(one.gain)}){_class_gain(mine, one.name)}. Closing that gap would move "
            f"the mean by {_share_of_mean(one, grid.renders_alone)}; “clearcoat gap” says how its "
            "pictures differ.",
        )
    ]


def _share_of_mean(one: ClassContrast, all_classes: Sequence[ClassContrast]) -> str:
    """What making up for a class's loss is to the mean over the classes, with its interval."""
    share = -1 / max(1, len(all_classes))
    text = signed(one.gain.estimate * share)
    if one.gain.low is None or one.gain.high is None:
        return text
    return f"{text} ({signed(one.gain.high * share)} to {signed(one.gain.low * share)})"


def _class_gain(row: Sequence[tuple[tuple[int, int], tuple[ClassContrast, ...]]], name: str) -> str:
    for (real, _), found in row:
        for one in found:
            if one.name == name:
                return f"; with {real:,} photos renders give it {gain_text(one.gain)}"
    return ""
