"""What the untouched photos say: how much of a score, and of a gain, was chosen by its luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clearcoat.report.study.facts import CellFacts, StudyFacts
from clearcoat.report.study.words import gain_text, mean_text, signed
from clearcoat.report.tables import Table
from clearcoat.report.verdict import images
from clearcoat.statistics import (
    Interval,
    difference_interval,
    gain_difference,
    mean_interval,
    mean_iou_difference,
    mean_iou_interval,
)
from clearcoat.studies import GRID_ARM, CellKey, Confirmation, Entry, Look
from clearcoat.studies.confirming import is_open
from clearcoat.studies.transfer import CONTROL

_DRAWS = 1000


@dataclass(frozen=True)
class OnUntouched:
    """A cell's models on the photos that nothing was chosen by, beside their split tests."""

    key: CellKey
    look: int
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
            key: entries
            for key, cell in study.cells.items()
            if (entries := _scored_again(cell, scores))
        }
        for key, entries in looked.items():
            base = CellKey(GRID_ARM if key.arm == GRID_ARM else CONTROL, key.real, 0)
            baseline = looked.get(base, ()) if key != base else ()
            found.append(_cell(study, key, look, entries, baseline, scores))
    return tuple(found)


def confirmed_sentences(study: StudyFacts, cells: Sequence[OnUntouched]) -> list[str]:
    """Say what the first look confirms: later ones confirm nothing."""
    first = [cell for cell in cells if cell.look == 1]
    gains = [cell for cell in first if cell.gain is not None]
    if not first:
        return []
    photos = images(study.ledger.looks[0].images, "untouched photo")
    if not gains:
        told = "; ".join(f"{cell.key}: {mean_text(cell.untouched)}" for cell in first)
        return [f"On {photos}: {told}."]
    texts = []
    for cell in gains:
        assert cell.gain is not None and cell.gain_on_split_tests is not None
        texts.append(f"{cell.key}, {_both(cell.gain, cell.gain_on_split_tests)}")
    text = f"Confirmed on {photos}, by which nothing was chosen: " + "; ".join(texts) + "."
    worst = max(gains, key=lambda c: c.gain_optimism.estimate if c.gain_optimism else 0.0)
    if worst.gain_optimism is not None:
        text += f" The test photos flatter most at {worst.key}: {gain_text(worst.gain_optimism)}."
    return [text]


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
                str(cell.key), cell.look, cell.untouched.count, cell.split_tests.estimate,
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
                cell.untouched.count,
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


def _scored_again(cell: CellFacts, scores: Mapping[str, Confirmation]) -> tuple[Entry, ...]:
    return tuple(
        entry
        for entry in cell.entries
        if entry.run_id in scores and scores[entry.run_id].mean_iou is not None
    )


def _cell(
    study: StudyFacts,
    key: CellKey,
    look: Look,
    entries: tuple[Entry, ...],
    baseline: tuple[Entry, ...],
    scores: Mapping[str, Confirmation],
) -> OnUntouched:
    before, after = _values(entries, scores)
    counts = study.counts_of(entries), study.counts_of(entries, untouched=True)
    over_images = counts[0] is not None and counts[1] is not None
    gains = _gains(study, entries, baseline, scores) if baseline else (None, None, None)
    return OnUntouched(
        key=key,
        look=look.number,
        split_tests=mean_interval(before),
        untouched=mean_iou_interval(counts[1], draws=_DRAWS) if counts[1] else mean_interval(after),
        optimism=mean_iou_difference(counts[0], counts[1], draws=_DRAWS, paired=True)
        if counts[0] and counts[1]
        else difference_interval(before, after, paired=True),
        gain_on_split_tests=gains[0],
        gain=gains[1],
        gain_optimism=gains[2],
        over_images=over_images,
    )


def _gains(
    study: StudyFacts,
    ours: tuple[Entry, ...],
    theirs: tuple[Entry, ...],
    scores: Mapping[str, Confirmation],
) -> tuple[Interval, Interval, Interval | None]:
    """Gain on split tests, gain on the untouched photos, and the former less the latter."""
    common = {e.repeat for e in ours} & {e.repeat for e in theirs} if study.paired else set()
    paired = len(common) > 1
    if paired:
        ours = tuple(e for e in ours if e.repeat in common)
        theirs = tuple(e for e in theirs if e.repeat in common)
    (a, c), (b, d) = _values(ours, scores), _values(theirs, scores)
    tests = study.counts_of(ours), study.counts_of(theirs)
    apart = study.counts_of(ours, untouched=True), study.counts_of(theirs, untouched=True)
    if not (tests[0] and tests[1] and apart[0] and apart[1]):
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


def _values(
    entries: tuple[Entry, ...], scores: Mapping[str, Confirmation]
) -> tuple[list[float], list[float]]:
    before = [entry.mean_iou for entry in entries if entry.mean_iou is not None]
    after = [scores[entry.run_id].mean_iou for entry in entries]
    return before, [value for value in after if value is not None]


def _both(gain: Interval, before: Interval) -> str:
    return f"{gain_text(gain)} (on the test photos {signed(before.estimate)})"


def _three(interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    if interval is None:
        return None, None, None
    return interval.estimate, interval.low, interval.high
