"""What a reader of a grid's verdict should keep in mind."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from clearcoat.report.study.comparing import ALPHA
from clearcoat.report.study.facts import CellFacts, StudyFacts
from clearcoat.report.study.figure_5 import lacking
from clearcoat.report.study.grid import GridAnalysis
from clearcoat.report.study.unlabelled import longer_training
from clearcoat.report.verdict import images
from clearcoat.studies import Entry

_NAMED = 6
"""Cells that a caution names at most."""


def cautions(grid: GridAnalysis, photos: int | None, row: int | None) -> list[str]:
    """What to keep in mind: `photos` is how many the user has, `row` the count judged for them."""
    study = grid.study
    found = []
    if photos is not None and row is not None and photos != row:
        found.append(f"You have {photos:,} photos; the nearest row that was studied is {row:,}.")
    capped = [c for c in grid.cells.values() if c.stop.state == "capped" and c.rule.relative_width]
    if study.open:
        found.append(
            f"Runs are still missing in {images(study.open, 'cell')} of {study.planned}: the "
            "figures are valid, their intervals will narrow."
        )
    if capped:
        found.append(
            f"{images(len(capped), 'cell')} reached the most runs allowed before the interval "
            "was as narrow as asked for."
        )
    if study.skipped:
        found.append(
            f"{images(len(study.skipped), 'cell')} of the grid could not be run; the first: "
            f"{study.skipped[0][0]}: {study.skipped[0][1]}."
        )
    if grid.left_out:
        cells = [f"{c.key} ({images(len(c.entries), 'run')})" for c in grid.left_out.values()]
        found.append(
            "Left out where break points are looked for (Fig. 4), with too few of the repeats of "
            "their row: "
            f"{_named(cells)}."
        )
    undrawn = lacking(study)
    if undrawn:
        found.append(
            f"Fig. 5 lacks images that `qualitative` asks for, of {_named(undrawn)}: the study's "
            "command draws them with `--remake-weights`, which trains these runs again."
        )
    found += shared_pretraining(study)
    found += _unequal_steps(grid)
    found += _fewer_passes(grid)
    found += longer_training(grid.self_trained)
    tests = study.images.test
    if study.settings.training.mode == "paper":
        found.append(
            "Training stopped on the images that are scored on (mode `paper`), which flatters."
        )
    found.append(
        f"Scored on {sum(tests):,} photos in {images(len(tests), 'split')}; intervals are over "
        "runs unless they say otherwise. A gain counts as shown where the one-sided test has "
        f"p < {ALPHA} both after Holm's correction over its row and after Benjamini and "
        "Hochberg's over the grid; a corrected p is the greater of the two."
    )
    if study.failed:
        found.append(f"{images(study.failed, 'run')} diverged and have no score.")
    if study.foreign:
        found.append(
            f"{images(study.foreign, 'line')} of the ledger belong to other data or settings, or "
            "came after their cell had stopped; they do not count."
        )
    found += study.ledger.complaints
    return found


def _named(cells: Sequence[object]) -> str:
    return "; ".join(map(str, cells[:_NAMED])) + ("; …" if len(cells) > _NAMED else "")


def shared_pretraining(study: StudyFacts) -> list[str]:
    """Say so where several repeats go on from the same run, so that they count as one."""
    shared = [c for c in study.cells.values() if 1 < len(c.independent) < len(c.entries)]
    if not shared:
        return []
    most = max(shared, key=lambda cell: len(cell.entries) / len(cell.independent))
    return [
        f"Repeats that go on from one run on renders count as one: the {len(most.entries)} of "
        f"{most.key} as {len(most.independent)}."
    ]


def _unequal_steps(grid: GridAnalysis) -> list[str]:
    """Say so where models with renders may be trained for longer than those without."""
    entries = {e.run_id: e for cell in grid.cells.values() for e in cell.entries}

    def limit(entry: Entry) -> int | None:
        steps = entry.settings.step_limit
        start = None if entry.started_from is None else entries.get(entry.started_from)
        if start is not None:
            before = limit(start)
        elif entry.real and entry.synthetic and entry.settings.mix == "sequential":
            before = entry.settings.pretrain_max_steps or entry.settings.max_steps
        else:
            before = 0
        return None if steps is None or before is None else steps + before

    limits = [(bool(entry.synthetic), limit(entry)) for entry in entries.values() if entry.real]
    alone = [steps for mixed, steps in limits if not mixed and steps is not None]
    mixed = [steps for mixed, steps in limits if mixed and steps is not None]
    if not alone or not mixed or max(mixed) <= max(alone):
        return []
    told = f"Models with renders are trained for up to {max(mixed):,} steps, "
    told += f"those on photos alone for up to {max(alone):,}"
    used = [(e.steps, limit(e) or 0) for e in entries.values() if not e.synthetic]
    if all(0 < steps < most for steps, most in used):
        return [
            f"{told}, of which none used more than {max(used)[0]:,}: they stopped by themselves."
        ]
    return [
        f"{told}: some of a gain may be longer training, most of all with many photos. Without "
        "`max_steps` in `without_renders` both get as many."
    ]


def _fewer_passes(grid: GridAnalysis) -> list[str]:
    """Say so where a gain may be missing since models with renders saw each photo less often."""
    ratios = []
    for (real, synthetic), gain in grid.gains.items():
        mixed, alone = (_passes(cell) for cell in (gain.contrast.cell, gain.contrast.baseline))
        if gain.verdict != "gain" and mixed and alone and mixed < alone / 2:
            ratios.append((mixed / alone, real, synthetic, mixed, alone))
    if not ratios:
        return []
    _, real, synthetic, mixed, alone = min(ratios)
    return [
        f"With {images(real, 'photo')} and {images(synthetic, 'render')} no gain is shown, and "
        f"training shows each photo {mixed:,.0f} times there, {alone:,.0f} times without renders: "
        "the renders may not be what is missing. Longer training on photos (`training.max_steps`) "
        "would tell."
    ]


def _passes(cell: CellFacts) -> float | None:
    """How often a cell's models have seen each photo; None where the ledger does not tell."""
    seen = []
    for entry in cell.entries:
        share = 1.0
        if entry.synthetic:
            # Training on renders is a run of its own, or these images are of both kinds of phase.
            if entry.started_from is None or entry.settings.mix != "sequential":
                return None
            share = entry.settings.real_share or 1.0
        seen.append(share * entry.images_seen / entry.real)
    return fmean(seen) if seen else None
