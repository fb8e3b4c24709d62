"""Runs without training: facts with a chosen score."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from clearcoat.report import RunFacts
from clearcoat.report.facts import FINISHED
from clearcoat.training import training_config

_numbers = count()


def make_run(
    real: int,
    synthetic: int,
    seed: int,
    mean_iou: float | None,
    *,
    scored_on: str = "aaaa",
    state: str = FINISHED,
    data: dict[str, str] | None = None,
    before: dict[str, Any] | None = None,
    run_id: str | None = None,
    **config: Any,
) -> RunFacts:
    """A run of these counts, no copy of any other; `config` changes its TrainingConfig."""
    score = None
    if mean_iou is not None:
        score = {"mean_iou": mean_iou, "per_class": {"hood": {"iou": mean_iou}}}
    name = f"r{real}_s{synthetic}_{seed}" + "".join(f"_{v}" for v in config.values())
    return RunFacts(
        path=Path("runs") / name,
        name=name,
        state=state,
        run_id=run_id or f"run {next(_numbers)}",
        config=training_config({"seed": seed, **config}).model_dump(mode="json"),
        seed=seed,
        real=real,
        synthetic=synthetic,
        before=before,
        # The same seed draws the same real images, as training does.
        image_numbers={"real": [seed] * real, "synthetic": []},
        data={"real": "photos", "synthetic": "renders"} if data is None else data,
        paths={"real": "photos", "synthetic": "renders"},
        score=score,
        scored_on=scored_on,
    )
