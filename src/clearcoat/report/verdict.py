"""The answer at the top of the report, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from clearcoat.report.cells import SIGNIFICANT, Cell, Comparison
from clearcoat.report.facts import FINISHED, RunFacts
from clearcoat.statistics import Interval

MOST_TOLD = 10.0
"""Relative difference beyond which a figure says only that next to nothing was divided by."""


@dataclass(frozen=True)
class Verdict:
    """One headline, and sentences that each carry their numbers."""

    kind: str
    """`gain`, `loss`, `mixed`, `unclear`, `too few` or `nothing`."""
    headline: str
    sentences: tuple[str, ...]
    """One per comparison, in the order of the comparisons."""
    cautions: tuple[str, ...]
    """What a reader must know before believing the figures."""


def judge(
    runs: Sequence[RunFacts], cells: Sequence[Cell], comparisons: Sequence[Comparison]
) -> Verdict:
    """Say whether adding renders helps, as far as the runs tell."""
    kind = _kind(comparisons)
    tested = sum(comparison.welch.p_value is not None for comparison in comparisons)
    return Verdict(
        kind=kind,
        headline=_headline(kind, cells, comparisons),
        sentences=tuple(sentence(comparison, tested) for comparison in comparisons),
        cautions=tuple(_cautions(runs, cells, comparisons, tested)),
    )


def sentence(comparison: Comparison, tested: int) -> str:
    """Say what adding the renders of one cell did; it is one of `tested` comparisons."""
    cell, base = comparison.cell, comparison.baseline
    change = _change(comparison)
    moved = "raises" if change > 0 else "lowers" if change < 0 else "leaves"
    opening = (
        f"With {images(cell.real, 'real image')}, adding {images(cell.synthetic, 'render')} "
        f"{moved} mean IoU {_way(comparison)}: {signed_interval(comparison.absolute)}"
    )
    if comparison.relative is not None:
        opening += f", {signed_percent(comparison.relative.estimate)} relative"
    counts = f"{_runs(cell)} against {_runs(base)} runs"
    p_value = comparison.welch.p_value
    if p_value is None or comparison.gain_p is None or comparison.loss_p is None:
        return f"{opening}. Too few runs to tell ({counts}; {comparison.welch.why_not})."
    gain_text = _p_among(p_value, comparison.gain_p, tested)
    loss_text = _p_among(1 - p_value, comparison.loss_p, tested)
    ending = {
        "gain": f"A gain: one-sided Welch test {gain_text}",
        "loss": f"A loss: Welch test that it is one {loss_text}",
        "unclear": "No gain shown: "
        + ("the mean is lower" if change < 0 else "the difference is within what chance gives")
        + f", one-sided Welch test {gain_text}"
        + ("; more runs would tell more" if change > 0 else ""),
    }[comparison.verdict]
    return f"{opening}. {ending} ({counts})."


def _runs(cell: Cell) -> str:
    """Number of runs, and of those that share no start, where that is another."""
    count, chances = len(cell.runs), len(cell.independent)
    if chances == count:
        return f"{count}"
    return f"{count} (from {images(chances, 'run')} and counted as {chances})"


def _change(comparison: Comparison) -> float:
    """Return the difference as it is printed; 0 too where the means are printed the same."""
    base, cell = comparison.baseline.interval, comparison.cell.interval
    same = round(base.estimate, 3) == round(cell.estimate, 3)
    return 0.0 if same else round(comparison.absolute.estimate, 3)


def _way(comparison: Comparison) -> str:
    base, cell = comparison.baseline.interval, comparison.cell.interval
    if not _change(comparison):
        return f"at {cell.estimate:.3f}"
    return f"from {base.estimate:.3f} to {cell.estimate:.3f}"


def _p_among(p_value: float, adjusted: float, tested: int) -> str:
    if tested == 1:
        return p_text(p_value)
    return f"{p_text(p_value)} uncorrected, {p_text(adjusted)} among {tested} comparisons"


def _kind(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        return "nothing"
    verdicts = {comparison.verdict for comparison in comparisons}
    if {"gain", "loss"} <= verdicts:
        return "mixed"
    return next(kind for kind in ("gain", "loss", "unclear", "too few") if kind in verdicts)


def _headline(kind: str, cells: Sequence[Cell], comparisons: Sequence[Comparison]) -> str:
    if kind == "nothing":
        return _nothing(cells)
    told = [comparison for comparison in comparisons if comparison.verdict != "too few"]
    if kind == "too few":
        best = max(comparisons, key=lambda comparison: comparison.absolute.estimate)
        seen = f"mean IoU {signed(best.absolute.estimate)} at best ({best.cell.label})"
        return f"Too few runs to tell whether adding renders helps. So far: {seen}."
    if kind == "unclear" and len(told) == 1:
        p_value = told[0].welch.p_value
        assert p_value is not None
        if _change(told[0]) <= 0:
            return f"No gain shown: the mean is not higher. {_short(told[0])}."
        return f"No gain shown. {_short(told[0])}, which chance alone may give ({p_text(p_value)})."
    if kind == "unclear" and all(_change(c) > 0 for c in told):
        best = max(told, key=lambda comparison: comparison.absolute.estimate)
        runs = min(len(cell.independent) for c in told for cell in (c.cell, c.baseline))
        return (
            f"Adding renders raised the mean in all {images(len(told), 'comparison')} "
            f"({signed(best.absolute.estimate)} at best), but in none by more than chance gives "
            f"with {runs} runs each. More runs would tell."
        )
    if kind == "unclear":
        return (
            "Adding renders shows no gain here: none of "
            f"{images(len(told), 'comparison')} differs by more than chance gives."
        )
    gains = [comparison for comparison in told if comparison.verdict == "gain"]
    losses = [comparison for comparison in told if comparison.verdict == "loss"]
    several = len(comparisons) > 1
    among = images(len(told), "comparison")
    if len(told) < len(comparisons):
        among += " that could be tested"
    if kind == "loss":
        worst = min(losses, key=lambda comparison: comparison.absolute.estimate)
        if len(losses) < len(comparisons):
            return (
                f"No gain is shown; in {len(losses)} of {among} renders hurt: "
                f"{_lower(_short(worst))}."
            )
        where = f" in all {among}" if several else ""
        return f"There is no gain: adding renders makes the models worse{where}. {_short(worst)}."
    best = max(gains, key=lambda comparison: comparison.absolute.estimate)
    share = f"{len(gains)} of {among}"
    if kind == "gain":
        where = f" in {share}" if several else ""
        return f"Adding renders helps{where}. {_short(best)}."
    worst = min(losses, key=lambda comparison: comparison.absolute.estimate)
    return (
        f"Adding renders helps in {share}, and hurts in {len(losses)}. "
        f"Best: {_lower(_short(best))}. Worst: {_lower(_short(worst))}."
    )


def _nothing(cells: Sequence[Cell]) -> str:
    if not cells:
        return "There is no finished run with a score yet."
    # Scores on other images say nothing of which is better; those on test images come first.
    tested = [cell for cell in cells if any(run.tested for run in cell.runs)] or cells
    together = Counter(cell.scored_on for cell in tested).most_common(1)[0][0]
    best = max(
        (cell for cell in tested if cell.scored_on == together),
        key=lambda cell: cell.interval.estimate,
    )
    return (
        "Nothing to compare yet: no runs with renders stand beside runs on the same real images "
        f"without. The best models so far have {best.label} images and a mean IoU of "
        f"{best.interval.estimate:.3f}."
    )


def _short(comparison: Comparison) -> str:
    relative, changed = comparison.relative, bool(_change(comparison))
    return (
        f"With {images(comparison.cell.real, 'real image')}, "
        f"{images(comparison.cell.synthetic, 'render')} {'take' if changed else 'leave'} mean IoU "
        + _way(comparison)
        + (f" ({signed_percent(relative.estimate)})" if relative is not None and changed else "")
    )


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _cautions(
    runs: Sequence[RunFacts], cells: Sequence[Cell], comparisons: Sequence[Comparison], tested: int
) -> list[str]:
    found = []
    if any(run.score is not None and not run.tested for run in runs):
        found.append(
            "Some runs have no score on test images; theirs is that of the images that decided "
            "when to stop, which flatters it. Give --test to score every run on the same images."
        )
    if len({run.scored_on for run in runs if run.tested}) > 1:
        found.append(
            "The runs were scored on different test sets; scores of different sets are not "
            "compared. Give --test to score every run on the same images."
        )
    if any((run.config or {}).get("mode") == "paper" for run in runs):
        found.append(
            "Some runs stopped on the images that they are scored on (mode `paper`), which "
            "flatters their scores."
        )
    for comparison in comparisons:
        if comparison.differences:
            found.append(
                f"{comparison.cell.label} differs from its baseline in more than the renders: "
                f"{comparison.differences}."
            )
    if tested > 1:
        found.append(
            f"{tested} tests: gains and losses are called so at {100 * SIGNIFICANT:.0f} % among "
            "all of them (Holm); the p-values and intervals of the table are not corrected for "
            "their number."
        )
    if any(len(cell.independent) < len(cell.runs) for cell in cells):
        found.append(
            "Some runs start from one run, whose luck they share: they count as one, at their "
            "mean. Start each from a run of its own."
        )
    scored = sum(run.mean_iou is not None for run in runs)
    if copies := scored - sum(len(cell.runs) for cell in cells):
        found.append(
            "1 run is a copy of another and counts once."
            if copies == 1
            else f"{copies:,} runs are copies of others and count once."
        )
    if open_runs := sum(run.state != FINISHED for run in runs):
        found.append(f"{images(open_runs, 'run')} unfinished or damaged: listed, not counted.")
    return found


def images(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where it is."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def signed(value: float, digits: int = 3) -> str:
    """Return a difference, of IoU where nothing else is said, with its sign."""
    rounded = round(value, digits)
    # The sign of what is printed as zero says nothing.
    text = f"{rounded:+,.{digits}f}" if rounded else f"{0:.{digits}f}"
    return text.replace("-", "−")


def signed_percent(value: float, digits: int = 0) -> str:
    """Return a relative difference in per cent with its sign; beyond `MOST_TOLD` only that."""
    if value > MOST_TOLD:
        return f"more than {signed_percent(MOST_TOLD)}"
    return f"{signed(100 * value, digits)} %"


def percent(share: float) -> str:
    """Return a share, 0 to 1, in per cent."""
    return f"{100 * share:.0f} %"


def percent_bounds(interval: Interval) -> str:
    """Return the bounds of a relative difference; empty without any, or all beyond `MOST_TOLD`."""
    if interval.low is None or interval.high is None or interval.low > MOST_TOLD:
        return ""
    low, high = signed_percent(interval.low), signed_percent(interval.high)
    return f"{low if interval.high > MOST_TOLD else low.removesuffix(' %')} to {high}"


def signed_interval(interval: Interval) -> str:
    """Return a difference of IoU with its interval, where it has one."""
    text = signed(interval.estimate)
    if interval.low is None or interval.high is None:
        return text
    bounds = f"{signed(interval.low)} to {signed(interval.high)}"
    return f"{text} ({100 * interval.level:.0f} % interval {bounds})"


def p_text(p_value: float) -> str:
    """Return a p-value as one prints it."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
