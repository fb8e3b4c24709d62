"""How long, and on what, to train: the table of docs/decisions/0029-recipe.md.

usage: python docs/results/car-parts/recipe.py OUT [RUN…]      (OUT as ../car-parts.sh makes it)

With runs it scores these instead, on the same photos.

Scores 156 photos that no study scores on: what is chosen here is not chosen by the tests. A run
that is finished is not trained again.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clearcoat.dataset import Dataset
from clearcoat.studies import SupplementSpec, open_data
from clearcoat.studies.spec import load_study
from clearcoat.training import AUGMENTATIONS, Sources, find_loss, pack, run_training, score_model
from clearcoat.training.run import load_model

STRONG = {"augment": AUGMENTATIONS["strong"]}
HALF = {"real_share": 0.5}
BASE: dict[str, Any] = {"max_steps": 2000}
RUNS: tuple[tuple[int, dict[str, Any] | None, dict[str, Any]], ...] = (
    (16, BASE, {"max_steps": 400}),
    (64, BASE, {"max_steps": 400}),
    (16, BASE, {"max_steps": 400, **HALF}),
    (64, BASE, {"max_steps": 400, **HALF}),
    (16, BASE, {"max_steps": 1200, **HALF}),
    (64, BASE, {"max_steps": 1200, **HALF}),
    (16, BASE, {"max_steps": 2800, **HALF}),
    (16, BASE, {"max_steps": 400, **STRONG}),
    (16, BASE, {"max_steps": 400, **STRONG, **HALF}),
    (16, BASE, {"max_steps": 1200, **HALF, "batch_size": 8}),
    (16, BASE, {"max_steps": 2400, **HALF, "batch_size": 8}),
    (16, BASE | STRONG, {"max_steps": 400}),
    (16, BASE | STRONG, {"max_steps": 400, **HALF}),
    (16, None, {"max_steps": 3200, "mix": "balanced", "tuning_rate": 0.006, **HALF}),
)
"""Photos, the training on renders (None: none), the training on photos."""


def main(out: Path, *runs: Path) -> None:
    """Train all, or take those given, and print their scores."""
    torch.set_num_threads(1)
    spec = load_study(out / "unet.yaml", SupplementSpec)
    data = open_data(spec)
    assert data.untouched is not None
    scored = {*data.untouched.indices, *(i for test in data.test for i in test.indices)}
    photos = Dataset.open(spec.real)
    free = [index for index in photos.indices if index not in scored]
    order = [free[place] for place in np.random.default_rng(7).permutation(len(free))]
    stopping, scoring = photos.subset(order[:20]), photos.subset(order[84:])
    for run in runs:
        model, config, _ = load_model(run, "cpu")
        images = pack(scoring, scoring.indices, config.size)
        print(f"{score_model(model.eval(), images, find_loss(config.loss))[1].mean_iou:.3f}  {run}")
    if runs:
        return
    plain = {"seed": 0, "real_share": None, "pretrain_max_steps": None}

    def trained_on_renders(changes: dict[str, Any]) -> Path:
        folder = out / "recipe" / "_".join(["renders", *_words(changes)])
        config = spec.config(
            **plain | {"real_count": 0, "synthetic_count": 4096, "validation_source": "synthetic"},
            **{"validation_count": None},
            **changes,
        )
        sources = Sources(synthetic=data.synthetic, test=scoring)
        report(folder, run_training(config, sources, folder, depict=False))
        return folder

    def report(folder: Path, metrics: dict[str, Any]) -> None:
        print(f"{metrics['test']['mean_iou']:.3f}  {folder.name}", flush=True)

    for real, base, changes in RUNS:
        init = None if base is None else trained_on_renders(base)
        mixed = changes.get("real_share", 1.0) < 1
        counts = {"real_count": real, "synthetic_count": 4096 if mixed else 0}
        sources = Sources(
            real=photos.subset(order[20 : 20 + real]),
            synthetic=data.synthetic if mixed else None,
            validation=stopping,
            test=scoring,
        )
        start = "nothing" if init is None else init.name
        folder = out / "recipe" / "_".join([str(real), *_words(changes), "after", start])
        metrics = run_training(
            spec.config(**plain | counts | changes), sources, folder, init=init, depict=False
        )
        report(folder, metrics)


def _words(changes: dict[str, Any]) -> list[str]:
    return ["strong" if key == "augment" else f"{key}={value}" for key, value in changes.items()]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
