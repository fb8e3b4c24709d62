"""Other ways to read the same models, and what their errors are: docs/decisions/0029-recipe.md.

usage: python docs/results/car-parts/reading.py OUT RUN [RUN…]   (OUT as car-parts.sh makes it)

Scores the 240 photos that no study scores on. Runs that were trained on photos have seen some of
these: only the columns of a row may be compared.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from clearcoat.dataset import Dataset
from clearcoat.studies import SupplementSpec, load_study, open_data
from clearcoat.training import find_loss, pack
from clearcoat.training.feeding import Images
from clearcoat.training.metrics import IoUCounter, Score
from clearcoat.training.mirrored import Mirrored
from clearcoat.training.run import load_model

Reading = Callable[[Tensor], Tensor]
"""Images to probabilities (N, C + 1, H, W), background last."""


def free_photos(study: Path) -> Dataset:
    """Those that are neither scored nor set apart."""
    spec = load_study(study, SupplementSpec)
    data = open_data(spec)
    assert data.untouched is not None
    used = {*data.untouched.indices, *(i for test in data.test for i in test.indices)}
    photos = Dataset.open(spec.real)
    return photos.subset([index for index in photos.indices if index not in used])


def score(reading: Reading, images: Images, *, argmax: bool = False) -> Score:
    """A class is there from one half on, or where it is the most probable of all."""
    counter = IoUCounter(images.classes, images.device, detailed=True)
    table = images.table()
    with torch.inference_mode():
        for piece, labels in batches(images):
            found = reading(piece)
            if argmax:
                found = F.one_hot(found.argmax(1), found.shape[1]).permute(0, 3, 1, 2).float()
            counter.add(found[:, :-1], table.targets(labels))
    return counter.score()


def batches(images: Images) -> list[tuple[Tensor, Tensor]]:
    """All images, 32 at a time."""
    starts = range(0, len(images), 32)
    return [images.fetch(np.arange(s, min(s + 32, len(images)))) for s in starts]


def plain(model: nn.Module) -> Reading:
    """What the model says."""
    return lambda piece: model(piece).softmax(1)


def with_statistics_of(model: nn.Module, images: Images) -> nn.Module:
    """Estimate the decoder's batch-norm statistics anew (Li et al. 2016, arXiv 1603.04779)."""
    model.eval()
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d) and not name.startswith("encoder"):
            module.reset_running_stats()
            module.momentum = None
            module.train()
    with torch.no_grad():
        for piece, _ in batches(images):
            model(piece)
            model(piece.flip(3))
    return model.eval()


def without_errors(confusion: NDArray[np.int64]) -> list[float]:
    """Mean IoU as it is, and without pixels of parts taken for other parts, missed, invented."""
    truth, found = confusion[:-1], confusion[:, :-1].T
    right = np.diagonal(confusion)[:-1]
    missed, invented = truth[:, -1], found[:, -1]
    swapped = truth.sum(1) + found.sum(1) - missed - invented - 2 * right
    everything = swapped + missed + invented
    return [
        float(np.mean(right / (right + everything - left_out)))
        for left_out in (0, swapped, missed, invented)
    ]


def near_their_edge(model: nn.Module, images: Images) -> NDArray[np.int64]:
    """Wrong pixels: part as part, of these two pixels or less from what was found; with background.

    Those near an edge are a matter of resolution, the others of what the model takes things for.
    """
    counts = np.zeros(4, dtype=np.int64)
    table = images.table()
    with torch.inference_mode():
        for piece, labels in batches(images):
            targets = table.targets(labels)
            found = one_per_pixel(plain(model)(piece)[:, :-1] >= 0.5)
            truth = one_per_pixel(targets.members > 0)
            close = F.max_pool2d(truth, 5, stride=1, padding=2) > 0
            wrong = (targets.counted[:, 0] > 0) & (found.argmax(1) != truth.argmax(1))
            close_to_it = close.gather(1, found.argmax(1, keepdim=True))[:, 0]
            parts = (found[:, -1] == 0) & (truth[:, -1] == 0)
            for place, kind in enumerate((wrong & parts, wrong & ~parts)):
                counts[2 * place] += int(kind.sum())
                counts[2 * place + 1] += int((kind & close_to_it).sum())
    return counts


def one_per_pixel(members: Tensor) -> Tensor:
    """(N, C, H, W) to (N, C + 1, H, W) of 0 and 1, background last."""
    background = ~members.any(1, keepdim=True)
    return torch.cat([members, background], dim=1).float()


def main(out: Path, *runs: Path) -> None:
    """Print a row per run, then what is lost to which error."""
    torch.set_num_threads(1)
    photos = free_photos(out / "grid.yaml")
    total = None
    edges = np.zeros(4, dtype=np.int64)
    print("as scored  argmax  mirrored too  batch norm of 16 photos  of all photos")
    for run in runs:
        model, config, _ = load_model(run, "cpu")
        assert find_loss(config.loss).extra_outputs, "these readings are of a softmax"
        model.eval()
        images = pack(photos, photos.indices, config.size)
        few = pack(photos, photos.indices[:16], config.size)
        own = score(plain(model), images)
        assert own.confusion is not None
        total = np.array(own.confusion) + (0 if total is None else total)
        edges += near_their_edge(model, images)
        scores = [own.mean_iou, score(plain(model), images, argmax=True).mean_iou]
        mirrored = Mirrored(model, config, images.classes)
        scores.append(score(plain(mirrored), images).mean_iou)
        for some in (few, images):
            fresh = with_statistics_of(load_model(run, "cpu")[0], some)
            scores.append(score(plain(fresh), images, argmax=True).mean_iou)
        print("  ".join(f"{value:.3f}" for value in scores if value is not None), run, flush=True)
    if total is not None:
        names = ("all errors", "without parts as others", "without missed", "without invented")
        named = zip(names, without_errors(total), strict=True)
        print("mean IoU of all pixels:", ", ".join(f"{n} {v:.3f}" for n, v in named))

        for kind, (wrong, near) in zip(
            ("part as part", "part and background"), edges.reshape(2, 2), strict=True
        ):
            print(f"{kind}: {wrong} pixels, {near / wrong:.0%} of them near that edge")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
