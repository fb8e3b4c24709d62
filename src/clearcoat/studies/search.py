"""The hyper-parameter search of section IV.A: dropout, batch size and learning rate, by Optuna.

A trial is a training run judged on its validation images; test images take no part, or the figures
scored on them later would have seen them. The search's folder can be gone on with: finished trials
stand in a journal, and the run of an unfinished one goes on from its checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout
from pydantic import Field, model_validator

from clearcoat.dataset import Dataset
from clearcoat.dataset.files import make_folder, write_whole
from clearcoat.errors import (
    DivergedError,
    MissingDependencyError,
    SpecError,
    TrainingError,
    UsageError,
)
from clearcoat.spec import Model, digest, load
from clearcoat.spec.yaml_text import Key
from clearcoat.studies.journal import finished_trials, open_journal, take_up
from clearcoat.studies.ledger import LEDGER
from clearcoat.studies.options import config_of
from clearcoat.studies.record import STUDY
from clearcoat.training import Silent, Sources, TrainingConfig, run_training, with_size_of_recipe

if TYPE_CHECKING:
    import optuna

RESULT, LOCK = "search.json", ".search.lock"
_SEARCHED = ("dropout", "batch_size", "learning_rate", "seed", "size")


class Range(Model):
    """An interval to draw from."""

    low: float
    high: float

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low ({self.low}) is not below high ({self.high})")
        return self


class Space(Model):
    """What is searched."""

    dropout: Range = Range(low=0.0, high=0.6)
    """Evenly."""
    batch_size: tuple[int, ...] = (8, 16, 32, 64)
    """One of these."""
    learning_rate: Range = Range(low=1e-4, high=1e-2)
    """Evenly over the logarithm."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not 0 <= self.dropout.low < self.dropout.high < 1:
            raise ValueError("dropout must lie between 0 and 1")
        if self.learning_rate.low <= 0:
            raise ValueError("learning rates must be above 0")
        if not self.batch_size or min(self.batch_size) < 1:
            raise ValueError("batch_size needs at least one size of at least 1")
        return self


class SearchSpec(Model):
    """A search as its YAML file says it."""

    real: Path | None = None
    """Data set of labelled photos, relative to this file."""
    synthetic: Path | None = None
    """Data set of renders."""
    validation: Path | None = None
    """Photos to judge by, in place of those held back."""
    trials: int = Field(default=30, ge=1)
    repeats: int = Field(default=1, ge=1)
    """Seeds per trial, whose mean is judged: one run's score is noisy."""
    prune: bool = True
    """Give up a trial that is worse than the median of those before at the same evaluation."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """The sampler's seeds, this one and more, must be below 2^32."""
    size: int = Field(default=128, ge=8)
    """Height and width in pixels at which models work."""
    recipe: str = "paper"
    training: dict[str, Any] = {}
    """Options of training that differ from the recipe."""
    space: Space = Space()

    @model_validator(mode="before")
    @classmethod
    def _size_of_the_recipe(cls, written: Any) -> Any:
        return with_size_of_recipe(written)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.real is None and self.synthetic is None:
            raise SpecError("nothing to train on", do="add `real`, `synthetic`, or both")
        for name in _SEARCHED:
            if name in self.training:
                raise SpecError(
                    f"training.{name} is the search's own to choose", key=("training", name)
                )
        if self.training.get("mode") == "paper":
            raise SpecError(
                "a search has no test images to stop on: leave mode 'paper' out",
                key=("training", "mode"),
            )
        if self.training.get("self_training") is not None:
            raise SpecError(
                "a search trains on labelled photos alone",
                key=("training", "self_training"),
                do="leave self_training out",
            )
        low = {"dropout": self.space.dropout.low, "learning_rate": self.space.learning_rate.low}
        self.config(self.seed, low | {"batch_size": self.space.batch_size[0]})
        return self

    def config(self, seed: int, values: dict[str, Any]) -> TrainingConfig:
        """Return the training config of a trial. Raises SpecError."""
        chosen = {"size": self.size, "seed": seed} | self.training
        model = chosen.get("model", {})
        # What is no mapping is a mistake, which the config tells.
        if isinstance(model, Mapping):
            model = {**model, "dropout": values["dropout"]}
        rest = {name: values[name] for name in ("batch_size", "learning_rate")}

        def section(option: str) -> Key:
            return () if option == "size" else ("training",)

        return config_of(self.recipe, chosen | {"model": model} | rest, section)


@dataclass(frozen=True)
class Trial:
    """One finished trial."""

    number: int
    values: dict[str, Any]
    """Dropout, batch size and learning rate."""
    mean_iou: float | None
    """On the validation images; None where the trial was pruned or diverged."""
    state: str
    """`complete`, `pruned` or `diverged`."""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "number": self.number,
            **self.values,
            "mean_iou": self.mean_iou,
            "state": self.state,
        }


def load_search(path: Path) -> SearchSpec:
    """Read a search, its paths made relative to where the file is. Raises SpecError."""
    spec = load(path, SearchSpec)
    places = {
        name: path.parent / value
        for name in ("real", "synthetic", "validation")
        if (value := getattr(spec, name)) is not None
    }
    return spec.model_copy(update=places)


def search(
    spec: SearchSpec,
    out: Path,
    *,
    device: str = "auto",
    told: Callable[[Trial, Trial | None], None] | None = None,
) -> list[Trial]:
    """Run the trials that are still to be run, and return all of them, in order.

    `told` hears of each trial as it ends, and of the best one so far. Raises
    MissingDependencyError without the extra `search`, UsageError for another search or a study in
    `out`, DatasetError where `out` cannot be a folder, and what `run_training` raises but for
    divergence.
    """
    if find_spec("optuna") is None:
        raise MissingDependencyError(
            "the search needs the package optuna", do='pip install "clearcoat[search]"'
        )
    _require_no_study(out)
    sources = Sources(*(None if p is None else Dataset.open(p) for p in _paths(spec)))
    identity = digest(
        {
            # More trials may be asked for later, and data may be moved.
            "spec": spec.model_dump(mode="json", exclude={"trials", *_PATHS}),
            "data": {name: dataset.digest() for name, dataset in sources.named().items()},
        }
    )
    with _alone(out), _quiet():
        study = open_journal(out, identity, spec.prune)
        take_up(study)
        while len(finished_trials(study)) < spec.trials:
            import optuna

            # Anew for each trial: a sampler that went on with its own state would draw the first
            # trials again after an interruption.
            study.sampler = optuna.samplers.TPESampler(seed=spec.seed + len(study.trials))
            trial = study.ask(_distributions(spec.space))
            _run(study, trial, spec, sources, out, device)
            found = _trials(study)
            _write(out, spec, found)
            if told is not None:
                told(found[-1], best(found))
        found = _trials(study)
        _write(out, spec, found)
    return found


def best(trials: list[Trial]) -> Trial | None:
    """Return the trial with the highest score, if any has one."""
    scored = [trial for trial in trials if trial.mean_iou is not None]
    return max(scored, key=lambda trial: trial.mean_iou or 0.0, default=None)


_PATHS = ("real", "synthetic", "validation")


def _paths(spec: SearchSpec) -> tuple[Path | None, ...]:
    return spec.real, spec.synthetic, spec.validation


def _run(
    study: optuna.Study,
    trial: optuna.Trial,
    spec: SearchSpec,
    sources: Sources,
    out: Path,
    device: str,
) -> None:
    import optuna

    scores = []
    try:
        for repeat in range(spec.repeats):
            config = spec.config(spec.seed + repeat, trial.params)
            content = json.dumps([trial.params, repeat], sort_keys=True)
            folder = out / "runs" / sha256(content.encode()).hexdigest()[:16]
            # Only the first repeat is compared while it runs: later ones would report the same
            # evaluations a second time.
            watching = _Pruner(trial) if spec.prune and repeat == 0 else Silent()
            metrics = run_training(
                config, sources, folder, device=device, observer=watching, depict=False
            )
            scores.append(metrics["validation"]["mean_iou"] or 0.0)
    except _PrunedError:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except DivergedError:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    else:
        study.tell(trial, sum(scores) / len(scores))


class _PrunedError(Exception):
    """Ends the run of a trial that is given up."""


class _Pruner(Silent):
    """Reports the evaluations of the last phase, which all trials have alike."""

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial = trial
        self.last = False

    def on_phase(self, phase: Any, number: int, count: int) -> None:
        """Hear whether this is the last phase."""
        self.last = number == count - 1

    def on_evaluation(self, line: dict[str, Any]) -> None:
        """Report, and give the trial up where the others were better."""
        if not self.last:
            return
        # By its epoch, not by how many were heard of: a run that is gone on with tells only its
        # later ones, and would be held against the first ones of the others.
        self.trial.report(line["validation_mean_iou"] or 0.0, line["epoch"])
        if self.trial.should_prune():
            raise _PrunedError


def _distributions(space: Space) -> dict[str, optuna.distributions.BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    rate = space.learning_rate
    return {
        "dropout": FloatDistribution(space.dropout.low, space.dropout.high),
        "batch_size": CategoricalDistribution(space.batch_size),
        "learning_rate": FloatDistribution(rate.low, rate.high, log=True),
    }


def _trials(study: optuna.Study) -> list[Trial]:
    names = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "diverged"}
    return [
        Trial(
            number,
            dict(trial.params),
            trial.value if trial.state.name == "COMPLETE" else None,
            names[trial.state.name],
        )
        for number, trial in enumerate(finished_trials(study))
    ]


def _write(out: Path, spec: SearchSpec, found: list[Trial]) -> None:
    top = best(found)
    content = {
        "spec": spec.model_dump(mode="json"),
        "best": None if top is None else top.as_json(),
        "trials": [trial.as_json() for trial in found],
    }
    write_whole(out / RESULT, json.dumps(content, indent=1).encode())


def _require_no_study(out: Path) -> None:
    for name in (STUDY, LEDGER):
        if (out / name).is_file():
            # The study would from then on be refused, as one in the folder of a search.
            raise UsageError(
                "the folder holds a study",
                where=out,
                found=name,
                expected="a new or empty folder, or that of the search",
                do="give the search a folder of its own with --out",
            )


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    make_folder(out)
    try:
        with FileLock(out / LOCK, timeout=0):
            yield
    except Timeout:
        raise TrainingError(
            "another process is searching in this folder",
            where=out,
            do="wait until it is done, or choose another --out",
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the library says on standard error; progress is told in our own words."""
    import warnings

    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)
