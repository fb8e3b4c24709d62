"""The data of a study: opened once, split once, each part with a digest of its own."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from clearcoat.dataset import Dataset, RecordInfo
from clearcoat.dataset.subsets import permuted
from clearcoat.errors import SpecError, did_you_mean
from clearcoat.studies.grid_spec import SupplementSpec
from clearcoat.studies.spec import StudySpec
from clearcoat.training import Sources
from clearcoat.training.checks import check_classes

_OF_THEIR_OWN = (
    "leave them out of `real`; or write `test_count` in place of `test`, which sets photos apart"
)
_NO_COPIES = "leave the copies out of `real`"
_NOT_SCORED = (
    "leave them out of `self_training.photos`: without labels, too, a model learns of them"
)
_RENDERS_ALONE = "name renders as `synthetic`, and photos nowhere else than in `real` and `test`"


class _Held(Dataset):
    """A data set whose digest is computed once: a study asks for it in every run it plans.

    Its records are read once, too: runs with photos without labels ask which of them they know.
    """

    _digest: str | None = None

    @cached_property
    def _infos(self) -> dict[int, RecordInfo]:
        return {}

    def record_info(self, index: int) -> RecordInfo:
        if index not in self._infos:
            self._infos[index] = super().record_info(index)
        return self._infos[index]

    def digest(self) -> str:
        if self._digest is None:
            self._digest = super().digest()
        return self._digest


@dataclass(frozen=True)
class StudyData:
    """Photos by split, renders, and the classes that they share."""

    classes: tuple[str, ...]
    real: tuple[Dataset, ...]
    """Per split: the photos to draw from."""
    test: tuple[Dataset, ...]
    """Per split: the photos to score on."""
    synthetic: Dataset
    untouched: Dataset | None = None
    """Photos that no run is given; None where the study sets none apart."""
    unlabelled: Dataset | None = None
    """Photos without labels; None: those of `real` that a run does not draw are taken for them."""

    def sources(
        self,
        split: int,
        *,
        real: bool = True,
        synthetic: bool = True,
        unlabelled: bool = False,
    ) -> Sources:
        """Return what a run of a split is given.

        `unlabelled` gives it photos without labels.
        """
        own = self.real[split] if self.unlabelled is None else self.unlabelled
        return Sources(
            real=self.real[split] if real else None,
            synthetic=self.synthetic if synthetic else None,
            test=self.test[split],
            unlabelled=own if unlabelled else None,
        )


def open_data(spec: StudySpec) -> StudyData:
    """Open and split the data sets.

    Raises DatasetError, and SpecError for too few photos, for test photos that are trained on and
    for weights of classes that there are not.
    """
    photos, renders = Dataset.open(spec.real), Dataset.open(spec.synthetic)
    unlabelled = _without_labels(spec)
    untouched, rest = _set_apart(photos.indices, spec.untouched_count, spec)
    synthetic = _held(renders, renders.indices)
    real: tuple[Dataset, ...]
    test: tuple[Dataset, ...]
    scored = set(untouched)
    if spec.test is not None:
        given = Dataset.open(spec.test)
        _require_apart(given, photos, _OF_THEIR_OWN)
        _require_apart(given, renders, _RENDERS_ALONE)
        if unlabelled is not None:
            _require_apart(given, unlabelled, _NOT_SCORED)
        real = (_held(photos, rest),)
        test = (_held(given, given.indices),)
    else:
        folds = split_test(rest, spec)
        real = tuple(_held(photos, sorted(set(rest) - set(fold))) for fold in folds)
        test = tuple(_held(photos, fold) for fold in folds)
        for fold, others in zip(test, real, strict=True):
            _require_apart(fold, others, _NO_COPIES)
        scored.update(*folds)
    if untouched:
        _require_apart(photos.subset(untouched), photos.subset(rest), _NO_COPIES)
    if scored:
        # In one go: renders are many, and the record of each is a file.
        _require_apart(photos.subset(scored), renders, _RENDERS_ALONE)
        if unlabelled is not None:
            _require_apart(photos.subset(scored), unlabelled, _NOT_SCORED)
    classes = check_classes(Sources(real[0], synthetic, None, test[0], unlabelled))
    _require_weighted_classes(spec, classes)
    apart = _held(photos, untouched) if untouched else None
    return StudyData(classes, real, test, synthetic, apart, unlabelled)


def _require_weighted_classes(spec: StudySpec, classes: tuple[str, ...]) -> None:
    """Raise SpecError where weights are given to a class that there is not: no run could begin."""
    for section in ("training", "without_renders", "pretrain"):
        weights = getattr(spec, section, {}).get("class_weights")
        for name in weights if isinstance(weights, Mapping) else ():
            if name not in classes:
                raise SpecError(
                    f"no class {name!r} to give a weight to",
                    where=f"{section}.class_weights",
                    do=did_you_mean(name, classes),
                )


def _without_labels(spec: StudySpec) -> Dataset | None:
    own = spec.self_training if isinstance(spec, SupplementSpec) else None
    if own is None or own.photos is None:
        return None
    photos = Dataset.open(own.photos)
    return _held(photos, photos.indices)


def open_untouched(photos: Path, spec: StudySpec) -> Dataset:
    """Return the photos that a study sets apart. Raises DatasetError and SpecError."""
    dataset = Dataset.open(photos)
    return _held(dataset, _set_apart(dataset.indices, spec.untouched_count, spec)[0])


def split_test(indices: Collection[int], spec: StudySpec) -> list[tuple[int, ...]]:
    """Return the disjoint test sets of a study, each ascending."""
    assert spec.test_count is not None
    needed = spec.test_count * spec.splits
    if needed >= len(indices):
        raise SpecError(
            "too few photos for so many to score on",
            where=spec.real,
            found=f"{len(indices)} photos",
            expected=f"more than {spec.splits} × {spec.test_count}",
            do="lower `test_count` or `splits`",
        )
    order = permuted(indices, "holdout", spec.seed)
    starts = range(0, needed, spec.test_count)
    return [tuple(sorted(order[start : start + spec.test_count])) for start in starts]


def _require_apart(scored: Dataset, trained_on: Dataset, do: str) -> None:
    """Raise SpecError where photos are to be scored that are trained on."""
    if shared := scored.images_also_in(trained_on):
        raise SpecError(
            "photos to score on are also among those to train on",
            where=scored.path,
            found=f"{shared} of {len(scored)} are also among the {len(trained_on)} from "
            f"{trained_on.path}",
            expected="photos of their own",
            do=do,
        )


def _set_apart(
    indices: tuple[int, ...], count: int, spec: StudySpec
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if count >= len(indices):
        raise SpecError(
            "no photo is left beside the untouched ones",
            where=spec.real,
            found=f"{len(indices)} photos",
            expected=f"more than untouched_count = {count}",
        )
    # Of the seed alone: whoever changes the splits must not reach into what was set apart.
    order = permuted(indices, "independent", spec.seed)
    return tuple(sorted(order[:count])), tuple(sorted(order[count:]))


def _held(dataset: Dataset, indices: Collection[int]) -> Dataset:
    part = dataset.subset(indices)
    return _Held(part.path, part.manifest, part.indices)


def record_paths(data: StudyData, out: Path) -> dict[str, str]:
    """Return where the data sets lie, by role, as seen from the study's folder.

    So a report finds them from wherever it is called, and after both were moved together.
    """
    places: dict[str, Path] = {
        "real": data.real[0].path,
        "synthetic": data.synthetic.path,
        "test": data.test[0].path,
    }
    if data.unlabelled is not None:
        places["unlabelled"] = data.unlabelled.path
    return {
        role: Path(os.path.relpath(path.absolute(), out.resolve())).as_posix()
        for role, path in places.items()
    }
