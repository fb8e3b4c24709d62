"""From a mix to phases: docs/decisions/0022-epochs.md and 0023-mixing.md say why."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import replace
from typing import Protocol

import numpy as np

from clearcoat.errors import UsageError
from clearcoat.training.config import TrainingConfig
from clearcoat.training.sampling import Phase, Stream, balanced_streams
from clearcoat.training.selection import REAL, SYNTHETIC, UNLABELLED

_LABELLED = 0.25
"""Share of the labelled ones among the photos of a batch of self-training."""


class Chosen(Protocol):
    """What phases are made of: TrainingData, or the Selection before an image of it is read."""

    @property
    def parts(self) -> tuple[range, range, range]:
        """Numbers of real images, of those without labels, and of renders."""

    @property
    def validate_on(self) -> str:
        """The kind of image that decides the stopping of the last phase."""

    @property
    def validation(self) -> Container[str]:
        """Kinds of images that there are to stop on."""


def plan_phases(
    config: TrainingConfig, data: Chosen, *, pretrained: bool = False
) -> tuple[Phase, ...]:
    """Return the phases of a run.

    `pretrained` says that the weights come from another run: `sequential` then goes straight
    to its real phase. Raises UsageError where a phase cannot be trained.
    """
    phases = _on_labels(config, data, pretrained=pretrained)
    if config.self_training is not None:
        # A student goes its own way from where its teacher began, if that was something.
        restarts = pretrained or len(phases) > 1
        phases = (*phases, replace(_on_own_labels(config, data), restarts=restarts))
    renders = data.parts[2]
    shown = (one.images for phase in phases for one in phase.streams)
    if len(renders) and not any(renders.stop > images.max() >= renders.start for images in shown):
        # A run would else count images among its own that its model has never seen.
        raise UsageError(
            "no phase shows a render",
            found=f"{len(renders)} renders, and "
            + (
                "--init, after which mix 'sequential' goes straight to photos"
                if config.mix == "sequential"
                else f"--real-share {config.real_share:g}"
            ),
            do="leave --synthetic out, or use --real-share 0.5",
        )
    return phases


def _on_labels(config: TrainingConfig, data: Chosen, *, pretrained: bool) -> tuple[Phase, ...]:
    real, _, synthetic = data.parts
    if config.mix == "sequential" and len(real):
        share = 1.0 if config.real_share is None else config.real_share
        main = _phase("real", config, data, (real, synthetic, share), config.max_steps)
        if pretrained:
            return (_tuning(main, config),)
        if not len(synthetic):
            return (main,)
        limit = config.pretrain_max_steps or config.max_steps
        return (
            _phase("synthetic", config, data, ((), synthetic, 0.0), limit),
            _tuning(main, config),
        )
    if config.mix == "balanced":
        share = 0.5 if config.real_share is None else config.real_share
        mixed = _phase("balanced", config, data, (real, synthetic, share), config.max_steps)
        return (_tuning(mixed, config) if pretrained else mixed,)
    # Renders alone get what `sequential` would give them before photos.
    alone = config.mix == "sequential" and not len(real)
    limit = (config.pretrain_max_steps if alone else None) or config.max_steps
    everything = Stream(
        "all",
        np.array([*real, *synthetic], np.int64),
        min(config.batch_size, len(real) + len(synthetic)),
        config.seed,
    )
    together = _finish("all", config, data, (everything,), limit, data.validate_on)
    return (_tuning(together, config) if pretrained else together,)


def _on_own_labels(config: TrainingConfig, data: Chosen) -> Phase:
    """Return the phase on photos that the model labels itself, besides all others.

    Its control shows photos with labels in their place.
    """
    assert config.self_training is not None
    real, unlabelled, synthetic = data.parts
    share = config.real_share
    if share is None:
        share = 0.5 if config.mix == "balanced" or not len(real) else 1.0
    if share >= 1:
        synthetic = range(0)
    kinds = [numbers for numbers in (real, unlabelled, synthetic) if len(numbers)]
    batch = min(config.batch_size, sum(map(len, kinds)))
    if batch < len(kinds):
        raise UsageError(
            "batches are too small for self-training, which shows an image of each kind in each",
            found=f"--batch-size {config.batch_size}",
            do=f"use --batch-size {len(kinds)} or more",
        )
    least = len(kinds) - bool(len(synthetic))
    photos = min(max(least, round(batch * share)), batch - 1) if len(synthetic) else batch
    if not len(unlabelled):
        labelled = photos = photos if len(real) else 0
    else:
        # Few photos with true labels would be lost among the many without.
        labelled = min(max(1, round(photos * _LABELLED)), photos - 1) if len(real) else 0
    streams = tuple(
        Stream(name, np.array(numbers, np.int64), per_batch, config.seed)
        for name, numbers, per_batch in (
            (REAL, real, labelled),
            (UNLABELLED, unlabelled, photos - labelled),
            (SYNTHETIC, synthetic, batch - photos),
        )
        if per_batch
    )
    phase = _finish(
        "control" if config.self_training.control else "self-labelled",
        config,
        data,
        streams,
        config.self_training.max_steps,
        data.validate_on,
        limited_by="--unlabelled-max-steps",
    )
    flip = {"flip": config.augment.flip}
    augment = config.self_training.augment.model_copy(update=flip)
    how = config.self_training.model_copy(update={"augment": augment})
    return _tuning(replace(phase, self_training=how), config)


def _tuning(phase: Phase, config: TrainingConfig) -> Phase:
    """Return the phase at the rate for weights that are good already."""
    return phase if config.tuning_rate is None else replace(phase, learning_rate=config.tuning_rate)


def _phase(
    name: str,
    config: TrainingConfig,
    data: Chosen,
    pools: tuple[range | tuple[()], range, float],
    max_steps: int | None,
) -> Phase:
    real, synthetic, share = pools
    shown = len(real) + (len(synthetic) if share < 1 else 0)
    batch = min(config.batch_size, shown)
    streams = balanced_streams(real, synthetic, batch, share, config.seed)
    on = SYNTHETIC if name == "synthetic" and SYNTHETIC in data.validation else data.validate_on
    return _finish(name, config, data, streams, max_steps, on)


def _finish(
    name: str,
    config: TrainingConfig,
    data: Chosen,
    streams: tuple[Stream, ...],
    max_steps: int | None,
    validate_on: str,
    limited_by: str = "--max-steps",
) -> Phase:
    assert validate_on in (REAL, SYNTHETIC) and validate_on in data.validation
    images = sum(len(stream.images) for stream in streams)
    batch = sum(stream.per_batch for stream in streams)
    if batch * (config.size // config.model.stride) ** 2 < 2:
        raise UsageError(
            "batch norm has a single value to average at the deepest level",
            found=f"batches of one image at size {config.size}",
            do=f"use --size {2 * config.size}, or more images",
        )
    steps = max(math.ceil(images / batch), config.min_steps_per_epoch)
    limit = config.max_epochs * steps
    if max_steps is not None:
        limit = min(limit, max_steps)
    if config.warmup_steps >= limit:
        raise UsageError(
            "the warm-up is longer than the training",
            found=f"{config.warmup_steps} warm-up steps of {limit} in the phase {name!r}",
            do=f"lower --warmup-steps or raise {limited_by}",
        )
    return Phase(name, streams, steps, limit, validate_on, config.learning_rate)


def learning_rate(config: TrainingConfig, phase: Phase, step: int, cuts: int = 0) -> float:
    """Return the rate of a step of a phase, after `cuts` plateaus of the schedule `plateau`."""
    warm = min(1.0, (step + 1) / (config.warmup_steps + 1))
    rate = phase.learning_rate * warm
    if config.schedule == "constant":
        return rate
    if config.schedule == "plateau":
        return rate * 0.5**cuts
    done = max(0, step - config.warmup_steps) / (phase.max_steps - config.warmup_steps)
    if config.schedule == "linear":
        return rate * (1.0 - done)
    return rate * 0.5 * (1.0 + math.cos(math.pi * done))
