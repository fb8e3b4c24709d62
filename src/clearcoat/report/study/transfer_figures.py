"""Figures 6, 7 and 8 and Table II of the paper, drawn from a transfer study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from clearcoat.report.charts import COLORS, MARKERS
from clearcoat.report.study.drawing import Drawn, error_bar, limit_to_scores, styled
from clearcoat.report.study.starts import TransferAnalysis
from clearcoat.report.tables import Table, Value
from clearcoat.studies.transfer import CONTROL, CONTROL_MIX, EFFICIENTNET

_MIX_HATCHES = ("////", "....", "xxxx", "----")
_AGAIN = ("#d4d4d4", "\\\\\\\\")


@dataclass(frozen=True)
class _Look:
    """One colour and marker per start; what is frozen is hollow, and hatched as a bar.

    Controls on a mix have the colour of the plain one, and a marker and hatching each. What comes
    after as many starts as there are colours is grey inside.
    """

    color: str
    marker: str
    face: str
    hatch: str


def _looks(arms: Sequence[str]) -> dict[str, _Look]:
    # W-nets last: only they may come to a colour that another start has.
    starts = list(dict.fromkeys(arm.partition(", ")[0] for arm in sorted(arms, key=_is_wnet)))
    mixes = [arm for arm in arms if arm.startswith(CONTROL_MIX)]
    looks = {}
    for arm in arms:
        start, _, more = arm.partition(", ")
        turn = starts.index(start)
        color, marker = COLORS[turn % len(COLORS)], MARKERS[turn % len(MARKERS)]
        hatch = "////" if more.startswith("frozen") else ""
        if arm in mixes:
            mix = mixes.index(arm)
            marker = MARKERS[(turn - mix) % len(MARKERS)]
            hatch = _MIX_HATCHES[mix % len(_MIX_HATCHES)]
        face = "none" if hatch else color
        if turn >= len(COLORS):
            face, hatch = _AGAIN
        looks[arm] = _Look(color, marker, face, hatch)
    return looks


def _is_wnet(arm: str) -> bool:
    return arm.startswith("W-net")


def transfer_figures(analysis: TransferAnalysis) -> list[Drawn]:
    """Return those of the three figures for which there are runs."""
    mixes = [name for name in analysis.arms if name.startswith(CONTROL_MIX)]
    encoders = [name for name in analysis.arms if name.endswith((", trainable", ", frozen"))]
    # Each encoder where the paper found it better: ImageNet's frozen, that from renders trainable.
    imagenet = ("VGG19", EFFICIENTNET)
    best = [name for name in encoders if name.endswith("frozen") == name.startswith(imagenet)]
    wnets = [name for name in analysis.arms if _is_wnet(name)]
    wanted = (
        ("fig-6", "Fig. 6: encoders trainable or frozen", encoders, encoders),
        ("fig-7", "Fig. 7: where encoder and decoder start", [CONTROL, *mixes, *best], best),
        ("fig-8", "Fig. 8: U-Net and W-net", [CONTROL, *mixes, *_first_of(best), *wnets], wnets),
    )
    found = []
    for name, title, arms, about in wanted:
        present = [arm for arm in arms if arm in analysis.arms]
        if set(present) & set(about):
            found.append(_panels(analysis, name, title, present))
    return found


def _first_of(arms: Sequence[str]) -> list[str]:
    """One arm per encoder, both parts pretrained where there is such."""
    chosen = {name.split("-")[0]: name for name in sorted(arms)}
    return [name for name in arms if name in chosen.values()]


def _panels(analysis: TransferAnalysis, name: str, title: str, arms: Sequence[str]) -> Drawn:
    unit = next(iter(analysis.starts.values())).times.unit
    real = [r for r in analysis.real if any((arm, r) in analysis.starts for arm in arms)]

    # Of all arms, so that a start looks alike in every figure.
    looks = _looks(analysis.arms)

    def draw() -> Figure:
        figure = Figure(figsize=(7.6, 3.6 + 0.19 * -(-len(arms) // 3)), layout="constrained")
        score, time = figure.subplots(1, 2)
        width = 0.8 / len(arms)
        for turn, arm in enumerate(arms):
            look = looks[arm]
            places = [p for p, r in enumerate(real) if (arm, r) in analysis.starts]
            starts = [analysis.starts[arm, real[p]] for p in places]
            at = [p + (turn - (len(arms) - 1) / 2) * width for p in places]
            for x, start in zip(at, starts, strict=True):
                interval = start.cell.interval
                score.errorbar(
                    [x], [interval.estimate], yerr=error_bar(interval), fmt=look.marker,
                    color=look.color, mfc=look.face, ms=5, elinewidth=1.2,
                )  # fmt: skip
            heights = [start.times.specialisation.estimate for start in starts]
            time.bar(
                at, heights, 0.85 * width, color=look.face, hatch=look.hatch,
                edgecolor=look.color, linewidth=1.0,
            )  # fmt: skip
            score.plot([], [], look.marker, color=look.color, mfc=look.face, label=arm)
        for axes, text in ((score, "mean IoU"), (time, _time_label(unit))):
            axes.set_xticks(range(len(real)), [f"{count:,}" for count in real])
            axes.set_xlim(-0.5, len(real) - 0.5)
            axes.set_xlabel("photos")
            axes.set_title(text, loc="left", fontsize=9)
            axes.grid(visible=False, axis="x")
        shown = [
            analysis.starts[arm, r] for arm in arms for r in real if (arm, r) in analysis.starts
        ]
        limit_to_scores(score, [value for start in shown for value in start.cell.scores])
        time.yaxis.set_major_formatter("{x:,.0f}")
        figure.legend(loc="outside lower left", ncols=3, fontsize=8)
        return figure

    shared = "" if unit == "s" else (
        " Some runs shared their device, so times of this study would mean nothing: passes of "
        "images through training stand in for them."
    )  # fmt: skip
    return Drawn(
        name,
        title,
        "Left: mean over runs with its 95 % interval, cut off far from the scores; hollow: frozen, "
        "or trained on a mix. Right: mean training after the start; what was spent before, once "
        "for all, is in the data." + shared,
        styled(draw),
        transfer_table(analysis, arms),
    )


def _time_label(unit: str) -> str:
    return "training time (s)" if unit == "s" else "training (passes of images)"


def transfer_table(analysis: TransferAnalysis, arms: Sequence[str]) -> Table:
    """Scores, tests and times of some arms."""
    rows: list[tuple[Value, ...]] = []
    for arm in arms:
        for real in analysis.real:
            start = analysis.starts.get((arm, real))
            if start is None:
                continue
            interval, control, mix = start.cell.interval, start.against_control, start.against_mix
            same = start.not_worse_than_mix
            rows.append(
                (
                    arm, real, len(start.cell.entries), interval.estimate, interval.low,
                    interval.high,
                    None if control is None else control.difference.estimate, start.control_p,
                    None if mix is None else mix.difference.estimate,
                    None if same is None else same.not_worse_p,
                    None if same is None else same.p_value,
                    start.times.specialisation.estimate, start.times.pretraining,
                    start.times.share, start.times.unit,
                )
            )  # fmt: skip
    return Table(
        (
            "start", "real", "runs", "mean IoU", "95 % low", "95 % high", "gain over control",
            "two-sided p", "gain over best mix", "p: not worse than mix by 0.01",
            "p: same as mix within 0.01", "training after the start", "pretraining",
            "share of pretraining", "unit",
        ),
        tuple(rows),
    )  # fmt: skip


def pairs_table(analysis: TransferAnalysis) -> Table:
    """Arms that differ in one thing, two-sided, with the test that they are equal."""
    return Table(
        (
            "question", "real", "first", "second", "difference", "95 % low", "95 % high",
            "two-sided p", "p: same within 0.01",
        ),
        tuple(
            (
                pair.question, pair.contrast.cell.key.real, pair.contrast.cell.key.arm,
                pair.contrast.baseline.key.arm, pair.contrast.difference.estimate,
                pair.contrast.difference.low, pair.contrast.difference.high, pair.p_value,
                pair.equal.p_value,
            )
            for pair in analysis.pairs
        ),
    )  # fmt: skip


def table_2(analysis: TransferAnalysis) -> Table:
    """Parameters and time per image and epoch: the paper's Table II."""
    rows: list[tuple[Value, ...]] = []
    for arm in analysis.arms:
        entries = [
            entry
            for (name, _), start in analysis.starts.items()
            if name == arm
            for entry in start.cell.entries
        ]
        alone = [e for e in entries if e.exclusive and e.images_seen]
        times = [1000 * e.train_s / e.images_seen for e in alone]
        rows.append(
            (
                arm, entries[0].parameters, entries[0].trainable,
                float(np.mean(times)) if times else None, len(times), len(entries),
                ", ".join(sorted({e.device for e in entries})),
            )
        )  # fmt: skip
    return Table(
        (
            "model and start", "parameters", "trainable", "ms per image and epoch",
            "runs timed", "runs", "device",
        ),
        tuple(rows),
    )  # fmt: skip
