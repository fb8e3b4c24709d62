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
from clearcoat.models import InitConfig
from clearcoat.studies import SupplementSpec, open_data, read_ledger
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
"""With a small U-Net: photos, the training on renders (None: none), the training on photos."""

FROZEN = {"freeze": "encoder"}
FREE = {"freeze": "none"}
COLOUR = {
    "augment": AUGMENTATIONS["colour"].model_copy(
        update=AUGMENTATIONS["geometry"].model_dump(include={"scale", "rotate_deg", "shift"})
    )
}
ENCODER_RUNS: tuple[tuple[int, dict[str, str], dict[str, Any]], ...] = (
    (0, FROZEN, BASE),
    (0, FROZEN, BASE | COLOUR),
    (0, FREE, BASE | {"learning_rate": 0.003}),
    (16, FROZEN, {"max_steps": 1200}),
    (16, FROZEN, {"max_steps": 2400}),
    (16, FREE, {"max_steps": 1200, "tuning_rate": 0.001}),
)
"""With the encoder of the grid: photos, what is frozen, the training. With photos it goes on from
the grid's first run on renders alone."""


class Bench:
    """Photos to train on, to stop on and to score on, none of which a study scores."""

    def __init__(self, out: Path, study: str) -> None:
        self.spec = load_study(out / study, SupplementSpec)
        self.folder = out / "recipe"
        data = open_data(self.spec)
        assert data.untouched is not None
        scored = {*data.untouched.indices, *(i for test in data.test for i in test.indices)}
        self.renders = data.synthetic
        self.photos = Dataset.open(self.spec.real)
        free = [index for index in self.photos.indices if index not in scored]
        self.order = [free[place] for place in np.random.default_rng(7).permutation(len(free))]
        self.stopping = self.photos.subset(self.order[:20])
        self.scoring = self.photos.subset(self.order[84:])

    def score(self, run: Path) -> None:
        """Print the score of a finished run."""
        model, config, _ = load_model(run, "cpu")
        images = pack(self.scoring, self.scoring.indices, config.size)
        print(f"{score_model(model.eval(), images, find_loss(config.loss))[1].mean_iou:.3f}  {run}")

    def on_renders(self, changes: dict[str, Any]) -> Path:
        """Train on renders alone."""
        counts = {"real_count": 0, "synthetic_count": 4096}
        stop = {"validation_source": "synthetic", "validation_count": None}
        sources = Sources(synthetic=self.renders, test=self.scoring)
        return self._train(["renders", *_words(changes)], sources, counts | stop | changes, None)

    def on_photos(self, count: int, changes: dict[str, Any], init: Path | None) -> Path:
        """Train on photos, and on renders where these share the batches; score it."""
        mixed = changes.get("real_share", 1.0) < 1
        sources = Sources(
            real=self.photos.subset(self.order[20 : 20 + count]),
            synthetic=self.renders if mixed else None,
            validation=self.stopping,
            test=self.scoring,
        )
        start = "nothing" if init is None else init.name
        counts = {"real_count": count, "synthetic_count": 4096 if mixed else 0}
        words = [str(count), *_words(changes), "after", start]
        return self._train(words, sources, {"validation_count": None} | counts | changes, init)

    def _train(
        self, words: list[str], sources: Sources, changes: dict[str, Any], init: Path | None
    ) -> Path:
        folder = self.folder / "_".join(words)
        plain = {"seed": 0, "real_share": None, "pretrain_max_steps": None}
        config = self.spec.config(**plain | changes)
        metrics = run_training(config, sources, folder, init=init, depict=False)
        print(f"{metrics['test']['mean_iou']:.3f}  {folder.name}", flush=True)
        return folder


def main(out: Path, *runs: Path) -> None:
    """Train all, or take those given, and print their scores."""
    torch.set_num_threads(1)
    unet = Bench(out, "unet.yaml")
    for run in runs:
        unet.score(run)
    if runs:
        return
    for real, base, changes in RUNS:
        unet.on_photos(real, changes, None if base is None else unet.on_renders(base))
    grid = Bench(out, "grid.yaml")
    base = _base_of_the_grid(out / "study")
    for real, frozen, changes in ENCODER_RUNS:
        if real == 0:
            first = {"encoder": "imagenet"} | frozen
            grid.on_renders({"initialisation": InitConfig.model_validate(first)} | changes)
        else:
            later = {"encoder": "run", "decoder": "run"} | frozen
            start = {"initialisation": InitConfig.model_validate(later)}
            grid.on_photos(real, HALF | start | changes, base)


def _base_of_the_grid(study: Path) -> Path:
    """The grid's first run on all renders and no photo."""
    [entry] = [
        entry
        for entry in read_ledger(study).entries
        if (entry.real, entry.synthetic, entry.repeat) == (0, 4096, 0)
    ]
    return study / "runs" / entry.run_id[:16]


def _words(changes: dict[str, Any]) -> list[str]:
    return [_word(key, value) for key, value in changes.items()]


def _word(key: str, value: Any) -> str:
    if key == "augment":
        return "strong" if value == AUGMENTATIONS["strong"] else "colour"
    return f"freeze={value.freeze}" if key == "initialisation" else f"{key}={value}"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
