"""What a finished run has to say of itself."""

from __future__ import annotations

from typing import Any

import torch

from clearcoat.models import count_parameters
from clearcoat.training.folder import PER_IMAGE, RunFolder
from clearcoat.training.frequencies import Frequencies
from clearcoat.training.metrics import Score
from clearcoat.training.scoring import score_model
from clearcoat.training.selection import TrainingData
from clearcoat.training.sides import without_opposite
from clearcoat.training.trainer import Trainer


def result(
    trainer: Trainer, data: TrainingData, folder: RunFolder, run_id: str, seen: Frequencies
) -> tuple[dict[str, Any], Score]:
    """Score the trained model; return the run's metrics and the score that they are about."""
    progress = trainer.progress
    count = count_parameters(trainer.judged)
    # In fp32 and with classes alike, as `evaluate` scores, so that both print the same figures.
    unweighted = trainer.loss.weighted(None)
    loss, score = score_model(
        trainer.judged, data.validation[data.validate_on], unweighted, detailed=True
    )
    metrics: dict[str, Any] = {
        "run_id": run_id,
        "run": folder.path.name,
        "parameters": {"total": count.total, "trainable": count.trainable},
        "images": {
            "real": data.real_count,
            "synthetic": len(data.parts[2]),
            **({} if data.unlabelled is None else {"unlabelled": len(data.parts[1])}),
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
        "precision": trainer.how.precision,
        "computing": trainer.how.as_json(),
        "threads": torch.get_num_threads(),
        "exclusive": progress.exclusive,
        "validation": {"on": data.validate_on, "loss": loss, **score.as_json()},
        "test": None,
        "notes": _notes(data, trainer, seen),
    }
    if data.test is not None:
        test_loss, test_score = score_model(trainer.judged, data.test, unweighted, detailed=True)
        metrics["test"] = {"loss": test_loss, **test_score.as_json()}
        counts = {"images": data.test.names, "intersection_and_union": test_score.per_image}
        folder.write_json(PER_IMAGE, {"classes": test_score.classes, **counts})
        score = test_score
    return metrics, score


def _notes(data: TrainingData, trainer: Trainer, seen: Frequencies) -> list[str]:
    notes, loss = [], trainer.loss
    sizes = torch.tensor([len(s or ()) for s in data.train.sets])
    overlapping = int(seen.positions[sizes > 1].sum())
    if overlapping and loss.extra_outputs:
        share = overlapping / int(seen.positions[sizes > 0].sum())
        other = "binary_dice" if loss.name == "dice" else "binary_cross_entropy_dice"
        notes.append(
            f"{share:.1%} of the labelled pixels have several classes, of which the loss "
            f"{loss.name!r} can find one at most; {other} finds all"
        )
    if len(trainer.progress.computed_on) > 1:
        notes.append(
            f"trained in turn on {' and '.join(trainer.progress.computed_on)}: its seconds are of "
            "all of them together"
        )
    if data.unlabelled is not None and not trainer.progress.finished[-1]["labelled_itself"]:
        notes.append("of no pixel of the photos without labels was the model sure enough")
    unseen = [name for name, n in zip(data.train.classes, seen.pixels, strict=True) if not n]
    if unseen:
        notes.append("no training image shows " + ", ".join(unseen))
    sided = without_opposite(data.train.classes)
    if sided and trainer.config.augment.flip:
        notes.append(
            f"half of the training images are mirrored, and {', '.join(sided)} then lies on the "
            "other side: there is no class of the opposite name to take its place; --augment none "
            "mirrors nothing"
        )
    return notes
