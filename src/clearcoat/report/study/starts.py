"""The analysis of a transfer study: what a start is worth, and where the training time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from clearcoat.report.study.across import MARGIN
from clearcoat.report.study.comparing import Contrast, contrast
from clearcoat.report.study.facts import CellFacts, StudyFacts
from clearcoat.statistics import Equivalence, Interval, equivalence, mean_interval, two_sided
from clearcoat.studies import CellKey, Entry
from clearcoat.studies.transfer import BASE, CONTROL, CONTROL_MIX

FREEZING = "encoder trainable or frozen"
DECODER = "decoder from renders or random"
ENCODER = "encoder from renders or ImageNet"
WHOLE = "start from renders, or ImageNet's encoder and no render"


@dataclass(frozen=True)
class Times:
    """Where the training time of a cell goes."""

    unit: str
    """`s` of runs that had the device to themselves, else `image passes`, which no other work
    on the machine can change."""
    specialisation: Interval
    pretraining: float | None
    """Mean over the runs of what the run spent that they started from: 0 for those that start from
    none, None where the ledger lacks the line of one."""
    shares: tuple[float, ...]
    """Of runs that go on from one run together, their share of pretraining; empty where it is not
    known."""

    @property
    def share(self) -> float | None:
        """Part of the whole that is pretraining, 0 to 1; None where that is not known."""
        if self.pretraining is None:
            return None
        whole = self.specialisation.estimate + self.pretraining
        return self.pretraining / whole if whole else 0.0

    @property
    def share_range(self) -> tuple[float, float] | None:
        """Interval of the share within 0 to 1; None where runs go on from one run alone."""
        found = mean_interval(self.shares) if self.shares else None
        if found is None or found.low is None or found.high is None:
            return None
        return max(0.0, found.low), min(1.0, found.high)


@dataclass(frozen=True)
class Start:
    """One arm at one number of photos."""

    cell: CellFacts
    times: Times
    against_control: Contrast | None
    control_p: float | None
    """Two-sided."""
    against_mix: Contrast | None
    """The best of the controls trained on photos and renders in one go."""
    not_worse_than_mix: Equivalence | None


@dataclass(frozen=True)
class Pair:
    """Two arms that differ in one thing, at one number of photos."""

    question: str
    contrast: Contrast
    p_value: float | None
    """Two-sided."""
    equal: Equivalence


@dataclass(frozen=True)
class TransferAnalysis:
    """All that the figures and the verdict of a transfer study say."""

    study: StudyFacts
    arms: tuple[str, ...]
    real: tuple[int, ...]
    starts: Mapping[tuple[str, int], Start]
    """By name (mixed controls carry their count) and real count."""
    pairs: tuple[Pair, ...]
    base: CellFacts | None


def analyse_transfer(study: StudyFacts) -> TransferAnalysis:
    """Compute everything from the runs that count; deterministic."""
    by_id = study.ledger.by_id
    cells = {(label(key), key.real): cell for key, cell in study.cells.items() if key.arm != BASE}
    runs = [entry for cell in cells.values() for entry in cell.entries]
    runs += [by_id[e.started_from] for e in runs if e.started_from in by_id]
    # Seconds are compared where all runs had one kind of machine, and it for themselves.
    machines = {(entry.device, entry.threads) for entry in runs}
    alone = len(machines) == 1 and all(entry.exclusive for entry in runs)
    unit = "s" if alone else "image passes"
    starts = {}
    for (name, real), cell in cells.items():
        control = cells.get((CONTROL, real))
        mix = _best_mix(cells, real)
        against = _against(study, cell, control, name == CONTROL)
        mixed = _against(study, cell, mix, name.startswith(CONTROL))
        starts[name, real] = Start(
            cell=cell,
            times=_times(cell, by_id, unit),
            against_control=against,
            control_p=None if against is None else two_sided(against.paired or against.welch),
            against_mix=mixed,
            not_worse_than_mix=None if mixed is None else _equal(mixed),
        )
    return TransferAnalysis(
        study=study,
        arms=tuple(dict.fromkeys(name for name, _ in cells)),
        real=tuple(sorted({real for _, real in cells})),
        starts=starts,
        pairs=tuple(_pairs(study, cells)),
        base=next((cell for key, cell in study.cells.items() if key.arm == BASE), None),
    )


def label(key: CellKey) -> str:
    """Return the name of an arm; mixed controls carry the number of their renders."""
    return f"{key.arm} {key.synthetic:,}" if key.arm == CONTROL_MIX else key.arm


def _against(
    study: StudyFacts, cell: CellFacts, other: CellFacts | None, same: bool
) -> Contrast | None:
    return None if other is None or same else contrast(study, cell, other, images=False)


def _best_mix(cells: Mapping[tuple[str, int], CellFacts], real: int) -> CellFacts | None:
    mixed = [c for (n, r), c in cells.items() if r == real and n.startswith(CONTROL_MIX)]
    # One run may lie anywhere.
    return max(mixed, key=lambda cell: (len(cell.values) > 1, cell.interval.estimate), default=None)


def _equal(found: Contrast) -> Equivalence:
    return equivalence(found.ours, found.theirs, MARGIN, paired=found.paired is not None)


def _times(cell: CellFacts, by_id: Mapping[str, Entry], unit: str) -> Times:
    def spent(entry: Entry) -> float:
        return entry.train_s if unit == "s" else float(entry.images_seen)

    specialisation = mean_interval([spent(entry) for entry in cell.entries])
    if any(e.started_from is not None and e.started_from not in by_id for e in cell.entries):
        return Times(unit, specialisation, None, ())

    def before(entry: Entry) -> float:
        return 0.0 if entry.started_from is None else spent(by_id[entry.started_from])

    pairs = [
        (fmean(before(e) for e in group), fmean(spent(e) for e in group))
        for group in cell.independent
    ]
    shares = tuple(ahead / (ahead + rest) if ahead else 0.0 for ahead, rest in pairs)
    return Times(unit, specialisation, fmean(before(e) for e in cell.entries), shares)


_QUESTIONS: Sequence[tuple[str, str, str]] = (
    (FREEZING, "synth-random, trainable", "synth-random, frozen"),
    (FREEZING, "synth-synth, trainable", "synth-synth, frozen"),
    (FREEZING, "VGG19-random, trainable", "VGG19-random, frozen"),
    (FREEZING, "VGG19-synth, trainable", "VGG19-synth, frozen"),
    (FREEZING, "EfficientNet-random, trainable", "EfficientNet-random, frozen"),
    (FREEZING, "EfficientNet-synth, trainable", "EfficientNet-synth, frozen"),
    (DECODER, "synth-synth, trainable", "synth-random, trainable"),
    (DECODER, "VGG19-synth, frozen", "VGG19-random, frozen"),
    (DECODER, "EfficientNet-synth, frozen", "EfficientNet-random, frozen"),
    # The paper compares each encoder where it does better: trainable and frozen.
    (ENCODER, "synth-synth, trainable", "VGG19-synth, frozen"),
    (ENCODER, "synth-random, trainable", "VGG19-random, frozen"),
    (ENCODER, "synth-synth, trainable", "EfficientNet-synth, frozen"),
    (ENCODER, "synth-synth, trainable", "EfficientNet-synth, trainable"),
    (ENCODER, "synth-random, trainable", "EfficientNet-random, frozen"),
    (WHOLE, "synth-synth, trainable", "VGG19-random, frozen"),
    (WHOLE, "synth-synth, trainable", "EfficientNet-random, frozen"),
    (WHOLE, "synth-synth, trainable", "EfficientNet-random, trainable"),
    ("first network from renders or ImageNet", "W-net synth", "W-net VGG19"),
    ("W-net or U-Net", "W-net synth", "synth-synth, trainable"),
)


def _pairs(study: StudyFacts, cells: Mapping[tuple[str, int], CellFacts]) -> list[Pair]:
    found = []
    for real in sorted({real for _, real in cells}):
        for question, first, second in _QUESTIONS:
            a, b = cells.get((first, real)), cells.get((second, real))
            if a is None or b is None:
                continue
            both = contrast(study, a, b, images=False)
            p_value = two_sided(both.paired or both.welch)
            found.append(Pair(question, both, p_value, _equal(both)))
    return found
