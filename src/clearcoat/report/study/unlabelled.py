"""What photos without labels bring beside a grid, and how many labelled ones their models equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from clearcoat.report.study.comparing import ALPHA, Contrast, contrast
from clearcoat.report.study.facts import CellFacts, StudyFacts
from clearcoat.report.study.words import contrast_text, gain_text, mean_text, p_text
from clearcoat.report.tables import Table
from clearcoat.report.verdict import images
from clearcoat.statistics import holm
from clearcoat.studies import GRID_ARM, SELF_TRAINED_ARM, SELF_TRAINING_CONTROL

WITHOUT_LABELS = "photos without labels"


@dataclass(frozen=True)
class SelfTrained:
    """A cell whose models also labelled photos themselves, against the same without."""

    contrast: Contrast
    gain_p: float | None
    """One-sided, adjusted over these cells (Holm)."""
    control: Contrast | None = None
    """Against models that were trained on for as long without such photos; None: not run."""
    control_p: float | None = None
    """Of a gain over these, adjusted over the cells that have them."""

    @property
    def cell(self) -> CellFacts:
        """The cell with photos without labels."""
        return self.contrast.cell

    @property
    def shown(self) -> bool:
        """Whether a gain is shown: over as much training, too, where that was tried."""
        known = [self.gain_p] if self.control is None else [self.gain_p, self.control_p]
        return all(p is not None and p < ALPHA for p in known)

    @property
    def photos(self) -> float:
        """Photos without labels, on average of the runs."""
        return fmean(entry.unlabelled for entry in self.cell.entries)


def self_trained(study: StudyFacts) -> tuple[SelfTrained, ...]:
    """Return these cells by their counts, where the same without such photos was run."""
    pairs = [
        (cell, study.cells[key._replace(arm=GRID_ARM)])
        for key, cell in sorted(study.cells.items())
        if key.arm == SELF_TRAINED_ARM and key._replace(arm=GRID_ARM) in study.cells
    ]
    found = [contrast(study, cell, baseline) for cell, baseline in pairs]
    adjusted = holm([both.p_value for both in found])
    controls = [study.cells.get(cell.key._replace(arm=SELF_TRAINING_CONTROL)) for cell, _ in pairs]
    longer = [
        None if control is None else contrast(study, cell, control)
        for (cell, _), control in zip(pairs, controls, strict=True)
    ]
    own = holm([None if both is None else both.p_value for both in longer])
    return tuple(SelfTrained(*one) for one in zip(found, adjusted, longer, own, strict=True))


def cells_for_worth(
    found: Sequence[SelfTrained], cells: Mapping[tuple[int, int], CellFacts]
) -> dict[tuple[int, int], CellFacts]:
    """Return cells of photos alone, and those with photos without labels in place of the mixes."""
    alone = {key: cell for key, cell in cells.items() if not key[1]}
    mixes = {(one.cell.key.real, one.cell.key.synthetic): one.cell for one in found}
    return alone | {key: cell for key, cell in mixes.items() if key[1]}


def sentences(found: Sequence[SelfTrained]) -> list[str]:
    """Say what photos without labels bring, at the counts where they bring most."""
    if not found:
        return []
    best = max(found, key=lambda one: (one.shown, one.contrast.difference.estimate))
    both, key = best.contrast, best.cell.key
    beside = f"{images(key.real, 'photo')} and {images(key.synthetic, 'render')}"
    if not key.synthetic:
        beside = images(key.real, "photo")
    chance = (
        "too few runs to tell"
        if best.gain_p is None
        else f"corrected {p_text(best.gain_p)}"
        if best.gain_p < ALPHA
        else f"within what chance gives (corrected {p_text(best.gain_p)})"
    )
    one_of = ", of this cell alone" if len(found) > 1 else ""
    longer = ""
    if best.control is not None:
        p = "" if best.control_p is None else f", corrected {p_text(best.control_p)}"
        longer = (
            " Over models that were trained for as long without them it is "
            f"{contrast_text(best.control)}{one_of}{p}."
        )
    number = f"{best.photos:,.0f} {WITHOUT_LABELS}" if best.photos else "Photos without labels"
    return [
        f"{number} beside {beside} take mean IoU from {mean_text(both.baseline.interval)} to "
        f"{mean_text(both.cell.interval)} ({contrast_text(both)}{one_of}): {chance}.{longer}"
    ]


def step(found: Sequence[SelfTrained], row: int | None) -> tuple[float, str] | None:
    """Return what such photos bring at the user's number of photos where that is shown."""
    mine = [one for one in found if one.cell.key.real == row and one.shown]
    if not mine:
        return None
    best = max(mine, key=lambda one: one.cell.interval.estimate)
    gain = best.contrast.difference
    return gain.estimate, (
        f"Take photos without labels (`train --unlabelled`): beside {row:,} labelled photos and "
        f"{images(best.cell.key.synthetic, 'render')} they brought {gain_text(gain)}."
    )


def longer_training(found: Sequence[SelfTrained]) -> list[str]:
    """Say that what these photos bring is in part longer training."""
    steps = {
        entry.settings.self_training.max_steps
        for one in found
        if one.control is None
        for entry in one.cell.entries
        if entry.settings.self_training is not None
    }
    if not steps:
        return []
    return [
        "Models with photos without labels are trained for up to "
        f"{max(steps):,} more steps, on images that are augmented more: some of what these photos "
        "bring may be that. `self_training: {control: true}` would tell."
    ]


def gains_table(found: Sequence[SelfTrained]) -> Table:
    """One row per cell."""
    rows = []
    for one in found:
        both, over, longer = one.contrast, one.contrast.over_images, one.control
        against = None if longer is None else longer.difference
        rows.append(
            (
                one.cell.key.real, one.cell.key.synthetic, one.photos or None, both.runs,
                both.baseline.interval.estimate, both.cell.interval.estimate,
                both.difference.estimate, both.difference.low, both.difference.high,
                None if over is None else over.low, None if over is None else over.high,
                both.p_value, one.gain_p,
                None if longer is None else longer.baseline.interval.estimate,
                *((None,) * 3 if against is None
                  else (against.estimate, against.low, against.high)),
                None if longer is None else longer.p_value, one.control_p,
            )
        )  # fmt: skip
    return Table(
        (
            "real", "synthetic", WITHOUT_LABELS, "runs", "mean IoU without", "with", "gain",
            "95 % low", "95 % high", "with other test photos, 95 % low", "95 % high",
            "p (one-sided)", "p (Holm)", "mean IoU of the control", "gain over the control",
            "95 % low", "95 % high", "p (one-sided)", "p (Holm)",
        ),
        tuple(rows),
    )  # fmt: skip
