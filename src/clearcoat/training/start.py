"""The model that a run starts with: fresh, from another run, from ImageNet, in part frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from clearcoat.errors import RunError, UsageError
from clearcoat.models import (
    EfficientNetUNetConfig,
    InitConfig,
    Pretrained,
    SegmentationModel,
    Start,
    build_model,
    initialise_from,
    read_efficientnet,
    read_imagenet,
)
from clearcoat.training.config import TrainingConfig
from clearcoat.training.losses import find_loss


@dataclass(frozen=True)
class Started:
    """A model that is ready for its first step."""

    model: SegmentationModel
    """On the CPU."""
    imagenet_digest: str | None
    """sha256 of the file of ImageNet weights, where one was used."""
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """A finished run to start from."""

    path: Path
    model: SegmentationModel
    config: TrainingConfig


def start_model(
    config: TrainingConfig, class_count: int, origin: Origin | None, imagenet: Path | None
) -> Started:
    """Build the model, seeded, and give it the weights that `config.initialisation` asks for.

    Without an initialisation the model takes all weights of `origin`, which must then be of
    the same model. Raises UsageError and RunError where the parts do not fit together.
    """
    init = config.initialisation
    _check_files(init, origin, imagenet)
    if origin is not None and (init is None or init.decoder == "run"):
        _require_same_meaning(config, origin, whole=init is None)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)
        model = build_model(config.model, find_loss(config.loss).outputs(class_count))
    if init is None:
        if origin is not None:
            model.load_state_dict(origin.model.state_dict())
        return Started(model, None, ())
    file, digest = _imagenet(init, config, imagenet)
    run = None if origin is None else Pretrained(origin.model.state_dict(), str(origin.path))
    start = initialise_from(model, init, run=run, imagenet=file)
    return Started(model, digest, tuple(_notes(init, start, digest)))


def _imagenet(
    init: InitConfig, config: TrainingConfig, path: Path | None
) -> tuple[Pretrained | None, str | None]:
    """Return ImageNet weights as far as asked for, and the digest of their file."""
    if init.encoder != "imagenet":
        return None, None
    if isinstance(config.model, EfficientNetUNetConfig):
        # They come as a package; a file is named only where that is not installed.
        return read_efficientnet(path)
    return (None, None) if path is None else read_imagenet(path)


def _check_files(init: InitConfig | None, origin: Origin | None, imagenet: Path | None) -> None:
    if imagenet is not None and (init is None or init.encoder != "imagenet"):
        raise UsageError(
            "this initialisation takes no ImageNet weights",
            where=imagenet,
            do="leave --imagenet out, or use --initialisation ImageNet-random or ImageNet-synth",
        )
    if origin is not None and init is not None and not init.needs_run:
        raise UsageError(
            "this initialisation takes nothing from a run",
            where=origin.path,
            do="leave --init out, or use an --initialisation with 'synth' in its name",
        )


def _require_same_meaning(config: TrainingConfig, origin: Origin, *, whole: bool) -> None:
    theirs = origin.config
    same_outputs = find_loss(config.loss).extra_outputs == find_loss(theirs.loss).extra_outputs
    if same_outputs and (not whole or config.model == theirs.model):
        return
    raise RunError(
        "the run to start from has another model",
        where=origin.path,
        found=f"{theirs.model!r}, loss {theirs.loss}",
        expected=f"{config.model!r}, loss {config.loss}",
        do="choose the same --loss kind"
        if not same_outputs
        else "name an --initialisation, to take what fits",
    )


def _notes(init: InitConfig, start: Start, digest: str | None) -> list[str]:
    notes = []
    if digest is not None:
        notes.append(f"the encoder starts from ImageNet weights of sha256 {digest}")
    if start.unfit:
        notes.append(
            f"{len(start.copied)} tensors were copied; these have another shape and start "
            "random: " + ", ".join(start.unfit)
        )
    parts = {"none": (), "encoder": (init.encoder,), "first_network": (init.encoder, init.decoder)}
    if "random" in parts[init.freeze]:
        notes.append(f"weights that are frozen ({init.freeze}) are random ones")
    return notes
