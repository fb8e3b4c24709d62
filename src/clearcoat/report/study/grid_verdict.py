"""The answer of a grid in plain words: is it worth it, how much, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clearcoat.report.study import unlabelled
from clearcoat.report.study.across import MARGIN, StandsFor
from clearcoat.report.study.comparing import contrast
from clearcoat.report.study.grid import Gain, GridAnalysis
from clearcoat.report.study.grid_cautions import cautions
from clearcoat.report.study.grid_steps import next_steps
from clearcoat.report.study.words import (
    NO_SPREAD,
    alternatives,
    contrast_text,
    gain_text,
    mean_text,
    number_range,
    p_text,
    percent,
    percent_range,
    signed,
    together,
)
from clearcoat.report.verdict import images
from clearcoat.statistics import BreakPoint, Worth
from clearcoat.statistics.worth import LEAST_COUNTS


@dataclass(frozen=True)
class StudyVerdict:
    """One headline, and sentences that each carry a number and its interval."""

    kind: str
    """`gain`, `loss`, `mixed`, `unclear`, `too few` or `nothing`."""
    headline: str
    sentences: tuple[str, ...]
    next_steps: tuple[str, ...]
    """What to do, the most promising first."""
    cautions: tuple[str, ...]


def judge_grid(grid: GridAnalysis, photos: int | None = None) -> StudyVerdict:
    """Say what the grid shows; `photos` is how many the user has (default: as many as studied)."""
    row = _row_for(grid, photos)
    kind = _kind(list(grid.gains.values()))
    return StudyVerdict(
        kind=kind,
        headline=_headline(grid, kind),
        sentences=tuple(_sentences(grid, row)),
        next_steps=tuple(next_steps(grid, row)),
        cautions=tuple(cautions(grid, photos, row)),
    )


def _row_for(grid: GridAnalysis, photos: int | None) -> int | None:
    rows = _rows(grid)
    if not rows:
        return None
    if photos is None:
        return rows[-1]
    return min(rows, key=lambda real: (abs(np.log(real / max(1, photos))), real))


def _rows(grid: GridAnalysis) -> list[int]:
    """Numbers of photos with and without renders."""
    return sorted({real for real, _ in grid.gains})


def _kind(gains: Sequence[Gain]) -> str:
    found = {gain.verdict for gain in gains}
    if not found:
        return "nothing"
    if {"gain", "loss"} <= found:
        return "mixed"
    return next(kind for kind in ("gain", "loss", "unclear", "too few") if kind in found)


def _headline(grid: GridAnalysis, kind: str) -> str:
    if kind == "nothing":
        return "Nothing to compare yet: no cell with renders stands beside one without."
    shown = {key: gain for key, gain in grid.gains.items() if gain.verdict == "gain"}
    # The best of those that are shown: the highest mean of all may be chance, one run anything.
    (real, synthetic), best = max(
        (shown or grid.gains).items(),
        key=lambda item: (item[1].verdict != "too few", item[1].contrast.difference.estimate),
    )
    told = (
        f"with {images(real, 'photo')}, {images(synthetic, 'render')} take mean IoU from "
        f"{best.contrast.baseline.interval.estimate:.3f} to "
        f"{best.contrast.cell.interval.estimate:.3f} ({contrast_text(best.contrast)}"
        + _of_one(len(shown or grid.gains), "cell")
        + ("" if best.gain_p is None else f"; one-sided, corrected {p_text(best.gain_p)}")
        + ")"
    )
    if kind in ("gain", "mixed"):
        rows = sorted({r for r, _ in shown})
        between = [r for r in _rows(grid) if rows[0] <= r <= rows[-1]]
        where = (
            f"with {rows[0]:,} to {rows[-1]:,} photos"
            if len(rows) > 2 and rows == between
            else f"with {together(rows)} photos"
        )
        more = "" if kind == "gain" else " Elsewhere in the grid they hurt."
        return f"Yes: renders are worth it {where}. At best, {told}.{more}"
    if kind == "loss":
        return f"No: nowhere is a gain shown, and in places renders hurt. At best, {told}."
    if kind == "unclear":
        return f"Not shown: no gain is more than chance gives. At best, {told}."
    if all(gain.contrast.without_spread for gain in grid.gains.values()):
        return f"Nothing can be tested: {NO_SPREAD}. So far, {told}."
    return f"Too early to tell: cells need two runs or more. So far, {told}."


def _of_one(tried: int, what: str) -> str:
    """Say that an interval does not know that it is the best one's, as its p-value does."""
    return f", of this {what} alone" if tried > 1 else ""


def _sentences(grid: GridAnalysis, row: int | None) -> list[str]:
    found: list[str] = []
    if row is not None:
        best = grid.best_gain(row)
        assert best is not None
        helping = [g for (r, _), g in grid.gains.items() if r == row and g.verdict == "gain"]
        tried = sum(r == row for r, _ in grid.gains)
        found.append(_at_your_count(row, best, helping, tried))
        found.append(_break_sentence(grid, row))
    found += _reach_sentences(grid)
    found += _stands_for(grid.stands_for)
    found += _worth_sentences(grid, row)
    found += unlabelled.sentences(grid.self_trained)
    found += _stands_for(grid.self_trained_stands_for, f" and {unlabelled.WITHOUT_LABELS}")
    found += _self_trained_worth(grid)
    found += _renders_alone(grid)
    found += _first_photos(grid)
    found += _prices(grid)
    return [text for text in found if text]


def _at_your_count(row: int, best: Gain, helping: Sequence[Gain], tried: int) -> str:
    """The best count of renders in a row; of those shown to help, where there are any."""
    gain = max(helping, key=lambda g: g.contrast.difference.estimate, default=best)
    do = "do best" if gain is best else "do best of the counts that are shown to help"
    both = gain.contrast
    relative = percent_range(both.relative)
    ending = {
        "gain": f"corrected {p_text(gain.gain_p or 0.0)}",
        "loss": f"a loss, corrected {p_text(gain.loss_p or 0.0)}",
        "unclear": "within what chance gives"
        + ("" if gain.gain_p is None else f" (corrected {p_text(gain.gain_p)})"),
        "too few": NO_SPREAD if both.without_spread else "too few runs to tell",
    }[gain.verdict]
    over = both.over_images
    images_text = (
        ""
        if over is None or over.low is None or over.high is None
        else f"; with other test photos {signed(over.low)} to {signed(over.high)}"
    )
    return (
        f"With {images(row, 'photo')}, {images(both.cell.key.synthetic, 'render')} {do}: "
        "mean IoU "
        f"{mean_text(both.cell.interval)} instead of {mean_text(both.baseline.interval)}, that is "
        f"{contrast_text(both)}{_of_one(tried, 'cell')}{'; ' + relative if relative else ''}"
        f"{images_text}: {ending}."
    )


def _break_sentence(grid: GridAnalysis, row: int) -> str:
    found = grid.breaks.get(row)
    if found is None:
        return ""
    last = found.counts[-1]
    span = alternatives(found.credible)
    if found.shown():
        fall = contrast(
            grid.study, grid.cells[row, last], grid.cells[row, found.best], images=False
        )
        best = f"{found.best:,}" if found.best else "none"
        return (
            f"{_fall(grid, row, found)}: the best number is {best} (with 95 % certainty {span}); "
            f"with {last:,} it is {gain_text(fall.difference)} of these two cells alone "
            f"({p_text(found.fall_p)} by the spread of the whole row; Dunnett, Holm over the rows)."
        )
    photos = images(row, "photo")
    opening = (
        f"No break point is seen with {photos} up to {last:,} renders"
        if last in found.credible
        else f"A fall is not shown with {photos} up to {last:,} renders, though they are hardly "
        "the best number"
    )
    return (
        f"{opening} ({p_text(found.fall_p)} for a fall): with 95 % certainty the best number is "
        f"{span}, with {percent(found.none_seen)} it is the last of them or more."
    )


def _fall(grid: GridAnalysis, row: int, found: BreakPoint) -> str:
    """What a shown fall is: the test tells that the last count is worse than some other."""
    verdicts = {gain.verdict for (real, _), gain in grid.gains.items() if real == row}
    means = [grid.cells[row, count].interval.estimate for count in found.counts]
    if verdicts == {"loss"} and not found.best:
        return "Renders hurt there from the start"
    if "gain" in verdicts and 0 not in found.credible:
        return "More renders stop helping there"
    if not found.best and means[-1] > min(means):
        # Fewer of them hurt more.
        return "Renders hurt there"
    return "Too many renders hurt there"


def _reach_sentences(grid: GridAnalysis) -> list[str]:
    """Where help ends, and whether anything hurts."""
    rows = _rows(grid)
    helped = [
        r for r in rows if any(g.verdict == "gain" for (q, _), g in grid.gains.items() if q == r)
    ]
    losses = [(key, g) for key, g in sorted(grid.gains.items()) if g.verdict == "loss"]
    texts = []
    beyond = [r for r in rows if not helped or r > helped[-1]]
    if helped and beyond:
        best = grid.best_gain(beyond[0])
        assert best is not None
        texts.append(
            f"From {beyond[0]:,} photos on no gain is shown any more: at {beyond[0]:,} it is "
            f"{gain_text(best.contrast.difference)}."
        )
    if losses:
        (real, synthetic), worst = min(losses, key=lambda i: i[1].contrast.difference.estimate)
        texts.append(
            f"Renders hurt in {len(losses)} of {len(grid.gains)} cells, most with {real:,} "
            f"photos and {synthetic:,} renders: {gain_text(worst.contrast.difference)}."
        )
    elif grid.gains:
        lowest = min(grid.gains.values(), key=lambda g: g.contrast.difference.estimate)
        key = lowest.contrast.cell.key
        high = lowest.contrast.difference.high
        chance = ""
        if high is not None and high < 0 and lowest.loss_p is not None:
            # The interval by itself would be a loss.
            chance = f", of this cell alone; corrected {p_text(lowest.loss_p)} for a loss"
        texts.append(
            f"No cell shows a loss; the lowest is {gain_text(lowest.contrast.difference)} with "
            f"{key.real:,} photos and {key.synthetic:,} renders{chance}."
        )
    return texts


def _stands_for(found: StandsFor | None, beside: str = "") -> list[str]:
    if found is None:
        return []
    mix, photos = found.contrast.cell.key, found.contrast.baseline.key.real
    opening = f"{images(mix.real, 'photo')} with {images(mix.synthetic, 'render')}{beside}"
    p = "too few runs to test"
    if found.not_worse_p is not None:
        p = f"one-sided {p_text(found.not_worse_p)}"
    if found.mixes > 1 and found.not_worse_p is not None:
        p += f", corrected for the choice among {found.mixes} mixes"
    if found.shown:
        return [
            f"{opening} are not worse than {photos:,} photos alone by more than {MARGIN} "
            f"({gain_text(found.contrast.difference)}; {p})."
        ]
    return [
        f"That {opening} do as well as even {photos:,} photos alone is not shown "
        f"({gain_text(found.contrast.difference)}; {p})."
    ]


def _first_photos(grid: GridAnalysis) -> list[str]:
    both = grid.first_photos
    if both is None:
        return []
    p = "" if both.p_value is None else f"; one-sided {p_text(both.p_value)}"
    return [
        f"The first {images(both.cell.key.real, 'photo')} beside "
        f"{images(both.cell.key.synthetic, 'render')} bring {gain_text(both.difference)}{p}."
    ]


def _worth_sentences(grid: GridAnalysis, row: int | None) -> list[str]:
    texts = []
    worth = grid.worth
    # Of a curve that does not rise no number of photos can be read.
    if worth is None or worth.band.curve.b <= 0:
        return []
    rows = [r for r in grid.real if any(r == real for real, _ in grid.equivalents)]
    for real in dict.fromkeys([*rows[:1], *([] if row is None else [row])]):
        mixes = [(s, e) for (r, s), e in grid.equivalents.items() if r == real]
        if not mixes:
            continue
        # One run may lie anywhere.
        synthetic, _ = max(mixes, key=lambda item: (len(grid.at(real, item[0])) > 1, item[1].score))
        texts.append(_worth_text(worth, real, synthetic, len(mixes)))
    return texts


def _worth_text(worth: Worth, real: int, synthetic: int, mixes: int, beside: str = "") -> str:
    # The best of several mixes is best partly by chance.
    found = worth.equivalent(real, synthetic, looks=mixes)
    number = (
        f"more than {found.limit:,.0f} photos"
        if found.photos > found.limit
        else f"fewer than {worth.fewest:,} photos"
        if found.photos < worth.fewest
        else images(round(found.photos), "photo")
    )
    chosen = f", corrected for the choice among {mixes} mixes" if mixes > 1 else ""
    reach = number_range(found.low, found.high, found.limit, worth.fewest)
    more = f" and {beside}" if beside else ""
    return (
        f"{images(real, 'photo')} with {images(synthetic, 'render')}{more} score what {number} "
        f"alone do (95 % interval {reach}{chosen})."
    )


def _self_trained_worth(grid: GridAnalysis) -> list[str]:
    """How many photos alone the fewest stand for, beside renders and photos without labels."""
    worth, found = grid.self_trained_worth, grid.self_trained_stands_for
    if worth is None or found is None or worth.band.curve.b <= 0:
        return []
    key = found.contrast.cell.key
    return [_worth_text(worth, key.real, key.synthetic, found.mixes, unlabelled.WITHOUT_LABELS)]


def _renders_alone(grid: GridAnalysis) -> list[str]:
    scaling = grid.scaling
    if scaling is None:
        return []
    text = (
        f"Renders alone, without a photo, score "
        f"{mean_text(grid.cells[0, scaling.largest].interval)} with {scaling.largest:,}"
    )
    if not grid.may_extend(scaling.band, len(scaling.counts)):
        return [f"{text}."]
    gain, low, high = scaling.doubled
    text += f"; twice as many would add {signed(gain)} ({signed(low)} to {signed(high)})"
    if scaling.ceiling is None:
        # A curve that may be flat may have reached its ceiling.
        return [text + (", and no ceiling is in sight." if low > 0 else ".")]
    top, bottom, above = scaling.ceiling
    if not math.isfinite(above):
        return [f"{text}, and where they end, if they do, these numbers of renders do not tell."]
    return [f"{text}, and their ceiling is {top:.3f} ({bottom:.3f} to {above:.3f})."]


def _prices(grid: GridAnalysis) -> list[str]:
    """The mix that saves most against photos alone, at the user's prices."""
    prices = grid.study.settings.prices
    if prices is None:
        return []
    if grid.worth is None:
        return [
            f"What renders save at your prices takes {LEAST_COUNTS} numbers of photos alone to "
            "tell, one of them repeated."
        ]
    # The one that is sure to save most; the greatest of all estimates may be chance.
    found = grid.worth.best_saving(prices.real, prices.synthetic, margin=MARGIN)
    if found is None or found[0].cost >= found[0].alone:
        return ["At your prices no mix costs less than photos alone that score as much."]
    best, mixes = found
    currency, mix, limit = prices.currency, best.mix, grid.worth.limit * prices.real
    least = grid.worth.fewest * prices.real
    reach = number_range(prices.real * mix.low, prices.real * mix.high, limit, least)
    alone = f"more than {limit:,.0f}" if mix.photos > mix.limit else f"{best.alone:,.0f}"
    # Why that is less than the interval lets one expect.
    chosen = f", corrected for the choice among {mixes} mixes" if mixes > 1 else ""
    if best.least > 0:
        ending = f": {best.least:,.0f} {currency} or more are saved{chosen}"
    elif best.as_good is not None:
        ending = (
            f". A saving is not shown: {images(best.as_good, 'photo')} alone, "
            f"{best.as_good * prices.real:,.0f} {currency}, score "
            f"{grid.cells[best.as_good, 0].interval.estimate:.3f}"
        )
    else:
        ending = f"; a saving is not shown{chosen}"
    return [
        f"At your prices, {prices.real:,g} {currency} a photo and {prices.synthetic:,g} {currency} "
        "a render, "
        f"{images(mix.real, 'photo')} and {images(mix.synthetic, 'render')} cost "
        f"{best.cost:,.0f} {currency}; by the learning "
        f"curve as good a score ({mix.score:.3f}) takes {alone} {currency} of photos alone "
        f"(95 % interval {reach}){ending}."
    ]
