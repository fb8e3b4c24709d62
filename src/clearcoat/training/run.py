"""A run: data, model and loop put together around a run folder."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clearcoat.errors import RunError, TrainingError
from clearcoat.models import SegmentationModel, build_model
from clearcoat.training.checks import (
    check_classes,
    require_apart,
    require_labels,
    require_same_classes,
)
from clearcoat.training.computing import Computing
from clearcoat.training.config import TrainingConfig
from clearcoat.training.environment import Occupancy, describe, device_name, find_device
from clearcoat.training.feeding import Residence
from clearcoat.training.folder import (
    BEST,
    CONFIG,
    ENVIRONMENT,
    KNOWN,
    LAST,
    METRICS,
    RunFolder,
    finished_run,
)
from clearcoat.training.frequencies import class_weights, frequencies
from clearcoat.training.gallery import write_gallery
from clearcoat.training.known import knowledge, labelled_count, require_unknown, trained_before
from clearcoat.training.losses import Loss, find_loss
from clearcoat.training.memory import first_line, is_out_of_memory, too_little
from clearcoat.training.phases import plan_phases
from clearcoat.training.probe import Answer, choose_computing, require_possible
from clearcoat.training.progress import Observer, Silent, StoppedError
from clearcoat.training.result import result
from clearcoat.training.sampling import Phase
from clearcoat.training.selection import (
    UNLABELLED,
    Selection,
    Sources,
    TrainingData,
    load,
    select,
)
from clearcoat.training.start import Origin, start_model
from clearcoat.training.trainer import Trainer

CHECKPOINT_EVERY_S = 30.0
_UNTOLD = (
    "the run that this one started from was trained by an earlier version, which did not write "
    "down its photos: whether some of them are scored on is not known"
)


def run_training(
    config: TrainingConfig,
    sources: Sources,
    out: Path,
    *,
    init: Path | None = None,
    imagenet: Path | None = None,
    device: str = "auto",
    residence: Residence = "auto",
    observer: Observer | None = None,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
    stop: Callable[[], bool] = lambda: False,
    depict: bool = True,
) -> dict[str, Any]:
    """Train as `config` says and return the run's metrics, also written to `out`.

    A finished run in `out` is returned as it is, an interrupted one is gone on with. `init` is
    a finished run whose weights training starts from, `imagenet` a file of VGG19's weights;
    `config.initialisation` says which parts of the model take them. `residence` says whether
    training images lie on the device whole or are streamed, which changes no bit of the result.
    `stop` is asked after each step whether to leave the rest for later: StoppedError is then
    raised, all steps being in the checkpoint. `depict` adds a README with pictures for people.
    Raises UsageError, DatasetError, RunError or TrainingError; nothing is written into `out`
    before the inputs are known to fit together.
    """
    where = find_device(device)
    require_possible(config, where)
    watching = observer or Silent()
    classes = check_classes(sources)
    selection = select(config, sources)
    require_apart(selection, sources)
    if init is not None and sources.test is not None and config.mode == "strict":
        require_unknown(init, sources.test, "the run to start from")
    origin = None if init is None else _origin(init, classes)
    started = start_model(config, len(classes), origin, imagenet)
    init_id = None if init is None else finished_run(init).read_json(CONFIG)["run_id"]
    digests = {name: dataset.digest() for name, dataset in sources.named().items()}
    identity = identify(config, classes, sources, init_id, started.imagenet_digest, digests)
    identity["images"] = selection.as_json()
    identity["before"] = None if init is None else _before(init)
    folder = RunFolder(out)
    if folder.is_of(identity) and folder.finished:
        return _finished(folder)
    data = _load(selection, sources, config, where, residence, digests, watching)
    phases = plan_phases(config, data, pretrained=init is not None)
    require_labels(data, sources)
    seen = frequencies(data.train)
    loss = find_loss(config.loss)
    weights = class_weights(config.class_weights, classes, seen)
    if weights is not None:
        loss = loss.weighted(weights.to(where))
    known = knowledge(config, selection, sources, init)
    folder.begin(identity)
    with folder.locked():
        # Another process may have finished it since the first look.
        if folder.finished:
            return _finished(folder)
        folder.write_json(KNOWN, {"photos": None} if known is None else known.as_json())
        trainer = _train(
            started.model, data, phases, loss, config, folder, watching, checkpoint_every_s, stop
        )
        trained_at = time.monotonic()
        metrics, score = result(trainer, data, folder, identity["run_id"], seen)
        metrics["notes"] = [*started.notes, *metrics["notes"]]
        if known is None:
            metrics["notes"].append(_UNTOLD)
        elif init is not None:
            metrics["notes"] += _late_stop(trained_before(config, selection, sources, init))
        metrics["wall_s"] = round(trainer.progress.wall_s + time.monotonic() - trained_at, 3)
        folder.write_tensors(BEST, {"model": trainer.best_weights})
        if depict:
            scored = data.validation[data.validate_on] if data.test is None else data.test
            write_gallery(folder, metrics, trainer.judged, loss, scored, score)
        folder.write_json(METRICS, metrics)
        folder.remove(LAST)
    return metrics


def _late_stop(counts: tuple[int, int] | None) -> list[str]:
    if counts is None or not counts[1]:
        return []
    return [
        f"the run that this one started from was trained on {counts[1]} of the {counts[0]} photos "
        "that decide when to stop: it may have stopped late, and its score on them flatters"
    ]


def _finished(folder: RunFolder) -> dict[str, Any]:
    # A kill right after the result was written leaves it.
    folder.remove(LAST)
    return folder.read_json(METRICS)


def _load(
    selection: Selection,
    sources: Sources,
    config: TrainingConfig,
    where: torch.device,
    residence: Residence,
    digests: Mapping[str, str],
    watching: Observer,
) -> TrainingData:
    try:
        return load(
            selection,
            sources,
            config,
            where,
            residence=residence,
            digests=digests,
            told=watching.on_packing,
        )
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            "the device has too little memory for the images",
            where=where,
            found=first_line(error),
            do="use --images stream, or a smaller --size",
        ) from error


def _train(
    model: SegmentationModel,
    data: TrainingData,
    phases: tuple[Phase, ...],
    loss: Loss,
    config: TrainingConfig,
    folder: RunFolder,
    observer: Observer,
    checkpoint_every_s: float,
    stop: Callable[[], bool],
) -> Trainer:
    """Train from the folder's checkpoint, or from the start, to the end."""
    began = time.monotonic()
    device = data.train.device
    how = Computing()
    try:
        model.to(device)
        saved = folder.read_tensors(LAST) if folder.has(LAST) else None
        answer = _answer(saved, model, data, phases, config)
        how = answer.how
        probe = answer.as_json()
        if saved is not None and folder.has(ENVIRONMENT):
            # What was measured when the run began is not measured again.
            probe = folder.read_json(ENVIRONMENT).get("probe", probe)
        folder.write_json(ENVIRONMENT, describe(device) | {"command": sys.argv[1:], "probe": probe})
        observer.on_computing(answer)
        trainer = Trainer(model, data, phases, loss, config, how)
        if saved is not None:
            if "best" not in saved:
                # Checkpoints of earlier versions have them in a file of their own.
                saved["best"] = folder.read_tensors(BEST)["model"]
            trainer.resume(saved)
        folder.cut_curve(trainer.progress.evaluations)
        watch = _Checkpoints(trainer, folder, checkpoint_every_s, began)
        try:
            trainer.run(observer, watch.after_evaluation, stop)
        except StoppedError:
            watch.save()
            raise
        watch.look()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        batch = max(phase.batch_size for phase in phases)
        raise too_little(error, device, model, config.size, batch, how) from error
    return trainer


def load_model(
    path: Path, device: str = "cpu"
) -> tuple[SegmentationModel, TrainingConfig, tuple[str, ...]]:
    """Return the trained model of a finished run in eval mode, its config and its classes.

    Raises RunError where `path` holds no finished run or its files are damaged.
    """
    folder = finished_run(path)
    identity = folder.read_json(CONFIG)
    try:
        config = TrainingConfig.model_validate(identity["config"])
        classes = tuple(str(name) for name in identity["classes"])
    except (KeyError, TypeError, ValueError) as error:
        raise _not_ours(folder.path / CONFIG, error) from error
    model = build_model(config.model, find_loss(config.loss).outputs(len(classes)))
    try:
        model.load_state_dict(folder.read_tensors(BEST)["model"])
    except (KeyError, RuntimeError) as error:
        raise _not_ours(folder.path / BEST, error) from error
    return model.to(find_device(device)).eval(), config, classes


class _Checkpoints:
    """Appends the curve after each evaluation, and saves all to go on from now and then."""

    def __init__(self, trainer: Trainer, folder: RunFolder, every_s: float, began: float) -> None:
        self.trainer = trainer
        self.folder = folder
        self.every_s = every_s
        self.saved_at = time.monotonic()
        progress = trainer.progress
        self.began = began - progress.wall_s
        before = (progress.exclusive,) if progress.sessions else ()
        self.occupancy = Occupancy(trainer.device, before)
        self.session = progress.sessions + 1
        device = trainer.device
        here = device_name(device)
        if device.type == "cpu":
            here += f" with {torch.get_num_threads()} threads"
        self.computed_on = [*dict.fromkeys((*progress.computed_on, here))]

    def look(self) -> None:
        """Note the time that has passed, and whether the device has been ours alone until now."""
        progress = self.trainer.progress
        progress.wall_s = time.monotonic() - self.began
        # Seconds of several machines are those of none, however alone it was on each.
        several = len(self.computed_on) > 1
        progress.exclusive = None if several else self.occupancy.exclusive()
        progress.sessions = self.session
        progress.computed_on = self.computed_on

    def after_evaluation(self, line: dict[str, Any]) -> None:
        self.folder.append_curve(line)
        if time.monotonic() - self.saved_at >= self.every_s:
            self.save()

    def save(self) -> None:
        """Write the checkpoint."""
        self.look()
        # One file: weights of another moment beside it would make another run of this one.
        self.folder.write_tensors(LAST, self.trainer.checkpoint())
        self.saved_at = time.monotonic()


def identify(
    config: TrainingConfig,
    classes: tuple[str, ...],
    sources: Sources,
    init_id: str | None = None,
    imagenet_digest: str | None = None,
    digests: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what makes a run the run it is; `run_id` is the SHA-256 of config and data.

    `init_id` is the id of the run that it starts from, `imagenet_digest` that of the file,
    `digests` those of the data sets, where they are known already.
    """
    named = sources.named()
    data = dict(digests or {name: dataset.digest() for name, dataset in named.items()})
    if init_id is not None:
        data["init"] = init_id
    if imagenet_digest is not None:
        data["imagenet"] = imagenet_digest
    content = {"config": config.model_dump(mode="json"), "classes": list(classes), "data": data}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    paths = {name: str(dataset.path) for name, dataset in sources.named().items()}
    return {"run_id": sha256(text.encode()).hexdigest(), **content, "paths": paths}


def _before(init: Path) -> dict[str, Any]:
    """Say what the weights that a run starts from have seen, in that run and those before it."""
    folder = finished_run(init)
    identity, metrics = folder.read_json(CONFIG), folder.read_json(METRICS)
    counts = dict.fromkeys(("real", "synthetic", "unlabelled", "steps"), 0)
    earlier: dict[str, Any] = {**counts, "renders": None, **(identity.get("before") or {})}
    images = identity["images"]
    return {
        "run": folder.path.name,
        # An image counts once, however many of the runs have shown it.
        "real": labelled_count(init, identity),
        "synthetic": max(len(images["synthetic"]), earlier["synthetic"]),
        "unlabelled": max(len(images.get(UNLABELLED, ())), earlier["unlabelled"]),
        "steps": metrics["steps"] + earlier["steps"],
        "renders": identity["data"].get("synthetic", earlier["renders"]),
    }


def _answer(
    saved: dict[str, Any] | None,
    model: SegmentationModel,
    data: TrainingData,
    phases: tuple[Phase, ...],
    config: TrainingConfig,
) -> Answer:
    """Return the way of computing: that of the checkpoint gone on from, else the fastest one."""
    if saved is not None:
        # Checkpoints of earlier versions name the precision only.
        how = Computing(**(saved.get("how") or {"precision": saved["precision"]}))
        if data.train.device.type != "cuda":
            # What was measured on a GPU may be impossible on the processor that goes on.
            how = replace(how, cuda_graphs=False, compile=config.compile == "on")
        return Answer(how, {}, cached=True)
    images, _ = data.train.fetch(np.arange(min(phases[-1].batch_size, len(data.train))))
    return choose_computing(model, images, config)


def _origin(init: Path, classes: tuple[str, ...]) -> Origin:
    model, config, known = load_model(init)
    require_same_classes("the data", classes, f"the run {init} to start from", known)
    return Origin(init, model, config)


def _not_ours(file: Path, error: Exception) -> RunError:
    return RunError(
        "a file of the run does not fit the run's config",
        where=file,
        found=str(error).splitlines()[0],
        do="use the version of clearcoat that trained it, or train again",
    )
