"""A run: data, model and loop put together around a run folder."""

from __future__ import annotations

import json
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from clearcoat.errors import RunError, TrainingError
from clearcoat.models import SegmentationModel, build_model, count_parameters
from clearcoat.training.config import TrainingConfig
from clearcoat.training.environment import Occupancy, describe, find_device
from clearcoat.training.folder import (
    BEST,
    CONFIG,
    ENVIRONMENT,
    LAST,
    METRICS,
    PER_IMAGE,
    RunFolder,
    finished_run,
)
from clearcoat.training.losses import Loss, find_loss
from clearcoat.training.phases import plan_phases
from clearcoat.training.precision import choose_precision
from clearcoat.training.sampling import Phase
from clearcoat.training.scoring import score_model
from clearcoat.training.selection import (
    Pack,
    Sources,
    TrainingData,
    check_classes,
    load,
    require_same_classes,
    select,
)
from clearcoat.training.start import Origin, start_model
from clearcoat.training.trainer import Observer, Silent, Trainer

CHECKPOINT_EVERY_S = 30.0


def run_training(
    config: TrainingConfig,
    sources: Sources,
    out: Path,
    *,
    init: Path | None = None,
    imagenet: Path | None = None,
    device: str = "auto",
    observer: Observer | None = None,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
    read: Pack | None = None,
) -> dict[str, Any]:
    """Train as `config` says and return the run's metrics, also written to `out`.

    A finished run in `out` is returned as it is, an interrupted one is gone on with. `init` is
    a finished run whose weights training starts from, `imagenet` a file of VGG19's weights;
    `config.initialisation` says which parts of the model take them. `read` replaces `pack` where
    images are kept in memory from run to run. Raises UsageError, DatasetError, RunError or
    TrainingError; nothing is written before the inputs are known to fit together.
    """
    where = find_device(device)
    classes = check_classes(sources)
    selection = select(config, sources)
    origin = None if init is None else _origin(init, classes)
    started = start_model(config, len(classes), origin, imagenet)
    init_id = None if init is None else finished_run(init).read_json(CONFIG)["run_id"]
    identity = identify(config, classes, sources, init_id, started.imagenet_digest)
    identity["images"] = selection.as_json()
    identity["before"] = None if init is None else _before(init)
    folder = RunFolder(out)
    if folder.has(CONFIG) or folder.path.exists():
        folder.begin(identity)
        if folder.finished:
            return folder.read_json(METRICS)
    data = _to_device(load(selection, sources, config, read), where)
    phases = plan_phases(config, data, pretrained=init is not None)
    folder.begin(identity)
    folder.write_json(ENVIRONMENT, describe(where) | {"command": sys.argv[1:]})

    loss = find_loss(config.loss)
    trainer = _trainer(started.model.to(where), data, phases, loss, config, folder)
    occupancy = Occupancy(where)
    watch = _Checkpoints(trainer, folder, checkpoint_every_s)
    began = time.monotonic()
    try:
        trainer.run(observer or Silent(), watch.after_evaluation)
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            "the device has too little memory",
            where=where,
            found=str(error).splitlines()[0],
            do="use a smaller --batch-size or --size, or --device cpu",
        ) from error
    exclusive = occupancy.exclusive()

    metrics = _result(trainer, data, folder, identity["run_id"], exclusive)
    metrics["notes"] = [*started.notes, *metrics["notes"]]
    metrics["wall_s"] = round(time.monotonic() - began, 3)
    folder.write_tensors(BEST, {"model": trainer.best_weights})
    folder.write_json(METRICS, metrics)
    folder.remove(LAST)
    return metrics


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

    def __init__(self, trainer: Trainer, folder: RunFolder, every_s: float) -> None:
        self.trainer = trainer
        self.folder = folder
        self.every_s = every_s
        self.saved_at = time.monotonic()

    def after_evaluation(self, line: dict[str, Any]) -> None:
        self.folder.append_curve(line)
        if time.monotonic() - self.saved_at >= self.every_s:
            # Best first: a kill in between leaves weights that the checkpoint will find again.
            self.folder.write_tensors(BEST, {"model": self.trainer.best_weights})
            self.folder.write_tensors(LAST, self.trainer.checkpoint())
            self.saved_at = time.monotonic()


def identify(
    config: TrainingConfig,
    classes: tuple[str, ...],
    sources: Sources,
    init_id: str | None = None,
    imagenet_digest: str | None = None,
) -> dict[str, Any]:
    """Return what makes a run the run it is; `run_id` is the SHA-256 of config and data.

    `init_id` is the id of the run that it starts from, `imagenet_digest` that of the file.
    """
    data = {name: dataset.digest() for name, dataset in sources.named().items()}
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
    earlier = identity.get("before") or {"real": 0, "synthetic": 0, "steps": 0, "renders": None}
    images = identity["images"]
    return {
        "run": folder.path.name,
        # An image counts once, however many of the runs have shown it.
        "real": max(len(images["real"]), earlier["real"]),
        "synthetic": max(len(images["synthetic"]), earlier["synthetic"]),
        "steps": metrics["steps"] + earlier["steps"],
        "renders": identity["data"].get("synthetic", earlier["renders"]),
    }


def _trainer(
    model: SegmentationModel,
    data: TrainingData,
    phases: tuple[Phase, ...],
    loss: Loss,
    config: TrainingConfig,
    folder: RunFolder,
) -> Trainer:
    if folder.has(LAST):
        saved = folder.read_tensors(LAST)
        trainer = Trainer(model, data, phases, loss, config, saved["precision"])
        best = folder.read_tensors(BEST)["model"]
        trainer.resume(saved, best)
        folder.cut_curve(trainer.progress.evaluations)
        return trainer
    folder.cut_curve(0)
    precision: str = config.precision
    if precision == "auto":
        precision = choose_precision(model, data.train.images[: phases[-1].batch_size])
    return Trainer(model, data, phases, loss, config, precision)


def _origin(init: Path, classes: tuple[str, ...]) -> Origin:
    model, config, known = load_model(init)
    require_same_classes("the data", classes, f"the run {init} to start from", known)
    return Origin(init, model, config)


def _result(
    trainer: Trainer, data: TrainingData, folder: RunFolder, run_id: str, exclusive: bool | None
) -> dict[str, Any]:
    progress = trainer.progress
    count = count_parameters(trainer.judged)
    # In fp32, as `evaluate` scores, so that both print the same figures.
    loss, score = score_model(trainer.judged, data.validation[data.validate_on], trainer.loss)
    result: dict[str, Any] = {
        "run_id": run_id,
        "run": folder.path.name,
        "parameters": {"total": count.total, "trainable": count.trainable},
        "images": {
            "real": data.real_count,
            "synthetic": len(data.train) - data.real_count,
            "validation": {kind: len(images) for kind, images in data.validation.items()},
            "test": None if data.test is None else len(data.test),
        },
        "phases": progress.finished,
        "steps": sum(phase["steps"] for phase in progress.finished),
        "epochs": sum(phase["epochs"] for phase in progress.finished),
        "images_seen": progress.images_seen,
        "train_s": round(progress.train_s, 3),
        "validation_s": round(progress.validation_s, 3),
        "seconds_per_image_epoch": progress.train_s / max(1, progress.images_seen),
        "device": str(trainer.device),
        "precision": trainer.precision,
        "threads": torch.get_num_threads(),
        "exclusive": exclusive,
        "validation": {"on": data.validate_on, "loss": loss, **score.as_json()},
        "test": None,
        "notes": _notes(data, trainer.loss),
    }
    if data.test is not None:
        test_loss, test_score = score_model(trainer.judged, data.test, trainer.loss)
        result["test"] = {"loss": test_loss, **test_score.as_json()}
        counts = {"images": data.test.names, "intersection_and_union": test_score.per_image}
        folder.write_json(PER_IMAGE, {"classes": test_score.classes, **counts})
    return result


def _notes(data: TrainingData, loss: Loss) -> list[str]:
    notes = []
    sizes = torch.tensor([len(s or ()) for s in data.train.sets])
    counts = torch.bincount(data.train.labels.long().flatten().cpu(), minlength=len(sizes))
    overlapping = int(counts[sizes > 1].sum())
    if overlapping and loss.extra_outputs:
        share = overlapping / int(counts[sizes > 0].sum())
        notes.append(
            f"{share:.1%} of the labelled pixels have several classes, of which the loss "
            f"{loss.name!r} can find one at most; binary_cross_entropy_dice finds all"
        )
    shown = {number for members in data.train.sets for number in members or ()}
    unseen = [name for number, name in enumerate(data.train.classes) if number not in shown]
    if unseen:
        notes.append("no training image shows " + ", ".join(unseen))
    return notes


def _to_device(data: TrainingData, device: torch.device) -> TrainingData:
    return TrainingData(
        data.train.to(device),
        data.real_count,
        {kind: images.to(device) for kind, images in data.validation.items()},
        data.validate_on,
        None if data.test is None else data.test.to(device),
    )


def _not_ours(file: Path, error: Exception) -> RunError:
    return RunError(
        "a file of the run does not fit the run's config",
        where=file,
        found=str(error).splitlines()[0],
        do="use the version of clearcoat that trained it, or train again",
    )
