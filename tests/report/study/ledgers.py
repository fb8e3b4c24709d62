"""Studies without training: folders whose scores follow a known response surface."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from clearcoat.studies import (
    SELF_TRAINED_ARM,
    SELF_TRAINING_CONTROL,
    Entry,
    SupplementSpec,
    TransferSpec,
    append,
)
from clearcoat.studies.spec import content
from clearcoat.studies.transfer import BASE, CONTROL, CONTROL_MIX, FROM_RENDERS

CLASSES = ("door", "hood", "mirror", "wheel & tyre")
REAL, SYNTHETIC = (0, 16, 32, 64, 128, 256), (0, 64, 256, 1024, 4096)
Surface = Callable[[int, int], float]


def like_the_paper(real: int, synthetic: int) -> float:
    """Renders help few photos much and many little; too many dilute them; alone they are poor."""
    if not real:
        return 0.30 - 0.5 * synthetic**-0.45
    worth = real + 6 * math.log1p(synthetic / 8)
    diluted = 0.012 * max(0.0, math.log2((1 + synthetic) / (8 * real)))
    return 0.72 - 1.9 * worth**-0.55 - diluted


def useless(real: int, synthetic: int) -> float:
    """Renders change nothing."""
    return 0.72 - 1.9 * real**-0.55 if real else 0.1


def write_grid(
    folder: Path,
    surface: Surface = like_the_paper,
    *,
    real: Sequence[int] = REAL,
    synthetic: Sequence[int] = SYNTHETIC,
    runs: int = 5,
    most: int = 7,
    spread: float = 0.012,
    seed: int = 0,
    design: str = "paired",
    pair: float = 0.02,
    drop: Sequence[tuple[int, int]] = (),
    prices: dict[str, Any] | None = None,
    unlabelled: dict[tuple[int, int], float] | None = None,
    longer: float | None = None,
) -> Path:
    """A grid of which all cells but `drop` have `runs` runs.

    `unlabelled`: what photos without labels bring, by the counts of the cell; `longer`: how much
    of that their control has, which is trained for as long.
    """
    spec = SupplementSpec(
        real=Path("photos"), synthetic=Path("renders"), test_count=40, splits=3, design=design,
        real_counts=tuple(real), synthetic_counts=tuple(synthetic),
        repeats={"min": max(2, min(runs, 5)), "max": most}, prices=prices,
        training={"max_steps": 800}, self_training=None if unlabelled is None else {},
    )  # fmt: skip
    random = np.random.default_rng(seed)
    common = pair * random.standard_normal(most) if design == "paired" else np.zeros(most)
    cells, entries = [], []
    for r in real:
        for s in synthetic:
            if not r and not s:
                continue
            ids = [_id("grid", r, s, repeat, seed) for repeat in range(most)]
            cells.append(_cell("U-Net", r, s, ids, max(2, min(runs, 5)), 0.05))
            if (r, s) in drop:
                continue
            for repeat in range(runs):
                noise = spread * (1 + 2 / math.sqrt(1 + r)) * random.standard_normal()
                score = min(0.99, max(0.01, surface(r, s) + common[repeat] + noise))
                start = _id("grid", 0, s, repeat, seed) if r and s else None
                time = 20 + 0.05 * r + 0.01 * s
                entries.append(_entry("supplement", "U-Net", r, s, repeat, ids, score, time, start))
    more = np.random.default_rng([seed, 1])
    beside = [(SELF_TRAINED_ARM, key, gain) for key, gain in (unlabelled or {}).items()]
    if longer is not None:
        beside += [(SELF_TRAINING_CONTROL, key, longer) for _, key, _ in beside]
    for arm, (r, s), gain in beside:
        ids = [_id(arm, r, s, repeat, seed) for repeat in range(most)]
        cells.append(_cell(arm, r, s, ids, max(2, min(runs, 5)), 0.05))
        for repeat in range(runs):
            noise = spread * more.standard_normal()
            score = surface(r, s) + gain + common[repeat] + noise
            start = _id("grid", 0, s, repeat, seed) if s else None
            entry = _entry("supplement", arm, r, s, repeat, ids, score, 30.0, start)
            config = {"max_steps": 800, "self_training": {"max_steps": 400}}
            seen = 304 - r if arm == SELF_TRAINED_ARM else 0
            found = entry.model_dump() | {"unlabelled": seen, "config": config}
            entries.append(Entry.model_validate(found))
    return _write(folder, "supplement", content(spec), cells, entries)


def write_transfer(
    folder: Path, *, runs: int = 6, exclusive: bool = True, seed: int = 0,
    mixes: Sequence[int] = (1024,), bases: int = 3, efficientnet: bool = False,
    lead_of: Callable[[str], float] | None = None, luck_of_base: float = 0.0,
    missing: Callable[[str, int], bool] = lambda *_: False,
) -> Path:  # fmt: skip
    """A transfer study in which starting from renders helps few photos.

    `lead_of`: another lead over control, at all counts; `luck_of_base`: standard deviation of what
    arms with an encoder from renders owe to their base; `missing`: by arm and repeat, not run.
    """
    spec = TransferSpec(
        real=Path("photos"), synthetic=Path("renders"), test_count=40, real_counts=(16, 64, 256),
        pretrain_count=4096, pretrainings=bases, mix_counts=tuple(mixes),
        repeats={"min": runs, "width": None},
    )  # fmt: skip
    # arm -> lead over control at 16 photos, seconds after the start, trainable parameters
    leads = {
        CONTROL: (0.0, 300, 7.77), "synth-random, trainable": (0.06, 150, 7.77),
        "synth-random, frozen": (0.03, 120, 3.05), "synth-synth, trainable": (0.09, 90, 7.77),
        "synth-synth, frozen": (0.05, 80, 3.05), "VGG19-random, trainable": (0.00, 280, 23.86),
        "VGG19-random, frozen": (0.02, 200, 3.83), "VGG19-synth, trainable": (0.01, 260, 23.86),
        "VGG19-synth, frozen": (0.03, 190, 3.83), "W-net synth": (0.10, 160, 2.34),
        "W-net VGG19": (0.06, 240, 6.56),
    }  # fmt: skip
    if efficientnet:
        for decoder in ("random", "synth"):
            for freezing in ("trainable", "frozen"):
                leads[f"EfficientNet-{decoder}, {freezing}"] = (0.02, 150, 3.0)
    arms = [(arm, 4096 if "synth" in arm else 0, *of_it) for arm, of_it in leads.items()]
    arms += [(CONTROL_MIX, count, 0.085, 900, 7.77) for count in mixes]
    random = np.random.default_rng(seed)
    base = [_id(BASE, 0, 4096, repeat, seed) for repeat in range(bases)]
    cells = [_cell(BASE, 0, 4096, base, bases, None)]
    entries = [
        _entry("transfer", BASE, 0, 4096, repeat, base, 0.28, 2000, None, exclusive=exclusive)
        for repeat in range(bases)
    ]
    luck = luck_of_base * np.random.default_rng([seed, 1]).standard_normal(bases)
    for real in (16, 64, 256):
        common = 0.02 * random.standard_normal(runs)
        for arm, synthetic, lead, seconds, trainable in arms:
            ids = [_id(arm, real, synthetic, repeat, seed) for repeat in range(runs)]
            cells.append(_cell(arm, real, synthetic, ids, runs, None))
            for repeat in range(runs):
                if missing(arm, repeat):
                    continue
                led = lead * 16 / real if lead_of is None else lead_of(arm)
                score = useless(real, 0) + led + common[repeat]
                if arm.startswith(FROM_RENDERS):
                    score += luck[repeat % bases]
                score += 0.008 * random.standard_normal()
                time = seconds * (1 + 0.05 * random.standard_normal())
                start = base[repeat % bases] if "synth" in arm else None
                entry = _entry("transfer", arm, real, synthetic, repeat, ids, score, time, start,
                               exclusive=exclusive)  # fmt: skip
                entries.append(
                    entry.model_copy(
                        update={"parameters": 7_772_104, "trainable": round(trainable * 1e6)}
                    )
                )
    return _write(folder, "transfer", content(spec), cells, entries)


def _id(*parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()


def _cell(
    arm: str, real: int, synthetic: int, ids: Sequence[str], least: int, width: float | None
) -> dict[str, Any]:
    return {
        "arm": arm, "real": real, "synthetic": synthetic, "least": least, "most": len(ids),
        "width": width, "depicted": False, "runs": [name[:16] for name in ids],
    }  # fmt: skip


def _entry(
    study: str, arm: str, real: int, synthetic: int, repeat: int, ids: Sequence[str],
    score: float, seconds: float, start: str | None, *, exclusive: bool = True,
) -> Entry:  # fmt: skip
    offsets = np.linspace(-0.1, 0.1, len(CLASSES))
    if not real:
        # What renders show badly: the mirror.
        offsets = offsets - 0.15 * (np.array(CLASSES) == "mirror")
    classes = {
        name: float(np.clip(score + offset, 0, 1))
        for name, offset in zip(CLASSES, offsets, strict=True)
    }
    return Entry(
        run_id=ids[repeat], study=study, arm=arm, real=real, synthetic=synthetic, repeat=repeat,
        split=repeat % 3, seed=repeat, mean_iou=float(score), classes=classes, test_images=40,
        started_from=start, parameters=7_772_104, trainable=7_766_216, steps=800, epochs=40,
        images_seen=round(100 * seconds), train_s=seconds, wall_s=1.1 * seconds,
        exclusive=exclusive, device="a processor", precision="fp32", threads=1,
        versions={"clearcoat": "0.1.0", "torch": "2"}, finished_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


def _write(
    folder: Path, kind: str, spec: Any, cells: Sequence[dict[str, Any]], entries: Sequence[Entry]
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    plan = {
        "kind": kind,
        "spec": spec,
        "classes": CLASSES,
        "paths": {"real": "nowhere/photos", "synthetic": "nowhere/renders", "test": "nowhere"},
        "digests": {"real": ["a"], "test": ["b"], "synthetic": "c"},
        "images": {"real": [320] * 3, "test": [40] * 3, "synthetic": 5000, "untouched": 0},
        "cells": list(cells),
        "skipped": []
        if kind == "transfer"
        else [{"arm": "U-Net", "real": 0, "synthetic": 0, "why": "no images"}],
    }
    (folder / "study.json").write_text(json.dumps(plan))
    for entry in entries:
        append(folder, entry)
    return folder


def rewritten(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    for line in lines:
        change(line)
    (folder / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder
