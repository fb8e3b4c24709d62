"""The grid of section IV.B as cells: real counts times synthetic counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from clearcoat.models import Freeze, InitConfig
from clearcoat.statistics import StoppingRule
from clearcoat.studies.data import StudyData
from clearcoat.studies.grid_spec import QualitativeSpec, SupplementSpec
from clearcoat.studies.imagenet import ImageNet, find_imagenet
from clearcoat.studies.runs import (
    GRID_ARM,
    SELF_TRAINED_ARM,
    SELF_TRAINING_CONTROL,
    CellKey,
    CellPlan,
    PlannedRun,
    Skipped,
    StudyPlan,
    planned,
    require_confirmable,
    require_renders_to_stop_on,
    seed_of,
    sorted_out,
)
from clearcoat.studies.spec import SHARES_NOTHING

QUALITATIVE_ARM = "U-Net, nested"
NOTHING = CellKey(GRID_ARM, 0, 0)
_DEPICTED = range(16, 257)
"""Photos of Fig. 5, where the study names none."""
_NOT_IN_THE_GRID = (
    "Fig. 5 shows cells of the grid, which has none of these counts: add them, or change "
    "`qualitative`"
)


def plan_supplement(spec: SupplementSpec, data: StudyData) -> StudyPlan:
    """Return the cells of the grid and of Fig. 5, and those that cannot be run.

    Raises UsageError for what no cell can do, and that or MissingDependencyError for ImageNet
    weights that are not there.
    """
    starts = _Starts.of(spec)
    real_counts, synthetic_counts = spec.grid
    wanted, skipped = [], []
    for real in real_counts:
        for synthetic in synthetic_counts:
            key = CellKey(GRID_ARM, real, synthetic)
            if key == NOTHING:
                # No image, no model: a network of random weights would score its own chance.
                skipped.append(Skipped(key, "no images: there is nothing to train on"))
                continue
            wanted.append(_Cell(spec, data, key, starts).plan())
            wanted += [
                _Cell(spec, data, key._replace(arm=arm), starts).plan()
                for arm in _beside(spec, real, synthetic)
            ]
    require_renders_to_stop_on(wanted)
    cells, short = _with_their_twins(*sorted_out(wanted, spec.splits))
    skipped += short
    if spec.qualitative is not None:
        keys = _depicted_keys(spec, spec.qualitative, cells)
        if spec.design == "paired":
            known = {cell.key for cell in cells} | {cell.key for cell in skipped}
            skipped += [Skipped(key, _NOT_IN_THE_GRID) for key in keys if key not in known]
            cells = [replace(cell, depicted=cell.key in keys) for cell in cells]
        else:
            # The grid's own runs are not nested.
            extra, short = sorted_out([_nested(spec, data, key, starts) for key in keys], 1)
            cells, skipped = [*cells, *extra], [*skipped, *short]
    require_confirmable(spec, (*cells, *skipped))
    return StudyPlan("supplement", spec, data, tuple(cells), tuple(skipped))


def _beside(spec: SupplementSpec, real: int, synthetic: int) -> tuple[str, ...]:
    """Return the arms in which a cell of the grid is run once more."""
    own = spec.self_training
    if own is None or not own.covers(real, synthetic):
        return ()
    return (SELF_TRAINED_ARM, SELF_TRAINING_CONTROL) if own.control else (SELF_TRAINED_ARM,)


def _with_their_twins(
    cells: list[CellPlan], skipped: list[Skipped]
) -> tuple[list[CellPlan], list[Skipped]]:
    """Leave out controls of self-training where the cell is left out that they would be beside."""
    alone = {
        cell.key._replace(arm=SELF_TRAINING_CONTROL): cell.why
        for cell in skipped
        if cell.key.arm == SELF_TRAINED_ARM
    }
    dropped = [
        Skipped(cell.key, f"it has nothing to be the control of: {alone[cell.key]}")
        for cell in cells
        if cell.key in alone
    ]
    return [cell for cell in cells if cell.key not in alone], [*skipped, *dropped]


@dataclass(frozen=True)
class _Starts:
    """What the models of a grid start from."""

    first: dict[str, Any]
    """Options of a model that starts from no run."""
    later: dict[str, Any]
    """Options of one that starts from a run on renders."""
    imagenet: ImageNet | None
    on_renders: dict[tuple[int, int], PlannedRun] = field(default_factory=dict)
    """Runs on renders by count and repeat: every row has the same."""

    @classmethod
    def of(cls, spec: SupplementSpec) -> _Starts:
        if spec.encoder is None:
            return cls({}, {}, None)
        freeze: Freeze = "encoder" if spec.encoder.frozen else "none"
        first = InitConfig(encoder="imagenet", freeze=freeze)
        # Without an initialisation a model takes all of the run, and trains all of it.
        later = InitConfig(encoder="run", decoder="run", freeze=freeze)
        return cls(
            {"initialisation": first},
            {"initialisation": later} if spec.encoder.frozen else {},
            find_imagenet(spec.config().model.name, spec.encoder.imagenet),
        )


class _Cell:
    """Makes the runs of one cell."""

    def __init__(
        self,
        spec: SupplementSpec,
        data: StudyData,
        key: CellKey,
        starts: _Starts,
        *,
        nested: bool = False,
    ) -> None:
        self.spec, self.data, self.key = spec, data, key
        self.starts = starts
        self.nested = nested
        self.last: dict[str, Any] = {}
        """Options of a model that labels photos itself, or of its control."""
        if spec.self_training is not None and key.arm in (SELF_TRAINED_ARM, SELF_TRAINING_CONTROL):
            phase = spec.self_training.phase(control=key.arm == SELF_TRAINING_CONTROL)
            self.last = {"self_training": phase}
        self.unlabelled = key.arm == SELF_TRAINED_ARM

    def plan(self) -> CellPlan:
        """Return the cell."""
        rule = self.spec.rule(self.key.real)
        limit = self.spec.pretrainings
        if limit is not None and not self.key.real and self.spec.shares_pretraining:
            # There are only so many models trained on renders alone; a copy is no repeat.
            most = min(limit, rule.most)
            rule = StoppingRule(
                min(rule.least, most), most, rule.relative_width if most > 1 else None
            )
        return CellPlan(self.key, rule, self.make)

    def make(self, repeat: int) -> PlannedRun:
        """Return one repeat."""
        spec, key = self.spec, self.key
        split = repeat % spec.splits
        seed = self._seed(repeat)
        if spec.shares_pretraining and key.synthetic:
            if not key.real:
                return self._pretraining(repeat)
            return self._specialised(repeat, split, seed)
        options = {
            "real_count": key.real,
            "synthetic_count": key.synthetic,
            "seed": seed,
            **self.starts.first,
            **self.last,
        }
        if key.synthetic:
            config = spec.config(**options)
        else:
            config = spec.config_without_renders(_steps_on_renders(spec), **options)
        sources = self.data.sources(split, synthetic=key.synthetic > 0, unlabelled=self.unlabelled)
        classes, weights = self.data.classes, self.starts.imagenet
        return planned(key, repeat, split, config, sources, classes, imagenet=weights)

    def _seed(self, repeat: int) -> int:
        return self.spec.seed + repeat if self.nested else seed_of(self.spec, self.key, repeat)

    def _pretraining(self, repeat: int) -> PlannedRun:
        """Train on renders alone; it stops on renders, and so knows no photo of any split."""
        spec = self.spec
        if spec.pretrainings is not None:
            repeat %= spec.pretrainings
        known = self.starts.on_renders
        if run := known.get((self.key.synthetic, repeat)):
            return run
        key = CellKey(GRID_ARM, 0, self.key.synthetic)
        split = repeat % spec.splits
        config = spec.config(
            real_count=0,
            synthetic_count=key.synthetic,
            seed=seed_of(spec, key, repeat),
            **_synthetic_phase(spec),
            **self.starts.first,
        )
        run = known[key.synthetic, repeat] = planned(
            key,
            repeat,
            split,
            config,
            self.data.sources(split, real=False),
            self.data.classes,
            imagenet=self.starts.imagenet,
            starts_others=True,
        )
        return run

    def _specialised(self, repeat: int, split: int, seed: int) -> PlannedRun:
        spec, key = self.spec, self.key
        # Only a last phase that still shows renders needs them.
        share = spec.config().real_share
        again = key.synthetic if share is not None and share < 1 else 0
        config = spec.config(
            real_count=key.real,
            synthetic_count=again,
            seed=seed,
            **self.starts.later,
            **self.last,
        )
        return planned(
            key,
            repeat,
            split,
            config,
            self.data.sources(split, synthetic=again > 0, unlabelled=self.unlabelled),
            self.data.classes,
            start=self._pretraining(repeat),
        )


def _synthetic_phase(spec: SupplementSpec) -> dict[str, Any]:
    config = spec.config()
    limit = config.pretrain_max_steps or config.max_steps
    return {
        # It stops on renders, whatever its descendants stop on.
        "mode": "strict",
        "validation_source": "synthetic",
        "max_steps": limit,
        "validation_count": None,
        **SHARES_NOTHING,
    }


def _steps_on_renders(spec: SupplementSpec) -> int | None:
    """Return how long a mix is trained beyond what photos alone are; None: no longer."""
    config = spec.config()
    return config.pretrain_max_steps or config.max_steps if config.mix == "sequential" else None


def _depicted_keys(
    spec: SupplementSpec, figure: QualitativeSpec, cells: Sequence[CellPlan]
) -> list[CellKey]:
    """Return what Fig. 5 shows, ascending: photos alone, and with renders."""
    real = figure.real
    if real is None:
        real = tuple(count for count in spec.grid[0] if count in _DEPICTED)
    synthetic = figure.synthetic
    if synthetic is None:
        synthetic = max((cell.key.synthetic for cell in cells), default=0)
    keys = {CellKey(GRID_ARM, r, s) for r in real for s in (0, synthetic) if r or s}
    return sorted(keys)


def _nested(spec: SupplementSpec, data: StudyData, key: CellKey, starts: _Starts) -> CellPlan:
    """Return a cell of Fig. 5 beside the grid."""
    key = key._replace(arm=QUALITATIVE_ARM)
    make = _Cell(spec, data, key, starts, nested=True).make
    return CellPlan(key, StoppingRule(1, 1, None), make, depicted=True)
