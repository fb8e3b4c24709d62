"""The page of a gap: what to change, and every measure behind it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from clearcoat.report.charts import COLORS
from clearcoat.report.gap.compare import COVERED, NOTABLE, SMALLEST, Difference, Gap
from clearcoat.report.gap.measures import MEASURES
from clearcoat.report.study.drawing import Drawn, styled
from clearcoat.report.tables import Table
from clearcoat.report.verdict import percent, signed
from clearcoat.report.writing import page, write_page

_ENOUGH = (
    f"what matters (of a pair, the render has more, or has less, in {100 * NOTABLE:.0f} of 100 "
    "cases or more, where 50 would be no difference)"
)


def write_gap(gap: Gap, out: Path, title: str) -> None:
    """Write one self-contained HTML file. Raises UsageError where that cannot be."""
    content = page(
        "gap.html",
        title,
        headline=headline(gap),
        sentences=list(filter(None, (*sentences(gap), sliver_sentence(gap), held_sentence(gap)))),
        seen=feature_sentence(gap),
        figure=histograms(gap),
        table=gap_table(gap),
    )
    write_page(out, content)


def headline(gap: Gap) -> str:
    """Say how many measures differ, and the largest."""
    counts = f"{len(gap.real.numbers):,} photos against {len(gap.synthetic.numbers):,} renders"
    apart = sum(d.large for d in gap.differences)
    total = len(gap.differences)
    if not gap.notable and gap.slivers:
        return (
            f"No measure differs surely enough to act upon, but renders label slivers that people "
            f"leave out, of {len(gap.slivers)} of {len(gap.real.classes)} classes ({counts})."
        )
    if not gap.notable and any(d.large and not d.shifted for d in gap.differences):
        return (
            f"Nothing is sure with {len(gap.real.numbers):,} photos and "
            f"{len(gap.synthetic.numbers):,} renders; {apart} of {total} measures look apart by "
            f"{_ENOUGH}. More images would tell."
        )
    if not gap.notable and apart:
        return (
            f"No difference to act upon: {apart} of {total} measures are apart by {_ENOUGH}, but "
            f"the renders' ranges hold the photos ({counts})."
        )
    if not gap.notable:
        return (
            f"No difference to act upon: none of {total} measures is apart by {_ENOUGH} ({counts})."
        )
    worst = gap.notable[0]
    return (
        f"{len(gap.notable)} of {total} measures differ enough to act upon ({counts}). The "
        f"largest: {worst.measure}, {_middles(worst)}."
    )


def sentences(gap: Gap) -> list[str]:
    """Say what to change, each once, for the largest difference that asks for it."""
    asked: dict[str, list[Difference]] = {}
    for difference in gap.notable:
        asked.setdefault(difference.advice, []).append(difference)
    return [
        f"{advice[0].upper()}{advice[1:]}. {_numbers(found[0])}"
        + (f" The same say {', '.join(d.measure for d in found[1:])}." if len(found) > 1 else "")
        for advice, found in asked.items()
    ]


def sliver_sentence(gap: Gap) -> str:
    """Say which classes renders label where people would not; empty where there are none."""
    if not gap.slivers:
        return ""
    # A class may be called `no` or `a: b`, which YAML reads as something else.
    shares = ", ".join(
        f"{json.dumps(one.name, ensure_ascii=False)}: {one.least_share:.2g}" for one in gap.slivers
    )
    worst = gap.slivers[0]
    return (
        f"Leave out what people do not draw: labels.least_share: {{{shares}}}. Of the renders' "
        f"masks of {worst.name} {percent(worst.below)} take a smaller share of all that is "
        f"labelled than {percent(1 - SMALLEST)} of the photos' do."
    )


def held_sentence(gap: Gap) -> str:
    """Name the measures that differ and are left alone; empty where there are none."""
    held = [d.measure for d in gap.differences if d.shifted and d.held]
    if not held:
        return ""
    return (
        f"Need no change, though they differ, since the renders' range holds {percent(COVERED)} "
        f"of the photos or more: {', '.join(held)}."
    )


def _middles(found: Difference) -> str:
    if found.binary:
        return (
            f"share {percent(found.real_median)} of the photos and "
            f"{percent(found.synthetic_median)} of the renders"
        )
    return f"median {found.real_median:.3g} in photos and {found.synthetic_median:.3g} in renders"


def _numbers(found: Difference) -> str:
    if found.binary:
        return f"{found.measure}: {_middles(found)} (Cohen's h {signed(found.cohens_h, 2)})."
    covered = f"{percent(found.covered or 0)} of the photos"
    if not found.shifted or found.held:
        ranges = [
            f"{low:.3g} to {high:.3g}" for low, high in (found.synthetic_range, found.real_range)
        ]
        return (
            f"{found.measure}: the renders' range, {ranges[0]}, holds {covered}, "
            f"whose own is {ranges[1]}."
        )
    moved = "exceeds" if found.above > 0.5 else "falls short of"
    share = found.above if found.above > 0.5 else 1 - found.above
    low, high = (found.low, found.high) if found.above > 0.5 else (1 - found.high, 1 - found.low)
    return (
        f"{found.measure}: {found.real_median:.3g} in photos, {found.synthetic_median:.3g} in "
        f"renders; a render {moved} a photo in {percent(share)} of pairs (95 % interval "
        f"{percent(low)} to {percent(high)}), and the renders' range holds {covered}."
    )


def feature_sentence(gap: Gap) -> str:
    """Say what a trained encoder sees; empty without one."""
    seen = gap.features
    if seen is None:
        return ""
    distance = (
        ""
        if seen.distance is None or seen.by_chance is None
        else f"Their Fréchet distance is {seen.distance:.2f}; with no gap at all, so many images "
        f"would give {seen.by_chance:.2f}. "
    )
    far = ", ".join(str(number) for number, _ in seen.farthest)
    return (
        f"To the encoder of {seen.run}, photos and renders can be told apart with probability "
        f"{seen.separability:.2f} (95 % interval {seen.low:.2f} to {seen.high:.2f}; 0.5 is not at "
        f"all). {distance}Photos least like any render: {far}."
    )


def gap_table(gap: Gap) -> Table:
    """Every measure with its numbers."""
    return Table(
        (
            "measure", "photos", "5 %", "95 %", "renders", "renders 5 %", "renders 95 %",
            "P(render > photo)", "95 % low", "95 % high", "adjusted p", "photos in range",
            "to change",
        ),
        tuple(
            (
                d.measure,
                d.real_median, *((None, None) if d.binary else d.real_range),
                d.synthetic_median, *((None, None) if d.binary else d.synthetic_range),
                d.above, d.low, d.high, d.p_value, d.covered, d.advice,
            )
            for d in gap.differences
        ),
    )  # fmt: skip


def as_json(gap: Gap) -> dict[str, Any]:
    """The numbers, as plain data."""
    return {
        "real": {"name": gap.real.name, "images": len(gap.real.numbers)},
        "synthetic": {"name": gap.synthetic.name, "images": len(gap.synthetic.numbers)},
        "size": gap.size,
        "headline": headline(gap),
        "differences": [asdict(d) | {"notable": d.notable} for d in gap.differences],
        "slivers": [asdict(one) for one in gap.slivers],
        "features": None if gap.features is None else asdict(gap.features),
    }


def histograms(gap: Gap) -> Drawn:
    """Both sets side by side in every measure of whole images."""
    names = list(MEASURES)

    def draw() -> Figure:
        figure = Figure(figsize=(7.6, 5.4), layout="constrained")
        for axes, name in zip(figure.subplots(3, 3).ravel(), names, strict=True):
            pairs = [
                values[np.isfinite(values)]
                for values in (gap.real.images[name], gap.synthetic.images[name])
            ]
            together = np.concatenate(pairs)
            axes.set_title(name, loc="left", fontsize=9)
            axes.set_yticks([])
            axes.grid(visible=False)
            if not len(together):
                continue
            low, high = np.quantile(together, [0.005, 0.995])
            edges = np.linspace(low, max(high, low + 0.01), 21)
            for turn, (values, label) in enumerate(zip(pairs, ("photos", "renders"), strict=True)):
                if not len(values):
                    continue
                # Shares of all images, so that sets of different size can be compared.
                axes.hist(
                    np.clip(values, edges[0], edges[-1]), edges,
                    weights=np.full(len(values), 1 / len(values)), histtype="step",
                    color=COLORS[turn], lw=1.6, ls="-" if not turn else "--", label=label,
                )  # fmt: skip
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=2, fontsize=8.5)
        return figure

    rows = tuple(
        (
            kind,
            number,
            *(None if np.isnan(m.images[n][row]) else float(m.images[n][row]) for n in names),
        )
        for kind, m in (("photo", gap.real), ("render", gap.synthetic))
        for row, number in enumerate(m.numbers)
    )
    return Drawn(
        "gap",
        "Photos and renders, measure by measure",
        f"Shares of the images, at {gap.size} pixels. "
        + " ".join(f"{name}: {text}." for name, text in MEASURES.items()),
        styled(draw),
        Table(("kind", "record", *names), rows),
    )
