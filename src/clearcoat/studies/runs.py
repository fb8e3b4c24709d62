"""Runs before they are run: what they are, and how a cell makes its next one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from clearcoat.errors import UsageError
from clearcoat.statistics import StoppingRule
from clearcoat.studies.data import StudyData
from clearcoat.studies.spec import StudySpec
from clearcoat.training import Sources, TrainingConfig
from clearcoat.training.phases import plan_phases
from clearcoat.training.run import identify
from clearcoat.training.selection import select

GRID_ARM = "U-Net"
SELF_TRAINED_ARM = "U-Net, self-trained"
"""Cells of a grid once more, whose models go on to photos without labels."""
SELF_TRAINING_CONTROL = "U-Net, self-training's control"
"""And once more, trained on for as long without these photos."""


class CellKey(NamedTuple):
    """What the runs of a cell have in common."""

    arm: str
    """Kind of model and start."""
    real: int
    synthetic: int
    """Renders that the model sees, in its own training or in that of the run it starts from."""

    def __str__(self) -> str:
        """Return the cell in words."""
        counts = f"{self.real:,} real + {self.synthetic:,} synthetic"
        return counts if self.arm == GRID_ARM else f"{self.arm}, {counts}"


@dataclass(frozen=True, eq=False)
class PlannedRun:
    """One training, known down to its id without having been run."""

    key: CellKey
    repeat: int
    split: int
    config: TrainingConfig
    sources: Sources
    run_id: str
    start: PlannedRun | None = None
    """The run whose weights it starts from."""
    imagenet: Path | None = None
    starts_others: bool = False
    """Whether other runs start from its weights, which therefore are kept."""

    @property
    def folder_name(self) -> str:
        """Name of its folder among the study's runs."""
        return self.run_id[:16]


@dataclass(frozen=True)
class CellPlan:
    """A cell of a study: how often it is run, and what its runs are."""

    key: CellKey
    rule: StoppingRule
    make: Callable[[int], PlannedRun]
    """Repeat number to run."""
    depicted: bool = False
    """Whether the predictions of its first repeat are kept as pictures (Fig. 5)."""

    def __post_init__(self) -> None:
        # Planning asks for the same runs after each one that finishes.
        object.__setattr__(self, "make", cache(self.make))


@dataclass(frozen=True)
class Skipped:
    """A cell that cannot be run, and why."""

    key: CellKey
    why: str


@dataclass(frozen=True)
class StudyPlan:
    """All cells of a study."""

    kind: str
    """`supplement` or `transfer`."""
    spec: StudySpec
    data: StudyData
    cells: tuple[CellPlan, ...]
    skipped: tuple[Skipped, ...]


def planned(
    key: CellKey,
    repeat: int,
    split: int,
    config: TrainingConfig,
    sources: Sources,
    classes: tuple[str, ...],
    *,
    start: PlannedRun | None = None,
    imagenet: tuple[Path | None, str] | None = None,
    starts_others: bool = False,
) -> PlannedRun:
    """Make a run with its id; `imagenet` is a file (None: a package's) and its digest."""
    file, digest = imagenet or (None, None)
    identity = identify(config, classes, sources, None if start is None else start.run_id, digest)
    return PlannedRun(
        key, repeat, split, config, sources, str(identity["run_id"]), start, file, starts_others
    )


def seed_of(spec: StudySpec, key: CellKey, repeat: int) -> int:
    """Return a run's seed: of its repeat alone where runs are paired, else one of its own."""
    if spec.design == "paired":
        return spec.seed + repeat
    name = f"{spec.seed}/{key.arm}/{key.real}/{key.synthetic}/{repeat}"
    return crc32(name.encode())


def possible(cell: CellPlan, splits: int) -> str | None:
    """Return why a cell cannot be trained with the data that exist; None where it can."""
    for repeat in range(splits):
        run: PlannedRun | None = cell.make(repeat)
        while run is not None:
            try:
                chosen = select(run.config, run.sources)
                plan_phases(run.config, chosen, pretrained=run.start is not None)
            except UsageError as error:
                return _in_a_line(error)
            run = run.start
    return None


_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
_KEYS = {"unlabelled-max-steps": "self_training.max_steps"}
"""Where a study has an option of `train` under another name than the option's own."""


def _in_a_line(error: UsageError) -> str:
    """Return an error of `train` in a line, and in a study's words: it has keys for options."""
    found = error.what if error.found is None else f"{error.what}: {error.found}"
    needed = error.do if error.expected is None else f"needed {error.expected}"
    return _OPTION.sub(
        lambda option: f"`{_KEYS.get(option[1], option[1].replace('-', '_'))}`",
        ", ".join(filter(None, (found, needed))),
    )


def sorted_out(cells: list[CellPlan], splits: int) -> tuple[list[CellPlan], list[Skipped]]:
    """Separate what can be run from what cannot."""
    reasons = [(cell, possible(cell, splits)) for cell in cells]
    return (
        [cell for cell, why in reasons if why is None],
        [Skipped(cell.key, why) for cell, why in reasons if why is not None],
    )


def require_renders_to_stop_on(cells: Sequence[CellPlan]) -> None:
    """Raise UsageError where runs are to stop on renders and get none, whatever data there are."""
    for cell in cells:
        run = cell.make(0)
        if run.config.validation_source == "synthetic" and run.sources.synthetic is None:
            raise UsageError(
                "validation_source: synthetic: runs that see no render have none to stop on",
                found=str(cell.key),
                do="leave it out of `training`, or, where photos alone are meant, write "
                "`without_renders: {validation_source: real}`; runs on renders alone that others "
                "start from stop on renders without it",
            )


def require_confirmable(spec: StudySpec, cells: Sequence[CellPlan | Skipped]) -> None:
    """Raise UsageError where `confirm` names what no cell has: its weights would not stay."""
    chosen = spec.confirm
    known: dict[str, tuple[Sequence[str | int] | None, set[str | int]]] = {
        "arms": (chosen.arms, {cell.key.arm for cell in cells}),
        "real": (chosen.real, {cell.key.real for cell in cells}),
        "synthetic": (chosen.synthetic, {cell.key.synthetic for cell in cells}),
    }
    for name, (asked, there) in known.items():
        for value in asked or ():
            if value not in there:
                raise UsageError(
                    f"confirm.{name}: no cell of the study has it",
                    found=repr(value),
                    expected=", ".join(map(str, sorted(there, key=str))),
                )
