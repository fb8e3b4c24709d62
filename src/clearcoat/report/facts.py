"""What a report says about one run, read from the run's folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clearcoat.dataset import Dataset
from clearcoat.errors import RunError
from clearcoat.training import RunFolder, find_loss, load_model, pack, require_same_classes
from clearcoat.training.checks import require_scorable
from clearcoat.training.folder import CONFIG, ENVIRONMENT, METRICS, not_a_run
from clearcoat.training.known import labelled_count, require_unknown
from clearcoat.training.scoring import score_model

_VALIDATION = "validation"
FINISHED, UNFINISHED, DAMAGED = "finished", "unfinished", "damaged"


@dataclass(frozen=True)
class RunFacts:
    """One run. `metrics` and `score` are empty unless it is finished."""

    path: Path
    name: str
    """Unique among the runs of a report."""
    state: str
    note: str = ""
    """What is wrong with a run that is not finished."""
    run_id: str = ""
    """Of settings and data: runs that share it are copies; empty only where damaged."""
    config: Mapping[str, Any] | None = None
    seed: int | None = None
    real: int = 0
    """Real training images, also those of the runs whose weights it started from."""
    synthetic: int = 0
    """Synthetic training images, likewise."""
    before: Mapping[str, Any] | None = None
    """What the weights that it started from had seen: images by kind, and steps."""
    image_numbers: Mapping[str, Any] | None = None
    """Record numbers of the training images by kind."""
    data: Mapping[str, str] | None = None
    """Digest of each data set by its role; `init` is the id of the run started from."""
    paths: Mapping[str, str] | None = None
    """Where each data set lay, by role, as the training command named it."""
    environment: Mapping[str, Any] | None = None
    curve: Sequence[Mapping[str, Any]] = ()
    metrics: Mapping[str, Any] | None = None
    score: Mapping[str, Any] | None = None
    """`mean_iou`, `per_class` and so on, of the images in `scored_on`."""
    scored_on: str = ""
    """Digest of the scored data set; `validation (real)` or `validation (synthetic)` where only
    the images that decided the stopping have a score."""
    scored_here: bool = False
    """Whether the score was computed for this report instead of at the end of training."""

    @property
    def tested(self) -> bool:
        """Whether the score is that of test images."""
        return self.score is not None and not self.scored_on.startswith(_VALIDATION)

    @property
    def mean_iou(self) -> float | None:
        """The score that the report compares."""
        return None if self.score is None else self.score["mean_iou"]


def read_run(path: Path) -> RunFacts:
    """Read a run's folder, finished or not.

    A folder whose files cannot be read gives facts in state `damaged`, saying why. Raises
    RunError where there is no `config.json`.
    """
    folder = RunFolder(path)
    if not folder.has(CONFIG):
        raise not_a_run(path)
    facts = RunFacts(path=path, name=path.name, state=DAMAGED)
    try:
        identity = folder.read_json(CONFIG)
        before = identity.get("before")
        seen = before or {"real": 0, "synthetic": 0}
        facts = replace(
            facts,
            run_id=str(identity["run_id"]),
            config=identity["config"],
            seed=int(identity["config"]["seed"]),
            real=labelled_count(path, identity),
            synthetic=max(len(identity["images"]["synthetic"]), seen["synthetic"]),
            before=before,
            image_numbers={k: identity["images"][k] for k in ("real", "synthetic")},
            data=identity["data"],
            paths=identity["paths"],
            environment=folder.read_json(ENVIRONMENT) if folder.has(ENVIRONMENT) else None,
            curve=tuple(folder.read_curve()),
        )
        if not folder.finished:
            note = f"{len(facts.curve)} evaluations so far; the same command goes on with it"
            return replace(facts, state=UNFINISHED, note=note)
        metrics = folder.read_json(METRICS)
        tested = metrics["test"] is not None
        return replace(
            facts,
            state=FINISHED,
            metrics=metrics,
            score=metrics["test"] if tested else metrics["validation"],
            scored_on=identity["data"]["test"]
            if tested
            else f"{_VALIDATION} ({metrics['validation']['on']})",
        )
    except RunError as error:
        return replace(facts, note=f"{error.where}: {error.found}")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return replace(facts, note=f"its files lack what a run has: {error!r}")


def rescored(run: RunFacts, test: Dataset, digest: str) -> RunFacts:
    """Return the run with its score on `test`, computed on the CPU unless it is known already.

    Raises DatasetError where the data set has other classes, RunError where the model is gone,
    and UsageError where the run knows some of its photos or none has a label.
    """
    if run.state != FINISHED or run.scored_on == digest:
        return run
    require_unknown(run.path, test, "a run of the report")
    model, config, classes = load_model(run.path)
    require_same_classes(f"the data set {test.path}", test.classes, f"the run {run.path}", classes)
    images = pack(test, test.indices, config.size)
    require_scorable(images, test)
    _, score = score_model(model, images, find_loss(config.loss))
    return replace(run, score=score.as_json(), scored_on=digest, scored_here=True)


def uniquely_named(runs: Sequence[RunFacts]) -> list[RunFacts]:
    """Return the runs named by as many of the last folders of their paths as tell them apart."""
    longest = max((len(run.path.parts) for run in runs), default=1)
    for depth in range(1, longest + 1):
        names = ["/".join(run.path.parts[-depth:]) for run in runs]
        if len(set(names)) == len(names):
            break
    return [replace(run, name=name) for run, name in zip(runs, names, strict=True)] if runs else []
