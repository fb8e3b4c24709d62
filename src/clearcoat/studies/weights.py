"""Which weights of a study stay on disk, where they lie, and what they take there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clearcoat.models import build_model, count_parameters
from clearcoat.studies.record import RUNS
from clearcoat.studies.runs import PlannedRun, StudyPlan
from clearcoat.training import find_loss
from clearcoat.training.folder import BEST, METRICS

_BYTES_PER_PARAMETER = 4


@dataclass(frozen=True)
class KeptWeights:
    """Weights that stay when each cell has its least number of runs."""

    starts: int
    """Runs that others start from."""
    kept: int
    """Further runs, for `study confirm` or since `keep_weights` asks for all."""
    size_bytes: int


def kept_weights(study: StudyPlan) -> KeptWeights:
    """Count the weights that a study leaves on disk, and their size from their parameters."""
    starts: dict[str, PlannedRun] = {}
    kept: dict[str, PlannedRun] = {}
    for cell in study.cells:
        for repeat in range(cell.rule.least):
            run = cell.make(repeat)
            for one in (run, run.start):
                if one is not None and one.starts_others:
                    starts[one.run_id] = one
            if not run.starts_others and study.spec.keeps_weights(*run.key, repeat):
                kept[run.run_id] = run
    sizes: dict[str, int] = {}
    total = 0
    for run in (*starts.values(), *kept.values()):
        model = run.config.model
        name = model.model_dump_json()
        if name not in sizes:
            outputs = find_loss(run.config.loss).outputs(len(study.data.classes))
            parameters = count_parameters(build_model(model, outputs)).total
            sizes[name] = _BYTES_PER_PARAMETER * parameters
        total += sizes[name]
    return KeptWeights(len(starts), len(kept), total)


def run_folder(out: Path, run_id: str) -> Path:
    """Return where a run of a study lies."""
    return out / RUNS / run_id[:16]


def has_weights(out: Path, run_id: str) -> bool:
    """Whether a run is finished and has its weights still."""
    folder = run_folder(out, run_id)
    return (folder / BEST).is_file() and (folder / METRICS).is_file()
