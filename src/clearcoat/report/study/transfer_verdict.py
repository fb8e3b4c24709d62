"""The answer of a transfer study in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from clearcoat.report.study.across import MARGIN
from clearcoat.report.study.comparing import ALPHA, Contrast
from clearcoat.report.study.facts import CellFacts
from clearcoat.report.study.grid_cautions import shared_pretraining
from clearcoat.report.study.grid_verdict import StudyVerdict
from clearcoat.report.study.starts import (
    DECODER,
    ENCODER,
    WHOLE,
    Pair,
    Start,
    Times,
    TransferAnalysis,
)
from clearcoat.report.study.words import (
    NO_SPREAD,
    cell_text,
    contrast_text,
    gain_text,
    p_text,
    percent,
    together,
)
from clearcoat.report.verdict import images
from clearcoat.statistics import holm
from clearcoat.studies import CellKey
from clearcoat.studies.transfer import CONTROL, FROM_RENDERS


def judge_transfer(analysis: TransferAnalysis, photos: int | None = None) -> StudyVerdict:
    """Say what starting from renders is worth, and how much training it moves ahead.

    `photos`: how many the reader has; the advice is then for the nearest count of the study.
    """
    best, adjusted, losses = _best_starts(analysis)
    shown = _below(adjusted)
    lost = _below(losses)
    yours = None if photos is None else _nearest(best, photos)
    return StudyVerdict(
        kind=_kind(adjusted, shown, lost),
        headline=_headline(best, adjusted, shown, lost, yours),
        sentences=(
            *(_sentence(real, found, adjusted[real]) for real, found in best.items()),
            *_encoders(analysis),
            *_decoders(analysis),
            *_time(analysis),
        ),
        next_steps=_next_steps(
            {real: found for real, found in best.items() if yours in (None, real)},
            shown,
            lost,
            analysis.base,
        ),
        cautions=tuple(_cautions(analysis)),
    )


def shown_starts(analysis: TransferAnalysis) -> set[CellKey]:
    """Return the starts from renders that the verdict calls a gain or a loss."""
    best, adjusted, losses = _best_starts(analysis)
    return {best[real].start.cell.key for real in (*_below(adjusted), *_below(losses))}


@dataclass(frozen=True)
class _Best:
    """The start from renders that leads most, at one number of photos."""

    name: str
    start: Start
    against: Contrast
    tried: int
    """Starts among which it was the best."""

    @property
    def gain_p(self) -> float | None:
        """Corrected for having been chosen."""
        p = self.against.p_value
        return None if p is None else min(1.0, p * self.tried)

    @property
    def loss_p(self) -> float | None:
        """Where even the best loses all do: nothing to correct for."""
        return self.against.loss_p


_ByReal = Mapping[int, float | None]


def _best_starts(analysis: TransferAnalysis) -> tuple[dict[int, _Best], _ByReal, _ByReal]:
    """Return the best start at each number of photos, and corrected p-values of gain and loss."""
    best = {real: found for real in analysis.real if (found := _best(analysis, real)) is not None}
    gains = dict(zip(best, holm([found.gain_p for found in best.values()]), strict=True))
    losses = dict(zip(best, holm([found.loss_p for found in best.values()]), strict=True))
    return best, gains, losses


def _best(analysis: TransferAnalysis, real: int) -> _Best | None:
    found = [
        (name, start, start.against_control)
        for (name, count), start in analysis.starts.items()
        if count == real and start.against_control is not None and name.startswith(FROM_RENDERS)
    ]
    if not found:
        return None
    # Runs may be missing, and those that are there may have had the lucky photos.
    most = max(against.runs for *_, against in found)
    whole = [item for item in found if 2 * item[2].runs >= most]
    name, start, against = max(
        whole, key=lambda item: (item[2].p_value is not None, item[2].difference.estimate)
    )
    return _Best(name, start, against, len(found))


def _below(values: Mapping[int, float | None]) -> list[int]:
    return sorted(real for real, p in values.items() if p is not None and p < ALPHA)


def _nearest(counts: Iterable[int], photos: int) -> int | None:
    return min(counts, key=lambda real: abs(math.log((1 + real) / (1 + photos))), default=None)


def _kind(adjusted: Mapping[int, float | None], shown: Sequence[int], lost: Sequence[int]) -> str:
    if not adjusted:
        return "nothing"
    if shown or lost:
        return "mixed" if shown and lost else "gain" if shown else "loss"
    return "too few" if all(p is None for p in adjusted.values()) else "unclear"


def _headline(
    best: Mapping[int, _Best],
    adjusted: Mapping[int, float | None],
    shown: Sequence[int],
    lost: Sequence[int],
    yours: int | None,
) -> str:
    if not best:
        return "Nothing to compare yet: no model that starts from renders stands beside a control."
    real = yours or max(shown or best, key=lambda r: best[r].against.difference.estimate)
    found = best[real]
    told = (
        f"with {images(real, 'photo')}, {found.name} scores "
        f"{found.start.cell.interval.estimate:.3f}; against training from scratch that is "
        f"{contrast_text(found.against)}"
        + (f", of this start alone, the best of {found.tried}" if found.tried > 1 else "")
    )
    lead = "At best, " if yours is None else "Nearest to your number, "
    if shown:
        text = f"Yes: starting from renders helps with {together(shown)} photos."
        if lost:
            text += f" With {together(lost)} it costs."
        return f"{text} {lead}{told}."
    if lost:
        return (
            f"No: with {together(lost)} photos even the best start from renders costs. "
            f"{lead}{told}."
        )
    if all(p is None for p in adjusted.values()):
        so_far = "So far, " if yours is None else lead
        return f"Too early to tell: {_lacking(list(best.values()))}. {so_far}{told}."
    return f"Not shown: starting from renders gains no more than chance gives. {lead}{told}."


def _lacking(best: Sequence[_Best]) -> str:
    """Say why nothing can be tested."""
    if all(len(f.start.cell.values) < 2 <= len(f.start.cell.entries) for f in best):
        return "all models from renders go on from one run on renders"
    if all(f.against.without_spread for f in best):
        return NO_SPREAD
    if all(len(f.start.cell.values) > 1 for f in best):
        return "training from scratch needs two runs or more, of repeats that the starts have"
    return "starts need two runs or more"


def _sentence(real: int, found: _Best, adjusted: float | None) -> str:
    control, mix = found.against, found.start.against_mix
    told = "too few runs to test" if adjusted is None else f"corrected {p_text(adjusted)}"
    text = (
        f"With {images(real, 'photo')} the best start from renders is {found.name}: mean IoU "
        f"{cell_text(found.start.cell)} against {cell_text(control.baseline)} from "
        f"scratch, {contrast_text(control)} ({told})"
    )
    if mix is not None:
        text += (
            f"; against training on photos and {mix.baseline.key.synthetic:,} renders in one go "
            f"{contrast_text(mix)}"
        )
    return text + "."


def _encoders(analysis: TransferAnalysis) -> list[str]:
    """The paper's claim: an encoder from renders beats one from ImageNet."""
    told = {
        ENCODER: "The encoder from renders, against ImageNet's",
        WHOLE: "Starting from renders, against ImageNet's encoder and no render",
    }
    pairs = [
        pair
        for pair in analysis.pairs
        if pair.question in told and pair.contrast.cell.key.arm.startswith("synth-synth")
    ]
    return _by_start(
        pairs,
        lambda pair: f"{told[pair.question]} ({pair.contrast.baseline.key.arm}), scores",
    )


def _decoders(analysis: TransferAnalysis) -> list[str]:
    """What renders bring where the encoder is ImageNet's."""
    pairs = [
        pair
        for pair in analysis.pairs
        if pair.question == DECODER and not pair.contrast.cell.key.arm.startswith(FROM_RENDERS)
    ]
    return _by_start(
        pairs,
        lambda pair: (
            "A decoder from renders behind ImageNet's encoder "
            f"({pair.contrast.cell.key.arm}) brings"
        ),
    )


def _by_start(pairs: Sequence[Pair], opening: Callable[[Pair], str]) -> list[str]:
    """Return a sentence per opening, with all numbers of photos; p-values corrected for all."""
    told: dict[str, list[str]] = {}
    for pair, p in zip(pairs, holm([pair.p_value for pair in pairs]), strict=True):
        corrected = "" if p is None else f" (two-sided {p_text(p)} after Holm)"
        told.setdefault(opening(pair), []).append(
            f"{gain_text(pair.contrast.difference)}{corrected} with "
            f"{images(pair.contrast.cell.key.real, 'photo')}"
        )
    return [f"{start} {'; '.join(found)}." for start, found in told.items()]


def _time(analysis: TransferAnalysis) -> list[str]:
    """How much of the training can be done before the first photo exists."""
    texts = []
    for real in analysis.real:
        found = [
            (name, start, share)
            for (name, count), start in analysis.starts.items()
            if count == real and (share := start.times.share) and name != CONTROL
        ]
        if not found:
            continue
        # Several starts are tried, and the one that moves most is told of: corrected for all.
        tests = [
            None if (same := start.not_worse_than_mix) is None else same.not_worse_p
            for _, start, _ in found
        ]
        adjusted = dict(zip((name for name, _, _ in found), holm(tests), strict=True))
        as_good = [item for item in found if (p := adjusted[item[0]]) is not None and p < ALPHA]
        # Starts that are trained for as long move as much: of these the one that scores most.
        name, start, share = max(
            as_good or found, key=lambda i: (round(i[2], 3), i[1].cell.interval.estimate)
        )
        p, mix = adjusted[name], start.against_mix
        if mix is None:
            ending = "; there is no control on a mix to compare the score with"
        elif mix.difference.high is not None and mix.difference.high < 0:
            ending = f", but scores less than training in one go ({gain_text(mix.difference)})"
        elif as_good and p is not None:
            ending = (
                f", without losing {MARGIN} of mean IoU against training in one go "
                f"({contrast_text(mix)}; {p_text(p)} after Holm)"
            )
        else:
            ending = (
                ", but that this loses nothing against training in one go is not shown "
                f"({contrast_text(mix)})"
            )
        unit = "time" if start.times.unit == "s" else "image passes"
        texts.append(
            f"With {images(real, 'photo')}, {name} moves {_percent(share, start.times)} of all "
            f"training {unit} into pretraining{ending}."
        )
    return texts


def _percent(share: float, times: Times) -> str:
    told = percent(share)
    if times.share_range is None:
        return told
    low, high = map(percent, times.share_range)
    return told if low == high == told else f"{told} ({low} to {high})"


def _instead(start: Start, base: CellFacts | None) -> str:
    """What may do as well at less trouble."""
    told = []
    if base is not None and base.scores:
        told.append(f"{base.interval.estimate:.3f} without a photo, as the base model is")
    if start.against_mix is not None:
        mix = start.against_mix.baseline
        told.append(f"{mix.interval.estimate:.3f} by training on photos and renders in one go")
    return f"; compare {', and '.join(told)}" if told else ""


def _next_steps(
    best: Mapping[int, _Best],
    shown: Sequence[int],
    lost: Sequence[int],
    base: CellFacts | None,
) -> tuple[str, ...]:
    steps = []
    for real, found in best.items():
        if real in shown:
            steps.append(
                f"With about {real:,} photos, specialise by {found.name}: "
                f"{cell_text(found.start.cell)}{_instead(found.start, base)}."
            )
        elif real in lost:
            steps.append(
                f"With about {real:,} photos, train from scratch: "
                f"{cell_text(found.against.baseline)}."
            )
    open_rows = [real for real in best if real not in (*shown, *lost)]
    if open_rows:
        counts = together(open_rows)
        cells = [best[real].start.cell for real in open_rows]
        least = min(len(cell.values) for cell in cells)
        if any(len(cell.values) < len(cell.entries) for cell in cells):
            runs = images(least, "base model")
            steps.append(
                f"Train more base models where it is open (`pretrainings`): with {counts} photos "
                f"the runs of a start go on from {runs} and count as {least}."
            )
        else:
            steps.append(
                f"Repeat more often, with as many more base models (`pretrainings`), with {counts} "
                f"photos: {images(least, 'run')} per start {'does' if least == 1 else 'do'} not "
                "decide, and those that go on from one base model count as one."
            )
    return tuple(steps)


def _cautions(analysis: TransferAnalysis) -> list[str]:
    study = analysis.study
    found = []
    missing = sorted({key.arm for key, _ in study.skipped})
    if missing:
        found.append(f"Not run: {'; '.join(missing)} ({study.skipped[0][1]}).")
    if study.open:
        found.append(f"Runs are still missing in {images(study.open, 'cell')} of {study.planned}.")
    if study.failed:
        found.append(f"{images(study.failed, 'run')} diverged and have no score.")
    if analysis.base is not None and analysis.base.rule.most == 1:
        found.append(
            "All starts from renders share one base model: another one might do better or "
            "worse, so that their gains have no interval (the setting “pretrainings” trains "
            "several)."
        )
    found += shared_pretraining(study)
    unknown = {name for (name, _), s in analysis.starts.items() if s.times.pretraining is None}
    if unknown:
        found.append(
            "How much of the training is done ahead cannot be told of "
            f"{images(len(unknown), 'start')}: the ledger lacks the line of the base model. The "
            "same command as before runs what is lacking, and writes the line again."
        )
    if any(s.times.unit != "s" for s in analysis.starts.values()):
        found.append(
            "Some runs shared their device, so no times are compared but passes of images through "
            "training."
        )
    if study.foreign:
        found.append(
            f"{images(study.foreign, 'line')} of the ledger belong to other data or settings."
        )
    found += study.ledger.complaints
    return found
