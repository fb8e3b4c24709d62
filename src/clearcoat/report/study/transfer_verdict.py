"""The answer of a transfer study in plain words."""

from __future__ import annotations

from clearcoat.report.study.comparing import ALPHA
from clearcoat.report.study.grid import MARGIN
from clearcoat.report.study.grid_cautions import shared_pretraining
from clearcoat.report.study.grid_verdict import StudyVerdict
from clearcoat.report.study.starts import Start, Times, TransferAnalysis
from clearcoat.report.study.words import contrast_text, gain_text, mean_text, p_text
from clearcoat.report.verdict import images
from clearcoat.statistics import holm
from clearcoat.studies.transfer import CONTROL


def judge_transfer(analysis: TransferAnalysis) -> StudyVerdict:
    """Say what starting from renders is worth, and how much training it moves ahead."""
    best = {real: found for real in analysis.real if (found := _best(analysis, real)) is not None}
    # One test per number of photos, of the start that looked best there: corrected for both.
    tests = []
    for real, (_, start) in best.items():
        tried = sum(1 for (_, r), s in analysis.starts.items() if r == real and s.against_control)
        p = _p(start)
        tests.append(None if p is None else min(1.0, p * max(1, tried)))
    adjusted = dict(zip(best, holm(tests), strict=True))
    return StudyVerdict(
        kind=_kind(best, adjusted),
        headline=_headline(best, adjusted),
        sentences=(
            *(_sentence(real, *found, adjusted[real]) for real, found in best.items()),
            *_encoders(analysis),
            *_time(analysis),
        ),
        next_steps=_next_steps(best, adjusted),
        cautions=tuple(_cautions(analysis)),
    )


def _best(analysis: TransferAnalysis, real: int) -> tuple[str, Start] | None:
    found = [
        (name, start)
        for (name, count), start in analysis.starts.items()
        if count == real and start.against_control is not None and _from_renders(start)
    ]
    # One run may lie anywhere: it is the best only where no start has a test.
    return max(
        found,
        key=lambda item: (_p(item[1]) is not None, item[1].cell.interval.estimate),
        default=None,
    )


def _from_renders(start: Start) -> bool:
    return any(entry.started_from is not None for entry in start.cell.entries)


def _p(start: Start) -> float | None:
    return None if start.against_control is None else start.against_control.p_value


def _kind(best: dict[int, tuple[str, Start]], adjusted: dict[int, float | None]) -> str:
    if not best:
        return "nothing"
    values = [p for p in adjusted.values() if p is not None]
    if not values:
        return "too few"
    return "gain" if min(values) < ALPHA else "unclear"


def _headline(best: dict[int, tuple[str, Start]], adjusted: dict[int, float | None]) -> str:
    if not best:
        return "Nothing to compare yet: no model that starts from renders stands beside a control."
    shown = [real for real, p in adjusted.items() if p is not None and p < ALPHA]
    real = max(
        shown or best,
        key=lambda r: best[r][1].against_control.difference.estimate,  # type: ignore[union-attr]
    )
    name, start = best[real]
    assert start.against_control is not None
    told = (
        f"with {images(real, 'photo')}, {name} scores {start.cell.interval.estimate:.3f}; "
        f"against training from scratch that is {contrast_text(start.against_control)}"
    )
    if shown:
        where = ", ".join(f"{count:,}" for count in sorted(shown))
        return f"Yes: starting from renders helps with {where} photos. At best, {told}."
    if all(p is None for p in adjusted.values()):
        why = (
            "all models from renders go on from one run on renders"
            if all(len(found[1].cell.entries) > 1 for found in best.values())
            else "starts need two runs or more"
        )
        return f"Too early to tell: {why}. So far, {told}."
    return f"Not shown: starting from renders gains no more than chance gives. At best, {told}."


def _sentence(real: int, name: str, start: Start, adjusted: float | None) -> str:
    control = start.against_control
    assert control is not None
    told = "too few runs to test" if adjusted is None else f"corrected {p_text(adjusted)}"
    text = (
        f"With {images(real, 'photo')} the best start from renders is {name}: mean IoU "
        f"{mean_text(start.cell.interval)} against {mean_text(control.baseline.interval)} from "
        f"scratch, {contrast_text(control)} ({told})"
    )
    if start.against_mix is not None:
        mix = start.against_mix
        text += (
            f"; against training on photos and {mix.baseline.key.synthetic:,} renders in one go "
            f"{gain_text(mix.difference)}"
        )
    return text + "."


def _encoders(analysis: TransferAnalysis) -> list[str]:
    """The paper's claim: an encoder from renders beats one from ImageNet."""
    texts = []
    for pair in analysis.pairs:
        if pair.question != "encoder from renders or ImageNet":
            continue
        both = pair.contrast
        if not both.cell.key.arm.startswith("synth-synth"):
            continue
        p = "" if pair.p_value is None else f", two-sided {p_text(pair.p_value)}"
        texts.append(
            f"With {images(both.cell.key.real, 'photo')} the encoder from renders, against "
            f"ImageNet's ({both.baseline.key.arm}), scores {gain_text(both.difference)}{p}."
        )
    return texts


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
        name, start, share = max(as_good or found, key=lambda item: item[2])
        p, mix = adjusted[name], start.against_mix
        if mix is None:
            ending = "; there is no control on a mix to compare the score with"
        elif as_good and p is not None:
            ending = (
                f", without losing {MARGIN} of mean IoU against training in one go "
                f"({gain_text(mix.difference)}; {p_text(p)} after Holm)"
            )
        else:
            ending = (
                ", but that this loses nothing against training in one go is not shown "
                f"({gain_text(mix.difference)})"
            )
        unit = "time" if start.times.unit == "s" else "image passes"
        texts.append(
            f"With {images(real, 'photo')}, {name} moves {_percent(share, start.times)} of all "
            f"training {unit} into pretraining{ending}."
        )
    return texts


def _percent(share: float, times: Times) -> str:
    reach = times.share_range
    return f"{share:.0%}" if reach is None else f"{share:.0%} ({reach[0]:.0%} to {reach[1]:.0%})"


def _next_steps(
    best: dict[int, tuple[str, Start]], adjusted: dict[int, float | None]
) -> tuple[str, ...]:
    steps = []
    for real, (name, start) in best.items():
        p = adjusted[real]
        if p is not None and p < ALPHA:
            steps.append(
                f"With about {real:,} photos, specialise by {name}: "
                f"{mean_text(start.cell.interval)}."
            )
    open_rows = [real for real, p in adjusted.items() if p is None or p >= ALPHA]
    if open_rows:
        counts = ", ".join(f"{real:,}" for real in open_rows)
        least = min(len(best[real][1].cell.values) for real in open_rows)
        steps.append(
            f"Repeat more often with {counts} photos: {images(least, 'run')} per start "
            f"{'does' if least == 1 else 'do'} not decide."
        )
    return tuple(steps)


def _cautions(analysis: TransferAnalysis) -> list[str]:
    study = analysis.study
    found = []
    missing = sorted({key.arm for key, _ in study.skipped})
    if missing:
        found.append(f"Not run: {', '.join(missing)} ({study.skipped[0][1]}).")
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
