"""What runs take the pixels of every class for, on the test photos of their splits, added up.

python confusion.py GRID.yaml RUN:SPLIT [RUN:SPLIT…]

Made for a table in ../car-parts.md; the split of a repeat is its number modulo the study's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from clearcoat.dataset import Dataset
from clearcoat.dataset.resize import resize_image, resize_labels
from clearcoat.studies import SupplementSpec, load_study, open_data
from clearcoat.training import find_loss
from clearcoat.training.run import load_model


def confusion(run: Path, photos: Dataset) -> NDArray[np.int64]:
    """(1 + C, 1 + C) pixels: rows the truth, columns what was found; 0 is background."""
    model, config, classes = load_model(run, "cpu")
    model.eval()
    probabilities = find_loss(config.loss).probabilities
    counts = np.zeros((1 + len(classes), 1 + len(classes)), dtype=np.int64)
    for index in photos.indices:
        image = torch.from_numpy(resize_image(photos.image(index), config.size)).permute(2, 0, 1)
        labels = resize_labels(photos.labels(index), config.size)
        table = np.array([-1 if s is None else 1 + min(s) if s else 0 for s in labels.sets])
        truth = table[labels.index]
        with torch.inference_mode():
            found = probabilities(model(image[None]))[0].numpy()
        # A class is there from a probability of one half on, as in the studies' scores.
        answer = np.where(found.max(axis=0) >= 0.5, 1 + found.argmax(axis=0), 0)
        np.add.at(counts, (truth[truth >= 0], answer[truth >= 0]), 1)
    return counts


def main() -> None:
    """Print a table, rows the truth, columns what was found, in percent of the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("runs", nargs="+", metavar="RUN:SPLIT")
    options = parser.parse_args()
    data = open_data(load_study(options.study, SupplementSpec))
    pairs = [one.rsplit(":", 1) for one in options.runs]
    counts = sum(confusion(Path(run), data.test[int(split)]) for run, split in pairs)
    names = ("background", *data.classes)
    print("truth in rows, found in columns, % of the row")
    print(" " * 13 + "".join(f"{name[:8]:>9}" for name in names))
    for name, row in zip(names, np.asarray(counts), strict=True):
        print(f"{name:13}" + "".join(f"{100 * n / max(row.sum(), 1):9.0f}" for n in row))


if __name__ == "__main__":
    main()
