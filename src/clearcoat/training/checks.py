"""What the data sets of a run must have in common, and what they must not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clearcoat.dataset import Dataset
from clearcoat.errors import DatasetError, UsageError
from clearcoat.training.feeding import Images
from clearcoat.training.selection import (
    REAL,
    SYNTHETIC,
    UNLABELLED,
    Selection,
    Sources,
    TrainingData,
)

_CHUNK = 16
"""Images that are looked at at once; the first of them have labels nearly always."""


def check_classes(sources: Sources) -> tuple[str, ...]:
    """Return the classes that all data sets share; raises DatasetError where they differ."""
    named = sources.named()
    if "real" not in named and "synthetic" not in named:
        raise UsageError("nothing to train on", do="give --real DIR, --synthetic DIR, or both")
    first_name, first = next(iter(named.items()))
    for name, dataset in named.items():
        require_same_classes(
            f"the {name} data set {dataset.path}",
            dataset.classes,
            f"the {first_name} data set {first.path}",
            first.classes,
        )
    return first.classes


def require_same_classes(
    found_name: str, found: Sequence[str], expected_name: str, expected: Sequence[str]
) -> None:
    """Raise DatasetError, naming the difference, unless both class lists are the same."""
    if tuple(found) == tuple(expected):
        return
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    parts = []
    if missing:
        parts.append("without " + ", ".join(missing))
    if extra:
        parts.append("with " + ", ".join(extra))
    raise DatasetError(
        f"{found_name} has other classes than {expected_name}",
        found="; ".join(parts) or "the same names in another order: " + ", ".join(found),
        expected=", ".join(expected),
        do="make both with the same class map",
    )


def require_apart(selection: Selection, sources: Sources) -> None:
    """Raise UsageError where images to score on are trained or stopped on, or to stop on trained.

    They would flatter, and end a training late; mode `paper`, which stops on what it scores on,
    gives no others to stop on. Reads the record of every image that a run uses, of each run of a
    study anew: that is little beside training on them.
    """
    held, stops_on = selection.held_back, sources.validation
    trained: tuple[_Pool, ...] = (
        ("train", REAL, sources.real, selection.real),
        ("train", SYNTHETIC, sources.synthetic, selection.synthetic),
        ("train", UNLABELLED, sources.unlabelled, selection.unlabelled),
    )
    stopped: tuple[_Pool, ...] = (
        ("stop", REAL, sources.real, held.get(REAL, ())),
        ("stop", SYNTHETIC, sources.synthetic, held.get(SYNTHETIC, ())),
        ("stop", "validation", stops_on, () if stops_on is None else stops_on.indices),
    )
    if sources.test is not None:
        _require_apart("score", "test", sources.test, (*trained, *stopped))
    if stops_on is not None:
        _require_apart("stop", "validation", stops_on, trained)


_Pool = tuple[str, str, Dataset | None, Sequence[int]]
"""What images are for, the option that gives them, their data set, and their numbers in it."""


def _require_apart(use: str, option: str, given: Dataset, others: Sequence[_Pool]) -> None:
    for other_use, kind, dataset, numbers in others:
        if dataset is None or not (shared := given.images_also_in(dataset.subset(numbers))):
            continue
        used = "trained" if other_use == "train" else "stopped"
        look = (
            "; or `clearcoat evaluate RUN --data DIR` to see how well a model knows what it was "
            "trained on"
        )
        raise UsageError(
            f"photos to {use} on are also among those to {other_use} on",
            where=given.path,
            found=f"{shared} of {len(given)} are {used} on, as --{kind} {dataset.path}",
            expected="photos that no training sees",
            do=f"give --{option} photos of their own" + (look if option == "test" else ""),
        )


def require_labels(data: TrainingData, sources: Sources) -> None:
    """Raise UsageError where none of the images of a role has a label: nothing is learned of them.

    Photos without labels may have been given in another's place.
    """
    real, _, synthetic = data.parts
    roles: list[tuple[str, Images, range]] = [
        (REAL, data.train, real),
        (SYNTHETIC, data.train, synthetic),
    ]
    for kind, images in data.validation.items():
        role = "validation" if kind == REAL and sources.validation is not None else kind
        roles.append((role, images, range(len(images))))
    if data.test is not None:
        roles.append(("test", data.test, range(len(data.test))))
    named = sources.named()
    for role, images, numbers in roles:
        if len(numbers) and not _any_label(images, numbers):
            raise UsageError(
                _NO_LABEL,
                where=None if role not in named else named[role].path,
                found=f"{len(numbers)} images as --{role}, every pixel of them ignored",
                do="give labelled images; photos without labels go to --unlabelled",
            )


def require_scorable(images: Images, dataset: Dataset) -> None:
    """Raise UsageError where no image to score on has a label, so that no score would say a thing.

    `images` are those of `dataset`, at the size of the model.
    """
    if not _any_label(images, range(len(images))):
        raise UsageError(
            _NO_LABEL,
            where=dataset.path,
            found=f"{len(images)} images, every pixel of them ignored",
            do="give labelled images; `clearcoat predict` shows what a model sees on others",
        )


_NO_LABEL = "no pixel of these images is labelled"


def _any_label(images: Images, numbers: range) -> bool:
    counted = images.table().counted
    for start in range(numbers.start, numbers.stop, _CHUNK):
        _, labels = images.fetch(np.arange(start, min(start + _CHUNK, numbers.stop)))
        if bool((counted[labels.long()] > 0).any()):
            return True
    return False
