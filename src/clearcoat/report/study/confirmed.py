"""What the untouched photos say: how much of a score, and of a gain, was chosen by its luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from clearcoat.report.study.comparing import Groups, counts_by_id, matched
from clearcoat.report.study.facts import CellFacts, StudyFacts, means
from clearcoat.report.study.words import gain_text, mean_text, signed
from clearcoat.report.tables import Table
from clearcoat.report.verdict import images
from clearcoat.statistics import (
    Interval,
    ScoredRun,
    difference_interval,
    gain_difference,
    mean_interval,
    mean_iou_difference,
    mean_iou_interval,
)
from clearcoat.studies import GRID_ARM, CellKey, Confirmation, Look
from clearcoat.studies.confirming import is_open
from clearcoat.studies.transfer import CONTROL

_DRAWS = 1000


@dataclass(frozen=True)
class OnUntouched:
    """A cell's models on the photos that nothing was chosen by, beside their split tests."""

    key: CellKey
    look: int
    models: int
    split_tests: Interval
    """Mean IoU of the models that were scored again."""
    untouched: Interval
    optimism: Interval
    """Split tests less untouched."""
    gain_on_split_tests: Interval | None
    """Over photos alone (over control, in a transfer study); None for those themselves."""
    gain: Interval | None
    gain_optimism: Interval | None
    over_images: bool
    """Whether the intervals know that other photos would give other scores."""


def confirmed_cells(study: StudyFacts) -> tuple[OnUntouched, ...]:
    """Return what each look showed, in the order of the ledger."""
    found = []
    for look in study.ledger.looks:
        scores = {c.run_id: c for c in study.ledger.confirmations if c.look == look.number}
        looked = {
            key: again
            for key, cell in study.cells.items()
            if (again := _scored_again(cell, scores)).entries
        }
        for key, cell in looked.items():
            base = CellKey(GRID_ARM if key.arm == GRID_ARM else CONTROL, key.real, 0)
            baseline = looked.get(base) if key != base else None
            found.append(_cell(study, look, cell, baseline, scores))
    return tuple(found)


def confirmed_sentences(study: StudyFacts, cells: Sequence[OnUntouched]) -> list[str]:
    """Say what the first look confirms: later ones confirm nothing."""
    first = [cell for cell in cells if cell.look == 1]
    gains = [cell for cell in first if cell.gain is not None]
    if not first:
        return []
    photos = images(study.ledger.looks[0].images, "untouched photo")
    if not gains:
        scores = "; ".join(f"{cell.key}: {mean_text(cell.untouched)}" for cell in first)
        return [f"On {photos}: {scores}."]
    told: dict[str, list[str]] = {}
    for cell in gains:
        assert cell.gain is not None and cell.gain_on_split_tests is not None
        text = f"{cell.key}, {_both(cell.gain, cell.gain_on_split_tests)}"
        told.setdefault(_outcome(cell.gain, cell.gain_on_split_tests), []).append(text)
    text = " ".join(
        f"{how.capitalize()} on {photos}, by which nothing was chosen: {'; '.join(texts)}."
        for how, texts in told.items()
    )
    worst = max(gains, key=lambda c: c.gain_optimism.estimate if c.gain_optimism else 0.0)
    if worst.gain_optimism is not None:
        text += f" The test photos flatter most at {worst.key}: {gain_text(worst.gain_optimism)}."
    return [text]


def contradiction(cells: Sequence[OnUntouched]) -> str:
    """Return what the first look takes back of the headline; empty where it does not."""
    against = [
        str(cell.key)
        for cell in cells
        if cell.look == 1
        and cell.gain is not None
        and cell.gain_on_split_tests is not None
        and _outcome(cell.gain, cell.gain_on_split_tests) == "contradicted"
    ]
    if not against:
        return ""
    return (
        f" But the untouched photos show the opposite of the test photos at {'; '.join(against)}."
    )


def _outcome(gain: Interval, before: Interval) -> str:
    """What the untouched photos make of a gain that the test photos showed, or of a loss."""
    if gain.low is None or gain.high is None:
        return "too few models to tell"
    if gain.low <= 0 <= gain.high:
        return "not confirmed"
    return "confirmed" if gain.estimate * before.estimate > 0 else "contradicted"


def confirmed_cautions(study: StudyFacts, cells: Sequence[OnUntouched]) -> list[str]:
    """Say what is open or spoilt about the untouched photos."""
    count = study.images.untouched
    looks = study.ledger.looks
    if not count:
        return []
    if not looks:
        return [
            f"{images(count, 'photo')} are untouched so far. The best of many cells is best "
            "partly by chance: once all is decided, “clearcoat study confirm” scores it on them."
        ]
    found = []
    if any(is_open(study.ledger, look) for look in looks):
        found.append(
            "A look at the untouched photos was cut off; the same command goes on with it."
        )
    if looks[0].early:
        found.append("The untouched photos were looked at before all cells had their runs.")
    if len(looks) > 1:
        found.append(
            f"The untouched photos were looked at {len(looks)} times: only what was chosen before "
            "the first look is confirmed by them."
        )
    if cells and not all(cell.over_images for cell in cells):
        found.append(
            "The scores per image are not at hand: intervals on the untouched photos are over "
            "models only, and other photos would spread more."
        )
    return found


def confirmed_table(cells: Sequence[OnUntouched]) -> Table:
    """One row per cell and look."""
    measured = ("untouched", "optimism", "gain on untouched", "optimism of gain")
    ends = {name: (name, f"{name}, 95 % low", f"{name}, 95 % high") for name in measured}
    columns = ("cell", "look", "models", "split tests", *ends["untouched"], *ends["optimism"],
               "gain on split tests", *ends["gain on untouched"],
               *ends["optimism of gain"])  # fmt: skip
    return Table(
        columns,
        tuple(
            (
                str(cell.key), cell.look, cell.models, cell.split_tests.estimate,
                *_three(cell.untouched), *_three(cell.optimism),
                None if cell.gain_on_split_tests is None else cell.gain_on_split_tests.estimate,
                *_three(cell.gain), *_three(cell.gain_optimism),
            )
            for cell in cells
        ),
    )  # fmt: skip


def confirmed_view(cells: Sequence[OnUntouched]) -> Table:
    """The same as a reader sees it beside the verdict: intervals in words."""
    return Table(
        ("cell", "models", "mean IoU, split tests", "untouched photos", "optimism",
         "gain, split tests", "untouched photos", "optimism"),
        tuple(
            (
                str(cell.key) + ("" if cell.look == 1 else f" (look {cell.look})"),
                cell.models,
                f"{cell.split_tests.estimate:.3f}",
                mean_text(cell.untouched),
                _range(cell.optimism),
                "" if cell.gain_on_split_tests is None
                else signed(cell.gain_on_split_tests.estimate),
                _range(cell.gain),
                _range(cell.gain_optimism),
            )
            for cell in cells
        ),
    )  # fmt: skip


def _range(interval: Interval | None) -> str:
    if interval is None:
        return ""
    if interval.low is None or interval.high is None:
        return signed(interval.estimate)
    return f"{signed(interval.estimate)} ({signed(interval.low)} to {signed(interval.high)})"


def _scored_again(cell: CellFacts, scores: Mapping[str, Confirmation]) -> CellFacts:
    again = tuple(
        entry
        for entry in cell.entries
        if entry.run_id in scores and scores[entry.run_id].mean_iou is not None
    )
    return replace(cell, entries=again)


def _cell(
    study: StudyFacts,
    look: Look,
    cell: CellFacts,
    baseline: CellFacts | None,
    scores: Mapping[str, Confirmation],
) -> OnUntouched:
    runs = cell.independent
    before, after = _means(runs, scores)
    tests, apart = _counts(study, runs), _counts(study, runs, untouched=True)
    gains = (None, None, None) if baseline is None else _gains(study, cell, baseline, scores)
    return OnUntouched(
        key=cell.key,
        look=look.number,
        models=len(cell.entries),
        split_tests=mean_interval(before),
        untouched=mean_iou_interval(apart, draws=_DRAWS) if apart else mean_interval(after),
        optimism=mean_iou_difference(tests, apart, draws=_DRAWS, paired=True)
        if tests and apart
        else difference_interval(before, after, paired=True),
        gain_on_split_tests=gains[0],
        gain=gains[1],
        gain_optimism=gains[2],
        over_images=bool(tests and apart),
    )


def _gains(
    study: StudyFacts,
    cell: CellFacts,
    baseline: CellFacts,
    scores: Mapping[str, Confirmation],
) -> tuple[Interval, Interval, Interval | None]:
    """Gain on split tests, gain on the untouched photos, and the former less the latter."""
    ours, theirs = matched(cell, baseline) if study.paired else ([], [])
    paired = len(ours) > 1
    if not paired:
        ours, theirs = cell.independent, baseline.independent
    tests = _counts(study, ours), _counts(study, theirs)
    apart = _counts(study, ours, untouched=True), _counts(study, theirs, untouched=True)
    if not (tests[0] and tests[1] and apart[0] and apart[1]):
        (a, c), (b, d) = _means(ours, scores), _means(theirs, scores)
        optimism = None
        if paired:
            gains = [[x - y for x, y in zip(*both, strict=True)] for both in ((a, b), (c, d))]
            optimism = difference_interval(gains[0], gains[1], paired=True)
        return (
            difference_interval(a, b, paired=paired),
            difference_interval(c, d, paired=paired),
            optimism,
        )
    return (
        mean_iou_difference(tests[0], tests[1], draws=_DRAWS, paired=paired),
        mean_iou_difference(apart[0], apart[1], draws=_DRAWS, paired=paired),
        gain_difference((tests[0], tests[1]), (apart[0], apart[1]), draws=_DRAWS, paired=paired),
    )


def _counts(
    study: StudyFacts, groups: Groups, *, untouched: bool = False
) -> list[list[ScoredRun]] | None:
    counts = counts_by_id(study, groups, untouched=untouched)
    return None if counts is None else [[counts[e.run_id] for e in group] for group in groups]


def _means(groups: Groups, scores: Mapping[str, Confirmation]) -> tuple[list[float], list[float]]:
    """Mean IoU on the split tests and on the untouched photos of runs that count as one."""
    again = [fmean(scores[e.run_id].mean_iou or 0.0 for e in group) for group in groups]
    return means(groups), again


def _both(gain: Interval, before: Interval) -> str:
    return f"{gain_text(gain)} (on the test photos {signed(before.estimate)})"


def _three(interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    if interval is None:
        return None, None, None
    return interval.estimate, interval.low, interval.high
