"""Which images a run trains on, which decide when it stops, and which it is scored on.

The sets that decide the stopping are drawn first, by seed and never by count, so they are
disjoint from every training subset of that seed, and runs of different counts stop on the
same images. See docs/decisions/0024-validation-set.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clearcoat.dataset import Dataset
from clearcoat.dataset.resize import resize_image, resize_labels
from clearcoat.dataset.subsets import holdout_split, independent_subset, nested_subset
from clearcoat.errors import DatasetError, UsageError
from clearcoat.training.arrays import ImageSet, image_set
from clearcoat.training.config import TrainingConfig
from clearcoat.training.feeding import Images, Residence, feed
from clearcoat.training.packing import PackedDataset, pack_dataset
from clearcoat.training.self_labelled import SelfLabelled

REAL, SYNTHETIC, UNLABELLED = "real", "synthetic", "unlabelled"
_HELD_BACK = {REAL: (0.10, 256), SYNTHETIC: (0.05, 64)}
"""Share of a pool held back for stopping, and the most images that this may be."""


@dataclass(frozen=True)
class Sources:
    """The data sets of a run, each absent or open."""

    real: Dataset | None = None
    synthetic: Dataset | None = None
    validation: Dataset | None = None
    """Photos that decide the stopping, in place of held-back ones."""
    test: Dataset | None = None
    unlabelled: Dataset | None = None
    """Photos for self-training. Labels that they have are not read; those among them that the run
    trains or stops on with their labels are left out."""

    def named(self) -> dict[str, Dataset]:
        """Those that are there, by name."""
        pairs = {
            "real": self.real,
            "synthetic": self.synthetic,
            "validation": self.validation,
            "test": self.test,
            UNLABELLED: self.unlabelled,
        }
        return {name: dataset for name, dataset in pairs.items() if dataset is not None}


@dataclass(frozen=True)
class Selection:
    """Record numbers per role. The training numbers stand in nested order."""

    real: tuple[int, ...] = ()
    synthetic: tuple[int, ...] = ()
    held_back: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """`real` or `synthetic` to the numbers held back from that pool."""
    validate_on: str = REAL
    """The kind of image that decides the stopping of the last phase."""
    unlabelled: tuple[int, ...] = ()
    given: bool = False
    """Whether photos to stop on were given, so that no photo is held back."""

    @property
    def parts(self) -> tuple[range, range, range]:
        """As the data will have them: real images, those without labels, and renders."""
        begin = len(self.real)
        middle = begin + len(self.unlabelled)
        return range(begin), range(begin, middle), range(middle, middle + len(self.synthetic))

    @property
    def validation(self) -> frozenset[str]:
        """Kinds of images that there will be to stop on."""
        return frozenset((*self.held_back, REAL) if self.given else self.held_back)

    def as_json(self) -> dict[str, Any]:
        """Plain data for a run's config.json."""
        return ({UNLABELLED: list(self.unlabelled)} if self.unlabelled else {}) | {
            "real": list(self.real),
            "synthetic": list(self.synthetic),
            "held_back": {name: list(numbers) for name, numbers in self.held_back.items()},
            "validate_on": self.validate_on,
        }


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The images of a run, at the size at which it trains."""

    train: Images
    """Real images first, then those without labels, then renders."""
    real_count: int
    """How many of `train` are real, and labelled."""
    validation: dict[str, Images]
    """`real` and `synthetic` images that decide the stopping, as far as a phase needs them."""
    validate_on: str
    test: Images | None = None
    unlabelled: SelfLabelled | None = None
    """`train` itself, where images of it are without labels."""

    @property
    def parts(self) -> tuple[range, range, range]:
        """Numbers in `train` of real images, of those without labels, and of renders."""
        begin, end = self.real_count, len(self.train)
        middle = begin if self.unlabelled is None else self.unlabelled.rows.stop
        return range(begin), range(begin, middle), range(middle, end)


def select(config: TrainingConfig, sources: Sources) -> Selection:
    """Choose the images of a run. Raises UsageError where there are too few."""
    if config.mode == "paper" and sources.test is None:
        raise UsageError(
            "--mode paper stops on the images that it scores on, so it needs them",
            do="give --test DIR, or use --mode strict",
        )
    if config.mode == "paper" and sources.validation is not None:
        raise UsageError("--mode paper takes no --validation: it stops on the test images")
    given = config.mode == "paper" or sources.validation is not None
    if given and config.validation_source == SYNTHETIC:
        raise UsageError(
            "--validation-source synthetic, and photos to stop on",
            found="--mode paper" if config.mode == "paper" else "--validation DIR",
            do="leave one of them out",
        )
    if sources.validation is not None and config.validation_count is not None:
        raise UsageError(
            "--validation-count holds images back, and --validation DIR gives those to stop on",
            do="leave one of them out",
        )
    if config.mode == "paper" and config.validation_count is not None:
        raise UsageError(
            "--validation-count holds images back, and --mode paper stops on the test images",
            do="leave one of them out",
        )
    validate_on = _validation_kind(config, sources, given)
    held: dict[str, tuple[int, ...]] = {}
    free: dict[str, tuple[int, ...]] = {}
    pretrains = (
        config.mix == "sequential"
        and sources.synthetic is not None
        and config.synthetic_count != 0
        and (config.real_count != 0 and sources.real is not None)
    )
    for kind, dataset in ((REAL, sources.real), (SYNTHETIC, sources.synthetic)):
        if dataset is None:
            free[kind] = ()
            continue
        needed = kind == validate_on and not (given and kind == REAL)
        needed = needed or (kind == SYNTHETIC and pretrains)
        free[kind] = dataset.indices
        if needed:
            asked = config.validation_count if kind == validate_on else None
            free[kind], held[kind] = _hold_back(dataset, kind, asked, config.seed)
    real = _take(REAL, free, held, config.real_count, sources.real, config)
    synthetic = _take(SYNTHETIC, free, held, config.synthetic_count, sources.synthetic, config)
    if not real and not synthetic:
        raise UsageError("nothing to train on", found="real count 0 and synthetic count 0")
    unlabelled = _without_labels(config, sources, (*real, *held.get(REAL, ())))
    return Selection(real, synthetic, held, validate_on, unlabelled, given)


def load(
    selection: Selection,
    sources: Sources,
    config: TrainingConfig,
    device: torch.device,
    *,
    residence: Residence = "auto",
    digests: Mapping[str, str] | None = None,
    told: Callable[[str, int, int], None] | None = None,
) -> TrainingData:
    """Pack the data sets where that has not been done, and bring the chosen images to `device`.

    `digests` are those of the data sets by role, where they are known; `told` hears of packing.
    Training images are streamed where they do not fit, or as `residence` says; the others are
    few, and always lie there.
    """
    named = sources.named()
    packs: dict[str, PackedDataset] = {}

    def some(name: str, numbers: Sequence[int]) -> tuple[PackedDataset, NDArray[np.int64]]:
        if name not in packs:
            packs[name] = pack_dataset(
                named[name],
                config.size,
                digest=(digests or {}).get(name),
                told=None if told is None else partial(told, name),
            )
        return packs[name], packs[name].rows(numbers)

    def few(name: str, numbers: Sequence[int]) -> Images:
        return feed([some(name, numbers)], device, "device")

    validation = {kind: few(kind, numbers) for kind, numbers in selection.held_back.items()}
    test = None if sources.test is None else few("test", sources.test.indices)
    if config.mode == "paper" and test is not None:
        validation[REAL] = test
    elif sources.validation is not None:
        validation[REAL] = few("validation", sources.validation.indices)
    pools = (
        (REAL, selection.real),
        (UNLABELLED, selection.unlabelled),
        (SYNTHETIC, selection.synthetic),
    )
    chosen = [(name, numbers) for name, numbers in pools if numbers]
    train: Images = feed([some(*part) for part in chosen], device, residence)
    real, own = len(selection.real), None
    if selection.unlabelled:
        records = [named[UNLABELLED].record_info(number) for number in selection.unlabelled]
        shapes = [(record.height, record.width) for record in records]
        train = own = SelfLabelled(train, range(real, real + len(shapes)), shapes)
    return TrainingData(train, real, validation, selection.validate_on, test, own)


def _without_labels(
    config: TrainingConfig, sources: Sources, labelled: Sequence[int]
) -> tuple[int, ...]:
    """Return the records of the photos without labels that a run does not know labelled."""
    dataset = sources.unlabelled
    uses = config.self_training is not None and not config.self_training.control
    if not uses or dataset is None:
        if uses == (dataset is not None):
            return ()
        raise UsageError(
            "self-training needs photos without labels"
            if dataset is None
            else "photos without labels, and no self-training that would use them",
            where=None if dataset is None else dataset.path,
            do="give both, --unlabelled DIR and `self_training`, or neither",
        )
    if sources.real is not None and dataset.path == sources.real.path:
        # As in a study, which asks for every run that it plans: no record need be read.
        left = sorted(set(dataset.indices) - set(labelled))
        if sources.validation is None and left:
            return tuple(left)
    known: set[str] = set()
    for other, numbers in (
        (sources.real, labelled),
        (sources.validation, None if sources.validation is None else sources.validation.indices),
    ):
        if other is not None:
            known.update(other.record_info(number).image.sha256 for number in numbers or ())
    left = [n for n in dataset.indices if dataset.record_info(n).image.sha256 not in known]
    if not left:
        raise UsageError(
            "no photo without labels is left",
            where=dataset.path,
            found=f"{len(dataset)} photos, all of which the run knows labelled",
            do="give others, or leave self-training out",
        )
    return tuple(left)


def pack(dataset: Dataset, numbers: Sequence[int], size: int) -> ImageSet:
    """Read records `numbers` at (size, size). Raises DatasetError for a damaged or absent one."""
    if not numbers:
        raise DatasetError("the data set is empty", where=dataset.path)

    def read(number: int) -> tuple[Any, Any]:
        image, labels = dataset.image(number), dataset.labels(number)
        return resize_image(image, size), resize_labels(labels, size)

    with ThreadPoolExecutor(2) as readers:
        pairs = list(readers.map(read, numbers))
    return image_set(
        [image for image, _ in pairs],
        [labels for _, labels in pairs],
        dataset.classes,
        [f"{dataset.path.name}/{number}" for number in numbers],
    )


def _validation_kind(config: TrainingConfig, sources: Sources, given: bool) -> str:
    if config.validation_source != "auto":
        chosen = config.validation_source
        have = given or sources.real is not None if chosen == REAL else sources.synthetic
        if not have:
            raise UsageError(
                f"there are no {chosen} images to stop on",
                do=f"give --{chosen} DIR, or another --validation-source",
            )
        return chosen
    return REAL if given or sources.real is not None else SYNTHETIC


def _hold_back(
    dataset: Dataset, kind: str, asked: int | None, seed: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    share, most = _HELD_BACK[kind]
    count = asked if asked is not None else min(most, max(1, round(share * len(dataset))))
    if len(dataset) < count:
        raise UsageError(
            f"too few {kind} images to hold {count} back for early stopping",
            where=dataset.path,
            found=f"{len(dataset)} images",
            expected=f"{count} or more",
            do="add images, or give --validation DIR",
        )
    return holdout_split(dataset.indices, seed, count=count)


def _take(
    kind: str,
    free: dict[str, tuple[int, ...]],
    held: dict[str, tuple[int, ...]],
    count: int | None,
    dataset: Dataset | None,
    config: TrainingConfig,
) -> tuple[int, ...]:
    if dataset is None:
        if count:
            raise UsageError(f"--{kind}-count {count} without --{kind} DIR")
        return ()
    back = len(held.get(kind, ()))
    if count is None and not free[kind]:
        # Whoever names images and no count wants to train on them.
        raise UsageError(
            f"no {kind} images are left to train on",
            where=dataset.path,
            found=f"{len(dataset)} images, {back} of them held back for early stopping",
            do="add images, hold fewer back with --validation-count, give --validation DIR, or use "
            f"--{kind}-count 0 to train without them",
        )
    wanted = len(free[kind]) if count is None else count
    if wanted > len(free[kind]):
        raise UsageError(
            f"fewer {kind} images than asked for",
            where=dataset.path,
            found=f"{len(dataset)} images, {back} of them held back for early stopping",
            expected=f"{wanted} for training",
            do=f"use --{kind}-count {len(free[kind])} or less, hold fewer back with "
            "--validation-count, or give --validation DIR",
        )
    draw = nested_subset if config.subset == "nested" else independent_subset
    return draw(free[kind], wanted, config.seed)
