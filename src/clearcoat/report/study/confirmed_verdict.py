"""The untouched photos in words: what they confirm, what they contradict, and what spoils them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from statistics import fmean

from clearcoat.report.study.confirmed import Across, OnUntouched, has_unlabelled, looked_cells
from clearcoat.report.study.facts import StudyFacts
from clearcoat.report.study.words import gain_text, mean_text, signed
from clearcoat.report.verdict import images
from clearcoat.statistics import Interval
from clearcoat.studies import CellKey
from clearcoat.studies.looking import is_open

_CONTRADICTED = "Contradicted"
_UNCLAIMED = "unclaimed"
_MANY = 3
"""Differences that are open, from which on they are counted in place of named."""


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
        over = " over the same without them" if has_unlabelled(cell.key) else ""
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
        scores, looked = looked_cells(study, look)
        for key, cell in looked.items():
            before = [e for e in study.cells[key].entries if e.run_id in scores]
            ours, theirs = ([e.mean_iou or 0.0 for e in some] for some in (cell.entries, before))
            if ours != theirs:
                found.append(f"{key}: {fmean(ours):.3f}, {fmean(theirs):.3f} there")
    return found


def _both(gain: Interval, before: Interval) -> str:
    return f"{gain_text(gain)} (test photos: {signed(before.estimate)})"
