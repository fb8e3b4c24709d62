"""What the untouched photos say: how much of a score, and of a gain, was chosen by its luck."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
from clearcoat.studies import (
    GRID_ARM,
    SELF_TRAINED_ARM,
    SELF_TRAINING_CONTROL,
    CellKey,
    Confirmation,
    Look,
)
from clearcoat.studies.looking import is_open
from clearcoat.studies.transfer import CONTROL

_DRAWS = 1000
_CONTRADICTED = "Contradicted"
_UNCLAIMED = "unclaimed"
_MANY = 3


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
    """Over photos alone (over control, in a transfer study), where photos without labels were there
    over the same cell without them; None for photos alone themselves."""
    gain: Interval | None
    gain_optimism: Interval | None
    over_images: bool
    """Whether the intervals know that other photos would give other scores."""


@dataclass(frozen=True)
class Across:
    """Few photos with renders against more photos alone, in the first look."""

    mix: CellKey
    alone: CellKey
    on_split_tests: Interval
    """The mix less photos alone."""
    on_untouched: Interval


def confirmed_cells(study: StudyFacts) -> tuple[OnUntouched, ...]:
    """Return what each look showed, in the order of the ledger."""
    found = []
    for look in study.ledger.looks:
        scores, looked = _looked(study, look)
        for key, cell in looked.items():
            base = _baseline(key)
            baseline = looked.get(base) if key != base else None
            found.append(_cell(study, look, cell, baseline, scores))
    return tuple(found)


def _has_unlabelled(key: CellKey) -> bool:
    """Whether a cell is one beside the grid for photos without labels, or for their control."""
    return key.arm in (SELF_TRAINED_ARM, SELF_TRAINING_CONTROL)


def _baseline(key: CellKey) -> CellKey:
    """What a cell's gain is over: the same without what its models had besides."""
    if _has_unlabelled(key):
        return key._replace(arm=GRID_ARM)
    return CellKey(GRID_ARM if key.arm == GRID_ARM else CONTROL, key.real, 0)


def confirmed_across(study: StudyFacts) -> tuple[Across, ...]:
    """Set the mixes of no photo and of the fewest against more photos alone, on a grid."""
    first = next((look for look in study.ledger.looks if look.number == 1), None)
    if first is None:
        return ()
    scores, looked = _looked(study, first)
    grid = {key: cell for key, cell in looked.items() if key.arm in (GRID_ARM, SELF_TRAINED_ARM)}
    alone = sorted(key for key in grid if key.arm == GRID_ARM and not key.synthetic)
    fewest = min((key.real for key in alone), default=0)
    found = []
    for mix in sorted(key for key in grid if key.synthetic and key.real <= fewest):
        for other in alone:
            if other.real > mix.real:
                gains = _gains(study, grid[mix], grid[other], scores)
                found.append(Across(mix, other, gains[0], gains[1]))
    return tuple(found)


def _looked(
    study: StudyFacts, look: Look
) -> tuple[dict[str, Confirmation], dict[CellKey, CellFacts]]:
    """Return the scores of a look by run id, and its cells with the runs that it scored."""
    scores = {
        c.run_id: c
        for c in study.ledger.confirmations
        if c.look == look.number and c.run_id in look.runs
    }
    again = {key: _scored_again(cell, scores) for key, cell in study.cells.items()}
    return scores, {key: cell for key, cell in again.items() if cell.entries}


def confirmed_sentences(
    study: StudyFacts,
    cells: Sequence[OnUntouched],
    shown: Collection[CellKey] | None = None,
    across: Sequence[Across] = (),
) -> list[str]:
    """Say what the first look confirms: later ones confirm nothing. The scores are in the table.

    `shown`: cells whose gain or loss the test photos showed; None: all.
    """
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
        over = " over the same without them" if _has_unlabelled(cell.key) else ""
        text = f"{cell.key}, {_both(cell.gain, cell.gain_on_split_tests)}{over}"
        told.setdefault(_outcome(cell, shown), []).append(text)
    unclaimed = told.pop(_UNCLAIMED, [])
    texts = [
        f"{how} on {photos}, by which nothing was chosen: {'; '.join(found)}."
        for how, found in sorted(told.items())
    ]
    if unclaimed:
        named = f": {'; '.join(unclaimed)}" if len(unclaimed) < _MANY else " (table)"
        texts.append(
            f"There is no claim to confirm on {photos}, by which nothing was chosen, of "
            f"{images(len(unclaimed), 'difference')} that the test photos leave open{named}."
        )
    flattered = [cell.gain_optimism.estimate for cell in gains if cell.gain_optimism is not None]
    if flattered:
        # On average, since of several the largest would be large by chance.
        mean = fmean(flattered)
        texts.append(
            f"{'The gain is' if len(flattered) == 1 else 'On average the gains are'} "
            f"{abs(mean):.3f} {'greater' if mean < 0 else 'smaller'} on the untouched photos than "
            "on the test photos."
        )
    for mix in dict.fromkeys(one.mix for one in across):
        # The count of photos alone that the test photos say it is as good as.
        near = min(
            (one for one in across if one.mix == mix),
            key=lambda one: abs(one.on_split_tests.estimate),
        )
        texts.append(
            f"On the untouched photos, {near.mix} less {near.alone}: "
            f"{_both(near.on_untouched, near.on_split_tests)}."
        )
    return texts


def contradiction(cells: Sequence[OnUntouched], shown: Collection[CellKey] | None = None) -> str:
    """Return what the first look takes back of the headline; empty where it does not."""
    against = [
        str(cell.key)
        for cell in cells
        if cell.look == 1 and cell.gain is not None and _outcome(cell, shown) == _CONTRADICTED
    ]
    if not against:
        return ""
    return (
        f" But the untouched photos show the opposite of the test photos at {'; '.join(against)}."
    )


def _outcome(cell: OnUntouched, shown: Collection[CellKey] | None) -> str:
    """What the untouched photos make of a gain that the test photos showed, or of a loss."""
    gain, before = cell.gain, cell.gain_on_split_tests
    assert gain is not None and before is not None
    if gain.low is None or gain.high is None:
        return "Too few models to tell"
    if shown is not None and cell.key not in shown:
        return _UNCLAIMED
    if gain.low <= 0 <= gain.high:
        return "Neither confirmed nor contradicted"
    return "Confirmed" if gain.estimate * before.estimate > 0 else _CONTRADICTED


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
    if missing := looks[0].weightless:
        found.append(
            f"{images(missing, 'model')} of the cells that were looked at had no weights and "
            f"{'was' if missing == 1 else 'were'} not scored."
        )
    if other := _retrained(study):
        found.append(
            "Some models were trained again for their weights and score otherwise than their runs "
            f"in the ledger ({'; '.join(other)}): what the untouched photos say is of these."
        )
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


def _retrained(study: StudyFacts) -> list[str]:
    """Cells of which some weights score otherwise than their line, and both means."""
    found = []
    for look in study.ledger.looks[:1]:
        scores, looked = _looked(study, look)
        for key, cell in looked.items():
            before = [e for e in study.cells[key].entries if e.run_id in scores]
            ours, theirs = ([e.mean_iou or 0.0 for e in some] for some in (cell.entries, before))
            if ours != theirs:
                found.append(f"{key}: {fmean(ours):.3f}, {fmean(theirs):.3f} there")
    return found


def confirmed_across_table(found: Sequence[Across]) -> Table:
    """One row per comparison with more photos alone."""
    ends = ("", ", 95 % low", ", 95 % high")
    columns = ("mix", "photos alone", *(f"test photos{end}" for end in ends),
               *(f"untouched{end}" for end in ends))  # fmt: skip
    rows = tuple(
        (str(one.mix), str(one.alone), *_three(one.on_split_tests), *_three(one.on_untouched))
        for one in found
    )
    return Table(columns, rows)


def confirmed_table(cells: Sequence[OnUntouched]) -> Table:
    """One row per cell and look."""
    measured = ("untouched", "optimism", "gain on untouched", "optimism of gain")
    ends = {name: (name, f"{name}, 95 % low", f"{name}, 95 % high") for name in measured}
    columns = ("cell", "look", "models", "test photos", *ends["untouched"], *ends["optimism"],
               "gain on test photos", *ends["gain on untouched"],
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
        ("cell", "models", "mean IoU, test photos", "mean IoU, untouched photos",
         "optimism: test less untouched", "gain, test photos", "gain, untouched photos",
         "optimism of the gain"),
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
    """Return the cell with the runs that a look scored, each with its weights' own test score."""
    again = tuple(
        entry.model_copy(update={"mean_iou": found.on_tests(entry)})
        for entry in cell.entries
        if (found := scores.get(entry.run_id)) is not None and found.mean_iou is not None
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
    tests, apart = _counts(study, runs), _counts(study, runs, scores)
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
    paired = bool(ours)
    if not paired:
        ours, theirs = cell.independent, baseline.independent
    tests = _counts(study, ours), _counts(study, theirs)
    apart = _counts(study, ours, scores), _counts(study, theirs, scores)
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
    study: StudyFacts, groups: Groups, scores: Mapping[str, Confirmation] | None = None
) -> list[list[ScoredRun]] | None:
    counts = counts_by_id(study, groups, scores)
    return None if counts is None else [[counts[e.run_id] for e in group] for group in groups]


def _means(groups: Groups, scores: Mapping[str, Confirmation]) -> tuple[list[float], list[float]]:
    """Mean IoU on the split tests and on the untouched photos of runs that count as one."""
    again = [fmean(scores[e.run_id].mean_iou or 0.0 for e in group) for group in groups]
    return means(groups), again


def _both(gain: Interval, before: Interval) -> str:
    return f"{gain_text(gain)} (test photos: {signed(before.estimate)})"


def _three(interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    if interval is None:
        return None, None, None
    return interval.estimate, interval.low, interval.high
